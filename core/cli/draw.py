"""``nasbench draw``."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import NasbenchError, UsageError
from .each_option_once import EachOptionOnce
from .options import DEFAULT_SPACE
from .types import FILE


@click.command("draw", cls=EachOptionOnce)
@click.argument("architecture", required=False)
@click.option(
    "--space", metavar="NAME", help=f"Search space of the architecture.  [default: {DEFAULT_SPACE}, or the search's]"
)
@click.option(
    "--search",
    "search",
    type=FILE,
    metavar="FILE",
    help="Draw what this search found instead: the architecture with the best score.",
)
@click.option(
    "--output",
    "-o",
    type=FILE,
    metavar="FILE",
    help="Picture to write: .svg, .png or .pdf.  [default: the space's or the search's name, .svg]",
)
@click.option("--title", default="", metavar="TEXT", help="Written above the cells.  [default: nothing]")
@click.option("--overwrite", is_flag=True, help="Replace the picture if it exists.")
def draw_command(
    architecture: str | None, space: str | None, search: Path | None, output: Path | None, title: str, overwrite: bool
) -> None:  # fmt: skip
    """Draw the cells of an architecture.

    ARCHITECTURE is spelled as 'nasbench spaces NAME' and results files have it. What is drawn is its canonical form,
    the one that evaluators see: what does not matter to it is left out. The same architecture always gives the same
    file.
    """
    if (architecture is None) == (search is None):
        raise UsageError("Name what to draw: either an architecture, or a search's file with --search.")
    if space and search:
        raise UsageError("--search says which space its architecture is of: leave --space away.")
    from ..pictures.cells import write_picture
    from ..pictures.files import check_picture, picture_of, refuse_existing
    from ..plugin_manager import installed_plugins

    if search is not None:
        space, text = found_by(search, "draw")
        output = output or Path(picture_of(search).name)
    else:
        space, text = space or DEFAULT_SPACE, str(architecture)
        output = output or Path(f"{space}.svg")
    check_picture(output)
    if search is not None and output.exists() and output.samefile(search):
        raise UsageError(f"'{output}' is the search itself: name another file with --output.")
    if not overwrite:
        refuse_existing(output)
    searched = installed_plugins().search_space(space).info.create()
    arch_id = searched.canonicalize(text)
    write_picture(searched, arch_id, output, title)
    if arch_id != text:
        click.echo(f"Drawn in its canonical form: {arch_id}", err=True)
    click.echo(f"Picture: {output}", err=True)


def found_by(path: Path, purpose: str) -> tuple[str, str]:
    """Return search space and architecture of the best step of a search.

    Args:
        path: File of the search.
        purpose: What it is to be found for, for messages.

    Raises:
        ResultsFileError: There is no search in the file.
        NasbenchError: The search has no score.
    """
    from ..search.storage import read_search

    history = read_search(path)
    positions = history.incumbents()
    if not positions or positions[-1] is None:
        raise NasbenchError(
            f"The search of '{path}' has found nothing to {purpose}: no architecture has a score. 'nasbench inspect "
            f"{path}' says why."
        )
    return history.header.space, history.steps[positions[-1]].arch_id
