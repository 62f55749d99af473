"""Prints lists and descriptions: tables for people, CSV and JSON for machines."""

from __future__ import annotations

import csv
import io
import json
from collections.abc import Callable, Mapping, Sequence
from typing import Any, TypeVar

import click

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

format_option = click.option(
    "--format", "-f", "output_format", type=click.Choice(["table", "csv", "json"]), default="table",
    show_default=True, help="Form of the output.",
)  # fmt: skip


def print_rows(rows: Sequence[Mapping[str, Any]], output_format: str) -> None:
    """Print records that all have the same keys."""
    if output_format == "json":
        click.echo(json.dumps(rows, indent=2))
    elif output_format == "csv":
        buffer = io.StringIO()
        writer = csv.DictWriter(buffer, fieldnames=list(rows[0]) if rows else [], lineterminator="\n")
        writer.writeheader()
        writer.writerows({key: _as_text(value) for key, value in row.items()} for row in rows)
        click.echo(buffer.getvalue(), nl=False)
    else:
        _print_table(rows)


def print_record(record: Mapping[str, Any], output_format: str) -> None:
    """Print one description; values that are lists of records become tables under their name."""
    if output_format == "json":
        click.echo(json.dumps(record, indent=2))
        return
    if output_format == "csv":
        print_rows([{"field": key, "value": _as_text(value)} for key, value in record.items()], "csv")
        return
    width = max(len(key) for key in record) + 2
    for key, value in record.items():
        if _is_list_of_records(value):
            click.echo(f"\n{key}:")
            _print_table(value)
        else:
            click.echo(f"{key + ':':<{width}}{_as_text(value)}")


def _is_list_of_records(value: Any) -> bool:
    return isinstance(value, list) and bool(value) and isinstance(value[0], Mapping)


def _as_text(value: Any) -> str:
    if value is None:
        return "-"
    if isinstance(value, list | tuple):
        return json.dumps(value) if _is_list_of_records(value) else ", ".join(map(str, value)) or "none"
    if isinstance(value, Mapping):
        return ", ".join(f"{key}={item}" for key, item in value.items())
    return str(value)


def _print_table(rows: Sequence[Mapping[str, Any]]) -> None:
    from rich import box
    from rich.console import Console
    from rich.table import Table

    table = Table(box=box.SIMPLE_HEAD, pad_edge=False, show_edge=False)
    for key in rows[0] if rows else ():
        table.add_column(key, overflow="fold")
    for row in rows:
        table.add_row(*(_as_text(value) for value in row.values()))
    Console(highlight=False, markup=False).print(table)
