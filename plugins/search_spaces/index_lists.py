"""Reads architectures that are written as whole numbers: ``1234``, ``(4, 0, 3, 1, 4, 3)`` or ``[4, 0, 3, 1, 4, 3]``."""

from __future__ import annotations

import re

_LIST = re.compile(r"(\()?(\[)? *-?[0-9]+ *(, *-?[0-9]+ *)*,? *(?(2)\])(?(1)\))")

# Python refuses to read integers of more digits than some thousands.
_MOST_DIGITS = 9


def read_index_list(text: str) -> tuple[int, ...] | None:
    """Return the numbers of a text, None if it is no list of whole numbers.

    Args:
        text: Numbers separated by commas, in parentheses, in brackets or in neither.
    """
    if not _LIST.fullmatch(text):
        return None
    return tuple(int(number[: _MOST_DIGITS + 1]) for number in re.findall(r"-?[0-9]+", text))
