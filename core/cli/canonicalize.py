"""``nasbench canonicalize``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import click

from ..errors import InvalidArchitectureError, UsageError
from .each_option_once import EachOptionOnce
from .options import space_option
from .tables import format_option, print_rows
from .types import FILE


@click.command("canonicalize", cls=EachOptionOnce)
@click.argument("architectures", nargs=-1, metavar="[ARCHITECTURE]...")
@space_option
@click.option(
    "--file",
    type=FILE,
    metavar="FILE",
    help="A text with one architecture a line, a CSV with a column 'architecture', or a JSON list in a file whose name "
    "ends in .json.",
)
@format_option
def canonicalize_command(architectures: tuple[str, ...], space: str, file: Path | None, output_format: str) -> int:
    """Translate architectures in any spelling into the one that results files and reports have.

    One row for each, in their order: as given, and the canonical string of the architecture, or why it is none. Exit
    code 1 if there is one that is none.
    """
    from ..planning.listed import read_spellings
    from ..plugin_manager import installed_plugins

    texts = [*architectures, *(read_spellings(file) if file else [])]
    if not texts:
        raise UsageError("Name architectures, or give a file that lists them with --file.")
    opened = installed_plugins().search_space(space).info.create()
    rows: list[dict[str, Any]] = []
    for text in texts:
        try:
            rows.append({"given": text, "architecture": opened.canonicalize(text), "problem": None})
        except InvalidArchitectureError as error:
            rows.append({"given": text, "architecture": None, "problem": str(error)})
    if not any(row["problem"] for row in rows):
        rows = [{"given": row["given"], "architecture": row["architecture"]} for row in rows]
        print_rows(rows, output_format)
        return 0
    print_rows(rows, output_format)
    return 1
