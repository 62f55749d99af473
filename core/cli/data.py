"""``nasbench data``."""

from __future__ import annotations

import sys

import click

from .tables import format_option, print_rows


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
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Decides which rows.")
@format_option
def rebuild_command(count: int, seed: int, output_format: str) -> None:
    """Train rows of nasbench201-tiny again and compare them with the stored ones.

    The same processor type and torch build give identical rows; elsewhere the means over the training seeds must agree
    within four standard errors (s.e.). Exit code 1 if a row does not.
    """
    from ...benchmarks_data.nasbench201_tiny import read_table
    from ...plugins.search_spaces.nasbench201.tiny_check import check_rows
    from ..errors import UsageError
    from .progress import track

    table = read_table()
    if count > len(table.arch_ids):
        raise UsageError(f"--check {count} is more than the {len(table.arch_ids)} rows of the table.")
    checks = list(track(check_rows(count, seed, table), count, "rows"))
    rows = [
        {"outcome": "identical" if check.identical else "within noise" if check.within_noise else "DIFFERENT"}
        | {f"{metric.removeprefix('test_')} (s.e.)": round(distance, 2) for metric, distance in check.distances.items()}
        | {"architecture": check.arch_id}
        for check in checks
    ]
    print_rows(rows, output_format)
    if not all(check.within_noise for check in checks):
        click.echo(
            "Error: A row differs by more than noise. The training code, torch or the images are not those of the "
            "table; benchmarks_data/nasbench201_tiny.md says how it was made.",
            err=True,
        )
        sys.exit(1)
