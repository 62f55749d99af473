"""Render a document in any format."""

from __future__ import annotations

from enum import StrEnum

from .document import Document


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

            return render_csv(document.records)
        case Format.JSON:
            from .machine import render_json

            return render_json(document.content)
