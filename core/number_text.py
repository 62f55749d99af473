"""Numbers as people write them."""

from __future__ import annotations

from typing import TypeVar

Number = TypeVar("Number", int, float)


def read_number(text: str, kind: type[Number]) -> Number:
    """Return the number that a text is, in ASCII digits; spaces around it do not count.

    Python reads ``0_1``, most likely a slip for 0.1, as 1, and digits of all scripts.

    Raises:
        ValueError: It is no number of this kind; ``nan`` and ``inf`` are floats.
    """
    if "_" in text or not text.isascii():
        raise ValueError(f"not a number: {text!r}")
    return kind(text)
