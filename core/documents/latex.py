r"""Documents as LaTeX `table` environments; they compile wherever the packages booktabs and siunitx are loaded."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

from .document import Column, Document, Facts, Grid
from .latex_numbers import NumberColumn, number_column

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
    lines = [r"% Needs \usepackage{booktabs,siunitx} in the preamble.", r"\begin{table}", r"\centering"]
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
    # The default encoding has a dash in the place of the bar.
    return _escape_code(text).replace("|", r"\textbar{}")


def _escape_code(text: str) -> str:
    """Do so for text in typewriter face, which has the bar."""
    # Hyphens in a row would be joined to a dash.
    return re.sub("-(?=-)", "-{}", text.translate(_ESCAPES))


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
    texts = [[row[at] for row in grid.rows] for at in range(len(grid.columns))]
    numbers = [number_column(column, of_column) for column, of_column in zip(grid.columns, texts, strict=True)]
    yield rf"\begin{{tabular}}{{{''.join(_alignments(grid, numbers, texts))}}}"
    yield r"\toprule"
    yield _line(
        [
            escape(column.heading) if number is None else number.heading(escape(column.heading))
            for column, number in zip(grid.columns, numbers, strict=True)
        ]
    )
    yield r"\midrule"
    for row in grid.rows:
        yield _line(
            [
                _cell(column, text) if number is None else number.cell(text, _cell(column, text))
                for column, number, text in zip(grid.columns, numbers, row, strict=True)
            ]
        )
    yield from (r"\bottomrule", r"\end{tabular}")


def _alignments(grid: Grid, numbers: Sequence[NumberColumn | None], texts: Sequence[Sequence[str]]) -> Iterable[str]:
    widest = [max(map(len, of_column), default=0) for of_column in texts]
    long = sum(width > LONG_TEXT for width in widest)
    for column, number, width in zip(grid.columns, numbers, widest, strict=True):
        if number is not None:
            yield number.specification
        elif column.right:
            yield "r"
        else:
            yield f"p{{{0.7 / long:.2f}\\linewidth}}" if width > LONG_TEXT else "l"


def _line(cells: Sequence[str]) -> str:
    text = " & ".join(cells)
    # After a line break LaTeX reads a bracket or an asterisk as an argument of that break.
    return (f"{{}}{text}" if text.startswith(("[", "*")) else text) + r" \\"


def _cell(column: Column, text: str) -> str:
    if column.code and text:
        return rf"\texttt{{{_escape_code(text)}}}"
    # A minus sign rather than a hyphen before numbers, as long as it is not part of a name or a date.
    return re.sub(r"(?<![\w.)-])(?<!-\{\})-(?=\d)", "$-$", escape(text))
