"""What all elements are written with: attributes of texts, numbers and JSON, and the version that each one carries.

Readers raise ValueError for what is not as it should be; the store says which file is damaged.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, TypeVar

import h5py

from ...errors import ResultsFileError
from ...hdf5.stored import StoredArray, StoredGroup, Unread
from ...hdf5.writing import write_attributes

Member = TypeVar("Member", StoredGroup, StoredArray)

TYPE = "encoding_type"
VERSION = "encoding_version"

# In UTF-8 at most 800 bytes, which leaves room for what makes a name different from others.
MAX_NAME_LENGTH = 200

UPGRADE = "Upgrade with 'pip install --upgrade nasbench-toolkit'. The file was left as it is."


@dataclass(frozen=True)
class Encoding:
    """How one kind of element is written.

    Attributes:
        type: Name of the kind, as in ``nasbench-plan``.
        version: Version of its layout; it rises when a reader of the former version would misread the new one.
    """

    type: str
    version: int

    def mark(self, element: h5py.Group | h5py.Dataset) -> None:
        """Say on a new element how it is written."""
        write_attributes(element, encoding_type=self.type, encoding_version=self.version)

    def check(self, element: StoredGroup | StoredArray) -> None:
        """Check that an element is written so.

        Raises:
            ResultsFileError: It has a newer version.
            ValueError: It is of another kind, or has a version that never was.
        """
        stored = element.attrs.get(TYPE)
        if stored != self.type:
            raise ValueError(f"'{element.name}' should have {TYPE} '{self.type}', it has {stored!r}")
        version = read_whole_number(element.attrs, VERSION)
        if version > self.version:
            raise ResultsFileError(
                f"'{element.file}' has '{element.name}' in version {version} of {self.type}, this nasbench "
                f"reads up to {self.version}. {UPGRADE}"
            )
        if version < 1:
            raise ValueError(f"'{element.name}' has version {version} of {self.type}")


def member_name(group: h5py.Group, text: str) -> str:
    """Return a name for a new member that stands for a text: ``/`` would start a sub-group, ``.`` is the group itself.

    The text is stored with the member; the name is for people, as near to it as can be.
    """
    name = text.replace("/", "_")[:MAX_NAME_LENGTH]
    if not name.strip("."):
        name = "_" * max(1, len(name))
    while name in group:
        name += "_"
    return name


def by_position(members: Iterable[Member]) -> list[Member]:
    """Return members of a group in the order of their attribute ``position``."""
    return sorted(members, key=lambda member: read_whole_number(member.attrs, "position"))


def read_text(attrs: Mapping[str, Any], name: str) -> str:
    """Return a text. Raises ValueError if there is none of this name, or it is something else."""
    value = _find(attrs, name)
    if not isinstance(value, str):
        raise ValueError(f"'{name}' must be a text, it is {_kind(value)}")
    return value


def read_whole_number(attrs: Mapping[str, Any], name: str) -> int:
    """Return a whole number. Raises ValueError if there is none of this name, or it is something else."""
    value = _find(attrs, name)
    if not isinstance(value, int) or isinstance(value, bool):
        raise ValueError(f"'{name}' must be a whole number, it is {_kind(value)}")
    return value


def read_number(attrs: Mapping[str, Any], name: str) -> float:
    """Return a number. Raises ValueError if there is none of this name, or it is something else."""
    value = _find(attrs, name)
    if not isinstance(value, float):
        raise ValueError(f"'{name}' must be a number, it is {_kind(value)}")
    return value


def read_flag(attrs: Mapping[str, Any], name: str) -> bool:
    """Return whether something is so. Raises ValueError if there is none of this name, or it is no boolean."""
    value = _find(attrs, name)
    if not isinstance(value, bool):
        raise ValueError(f"'{name}' must be true or false, it is {_kind(value)}")
    return value


def as_json(value: Any) -> str:
    """Return a value as it is stored in an attribute; equal values give equal texts."""
    return json.dumps(value, sort_keys=True)


def read_json_object(attrs: Mapping[str, Any], name: str) -> dict[str, Any]:
    """Return a JSON object. Raises ValueError if there is none of this name, or it is something else."""
    decoded = json.loads(read_text(attrs, name))
    if not isinstance(decoded, dict):
        raise ValueError(f"'{name}' must be a JSON object")
    return decoded


def read_json_list(attrs: Mapping[str, Any], name: str) -> list[Any]:
    """Return a JSON list. Raises ValueError if there is none of this name, or it is something else."""
    decoded = json.loads(read_text(attrs, name))
    if not isinstance(decoded, list):
        raise ValueError(f"'{name}' must be a JSON list")
    return decoded


def read_json_texts(attrs: Mapping[str, Any], name: str) -> tuple[str, ...]:
    """Return a JSON list of texts. Raises as :func:`read_json_list`."""
    return as_texts(name, read_json_list(attrs, name))


def read_json_seeds(attrs: Mapping[str, Any], name: str) -> tuple[int, ...]:
    """Return a JSON list of whole numbers from 0 on. Raises as :func:`read_json_list`."""
    seeds = read_json_list(attrs, name)
    if not all(type(seed) is int and seed >= 0 for seed in seeds):
        raise ValueError(f"'{name}' must hold whole numbers from 0 on")
    return tuple(seeds)


def read_json_text_object(attrs: Mapping[str, Any], name: str) -> dict[str, str]:
    """Return a JSON object whose values are texts. Raises as :func:`read_json_object`."""
    decoded = read_json_object(attrs, name)
    as_texts(name, decoded.values())
    return decoded


def as_texts(name: str, values: Iterable[Any]) -> tuple[str, ...]:
    """Return the values of ``name``. Raises ValueError if they are no texts."""
    texts = tuple(values)
    if not all(isinstance(text, str) for text in texts):
        raise ValueError(f"'{name}' must hold texts")
    return texts


def _find(attrs: Mapping[str, Any], name: str) -> Any:
    if name not in attrs:
        raise ValueError(f"it lacks the attribute '{name}'")
    return attrs[name]


def _kind(value: Any) -> str:
    return value.kind if isinstance(value, Unread) else type(value).__name__
