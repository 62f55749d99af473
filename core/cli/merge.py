"""``nasbench merge``."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import ResultsFileError
from .each_option_once import EachOptionOnce
from .types import FILE


@click.command("merge", cls=EachOptionOnce)
@click.argument("files", nargs=-1, required=True, type=FILE)
@click.option(
    "--output",
    "-o",
    required=True,
    type=FILE,
    metavar="FILE",
    help="Merged results file.",
)
@click.option("--overwrite", is_flag=True, help="Replace the output if it exists.")
def merge_command(files: tuple[Path, ...], output: Path, overwrite: bool) -> None:
    """Join shards of one plan into one results file.

    Shards are made by 'nasbench run --shard 1/2', '--shard 2/2' and so on, with the same other options.
    """
    from ..results.journal import journal_path
    from ..results.merge import merge_results
    from ..results.store import write_results
    from ..results.whole_files import check_target

    check_target(output)
    if journal_path(output).exists():
        raise ResultsFileError(f"A run of '{output}' is unfinished. Finish it, or choose another --output.")
    if output.exists() and not overwrite:
        raise ResultsFileError(f"'{output}' exists. Replace it with --overwrite, or choose another --output.")
    results = merge_results(files)
    write_results(output, results)
    done = sum(part.done for part in results.evaluators)
    total = len(results.arch_ids) * len(results.evaluators)
    click.echo(f"Merged {len(files)} files into '{output}': {done} of {total} jobs are done.")
