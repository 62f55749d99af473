"""``nasbench run``."""

from __future__ import annotations

import re
import shlex
import signal
import sys
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import UsageError
from .progress import JobProgress

if TYPE_CHECKING:
    from ..descriptions import DatasetInfo, SearchSpaceInfo
    from ..plan import Plan
    from ..plugin_manager import PluginManager
    from ..results.contents import Results
    from ..run import RunOptions

DEFAULT_SPACE = "nasbench201-tiny"

# What a run without --evaluator compares: GenNAS, its two strongest cheap rivals, size, and the control.
DEFAULT_EVALUATORS = ("gennas-combo", "synflow", "naswot", "params", "flops", "random")


@click.command("run")
@click.option(
    "--evaluator",
    "-e",
    "evaluators",
    multiple=True,
    metavar="NAME[:SETTING=VALUE,...]",
    help=f"Evaluator to score with; repeat for more.  [default: {', '.join(DEFAULT_EVALUATORS)}]",
)
@click.option("--space", default=DEFAULT_SPACE, show_default=True, metavar="NAME", help="Search space.")
@click.option(
    "--dataset", metavar="NAME", help="Image set that evaluators see.  [default: the space's first that is here]"
)
@click.option(
    "--images",
    type=click.Path(path_type=Path),
    metavar="PATH",
    help="Your own images instead: a folder with a sub-folder a class, an .npz, or CIFAR's official files.",
)
@click.option(
    "--image-size",
    type=click.IntRange(min=8),
    metavar="PIXELS",
    help="With --images: height and width to resize to.  [default: 32 for a folder, else as they are]",
)
@click.option("--samples", "-n", type=int, default=100, show_default=True, help="Number of architectures to sample.")
@click.option(
    "--architectures",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Score the architectures of a results file, or of a text with one a line, instead of sampling.",
)
@click.option("--seed", type=click.IntRange(min=0), default=0, show_default=True, help="Seed of the run.")
@click.option(
    "--task",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="GenNAS task for the evaluator 'gennas'; short for -e gennas:task=FILE.",
)
@click.option(
    "--device",
    default="cpu",
    show_default=True,
    metavar="NAME",
    help="cpu, cuda, a list such as cuda:0,cuda:1, or auto.",
)
@click.option("--workers", "-j", type=int, help="Worker processes on the CPU.  [default: one a core]")
@click.option(
    "--threads",
    type=click.IntRange(min=1),
    default=1,
    show_default=True,
    help="Math threads of each worker; another number changes the last digits of scores.",
)
@click.option(
    "--time-limit",
    type=click.FloatRange(min=0, min_open=True),
    metavar="SECONDS",
    help="Give up a job that takes longer.  [default: none]",
)
@click.option(
    "--output",
    "-o",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Results file.  [default: nasbench-DATE-TIME.h5]",
)
@click.option("--resume", is_flag=True, help="Continue the results file where it stopped.")
@click.option("--overwrite", is_flag=True, help="Replace the results file if it exists.")
@click.option("--retry-failed", is_flag=True, help="With --resume: repeat jobs that ended without a score.")
@click.option("--shard", metavar="I/K", help="Do only the I-th of K parts; join them with 'nasbench merge'.")
@click.option(
    "--metric",
    metavar="NAME",
    help="Ground truth to compare with, such as test_accuracy or cifar10/test_accuracy@108.  [default: the first one "
    "of the data set]",
)
def run_command(
    evaluators: tuple[str, ...], space: str, dataset: str | None, images: Path | None, image_size: int | None,
    samples: int, architectures: Path | None, seed: int, task: Path | None, device: str, workers: int | None,
    threads: int, time_limit: float | None, output: Path | None, resume: bool, overwrite: bool, retry_failed: bool,
    shard: str | None, metric: str | None,
) -> int:  # fmt: skip
    """Score architectures with evaluators and write a results file.

    Samples architectures of a search space, scores the same ones with every evaluator, and prints how well each
    ranks them. Results are on disk as they come: after an interruption, run the same command with --resume.
    """
    if resume and overwrite:
        raise UsageError("--resume continues a file and --overwrite replaces it: give one of them.")
    if resume and output is None:
        raise UsageError("--resume needs to know which file: name it with --output.")
    if images and dataset:
        raise UsageError("--images brings your own images and --dataset names an installed set: give one of them.")
    if image_size and not images:
        raise UsageError("--image-size belongs to --images.")
    shard_position = _parse_shard(shard)

    from ..devices import worker_devices
    from ..planning import RunRequest, make_plan
    from ..plugin_manager import installed_plugins
    from ..run import RunOptions

    plugins = installed_plugins()
    chosen = _with_task(evaluators, task) or _default_evaluators(space, plugins)
    own_images = _describe_images(images, image_size) if images else None
    plan = make_plan(RunRequest(space, chosen, dataset, own_images, samples, seed, architectures, metric), plugins)
    options = RunOptions(
        output=output or Path(f"nasbench-{datetime.now():%Y%m%d-%H%M%S}.h5"),
        devices=worker_devices(device, workers), threads=threads, time_limit=time_limit, resume=resume,
        overwrite=overwrite, retry_failed=retry_failed, shard=shard_position,
    )  # fmt: skip
    info = plugins.search_space(space).info
    _say_what_is_missing(plan, info, chose_dataset=bool(dataset or images))
    results = _run_with_progress(plan, options)
    return _print_outcome(results, options)


