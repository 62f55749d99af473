"""Tables and facts of a document as HTML elements, for pages; every text is escaped."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from html import escape

from ..plain_text import printable_lines
from .document import Column, Facts, Grid


def render_block(block: Grid | Facts, name: str) -> str:
    """Render a table in a box of its own that scrolls, or a list of facts.

    Args:
        block: What to render.
        name: What the box is called for who cannot see it, where the block has no title.
    """
    return "\n".join(_facts(block) if isinstance(block, Facts) else _grid(block, name))


def render_notes(notes: Iterable[str]) -> str:
    """Render sentences as a list, nothing for none."""
    items = "".join(f"<li>{text(note)}</li>" for note in notes)
    return f'<ul class="notes">{items}</ul>' if items else ""


def text(plain: str) -> str:
    """Make every character show as itself, in elements and in quoted attributes."""
    return escape(printable_lines(plain))


def _facts(block: Facts) -> Iterator[str]:
    if block.title:
        yield f"<h3>{text(block.title)}</h3>"
    yield "<dl>"
    yield from (f"<div><dt>{text(name)}</dt><dd>{text(fact)}</dd></div>" for name, fact in block.facts.items())
    yield "</dl>"


def _grid(grid: Grid, name: str) -> Iterator[str]:
    if not grid.columns:
        yield "<p>none</p>"
        return
    yield f'<div class="scroll" tabindex="0" role="region" aria-label="{text(grid.title or name)}">'
    yield '<table class="sortable">'
    if grid.title:
        yield f"<caption>{text(grid.title)}</caption>"
    headings = "".join(f'<th scope="col"{_classes(column)}>{text(column.heading)}</th>' for column in grid.columns)
    yield f"<thead><tr>{headings}</tr></thead>"
    yield "<tbody>"
    for row in grid.rows:
        first, *others = (_cell(column, value) for column, value in zip(grid.columns, row, strict=True))
        cells = "".join(
            f"<td{_classes(column)}>{cell}</td>" for column, cell in zip(grid.columns[1:], others, strict=True)
        )
        yield f'<tr><th scope="row"{_classes(grid.columns[0])}>{first}</th>{cells}</tr>'
    yield "</tbody></table></div>"


def _classes(column: Column) -> str:
    return ' class="number"' if column.right else ""


def _cell(column: Column, value: str) -> str:
    return f"<code>{text(value)}</code>" if column.code and value else text(value)
