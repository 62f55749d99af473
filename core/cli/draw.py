"""``nasbench draw``."""

from __future__ import annotations

from pathlib import Path

import click

from ..errors import UsageError
from .chosen_architecture import chosen_architecture, search_option, space_of_architecture_option
from .each_option_once import EachOptionOnce
from .types import FILE


@click.command("draw", cls=EachOptionOnce)
@click.argument("architecture", required=False)
@space_of_architecture_option
@search_option("draw")
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
    from ..pictures.cells import write_picture
    from ..pictures.files import check_picture, picture_of, refuse_existing
    from ..plugin_manager import installed_plugins

    space, text = chosen_architecture(architecture, space, search, "draw")
    output = output or Path(f"{space}.svg" if search is None else picture_of(search).name)
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