def _with_task(evaluators: tuple[str, ...], task: Path | None) -> tuple[str, ...]:
    if task is None:
        return evaluators
    others = [text for text in evaluators if text.partition(":")[0] != "gennas"]
    own = [text for text in evaluators if text not in others] or ["gennas"]
    return (*others, *(f"{text}{',' if ':' in text else ':'}task={task}" for text in own))


def _default_evaluators(space: str, plugins: PluginManager) -> tuple[str, ...]:
    info = plugins.search_space(space).info
    dataset = plugins.dataset(info.datasets[0]).info
    evaluators = {name: plugins.evaluator(name).info for name in DEFAULT_EVALUATORS}
    return tuple(name for name, evaluator in evaluators.items() if not evaluator.reason_unsupported(info, dataset))


def _parse_shard(text: str | None) -> tuple[int, int]:
    if text is None:
        return 0, 1
    match = re.fullmatch(r"(\d+)/(\d+)", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"--shard must be I/K with I from 1 to K, such as 1/4, got '{text}'.")
    return int(match[1]) - 1, int(match[2])


def _describe_images(path: Path, image_size: int | None) -> DatasetInfo:
    from ...plugins.datasets.user_images import describe_images
    from .progress import track_steps

    with track_steps(f"reading {path.name}") as progress:
        return describe_images(path, image_size, progress)


def _say_what_is_missing(plan: Plan, space: SearchSpaceInfo, *, chose_dataset: bool) -> None:
    """Say which data a run does without that the user could bring."""
    first = space.datasets[0]
    if not chose_dataset and plan.header.dataset != first:
        click.echo(
            f"Note: the images of '{first}' are not here, so evaluators see '{plan.header.dataset}'; 'nasbench data "
            f"list {first}' says how to get them.",
            err=True,
        )
    if not plan.ground_truth and space.requires is not None:
        click.echo(
            f"Note: the table of '{space.requires}' is not here, so there is no ground truth; 'nasbench data list "
            f"{space.requires}' says how to get it.",
            err=True,
        )


def _run_with_progress(plan: Plan, options: RunOptions) -> Results:
    from ..run import run_plan

    labels = ", ".join(spec.header.label for spec in plan.evaluators)
    devices = f"{len(options.devices)} x {options.devices[0]}"
    click.echo(
        f"Scoring {len(plan.arch_ids)} architectures of {plan.header.space} with {labels}\n"
        f"(images: {plan.header.dataset}, compared with: {_first_metric(plan)}, seed {plan.header.seed}, {devices}, "
        f"results: {options.output})",
        err=True,
    )
    # A terminated run ends like an interrupted one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    progress = JobProgress()
    try:
        with progress:
            return run_plan(plan, options, progress.start, progress.advance)
    except KeyboardInterrupt:
        click.echo(
            f"{progress.done} of {progress.total} jobs are safe in '{options.output}'. Continue with:\n  "
            + _resume_command(options.output),
            err=True,
        )
        raise


def _first_metric(plan: Plan) -> str:
    return plan.ground_truth[0].metric.key if plan.ground_truth else "nothing"


def _resume_command(output: Path) -> str:
    args = [arg for arg in sys.argv[1:] if arg not in ("--resume", "--overwrite")]
    if not any(arg == "-o" or arg.startswith(("--output", "-o")) for arg in args):
        args += ["--output", str(output)]
    return shlex.join(["nasbench", *args, "--resume"])


def _print_outcome(results: Results, options: RunOptions) -> int:
    from ...reports import correlation_table, render
    from ..domain import Status
    from .aggregates import find_aggregates

    click.echo(render(correlation_table(results, aggregates=find_aggregates(results)), "table"), nl=False)
    statuses = [record.status for part in results.evaluators for record in part.records]
    click.echo(
        f"Results: {options.output} (print this table again with 'nasbench report {options.output}')",
        err=True,
    )
    if Status.OK not in statuses:
        click.echo("Error: No job got a score; 'nasbench inspect' on the results file says why.", err=True)
        return 1
    return 0
