"""Correlation table for papers and web pages: Markdown and LaTeX."""

from __future__ import annotations

import re
from collections.abc import Iterable, Sequence

import jinja2
import tabulate

from . import wording
from .correlation import CorrelationTable

_LATEX_ESCAPES = str.maketrans(
    {character: f"\\{character}" for character in "&%$#_{}"}
    | {
        "\\": r"\textbackslash{}",
        "~": r"\textasciitilde{}",
        "^": r"\textasciicircum{}",
        "<": r"\textless{}",
        ">": r"\textgreater{}",
    }
)

# Brackets other than LaTeX's own braces; its comment sign stays free for the hint on booktabs.
_LATEX = jinja2.Environment(
    block_start_string="<%",
    block_end_string="%>",
    variable_start_string="<<",
    variable_end_string=">>",
    comment_start_string="<#",
    comment_end_string="#>",
    trim_blocks=True,
    keep_trailing_newline=True,
    undefined=jinja2.StrictUndefined,
).from_string(r"""% Needs \usepackage{booktabs} in the preamble.
\begin{table}
\centering
\caption{<< title >>}
<% for grid in grids %>
\begin{tabular}{<< grid.alignment >>}
\toprule
<< grid.headings >> \\
\midrule
<% for row in grid.rows %>
<< row >> \\
<% endfor %>
\bottomrule
\end{tabular}
<% if not loop.last %>

\medskip
<< pairwise_title >>

\smallskip
<% endif %>
<% endfor %>

\smallskip
\begin{minipage}{\linewidth}
\footnotesize
<% for note in notes %>
<< note >>
<% if not loop.last %>

<% endif %>
<% endfor %>
\end{minipage}
\end{table}
""")


def render_markdown(table: CorrelationTable, *, pairwise: bool = False) -> str:
    """Render tables and a list of notes in Markdown; without a ground truth the agreements always follow."""
    rows = [wording.cells(row, table) for row in table.rows]
    parts = [f"**{wording.title(table)}**", _markdown_grid(wording.headings(table), rows)]
    if wording.shows_pairwise(table, pairwise):
        parts.append(f"**{wording.PAIRWISE_TITLE}**")
        parts.append(_markdown_grid(wording.pairwise_headings(table), wording.pairwise_cells(table)))
    parts.append("\n".join(f"- {_escape_markdown(note)}" for note in wording.notes(table)))
    return "\n\n".join(parts) + "\n"


def render_latex(table: CorrelationTable, *, pairwise: bool = False) -> str:
    r"""Render a `table` environment with booktabs rules; without a ground truth the agreements always follow.

    It compiles inside any document that loads the package booktabs.
    """
    rows = [wording.cells(row, table) for row in table.rows]
    grids = [_latex_grid(wording.headings(table), rows)]
    if wording.shows_pairwise(table, pairwise):
        grids.append(_latex_grid(wording.pairwise_headings(table), wording.pairwise_cells(table)))
    return _LATEX.render(
        title=escape_latex(wording.title(table)),
        grids=grids,
        pairwise_title=escape_latex(wording.PAIRWISE_TITLE),
        notes=[escape_latex(note) for note in wording.notes(table)],
    )


def render_markdown_grid(
    title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str]
) -> str:
    """Render one table, whose first column names evaluators, between a title and a list of notes in Markdown."""
    listed = "\n".join(f"- {_escape_markdown(note)}" for note in notes)
    return f"**{title}**\n\n{_markdown_grid(headings, rows)}\n\n{listed}\n"


def render_latex_grid(title: str, headings: Sequence[str], rows: Iterable[Sequence[str]], notes: Iterable[str]) -> str:
    """Render one table, whose first column names evaluators, as a `table` environment with booktabs rules."""
    return _LATEX.render(
        title=escape_latex(title),
        grids=[_latex_grid(headings, rows)],
        pairwise_title="",
        notes=[escape_latex(note) for note in notes],
    )


def escape_latex(text: str) -> str:
    """Make every character print as itself in LaTeX text."""
    return text.translate(_LATEX_ESCAPES)


def _markdown_grid(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> str:
    # Labels as code, so that underscores and asterisks stay as they are.
    cells = [[f"`{label}`", *values] for label, *values in rows]
    escaped = [[_escape_pipe(cell) for cell in row] for row in cells]
    alignments = _alignments(headings)
    return str(
        tabulate.tabulate(escaped, headers=headings, tablefmt="pipe", colalign=alignments, disable_numparse=True)
    )


def _latex_grid(headings: Sequence[str], rows: Iterable[Sequence[str]]) -> dict[str, object]:
    lines = [" & ".join([rf"\texttt{{{escape_latex(label)}}}", *map(_latex_number, values)]) for label, *values in rows]
    return {
        "alignment": "".join(alignment[0] for alignment in _alignments(headings)),
        "headings": " & ".join(headings),
        "rows": lines,
    }


def _alignments(headings: Sequence[str]) -> list[str]:
    left = ("Evaluator", *wording.CORRELATION_HEADINGS)
    return ["left" if heading in left else "right" for heading in headings]


def _latex_number(text: str) -> str:
    """Print negative numbers with a minus sign rather than a hyphen."""
    return re.sub(r"-(?=\d)", "$-$", escape_latex(text))


def _escape_pipe(text: str) -> str:
    return text.replace("|", r"\|")


def _escape_markdown(text: str) -> str:
    r"""Escape what would be emphasis, code or a link."""
    return "".join(f"\\{character}" if character in r"\`*_[]<>" else character for character in text)
