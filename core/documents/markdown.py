"""Documents in Markdown, as GitHub and most others read it."""

from __future__ import annotations

import re
from collections.abc import Sequence

from .document import Column, Document, Facts, Grid

_MARKUP = re.compile(r"[\\`*_]|<(?=[A-Za-z/!?])|\[(?=[^\]]*\][(\[])")


def render_markdown(document: Document) -> str:
    """Render titles, tables and lists in Markdown."""
    parts = [f"**{escape(document.title)}**"] if document.title else []
    for block in document.blocks:
        if block.title:
            parts.append(f"**{escape(block.title)}**")
        parts.append(_facts(block) if isinstance(block, Facts) else _grid(block))
    if document.notes:
        parts.append("\n".join(f"- {escape(note)}" for note in document.notes))
    return "\n\n".join(parts) + "\n"


def escape(text: str) -> str:
    r"""Escape what would be emphasis, code, a link or a tag."""
    return _MARKUP.sub(lambda match: f"\\{match[0]}", text)


def _facts(block: Facts) -> str:
    return "\n".join(f"- {escape(name)}: {escape(text)}" for name, text in block.facts.items())


def _grid(grid: Grid) -> str:
    if not grid.columns:
        return "none"
    rows = [[_cell(column, text) for column, text in zip(grid.columns, row, strict=True)] for row in grid.rows]
    headings = [_escape_pipe(escape(column.heading)) for column in grid.columns]
    widths = [max(3, *map(len, texts)) for texts in zip(headings, *rows, strict=True)]
    rules = [f"{'-' * (width - 1)}:" if column.right else f":{'-' * (width - 1)}" for column, width in zip(
        grid.columns, widths, strict=True
    )]  # fmt: skip
    return "\n".join(_line(grid.columns, widths, texts) for texts in (headings, rules, *rows))


def _line(columns: Sequence[Column], widths: Sequence[int], texts: Sequence[str]) -> str:
    padded = [
        text.rjust(width) if column.right else text.ljust(width)
        for column, width, text in zip(columns, widths, texts, strict=True)
    ]
    return f"| {' | '.join(padded)} |"


def _cell(column: Column, text: str) -> str:
    on_one_line = " ".join(text.split())
    return _escape_pipe(f"`{on_one_line}`" if column.code and on_one_line else escape(on_one_line))


def _escape_pipe(text: str) -> str:
    return text.replace("|", r"\|")
