r"""Columns of numbers in LaTeX: siunitx's `S`, which aligns them on the decimal point, with intervals beside them.

A column of numbers is one that is aligned to the right, or that has a number with an interval. What stands behind a
number, such as an interval or a rank, gets a column of its own, which both have one heading.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass

from .document import Column

_NUMBER = re.compile(r"(?P<sign>-?)(?P<whole>\d{1,3}(?:,\d{3})+|\d+)(?:\.(?P<decimals>\d+))?(?P<beside> .+)?")
_WITH_INTERVAL = re.compile(r"-?\d+(\.\d+)? \[.*\]")


@dataclass(frozen=True)
class NumberColumn:
    """How a column of numbers is set.

    Attributes:
        signed: Whether one is negative.
        whole: Most digits before the decimal point.
        decimals: Most digits behind it.
        beside: Whether something stands behind one of them.
    """

    signed: bool
    whole: int
    decimals: int
    beside: bool

    @property
    def specification(self) -> str:
        """What stands for it in the argument of `tabular`."""
        point = f".{self.decimals}" if self.decimals else ""
        numbers = f"S[table-format={'-' if self.signed else ''}{self.whole}{point}]"
        return numbers + (r"@{~}l" if self.beside else "")

    def heading(self, text: str) -> str:
        """Return a heading, already escaped, over all of it."""
        return rf"\multicolumn{{2}}{{c}}{{{text}}}" if self.beside else f"{{{text}}}"

    def cell(self, text: str, escaped: str) -> str:
        """Return a cell.

        Args:
            text: What is in it.
            escaped: The same as LaTeX text.
        """
        found = _NUMBER.fullmatch(text)
        if found is None:
            return self.heading(escaped) if text or self.beside else ""
        point = f".{found['decimals']}" if found["decimals"] else ""
        number = found["sign"] + found["whole"].replace(",", "") + point
        return f"{number} & {escaped.partition(' ')[2]}" if self.beside else number


def number_column(column: Column, texts: Sequence[str]) -> NumberColumn | None:
    """Return how a column of numbers is set, None if it is none."""
    if column.code or not (column.right or any(map(_WITH_INTERVAL.fullmatch, texts))):
        return None
    numbers = [found for text in texts if (found := _NUMBER.fullmatch(text))]
    if not numbers:
        return None
    return NumberColumn(
        signed=any(found["sign"] for found in numbers),
        whole=max(len(found["whole"].replace(",", "")) for found in numbers),
        decimals=max(len(found["decimals"] or "") for found in numbers),
        beside=any(found["beside"] for found in numbers),
    )
