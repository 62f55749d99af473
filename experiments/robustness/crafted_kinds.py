"""Ways to craft an HDF5 file that leads elsewhere, takes memory or time, or is not what it says, for ``crafted_files``.

Each takes a file of ours, with checksums as we write them, and makes one change through HDF5 itself.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from types import MappingProxyType
from typing import Any

import h5py
import numpy as np
from h5py import h5d, h5p, h5s, h5t

SECRET = "content of another file of the reader"


@dataclass(frozen=True)
class Subject:
    """Where the parts of a file are that are changed.

    Attributes:
        path: The file.
        group: A group.
        numbers: An array of floats in it.
        texts: An array of texts.
        described: A group or array, and the name of a text that describes it.
        beside: A folder with ``secret.txt``, ``secret.h5`` and ``pipe``.
    """

    path: Path
    group: str
    numbers: str
    texts: str
    described: tuple[str, str]
    beside: Path

    @contextmanager
    def opened(self) -> Iterator[h5py.File]:
        """Open the file for writing."""
        with h5py.File(self.path, "r+", libver="v110", locking=False) as file:
            yield file

    @contextmanager
    def without(self, name: str) -> Iterator[h5py.File]:
        """Open the file without one of its elements, which the block makes anew; its attributes come back."""
        with self.opened() as file:
            attributes = dict(file[name].attrs)
            del file[name]
            yield file
            if name in file and isinstance(file.get(name, getlink=True), h5py.HardLink):
                for key, value in attributes.items():
                    file[name].attrs.create(key, value, dtype=value.dtype)


Craft = Callable[[Subject], None]


def make_secrets(folder: Path) -> None:
    """Make what files lead to in an empty folder."""
    (folder / "secret.txt").write_text(SECRET * 100)
    os.mkfifo(folder / "pipe")
    with h5py.File(folder / "secret.h5", "w") as file:
        file["numbers"] = np.full(100, 4711.4711)
        file["texts"] = np.array([SECRET.encode()] * 100)
        file.create_group("group")["texts"] = np.array([SECRET.encode()] * 100)


def _linked(name: str, link: Callable[[Subject], object]) -> Craft:
    def craft(subject: Subject) -> None:
        with subject.without(getattr(subject, name)) as file:
            file[getattr(subject, name)] = link(subject)

    return craft


def _external(file_name: str, path: str) -> Callable[[Subject], object]:
    return lambda subject: h5py.ExternalLink(str(subject.beside / file_name), path)


def _replaced(name: str, make: Callable[[h5py.File, str, int], object]) -> Craft:
    """Make an array anew: ``make`` is given the file, the array's path and its length."""

    def craft(subject: Subject) -> None:
        path = getattr(subject, name)
        with h5py.File(subject.path) as file:
            length = len(file[path])
        with subject.without(path) as file:
            make(file, path, length)

    return craft


def _with_values(change: Callable[[Any], Any]) -> Craft:
    """Store numbers as something else: ``change`` is given the array of floats."""

    def craft(subject: Subject) -> None:
        with h5py.File(subject.path) as file:
            values = file[subject.numbers][()]
        with subject.without(subject.numbers) as file:
            file[subject.numbers] = change(values)

    return craft


def _typed(name: str, of_file: Callable[[h5py.File], Any], **options: Any) -> Craft:
    return _replaced(name, lambda file, path, length: file.create_dataset(path, (length,), of_file(file), **options))


def _external_storage(name: str, dtype: Any, place: Callable[[Subject], str]) -> Craft:
    def craft(subject: Subject) -> None:
        path = getattr(subject, name)
        with h5py.File(subject.path) as file:
            length = len(file[path])
        size = np.dtype(dtype).itemsize * length
        with subject.without(path) as file:
            file.create_dataset(path, (length,), dtype, external=[(place(subject), 0, size)])

    return craft


