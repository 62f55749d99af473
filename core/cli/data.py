"""``nasbench data``."""

from __future__ import annotations

import click

from .tables import format_option


@click.group("data")
def data_command() -> None:
    """Re-make and check the embedded benchmark table."""


@data_command.command("rebuild")
@click.option(
    "--check",
    "count",
    type=click.IntRange(min=1),
    default=5,
    show_default=True,
    help="Number of rows to train again.",
)
@click.option("--seed", type=int, default=0, show_default=True, help="Decides which rows.")
@format_option
def rebuild_command(count: int, seed: int, output_format: str) -> None:
    """Train rows of the table of nasbench201-tiny again and compare them with what is stored."""
