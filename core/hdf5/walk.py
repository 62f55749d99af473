"""Goes through an HDF5 file of a stranger and takes what can be taken from it. Runs in the reading process only.

Everything is looked at before it is read: what leads out of the file makes it refused, and what is of another type
than ours write is left in it, so that its owner may keep things of his own there.
"""

from __future__ import annotations

from collections.abc import Collection, Iterator
from dataclasses import dataclass, field
from typing import Any

import h5py
import numpy as np
import numpy.typing as npt
from h5py import h5a, h5d, h5g, h5l, h5o, h5s, h5t, h5z

from .limits import (
    MAX_ARRAY_BYTES,
    MAX_ATTRIBUTES,
    MAX_DEPTH,
    MAX_FILE_BYTES,
    MAX_NAME_BYTES,
    MAX_OBJECTS,
    MAX_TEXT_BYTES,
)

FILTERS = {h5z.FILTER_DEFLATE, h5z.FILTER_SHUFFLE, h5z.FILTER_FLETCHER32}
"""Those that our files are written with; HDF5 would look for a library to load for others."""

MAX_NUMBER_BYTES = 8

_LINKS = {h5l.TYPE_SOFT: "a soft link", h5l.TYPE_EXTERNAL: "a link to another file"}

_VALUES = {
    h5t.COMPOUND: "a value of several parts",
    h5t.REFERENCE: "a reference",
    h5t.VLEN: "a list of variable length",
    h5t.OPAQUE: "an opaque value",
    h5t.ARRAY: "an array",
    h5t.ENUM: "a named value",
    h5t.BITFIELD: "bits",
}


@dataclass
class Element:
    """A group or an array as it is sent.

    Attributes:
        path: From the root, without ``/`` at its start; empty for the root.
        attrs: Values of its attributes; ``{"unread": kind}`` for what was left in the file.
        shape: Of an array, None for a group.
        dtype: Type of its values as NumPy writes it, None for those that are never read.
        unread: Why the values of an array were left in the file, empty if they follow.
        values: The values.
    """

    path: str
    attrs: dict[str, Any]
    shape: tuple[int, ...] | None = None
    dtype: str | None = None
    unread: str = ""
    values: npt.NDArray[Any] | None = None


def walk(file: h5py.File, wanted: Collection[str]) -> Iterator[Element]:
    """Give every element, a group before its members.

    Args:
        file: The file.
        wanted: Paths whose arrays are read, with all that is below them.

    Raises:
        ValueError: The file leads to other files, has members twice, or is larger or deeper than any of ours.
        OSError, RuntimeError, KeyError, TypeError: What h5py raises for a damaged file.
    """
    return _Walk(wanted).group("", h5g.open(file.id, b"/"), 0)


