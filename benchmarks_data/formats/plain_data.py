"""What counts as plain data, and the checks that a pickle holds nothing else."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass

import numpy as np

_MAX_DEPTH = 64
_MAX_KEY_LENGTH = 8
_SCALARS = frozenset({str, bytes, int, float, bool, type(None)})

# Two different integers of this size or more can be made to share a hash (sys.hash_info.modulus), and a dict of
# thousands of those would take hours to fill.
_MAX_INTEGER_KEY = 1 << 60

# Tuples of smaller integers can share a hash as well. The benchmarks have a handful of such keys in a dict.
_MAX_KEYS_BESIDE_TUPLES = 1000


@dataclass(frozen=True)
class Name:
    """A dotted name that occurs in a pickle."""

    dotted: str


class UnreadableError(ValueError):
    """A value that plain data cannot have, without the place in the file."""


def check_keys(keys: Sequence[object], already: int = 0) -> None:
    """Refuse keys that plain data does not have; some of them would take very long to hash.

    Args:
        keys: Of items that are about to become those of a dict or set.
        already: How many it has before.

    Raises:
        UnreadableError: A key is neither text, number nor a short tuple of these, or one of very many with tuples.
    """
    kinds = set(map(type, keys))
    if kinds == {str}:
        return
    if tuple in kinds:
        inner = [part for key in keys if isinstance(key, tuple) for part in key[: _MAX_KEY_LENGTH + 1]]
        if any(len(key) > _MAX_KEY_LENGTH for key in keys if isinstance(key, tuple)) or tuple in set(map(type, inner)):
            raise UnreadableError("a key that is a long or nested tuple")
        if already + len(keys) > _MAX_KEYS_BESIDE_TUPLES:
            raise UnreadableError(f"more than {_MAX_KEYS_BESIDE_TUPLES:,} keys with tuples among them")
        check_keys(inner)
    if not kinds <= _SCALARS | {tuple}:
        raise UnreadableError("a key that is neither a text nor a number")
    integers = [key for key in keys if type(key) is int]
    if integers and not -_MAX_INTEGER_KEY < min(integers) <= max(integers) < _MAX_INTEGER_KEY:
        raise UnreadableError("a key that is a number beyond 60 bits")


def check_plain(value: object) -> None:
    """Check that a finished value consists of plain data, not nested too deeply.

    Raises:
        UnreadableError: It does not.
    """
    level, seen = [value], set[int]()
    for _ in range(_MAX_DEPTH):
        children: list[object] = []
        for item in level:
            if type(item) in _SCALARS or isinstance(item, np.ndarray | np.generic) or id(item) in seen:
                continue
            seen.add(id(item))
            children.extend(_children(item))
        if not children:
            return
        level = children
    raise UnreadableError(f"containers nested more than {_MAX_DEPTH} deep")


def _children(item: object) -> Iterable[object]:
    match item:
        case dict():
            return [*item.keys(), *item.values()]
        case list() | tuple() | set() | frozenset():
            return item
        case Name():
            raise UnreadableError(f"the name '{item.dotted}' as a value")
    raise UnreadableError("an unfinished NumPy type or array")
