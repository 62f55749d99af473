"""Values of one architecture that several evaluators need: computed by the first that asks, kept for the others."""

from __future__ import annotations

from collections.abc import Callable, Hashable, Mapping
from dataclasses import dataclass, field
from typing import Any

from .domain import JobCost
from .fingerprint import fingerprint

PassKey = tuple[Callable[..., Any], tuple[Hashable, ...]]
"""What computes a value, and its arguments."""


@dataclass(frozen=True)
class PassCost:
    """What one pass took, without the passes that it is made of.

    Attributes:
        cost: As if nothing else had been kept.
        held_memory: Bytes that its value holds.
    """

    cost: JobCost
    held_memory: int


@dataclass(frozen=True)
class SharedPass:
    """A value and what it cost.

    Attributes:
        value: It must never be changed.
        costs: Of this pass and of all that it is made of.
        batches: The batches of inputs that it saw: digest by description.
    """

    value: Any
    costs: Mapping[PassKey, PassCost]
    batches: Mapping[str, str]


@dataclass
class SharedPasses:
    """The passes of the architecture that a worker is at; those of another one are forgotten.

    It remembers which evaluators asked for a pass on earlier architectures: a pass is forgotten as soon as all of them
    have scored this one. On a worker's first architecture that is not known yet, and all passes are kept to its end.
    """

    _of: Hashable = None
    _is_first: bool = True
    _passes: dict[PassKey, SharedPass] = field(default_factory=dict)
    _lent: dict[PassKey, int] = field(default_factory=dict)
    _users: dict[PassKey, set[Hashable]] = field(default_factory=dict)
    _finished: set[Hashable] = field(default_factory=set)

    def enter(self, architecture: Hashable) -> bool:
        """Say which architecture the next job is of: everything that passes may depend on.

        Returns:
            Whether that made it forget passes.
        """
        if architecture == self._of:
            return False
        forgets = bool(self._passes)
        self._forget_passes()
        self._is_first = self._of is None
        self._of = architecture
        self._finished.clear()
        return forgets

    def clear(self) -> None:
        """Forget all passes, and who is known to ask for them: nothing is computed for others then."""
        self._forget_passes()
        self._users.clear()
        self._is_first = True

    def _forget_passes(self) -> None:
        self._passes.clear()
        self._lent.clear()

    def lend(self, key: PassKey, evaluator: Hashable) -> SharedPass | None:
        """Return a pass to an evaluator, who might change its value: :meth:`forget_changed` would notice."""
        self._users.setdefault(key, set()).add(evaluator)
        found = self._passes.get(key)
        if found is not None and key not in self._lent:
            self._lent[key] = fingerprint(found.value)
        return found

    def keep(self, key: PassKey, computed: SharedPass) -> None:
        """Keep a pass."""
        self._passes[key] = computed

    def has_or_expects(self, key: PassKey) -> bool:
        """Return whether a pass is kept, or an evaluator that has not scored this architecture asked for it before."""
        return key in self._passes or not self._users.get(key, set()) <= self._finished

    def finish(self, evaluator: Hashable) -> None:
        """Say that an evaluator has scored the architecture, and forget what nobody else is known to ask for.

        Passes that were lent since the last call and whose values are not as they were are forgotten too.
        """
        self._forget_changed()
        self._finished.add(evaluator)
        if not self._is_first:
            for key in [key for key in self._passes if self._users.get(key, set()) <= self._finished]:
                del self._passes[key]

    def _forget_changed(self) -> None:
        for key, before in self._lent.items():
            if key in self._passes and fingerprint(self._passes[key].value) != before:
                del self._passes[key]
        self._lent.clear()

    def __len__(self) -> int:
        return len(self._passes)