@dataclass
class _Walk:
    wanted: Collection[str]
    left: int = MAX_FILE_BYTES
    seen: set[int] = field(default_factory=set)

    def group(self, path: str, group: h5g.GroupID, depth: int) -> Iterator[Element]:
        if depth > MAX_DEPTH:
            raise ValueError(f"it has groups {depth} deep")
        self._see(path, group)
        yield Element(path, self._attributes(path, group))
        if group.get_num_objs() > MAX_OBJECTS:
            raise ValueError(f"it has more than {MAX_OBJECTS:,} elements")
        for name in sorted(group):
            yield from self._member(f"{path}/{_decoded(name)}".lstrip("/"), group, name, depth)

    def _member(self, path: str, group: h5g.GroupID, name: bytes, depth: int) -> Iterator[Element]:
        link = group.links.get_info(name).type
        if link != h5l.TYPE_HARD:
            raise ValueError(f"'/{path}' is {_LINKS.get(link, 'a link of an unknown kind')}, which is not followed")
        member = h5o.open(group, name)
        if isinstance(member, h5g.GroupID):
            yield from self.group(path, member, depth + 1)
        elif isinstance(member, h5d.DatasetID):
            self._see(path, member)
            yield self._array(path, member)
        else:
            raise ValueError(f"'/{path}' is neither a group nor an array")

    def _see(self, path: str, element: h5g.GroupID | h5d.DatasetID) -> None:
        address = h5o.get_info(element).addr
        if address in self.seen:
            raise ValueError(f"'/{path}' is there under two names")
        self.seen.add(address)
        if len(self.seen) > MAX_OBJECTS:
            raise ValueError(f"it has more than {MAX_OBJECTS:,} elements")

    def _array(self, path: str, dataset: h5d.DatasetID) -> Element:
        properties = dataset.get_create_plist()
        if properties.get_layout() == h5d.VIRTUAL:
            raise ValueError(f"'/{path}' is a virtual dataset, which shows what is elsewhere")
        if properties.get_external_count():
            raise ValueError(f"'/{path}' has its values in another file")
        dtype, kind = _type_of(dataset.get_type())
        shape = tuple(map(int, dataset.shape or ()))
        unread = f"has {kind} in each place" if dtype is None else self._why_unread(path, dataset, shape, dtype)
        element = Element(path, self._attributes(path, dataset), shape, dtype and dtype.str, unread)
        if not unread:
            element.values = np.empty(shape, dtype)
            self.left -= element.values.nbytes
            if element.values.size:
                dataset.read(h5s.ALL, h5s.ALL, element.values, _as_read(dataset.get_type()))
        return element

    def _why_unread(self, path: str, dataset: h5d.DatasetID, shape: tuple[int, ...], dtype: np.dtype[Any]) -> str:
        """Say why an array is left in the file, empty if it is to be read."""
        if dataset.get_space().get_simple_extent_type() != h5s.SIMPLE:
            return "is no array"
        if not any(path == each or path.startswith(f"{each}/") for each in self.wanted):
            return "was not asked for"
        properties = dataset.get_create_plist()
        size = _num_bytes(shape, dtype)
        chunk = _num_bytes(properties.get_chunk(), dtype) if properties.get_layout() == h5d.CHUNKED else 0
        if max(size, chunk) > min(MAX_ARRAY_BYTES, self.left):
            return f"would unpack to {max(size, chunk):,} bytes"
        filters = {properties.get_filter(position)[0] for position in range(properties.get_nfilters())}
        if not filters <= FILTERS:
            return f"is packed with the filter {min(filters - FILTERS)}, which none of our files is"
        return ""

    def _attributes(self, path: str, element: h5g.GroupID | h5d.DatasetID) -> dict[str, Any]:
        if h5a.get_num_attrs(element) > MAX_ATTRIBUTES:
            raise ValueError(f"'/{path}' has more than {MAX_ATTRIBUTES:,} attributes")
        names: list[bytes] = []
        h5a.iterate(element, names.append)
        attributes = {_decoded(name): _value(h5a.open(element, name)) for name in names}
        self.left -= sum(len(value) for value in attributes.values() if isinstance(value, str))
        if self.left < 0:
            raise ValueError("its attributes are too large")
        return attributes


def _type_of(of_file: h5t.TypeID) -> tuple[np.dtype[Any] | None, str]:
    """Return the type of an array's values; for those that are never read None, and what they are."""
    kind, size = of_file.get_class(), of_file.get_size()
    if kind == h5t.STRING:
        if of_file.is_variable_str():
            return None, "a text of variable length"
        return (np.dtype(f"S{size}"), "") if size <= MAX_ARRAY_BYTES else (None, "a text that is too long")
    if kind in (h5t.INTEGER, h5t.FLOAT):
        return (of_file.dtype, "") if size <= MAX_NUMBER_BYTES else (None, "a number that is too large")
    return None, _VALUES.get(kind, "a value of an unknown type")


def _as_read(of_file: h5t.TypeID) -> h5t.TypeID | None:
    """Return the type that values have in memory: texts are taken as they are, in whatever encoding they say."""
    return of_file if of_file.get_class() == h5t.STRING else None


def _value(attribute: h5a.AttrID) -> Any:
    """Return the value of an attribute if it is one text, number or boolean."""
    of_file = attribute.get_type()
    if attribute.get_space().get_simple_extent_type() != h5s.SCALAR:
        return {"unread": "an array"}
    is_flag = of_file.get_class() == h5t.ENUM and of_file.dtype == np.bool_
    dtype, unread = (np.dtype(np.bool_), "") if is_flag else _type_of(of_file)
    if dtype is None:
        return {"unread": unread}
    if dtype.itemsize > MAX_TEXT_BYTES:
        return {"unread": "a text that is too long"}
    value = np.empty((), dtype)
    attribute.read(value, _as_read(of_file))
    plain = value.item()
    try:
        return plain.decode() if isinstance(plain, bytes) else plain
    except UnicodeDecodeError:
        return {"unread": "a text that is not UTF-8"}


def _num_bytes(shape: tuple[int, ...], dtype: np.dtype[Any]) -> int:
    count = dtype.itemsize
    for length in shape:
        count *= int(length)
    return count


def _decoded(name: bytes) -> str:
    if len(name) > MAX_NAME_BYTES:
        raise ValueError(f"it has a name of {len(name):,} bytes")
    return name.decode()
