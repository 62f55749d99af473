"""Render a correlation table in any format."""

from __future__ import annotations

from enum import StrEnum

from .correlation import CorrelationTable


class Format(StrEnum):
    """Output formats: a table for the terminal, two for documents, two for programs."""

    TABLE = "table"
    MARKDOWN = "markdown"
    LATEX = "latex"
    CSV = "csv"
    JSON = "json"


def render(
    table: CorrelationTable,
    output_format: str = Format.TABLE,
    *,
    pairwise: bool = False,
    width: int = 80,
    color: bool = False,
) -> str:
    """Render a table as text that ends with a line break; the same table always gives the same text.

    Args:
        table: What to render.
        output_format: Value of `Format`.
        pairwise: Whether table, Markdown and LaTeX add the agreements between evaluators. They always do
            without a ground truth; JSON always has them and CSV never.
        width: Columns of text, for the terminal format.
        color: Whether the terminal format may use control codes.

    Raises:
        ValueError: There is no such format.
    """
    # Each branch imports its own libraries, to answer without waiting for the others'.
    match Format(output_format):
        case Format.TABLE:
            from .render_terminal import render_terminal

            return render_terminal(table, pairwise=pairwise, width=width, color=color)
        case Format.MARKDOWN:
            from .render_documents import render_markdown

            return render_markdown(table, pairwise=pairwise)
        case Format.LATEX:
            from .render_documents import render_latex

            return render_latex(table, pairwise=pairwise)
        case Format.CSV:
            from .render_machine import render_csv

            return render_csv(table)
        case Format.JSON:
            from .render_machine import render_json

            return render_json(table)