def _virtual(source: Callable[[Subject], str], of_source: Callable[[Subject], str]) -> Craft:
    def craft(subject: Subject) -> None:
        with h5py.File(subject.path) as file:
            length = len(file[subject.numbers])
        layout = h5py.VirtualLayout((length,), "f8")
        layout[:] = h5py.VirtualSource(source(subject), of_source(subject), (length,))
        with subject.without(subject.numbers) as file:
            file.create_virtual_dataset(subject.numbers, layout, fillvalue=1.0)

    return craft


def _extra(make: Callable[[h5py.File, Subject], object]) -> Craft:
    """Add something that is none of ours."""

    def craft(subject: Subject) -> None:
        with subject.opened() as file:
            make(file, subject)

    return craft


def _description(value: Any, dtype: Any = None) -> Craft:
    """Give the text that describes an element another value."""

    def craft(subject: Subject) -> None:
        with subject.opened() as file:
            element, name = subject.described
            file[element].attrs.create(name, value, dtype=dtype)

    return craft


def _bytes(change: Callable[[bytes], bytes]) -> Craft:
    def craft(subject: Subject) -> None:
        subject.path.write_bytes(change(subject.path.read_bytes()))

    return craft


def _copied(subject: Subject, **options: Any) -> None:
    """Write the file anew, with options of HDF5."""
    copy = subject.path.with_name("copy.h5")
    with h5py.File(subject.path) as old, h5py.File(copy, "w", **options) as new:
        for key, value in old.attrs.items():
            new.attrs.create(key, value, dtype=value.dtype)
        for name in old:
            old.copy(name, new)
    copy.replace(subject.path)


def _text_at(name: str, text: bytes) -> Craft:
    """Put a text at the end of an array of texts."""

    def craft(subject: Subject) -> None:
        path = getattr(subject, name)
        with h5py.File(subject.path) as file:
            values = [bytes(value) for value in file[path][()]]
        values[-1] = text
        with subject.without(path) as file:
            file[path] = np.array(values, f"S{max(map(len, values))}")

    return craft


def _nested(depth: int) -> Craft:
    def make(file: h5py.File, subject: Subject) -> None:
        group = file[subject.group]
        for _ in range(depth):
            group = group.create_group("g")

    return _extra(make)


def _many_groups(file: h5py.File, subject: Subject) -> None:
    group = file.create_group("many")
    for number in range(101_000):
        group.create_group(f"{number}")


def _chunked(name: str, shape: tuple[int, ...], chunks: tuple[int, ...], dtype: Any = "f8", **options: Any) -> Craft:
    def make(file: h5py.File, path: str, length: int) -> None:
        file.create_dataset(path, shape, dtype, chunks=chunks, **options)

    return _replaced(name, make)


def _unpacking(file: h5py.File, path: str, length: int) -> None:
    """Make 400 MB of zeros that are packed into less than one."""
    made = file.create_dataset(path, (50_000_000,), "f8", chunks=(5_000_000,), compression="gzip", compression_opts=9)
    for start in range(0, 50_000_000, 5_000_000):
        made[start : start + 5_000_000] = np.zeros(5_000_000)


def _unknown_filter(number: int) -> Callable[[h5py.File, str, int], None]:
    def make(file: h5py.File, path: str, length: int) -> None:
        properties = h5p.create(h5p.DATASET_CREATE)
        properties.set_chunk((length,))
        properties.set_filter(number, h5py.h5z.FLAG_OPTIONAL, ())
        made = h5d.create(file.id, path.encode(), h5t.IEEE_F64LE, h5s.create_simple((length,)), properties)
        made.write_direct_chunk((0,), bytes(8 * length))

    return make


def _low_level(of_file: h5t.TypeID) -> Callable[[h5py.File, str, int], object]:
    return lambda file, path, length: h5d.create(file.id, path.encode(), of_file, h5s.create_simple((length,)))


