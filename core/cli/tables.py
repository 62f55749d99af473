"""Prints documents in the format that the user chose."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Mapping, Sequence
from typing import TYPE_CHECKING, Any

import click

from ..documents.rendering import Format, render

if TYPE_CHECKING:
    from ..documents.document import Document

format_option = click.option(
    "--format",
    "-f",
    "output_format",
    type=click.Choice([str(form) for form in Format]),
    default=str(Format.TABLE),
    show_default=True,
    help="Form of the output: for people, or csv and json for programs, with every digit.",
)


def print_document(document: Document, output_format: str) -> None:
    """Print a document; a table is as wide as the terminal, or 80 columns where there is none."""
    width = shutil.get_terminal_size().columns
    color = sys.stdout.isatty() and "NO_COLOR" not in os.environ
    click.echo(render(document, output_format, width=width, color=color), nl=False)


def print_rows(rows: Sequence[Mapping[str, Any]], output_format: str, fields: Sequence[str] = ()) -> None:
    """Print records that all have the same keys; ``fields`` are these keys where there may be no record."""
    from ..documents.records import list_records

    print_document(list_records(rows, fields), output_format)


def print_record(record: Mapping[str, Any], output_format: str) -> None:
    """Print one description; values that are lists of records become tables under their name."""
    from ..documents.records import describe_record

    print_document(describe_record(record), output_format)
