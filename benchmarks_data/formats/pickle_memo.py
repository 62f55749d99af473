"""The memo of a pickle: what has been stored under a number and may be asked for again.

The memo of a benchmark of several gigabytes would not fit into memory: nearly all of its texts are keys such as
``x-valid@11`` of some hundred thousand learning curves. Texts are therefore kept as runs: consecutive numbers and a
tuple of texts, of which equal ones are stored once.
"""

from __future__ import annotations

from array import array
from bisect import bisect_right

from .pickle_budget import Budget, bytes_of
from .pickle_values import NumberType, PendingArray
from .plain_data import Name

_MAX_CONSTANT_LENGTH = 4

# A place in one of the tables, with its number; a run of texts, and another place in which it occurs.
_ENTRY_BYTES, _RUN_BYTES, _PLACE_BYTES = 128, 256, 16


class ReleasedError(KeyError):
    """A number whose value has been let go of."""


class Memo:
    """Numbered values; ``release`` lets go of the containers stored since a ``mark``."""

    def __init__(self, budget: Budget) -> None:
        """Start empty; what is stored is charged to the budget, and goes back to it with ``release`` only."""
        self.count = 0
        self._budget = budget
        self._top = -1
        self._stored = array("Q")  # numbers of containers in the order in which they came
        self._containers: dict[int, object] = {}
        self._constants: dict[int, object] = {}
        self._released = False
        self._ascending = True
        self._starts = array("Q")
        self._runs = array("I")
        self._run_numbers: dict[tuple[str, ...], int] = {}
        self._known_runs: list[tuple[str, ...]] = []

    def put(self, index: int, value: object) -> None:
        """Store a value under a number."""
        kind = type(value)
        if kind is str and index > self._top:
            self.put_texts(index, (value,))  # type: ignore[arg-type]
            return
        if isinstance(value, PendingArray):
            value.memo_index = index
        self._ascending &= index > self._top
        is_constant = _is_constant(value)
        if is_constant:
            self._budget.keep(_ENTRY_BYTES + bytes_of(value))
        else:
            self._budget.hold(_ENTRY_BYTES)
            self._stored.append(index)
        kept, other = (self._constants, self._containers) if is_constant else (self._containers, self._constants)
        self.count += index not in kept and index not in other
        other.pop(index, None)
        kept[index] = value
        self._top = max(self._top, index)

    def put_texts(self, first: int, texts: tuple[str, ...]) -> bool:
        """Store texts under consecutive numbers; return False, storing nothing, if any of these was in use."""
        if first <= self._top:
            return False
        self._budget.keep(_PLACE_BYTES)
        number = self._run_numbers.setdefault(texts, len(self._known_runs))
        if number == len(self._known_runs):
            self._budget.keep(_RUN_BYTES + bytes_of(texts))
            self._known_runs.append(texts)
        self._starts.append(first)
        self._runs.append(number)
        self._top = first + len(texts) - 1
        self.count += len(texts)
        return True

    def get(self, index: int) -> object:
        """Return the value stored under a number.

        Raises:
            ReleasedError: It was let go of.
            KeyError: Nothing was stored there.
        """
        for kept in (self._containers, self._constants):
            if index in kept:
                return kept[index]
        texts = self._texts_from(index)
        if texts:
            return texts[0]
        raise ReleasedError(index) if self._released and index <= self._top else KeyError(index)

    def get_many(self, indices: list[int]) -> list[object]:
        """Return the values stored under several numbers, quickly where these are consecutive.

        Raises:
            ReleasedError: One was let go of.
            KeyError: Nothing was stored under one.
        """
        values: list[object] = []
        while len(values) < len(indices):
            index = indices[len(values)]
            texts = self._texts_from(index) if self._ascending else ()
            asked = indices[len(values) : len(values) + len(texts)]
            is_run = texts and asked == list(range(index, index + len(asked)))
            values += texts[: len(asked)] if is_run else [self.get(index)]
        return values

    def _texts_from(self, index: int) -> tuple[str, ...]:
        """Return the rest of the run of texts in which a number lies, empty if it lies in none."""
        run = bisect_right(self._starts, index) - 1
        return self._known_runs[self._runs[run]][index - self._starts[run] :] if run >= 0 else ()

    def mark(self) -> int:
        """Return a mark for ``release``."""
        return len(self._stored)

    def release(self, mark: int, container: object) -> None:
        """Let go of the containers stored since ``mark``, and of ``container`` if it was stored just before."""
        if mark and self._containers.get(self._stored[mark - 1]) is container:
            mark -= 1
        for index in self._stored[mark:]:
            self._containers.pop(index, None)
        del self._stored[mark:]
        self._released = True


def _is_constant(value: object) -> bool:
    """Return whether parts of a pickle that have nothing else in common may share this one object.

    Python itself does so for types, functions and bytes of at most one; copies of a dict share NumPy's numbers, and
    keys that are tuples.
    """
    match value:
        case Name() | NumberType() | str() | int() | float():
            return True
        case bytes():
            return len(value) <= 1
        case tuple():
            return len(value) <= _MAX_CONSTANT_LENGTH and all(type(part) in (str, int) for part in value)
    return False
