r"""Documents as LaTeX `table` environments with booktabs rules; they compile wherever that package is loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .document import Column, Document, Facts, Grid

LONG_TEXT = 60
"""Characters of a cell that a line of a page has no room for beside others: such a column breaks its texts."""

_ESCAPES = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)


def render_latex(document: Document) -> str:
    r"""Render one `table` environment: title as caption, tables, notes below them in small type."""
    lines = [r"% Needs \usepackage{booktabs} in the preamble.", r"\begin{table}", r"\centering"]
    if document.title:
        lines.append(rf"\caption{{{escape(document.title)}}}")
    for number, block in enumerate(document.blocks):
        lines += _titled(_facts_grid(block) if isinstance(block, Facts) else block, first=number == 0)
    if document.notes:
        lines += ["", r"\smallskip", r"\begin{minipage}{\linewidth}", r"\footnotesize"]
        lines += "\n\n".join(escape(note) for note in document.notes).split("\n")
        lines.append(r"\end{minipage}")
    return "\n".join([*lines, r"\end{table}"]) + "\n"


def escape(text: str) -> str:
    """Make every character print as itself in LaTeX text."""
    return text.translate(_ESCAPES)


def _facts_grid(block: Facts) -> Grid:
    return Grid((Column("field"), Column("value")), list(block.facts.items()), block.title)


def _titled(grid: Grid, *, first: bool) -> Iterable[str]:
    if grid.title:
        yield from (*(() if first else ("", r"\medskip")), escape(grid.title), "", r"\smallskip")
    elif not first:
        yield from ("", r"\medskip")
    if grid.columns:
        yield from _tabular(grid)


def _tabular(grid: Grid) -> Iterable[str]:
    yield rf"\begin{{tabular}}{{{''.join(_alignments(grid))}}}"
    yield r"\toprule"
    yield _line([escape(column.heading) for column in grid.columns])
    yield r"\midrule"
    for row in grid.rows:
        yield _line([_cell(column, text) for column, text in zip(grid.columns, row, strict=True)])
    yield from (r"\bottomrule", r"\end{tabular}")


def _alignments(grid: Grid) -> list[str]:
    widest = [max((len(row[at]) for row in grid.rows), default=0) for at in range(len(grid.columns))]
    long = sum(width > LONG_TEXT for width in widest)
    return [
        "r" if column.right else f"p{{{0.7 / long:.2f}\\linewidth}}" if width > LONG_TEXT else "l"
        for column, width in zip(grid.columns, widest, strict=True)
    ]


def _line(cells: Sequence[str]) -> str:
    text = " & ".join(cells)
    # After a line break LaTeX reads a bracket or an asterisk as an argument of that break.
    return (f"{{}}{text}" if text.startswith(("[", "*")) else text) + r" \\"


def _cell(column: Column, text: str) -> str:
    if column.code and text:
        return rf"\texttt{{{escape(text)}}}"
    # A minus sign rather than a hyphen before numbers, as long as it is not part of a name or a date.
    return re.sub(r"(?<![\w.)-])-(?=\d)", "$-$", escape(text))
