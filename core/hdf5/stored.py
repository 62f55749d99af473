"""What was taken from an HDF5 file, in memory: groups, arrays and their attributes. None of it leads back to the file.

Readers raise ValueError for what is not as it should be, which means that the file is damaged or of something else.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Unread:
    """An attribute whose value was left in the file.

    Attributes:
        kind: What it is, such as ``a text of variable length``.
    """

    kind: str


Attributes = Mapping[str, str | int | float | bool | Unread]


def part_name(name: str, number: int) -> str:
    """Return the attribute of a part, from 1, of a text that is too long for one attribute."""
    return name if number == 1 else f"{name}#{number}"


def joined(attrs: Attributes) -> Attributes:
    """Return attributes with the parts of long texts put together."""
    whole = {}
    parts: set[str] = set()
    for name, value in attrs.items():
        number = 2
        while isinstance(value, str) and isinstance(part := attrs.get(part_name(name, number)), str):
            parts.add(part_name(name, number))
            value += part
            number += 1
        whole[name] = value
    return {name: value for name, value in whole.items() if name not in parts}


@dataclass(frozen=True, eq=False)
class StoredArray:
    """An array.

    Attributes:
        file: The file that it is from.
        name: Its path in the file, from ``/``.
        attrs: Its attributes.
        shape: Its shape.
        dtype: Type of its values, None where that is none of numbers and texts of fixed length.
        values: Its values, None where they were left in the file.
        unread: Why they were.
    """

    file: Path
    name: str
    attrs: Attributes
    shape: tuple[int, ...]
    dtype: np.dtype[Any] | None
    values: npt.NDArray[Any] | None
    unread: str = ""

    @property
    def kind(self) -> str:
        """Kind of its values as NumPy names it, such as ``f``; empty where they are none that are read."""
        return "" if self.dtype is None else self.dtype.kind

    def load(self) -> npt.NDArray[Any]:
        """Return the values. Raises ValueError where they were left in the file."""
        if self.values is None:
            raise ValueError(f"'{self.name}' {self.unread}")
        return self.values


@dataclass(frozen=True, eq=False)
class StoredGroup:
    """A group.

    Attributes:
        file: The file that it is from.
        name: Its path in the file, from ``/``.
        attrs: Its attributes.
        members: What is in it, by name in alphabetical order.
    """

    file: Path
    name: str
    attrs: Attributes
    members: dict[str, StoredGroup | StoredArray] = field(default_factory=dict)

    def __contains__(self, name: str) -> bool:
        return name in self.members

    def group(self, name: str) -> StoredGroup:
        """Return a group in this one. Raises ValueError if there is none of that name."""
        member = self._find(name)
        if not isinstance(member, StoredGroup):
            raise ValueError(f"'{member.name}' must be a group")
        return member

    def array(self, name: str) -> StoredArray:
        """Return an array in this group. Raises ValueError if there is none of that name."""
        member = self._find(name)
        if not isinstance(member, StoredArray):
            raise ValueError(f"'{member.name}' must be an array")
        return member

    def groups(self) -> Iterator[StoredGroup]:
        """Give all members. Raises ValueError if one is no group."""
        return map(self.group, self.members)

    def arrays(self) -> Iterator[StoredArray]:
        """Give all members. Raises ValueError if one is no array."""
        return map(self.array, self.members)

    def _find(self, name: str) -> StoredGroup | StoredArray:
        if name not in self.members:
            raise ValueError(f"it has no '{self.name.rstrip('/')}/{name}'")
        return self.members[name]
