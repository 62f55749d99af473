"""Documents for the terminal, in ASCII."""

from __future__ import annotations

import io
import operator
import re
import textwrap
from collections.abc import Iterator

from rich.box import Box
from rich.cells import cell_len
from rich.console import Console
from rich.table import Column as TableColumn
from rich.table import Table

from .document import Column, Document, Facts, Grid

_RULE_UNDER_HEAD = Box("    \n    \n -- \n    \n    \n    \n    \n    \n", ascii=True)

_LONG_NAME = 15
"""What remains for a name on 80 columns; a longer one with settings continues on the next line after its colon."""

_NAME_WITH_SETTINGS = re.compile(r"^((?:\d+ +)?[a-z][a-z0-9_.@-]*:)")

_INDENT = "  "


def render_terminal(document: Document, width: int, color: bool) -> str:
    """Render tables and notes as text that depends on nothing but the arguments.

    Args:
        document: What to render.
        width: Columns of text.
        color: Whether to add control codes for bold headings, for a terminal only.
    """
    parts = [_fill(document.title, width)] if document.title else []
    for block in document.blocks:
        parts += [_facts(block)] if isinstance(block, Facts) else _grids(block, width, color)
    if document.notes:
        parts.append("\n".join(_fill(note, width) for note in document.notes))
    return "\n\n".join(parts) + "\n"


def _fill(text: str, width: int) -> str:
    return textwrap.fill(text, width, subsequent_indent=_INDENT, break_on_hyphens=False)


def _facts(block: Facts) -> str:
    """Write one fact a line, unbroken: links and checksums are for copying."""
    indent = _INDENT if block.title else ""
    longest = max(map(len, block.facts), default=0)
    lines = [f"{indent}{name + ':':<{longest + 2}}{text}".rstrip() for name, text in block.facts.items()]
    return "\n".join([block.title, *lines] if block.title else lines)


def _grids(grid: Grid, width: int, color: bool) -> list[str]:
    """Lay out a table, in several where one would be too wide."""
    if not grid.columns:
        return ["none"]
    texts = [_print_table(table, width, color) for table in _tables(grid, width)]
    return [f"{grid.title}\n{texts[0]}" if grid.title else texts[0], *texts[1:]]


def _tables(grid: Grid, width: int) -> Iterator[Table]:
    for columns in _columns_together(grid, width):
        shown = [0, *columns]
        table = Table(box=_RULE_UNDER_HEAD, show_edge=False, padding=(0, _gap(grid), 0, 0), pad_edge=False)
        for position in shown:
            _add_column(table, grid.columns[position])
        for row in grid.rows:
            table.add_row(*(_cell(grid.columns[position], row[position]) for position in shown))
        yield table


def _gap(grid: Grid) -> int:
    return 0 if grid.dense else 1


def _columns_together(grid: Grid, width: int) -> list[range]:
    """Return which columns beside the first share a table: no more than it has room for, but one at least."""
    count = len(grid.columns)
    if grid.columns_at_once is None or count == 1:
        return [range(1, count)]
    needed = [_least_width(grid, position) + 1 + _gap(grid) for position in range(count)]
    groups, start = list[range](), 1
    for end in range(2, count + 1):
        full = end - start == grid.columns_at_once
        if end == count or full or needed[0] + sum(needed[start : end + 1]) > width:
            groups.append(range(start, end))
            start = end
    return groups


def _least_width(grid: Grid, position: int) -> int:
    """Return the characters that a column takes at least to be read: numbers are never broken."""
    column = grid.columns[position]
    widest = max(cell_len(text) for text in (column.heading, *(row[position] for row in grid.rows)))
    return widest if column.right else min(widest, column.min_width or _LONG_NAME)


def _add_column(table: Table, column: Column) -> None:
    if column.right:
        table.add_column(column.heading, justify="right", no_wrap=True)
    else:
        table.add_column(column.heading, overflow="fold", min_width=column.min_width or None)


def _cell(column: Column, text: str) -> str:
    return _NAME_WITH_SETTINGS.sub(r"\1\n", text) if column.code and len(text) > _LONG_NAME else text


def _fit_columns(table: Table, width: int) -> None:
    """Fix the widths of columns: rich lets minimum widths be exceeded, and cuts off what is then too wide.

    The widest column is narrowed until all fit, down to its minimum width, or further where nothing else is left.
    """
    widths = [_natural_width(column) for column in table.columns]
    room = width - (len(widths) - 1) * (1 + table.padding[1])
    never = [own if column.no_wrap else 1 for own, column in zip(widths, table.columns, strict=True)]
    rather_not = [max(least, column.min_width or 1) for least, column in zip(never, table.columns, strict=True)]
    for limits in (rather_not, never):
        while sum(widths) > room and any(map(operator.gt, widths, limits)):
            reducible = [position for position, own in enumerate(widths) if own > limits[position]]
            widths[max(reducible, key=widths.__getitem__)] -= 1
    for column, own in zip(table.columns, widths, strict=True):
        column.width, column.min_width = own, None


def _natural_width(column: TableColumn) -> int:
    texts = (str(text) for text in (column.header, *column.cells))
    return max(cell_len(line) for text in texts for line in text.split("\n"))


def _print_table(table: Table, width: int, color: bool) -> str:
    """Print a table without spaces at the ends of lines."""
    stream = io.StringIO()
    console = Console(
        file=stream,
        width=width,
        force_terminal=color,
        color_system="standard" if color else None,
        markup=False,
        emoji=False,
        highlight=False,
        legacy_windows=False,
        _environ={},
    )
    _fit_columns(table, width)
    console.print(table)
    return "\n".join(line.rstrip() for line in stream.getvalue().splitlines())