def _opaque() -> h5t.TypeID:
    made = h5t.create(h5t.OPAQUE, 8)
    made.set_tag(b"anything")
    return made


def _scales(file: h5py.File, subject: Subject) -> None:
    file[subject.numbers].make_scale("numbers")
    file[subject.texts].dims[0].attach_scale(file[subject.numbers])


def _damaged_values(subject: Subject) -> None:
    """Flip a bit of packed values, whose checksum then fails."""
    with h5py.File(subject.path) as file:
        place = file[subject.numbers].id.get_chunk_info(0).byte_offset
    content = bytearray(subject.path.read_bytes())
    content[place + 12] ^= 16
    subject.path.write_bytes(content)


def _renamed(old: bytes, new: bytes) -> Craft:
    """Change names in a file of the oldest layout, which has no checksums."""

    def craft(subject: Subject) -> None:
        _copied(subject, libver="earliest")
        subject.path.write_bytes(subject.path.read_bytes().replace(old, new))

    return craft


def _eof(address: int) -> Callable[[bytes], bytes]:
    """Return what changes the end of file in the first block, and its checksum."""

    def change(content: bytes) -> bytes:
        return content[:28] + address.to_bytes(8, "little") + content[36:]

    return change


_ESCAPES = "\x1b[31mred\x1b]0;title\x07\u202egnp.exe\x9b2J".encode()

