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
class SharedPass:
    """A value and what it cost.

    Attributes:
        value: It must never be changed.
        cost: What it took, as if it shared nothing with other passes.
        batches: The batches of images that it saw: digest by description.
    """

    value: Any
    cost: JobCost
    batches: Mapping[str, str]


@dataclass
class SharedPasses:
    """The passes of the architecture that a worker is at; those of another one are forgotten."""

    _of: Hashable = None
    _passes: dict[PassKey, SharedPass] = field(default_factory=dict)
    _lent: dict[PassKey, int] = field(default_factory=dict)

    def enter(self, architecture: Hashable) -> None:
        """Say which architecture the next job is of: everything that passes may depend on."""
        if architecture != self._of:
            self.clear()
            self._of = architecture

    def clear(self) -> None:
        """Forget all passes."""
        self._passes.clear()
        self._lent.clear()

    def lend(self, key: PassKey) -> SharedPass | None:
        """Return a pass to an evaluator, who might change its value: :meth:`forget_changed` would notice."""
        found = self._passes.get(key)
        if found is not None and key not in self._lent:
            self._lent[key] = fingerprint(found.value)
        return found

    def keep(self, key: PassKey, computed: SharedPass) -> None:
        """Keep a pass."""
        self._passes[key] = computed

    def forget_changed(self) -> None:
        """Forget the passes that were lent since the last call and whose values are not as they were."""
        for key, before in self._lent.items():
            if key in self._passes and fingerprint(self._passes[key].value) != before:
                del self._passes[key]
        self._lent.clear()

    def __len__(self) -> int:
        return len(self._passes)
