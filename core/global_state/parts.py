"""One thing that a process has once: how it is read, and how it is put back."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Part:
    """One thing that a process has once and that anybody in it may change.

    Attributes:
        name: What it is, in words.
        read: Returns it. What is returned is compared with what was returned before.
        write: Puts back what was returned before; None if nothing can.
        keep: Makes of what is read what can be kept, where the former changes with the process.
    """

    name: str
    read: Callable[[], Any]
    write: Callable[[Any], object] | None
    keep: Callable[[Any], Any] = lambda value: value

    def differs_from(self, kept: Any) -> bool:
        """Whether it is not as it was. What cannot be read or compared any more is not."""
        try:
            return bool(self.read() != kept)
        except Exception:
            return True


def attribute(name: str, owner: Any, attribute_name: str) -> Part:
    """Return an attribute as a part."""
    return Part(
        name, lambda: getattr(owner, attribute_name), lambda value: setattr(owner, attribute_name, value)
    )  # fmt: skip