KINDS: Mapping[str, Craft] = MappingProxyType(
    {
        "link: numbers of another file": _linked("numbers", _external("secret.h5", "numbers")),
        "link: texts of another file": _linked("texts", _external("secret.h5", "texts")),
        "link: a group of another file": _linked("group", _external("secret.h5", "group")),
        "link: a file that is not there": _linked("numbers", _external("absent.h5", "numbers")),
        "link: a pipe": _linked("numbers", _external("pipe", "numbers")),
        "link: the same file": _linked("numbers", lambda subject: h5py.ExternalLink(subject.path.name, subject.texts)),
        "link: an element of no format of ours": _extra(
            lambda file, subject: file.__setitem__("mine", h5py.ExternalLink(str(subject.beside / "pipe"), "x"))
        ),
        "link: soft, to other numbers": _linked("numbers", lambda subject: h5py.SoftLink(f"/{subject.texts}")),
        "link: soft, to itself": _linked("numbers", lambda subject: h5py.SoftLink(f"/{subject.numbers}")),
        "link: soft, to nothing": _linked("numbers", lambda subject: h5py.SoftLink("/nothing")),
        "link: soft, to the root": _linked("group", lambda subject: h5py.SoftLink("/")),
        "link: a group in itself": _extra(
            lambda file, subject: file[subject.group].__setitem__("again", file[subject.group])
        ),
        "link: the root in a group": _extra(lambda file, subject: file[subject.group].__setitem__("again", file["/"])),
        "link: an array under two names": _extra(
            lambda file, subject: file.__setitem__("again", file[subject.numbers])
        ),
        "elsewhere: numbers": _external_storage("numbers", "f8", lambda subject: str(subject.beside / "secret.txt")),
        "elsewhere: texts": _external_storage("texts", "S30", lambda subject: str(subject.beside / "secret.txt")),
        "elsewhere: a pipe": _external_storage("numbers", "f8", lambda subject: str(subject.beside / "pipe")),
        "elsewhere: a file that is not there": _external_storage("numbers", "f8", lambda subject: "absent"),
        "virtual: itself": _virtual(lambda subject: ".", lambda subject: subject.numbers),
        "virtual: another file": _virtual(lambda subject: str(subject.beside / "secret.h5"), lambda subject: "numbers"),
        "virtual: a pipe": _virtual(lambda subject: str(subject.beside / "pipe"), lambda subject: "numbers"),
        "virtual: a file that is not there": _virtual(lambda subject: "absent.h5", lambda subject: "numbers"),
        "type: committed": _extra(lambda file, subject: file.__setitem__("type", np.dtype("f8"))),
        "type: numbers of a committed one": _replaced(
            "numbers",
            lambda file, path, length: (
                file.__setitem__("type", np.dtype("f8")),
                file.create_dataset(path, (length,), file["type"]),
            ),
        ),
        "type: references": _typed("numbers", lambda file: h5py.ref_dtype),
        "type: references to regions": _typed("numbers", lambda file: h5py.regionref_dtype),
        "type: several parts": _typed("numbers", lambda file: [("a", "f8"), ("b", h5py.string_dtype())]),
        "type: texts of variable length": _typed("texts", lambda file: h5py.string_dtype()),
        "type: numbers of variable length": _typed("numbers", lambda file: h5py.vlen_dtype(np.dtype("f8"))),
        "type: opaque": _replaced("numbers", _low_level(_opaque())),
        "type: bits": _replaced("numbers", _low_level(h5t.STD_B64LE)),
        "type: named values": _typed("numbers", lambda file: h5py.enum_dtype({"a": 1}, "i4")),
        "type: arrays": _replaced("numbers", _low_level(h5t.array_create(h5t.IEEE_F64LE, (3,)))),
        "type: floats of 16 bytes": _with_values(lambda values: values.astype(np.longdouble)),
        "type: complex": _with_values(lambda values: values.astype(complex)),
        "type: big-endian": _with_values(lambda values: values.astype(">f8")),
        "type: short floats": _with_values(lambda values: values.astype("f4")),
        "type: integers": _with_values(lambda values: np.ones(len(values), "i8")),
        "type: flags": _with_values(lambda values: values > 0),
        "type: numbers as texts": _with_values(lambda values: np.array([b"1.5"] * len(values))),
        "type: texts as numbers": _replaced(
            "texts", lambda file, path, length: file.create_dataset(path, data=np.ones(length))
        ),
        "type: a text of 600 MB": _chunked("texts", (6,), (1,), "S100000000"),
        "shape: two axes": _with_values(lambda values: np.stack([values, values])),
        "shape: too long": _with_values(lambda values: np.ones(len(values) + 1)),
        "shape: too short": _with_values(lambda values: values[1:]),
        "shape: nothing": _with_values(lambda values: values[:0]),
        "shape: a scalar": _with_values(lambda values: values[0]),
        "shape: no space": _with_values(lambda values: h5py.Empty("f8")),
        "shape: 32 axes": _with_values(lambda values: values.reshape((1,) * 31 + (-1,))),
        "shape: a terabyte that is not there": _chunked("numbers", (1 << 37,), (1 << 10,)),
        "shape: a terabyte in one piece": _replaced(
            "numbers", lambda file, path, length: file.create_dataset(path, (1 << 37,), "f8")
        ),
        "shape: 2 ** 63 places": _chunked("numbers", (1 << 62, 2), (1 << 10, 1), maxshape=(None, None)),
        "shape: texts without an end": _chunked("texts", (1 << 40,), (1 << 10,), "S30"),
        "chunks: one of 4 GB": _chunked("numbers", (6,), (1 << 28,), maxshape=(None,)),
        "chunks: gzip of 400 MB": _replaced("numbers", _unpacking),
        "chunks: an unknown filter": _replaced("numbers", _unknown_filter(300)),
        "chunks: a filter of a plugin": _replaced("numbers", _unknown_filter(32015)),
        "chunks: lzf": _typed("numbers", lambda file: "f8", compression="lzf"),
        "chunks: scale and offset": _typed("numbers", lambda file: "f8", scaleoffset=2),
        "chunks: damaged": _damaged_values,
        "element: a group for an array": _replaced("numbers", lambda file, path, length: file.create_group(path)),
        "element: an array for a group": _linked("group", lambda subject: np.ones(3)),
        "element: not there": _replaced("numbers", lambda file, path, length: None),
        "element: a group that is empty": _linked("group", lambda subject: h5py.SoftLink("x")),
        "groups: 1,000 deep": _nested(1000),
        "groups: 101,000": _extra(_many_groups),
        "names: escapes": _extra(lambda file, subject: file[subject.group].create_group(_ESCAPES.decode())),
        "names: 60,000 bytes": _extra(lambda file, subject: file[subject.group].create_group("n" * 60_000)),
        "names: two dots": _renamed(b"architectures\0", b"..\0hitectures\0"),
        "names: slashes": _renamed(b"architectures\0", b"../../etcturs\0"),
        "names: not UTF-8": _renamed(b"architectures\0", b"architect\xff\xfe\xfds\0"),
        "names: equal but for the form of Unicode": _extra(
            lambda file, subject: [file[subject.group].create_group(name) for name in ("\u00e9", "e\u0301")]
        ),
        "description: a text of variable length": _description("x", h5py.string_dtype()),
        "description: of 1 MB": _description(np.bytes_(b"x" * 1_000_000)),
        "description: a list": _description(np.arange(100_000)),
        "description: a number": _description(1.5),
        "description: nothing": _description(h5py.Empty("S1")),
        "description: a reference": _extra(
            lambda file, subject: file[subject.described[0]].attrs.create(
                subject.described[1], file.ref, dtype=h5py.ref_dtype
            )
        ),
        "description: several parts": _description(np.array((1, 2.0), [("a", "i4"), ("b", "f8")])),
        "description: escapes": _description(np.bytes_(_ESCAPES)),
        "description: not UTF-8": _description(np.bytes_(b"\xff\xfe")),
        "description: brackets": _description(np.bytes_(b"[" * 50_000)),
        "description: digits": _description(np.bytes_(b"9" * 50_000)),
        "description: a path": _description(np.bytes_(b"../../../etc/passwd")),
        "descriptions: 11,000": _extra(
            lambda file, subject: [file[subject.group].attrs.create(f"a{number}", 1) for number in range(11_000)]
        ),
        "descriptions: one of its owner": _extra(lambda file, subject: file[subject.group].attrs.create("mine", "x")),
        "descriptions: scales of axes": _extra(_scales),
        "texts: escapes": _text_at("texts", _ESCAPES),
        "texts: NUL within": _text_at("texts", b"a\0b"),
        "texts: not UTF-8": _text_at("texts", b"\xff\xfe\xfd"),
        "texts: halves of characters": _text_at("texts", b"\xed\xa0\x80"),
        "texts: twice the same": _text_at("texts", b""),
        "values: not a number": _with_values(lambda values: np.full(len(values), np.nan)),
        "values: infinite": _with_values(lambda values: np.full(len(values), np.inf)),
        "file: a block of its user before it": lambda subject: _copied(subject, libver="v110", userblock_size=512),
        "file: the oldest layout": lambda subject: _copied(subject, libver="earliest"),
        "file: the newest layout": lambda subject: _copied(subject, libver="latest"),
        "file: pages": lambda subject: _copied(subject, libver="v110", fs_strategy="page", fs_page_size=4096),
        "file: half of it": _bytes(lambda content: content[: len(content) // 2]),
        "file: its first 100 bytes": _bytes(lambda content: content[:100]),
        "file: without its last byte": _bytes(lambda content: content[:-1]),
        "file: with more behind it": _bytes(lambda content: content + b"more" * 1000),
        "file: with more before it": _bytes(lambda content: b"x" * 512 + content),
        "file: an end far away": _bytes(_eof(1 << 62)),
        "file: an end within": _bytes(_eof(300)),
        "file: zeros from byte 500 on": _bytes(lambda content: content[: len(content) // 2].ljust(len(content), b"\0")),
        "file: empty": _bytes(lambda content: b""),
        "file: text": _bytes(lambda content: b"a text"),
    }
)
