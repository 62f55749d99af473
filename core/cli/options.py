"""Options that scoring and searching share."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from .types import FILE, MAX_PROCESSES, SECONDS, SEED

if TYPE_CHECKING:
    from ..planning.own_labels import LabelFile

DEFAULT_SPACE = "nasbench201-tiny"

DEFAULT_STRATEGY = "regularized-evolution"

DEFAULT_EXECUTOR = "local"

space_option = click.option("--space", default=DEFAULT_SPACE, show_default=True, metavar="NAME", help="Search space.")
dataset_option = click.option(
    "--dataset", metavar="NAME", help="Data set that evaluators see.  [default: the space's first that is here]"
)
images_option = click.option(
    "--images",
    type=FILE,
    metavar="PATH",
    help="Your own images instead: a folder with a sub-folder a class, an .npz, or CIFAR's official files.",
)
image_size_option = click.option(
    "--image-size",
    type=click.IntRange(min=8),
    metavar="PIXELS",
    help="With --images: height and width to resize to.  [default: 32 for a folder, else as they are]",
)
labels_option = click.option(
    "--labels",
    type=FILE,
    metavar="FILE",
    help="CSV of your own trained performance to compare with: a column 'architecture' and one of numbers.",
)
label_option = click.option(
    "--label",
    metavar="NAME",
    help="Column of the labels.  [default: the first one beside the architectures that does not number the rows]",
)
label_direction_option = click.option(
    "--lower-is-better/--higher-is-better",
    default=None,
    help="Which labels are the good ones; must be said of losses, errors, times and the like, unless the space's table "
    "knows the metric.  [default: higher]",
)
device_option = click.option(
    "--device",
    default="cpu",
    show_default=True,
    metavar="NAME",
    help="cpu, cuda, a list such as cuda:0,cuda:1, or auto.",
)
threads_option = click.option(
    "--threads",
    type=click.IntRange(1, MAX_PROCESSES),
    default=1,
    show_default=True,
    help="Math threads of each worker; another number changes the last digits of scores.",
)
time_limit_option = click.option(
    "--time-limit",
    type=SECONDS,
    metavar="SECONDS",
    help="Give up a job that takes longer.  [default: none]",
)
executor_option = click.option(
    "--executor",
    default=DEFAULT_EXECUTOR,
    show_default=True,
    metavar="NAME[:SETTING=VALUE,...]",
    help="What runs the jobs; 'nasbench executors' lists them.",
)
strategy_option = click.option(
    "--strategy",
    "-s",
    default=DEFAULT_STRATEGY,
    show_default=True,
    metavar="NAME[:SETTING=VALUE,...]",
    help="Search strategy; 'random-search' is what the others have to beat.",
)
search_seed_option = click.option(
    "--seed", type=SEED, default=0, show_default=True, help="Seed of strategy and evaluator."
)
resume_flag = click.option("--resume", is_flag=True, help="Continue the results file where it stopped.")
overwrite_option = click.option("--overwrite", is_flag=True, help="Replace the results file if it exists.")


def own_labels(labels: Path | None, label: str | None, lower_is_better: bool | None) -> LabelFile | None:
    """Return the user's own labels, None if there are none.

    Raises:
        UsageError: Something is said of labels, and there are none.
    """
    if labels is None:
        if label is not None or lower_is_better is not None:
            raise UsageError("--label and --lower-is-better say something of --labels, which is not there. Add it.")
        return None
    from ..planning.own_labels import LabelFile

    return LabelFile(labels, label, lower_is_better)


def check_options(
    *,
    resume: bool,
    overwrite: bool,
    output: Path | None,
    images: Path | None,
    dataset: str | None,
    image_size: int | None,
) -> None:
    """Refuse options that contradict each other.

    Raises:
        UsageError: They do.
    """
    if resume and overwrite:
        raise UsageError("--resume continues a file and --overwrite replaces it: give one of them.")
    if resume and output is None:
        raise UsageError("--resume needs to know which file: name it with --output.")
    if images and dataset:
        raise UsageError("--images brings your own images and --dataset names an installed set: give one of them.")
    if image_size and not images:
        raise UsageError("--image-size belongs to --images.")
