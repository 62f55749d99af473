"""Render a document in any format."""

from __future__ import annotations

from dataclasses import replace
from enum import StrEnum

from ..plain_text import printable_lines, printable_texts
from .document import Document, Facts, Grid


class Format(StrEnum):
    """Output formats: a table for the terminal, two for documents, two for programs."""

    TABLE = "table"
    MARKDOWN = "markdown"
    CSV = "csv"
    LATEX = "latex"
    JSON = "json"


def render(document: Document, output_format: str = Format.TABLE, *, width: int = 80, color: bool = False) -> str:
    """Render a document as text that ends with a line break; the same document always gives the same text.

    Args:
        document: What to render.
        output_format: Value of `Format`.
        width: Columns of text, for the terminal format.
        color: Whether the terminal format may use control codes.

    Raises:
        ValueError: There is no such format.
    """
    document = _visible(document)
    # Each branch imports its own, to answer without waiting for what the others need.
    match Format(output_format):
        case Format.TABLE:
            from .terminal import render_terminal

            return render_terminal(document, width, color)
        case Format.MARKDOWN:
            from .markdown import render_markdown

            return render_markdown(document)
        case Format.LATEX:
            from .latex import render_latex

            return render_latex(document)
        case Format.CSV:
            from .machine import render_csv

            return render_csv(document.records, document.fields)
        case Format.JSON:
            from .machine import render_json

            return render_json(document.content)


def _visible(document: Document) -> Document:
    """Return a document without characters that a terminal would obey; JSON escapes them by itself."""
    return replace(
        document,
        blocks=[
            _visible_facts(block) if isinstance(block, Facts) else _visible_grid(block) for block in document.blocks
        ],
        records=[printable_texts(record) for record in document.records],
        title=printable_lines(document.title),
        notes=[printable_lines(note) for note in document.notes],
    )


def _visible_facts(block: Facts) -> Facts:
    return Facts(
        {printable_lines(name): printable_lines(text) for name, text in block.facts.items()},
        printable_lines(block.title),
    )


def _visible_grid(grid: Grid) -> Grid:
    columns = [replace(column, heading=printable_lines(column.heading)) for column in grid.columns]
    rows = [[printable_lines(text) for text in row] for row in grid.rows]
    return replace(grid, columns=columns, rows=rows, title=printable_lines(grid.title))
