"""``nasbench export``."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..capabilities import Images
from ..errors import UsageError
from .chosen_architecture import chosen_architecture, search_option, space_of_architecture_option
from .each_option_once import EachOptionOnce
from .types import FILE, SEED

if TYPE_CHECKING:
    from ..descriptions import DatasetInfo

DEFAULT_LENGTH = 8
"""Steps of the sequences that an exported network takes."""


@click.command("export", cls=EachOptionOnce)
@click.argument("architecture", required=False)
@space_of_architecture_option
@search_option("export")
@click.option(
    "--output",
    "-o",
    "outputs",
    type=FILE,
    multiple=True,
    metavar="FILE",
    help="File to write: .py for source, .pt2 for a program of torch.export, .pt for initial weights. Repeatable.  "
    "[default: model.py]",
)
@click.option("--network", "variant", default="benchmark", show_default=True, metavar="NAME", help="Which network.")
@click.option(
    "--dataset", metavar="NAME", help="Image set that decides channels, size and classes.  [default: the space's own]"
)
@click.option("--image-size", type=click.IntRange(1, 4096), metavar="PIXELS", help="Height and width instead.")
@click.option("--classes", type=click.IntRange(1, 1_000_000), metavar="N", help="Number of classes instead.")
@click.option(
    "--auxiliary",
    is_flag=True,
    help="Add the head that the space's training has, whose logits the network then returns too while it trains.",
)
@click.option(
    "--length",
    type=click.IntRange(1, 1024),
    metavar="STEPS",
    help=f"Of sequences, where networks take these: the file is for this length alone.  [default: {DEFAULT_LENGTH}]",
)
@click.option("--seed", type=SEED, default=0, show_default=True, help="Of the initial weights: those of a run with it.")
@click.option("--overwrite", is_flag=True, help="Replace files that exist.")
def export_command(
    architecture: str | None,
    space: str | None,
    search: Path | None,
    outputs: tuple[Path, ...],
    variant: str,
    dataset: str | None,
    image_size: int | None,
    classes: int | None,
    auxiliary: bool,
    length: int | None,
    seed: int,
    overwrite: bool,
) -> None:
    """Write the network of an architecture for use without this toolkit.

    ARCHITECTURE is spelled as 'nasbench spaces NAME' and results files have it. A .py file has the source of the
    network, to train it elsewhere: it needs PyTorch alone, and people can read it. Its parameters have the names that
    they have here, so that it takes the weights of a .pt file. A .pt2 file is for evaluation: the graph with the
    initial weights. What a .py file makes was compared with the network itself, in training and in evaluation.
    """
    from ..errors import UnknownNameError
    from ..export.files import ExportedNetwork, check_files, check_network, resized
    from ..pictures.files import refuse_existing
    from ..planning.datasets import dataset_to_build_for
    from ..plugin_manager import installed_plugins
    from ..results.whole_files import write_whole

    space, text = chosen_architecture(architecture, space, search, "export")
    outputs = outputs or (Path("model.py"),)
    check_files(outputs)
    for path in () if overwrite else outputs:
        refuse_existing(path)
    plugins = installed_plugins()
    searched = plugins.search_space(space).info.create()
    if variant not in searched.info.network_variants:
        raise UnknownNameError(
            "network", variant, searched.info.network_variants, f"Run 'nasbench spaces {space}' to list them."
        )
    inputs = dataset_to_build_for(searched.info, dataset, plugins)
    _refuse_options_of_other_inputs(inputs, {"length": length, "image-size": image_size, "classes": classes})
    info = resized(inputs, image_size, classes)
    check_network(searched, info)
    arch_id = searched.canonicalize(text)
    network = ExportedNetwork(searched, arch_id, variant, info, seed, length or DEFAULT_LENGTH, auxiliary)
    for path, content in zip(outputs, network.contents(outputs), strict=True):
        write_whole(path, content, "Make room, or choose another file.")
        click.echo(f"Network: {path}", err=True)
    if arch_id != text:
        click.echo(f"Exported in its canonical form: {arch_id}", err=True)


def _refuse_options_of_other_inputs(dataset: DatasetInfo, given: Mapping[str, int | None]) -> None:
    """Refuse options that say something of images where networks take sequences, and the other way round.

    Raises:
        UsageError: There is one.
    """
    takes, others = ("images", ("length",)) if Images in dataset.provides else ("sequences", ("image-size", "classes"))
    unused = [f"--{name}" for name in others if given[name] is not None]
    if unused:
        raise UsageError(f"The network takes {takes}: leave out {' and '.join(unused)}.")
