"""``nasbench run``."""

from __future__ import annotations

import re
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..domain import Status
from ..errors import UsageError
from ..plain_text import printable, printable_lines
from ..plan import seeds_in_words
from .continued import Continued, continued, resume_option, was_given
from .each_option_once import EachOptionOnce
from .missing_plugins import naming_missing_plugins
from .options import (
    DEFAULT_EXECUTOR,
    check_options,
    dataset_option,
    device_option,
    executor_option,
    image_size_option,
    images_option,
    label_direction_option,
    label_option,
    labels_option,
    overwrite_option,
    own_labels,
    space_option,
    threads_option,
    time_limit_option,
)
from .progress import JobProgress
from .sessions import dated_file, describe_images, devices_of_workers, interruptible, say_what_is_missing
from .tables import print_document
from .task_option import give_task, task_option
from .types import COUNT, FILE, MAX_PROCESSES, PROCESSES, SEED

if TYPE_CHECKING:
    from ..jobs.run import RunOptions
    from ..plan import Plan
    from ..results.contents import EvaluatorResults, Results


@click.command("run", cls=EachOptionOnce)
@click.option(
    "--evaluator",
    "-e",
    "evaluators",
    multiple=True,
    metavar="NAME[:SETTING=VALUE,...]",
    help="Evaluator to score with; repeat for more.  [default: those that 'nasbench evaluators' "
    "marks, where the space supports them]",
)
@space_option
@dataset_option
@images_option
@image_size_option
@click.option(
    "--samples",
    "-n",
    type=COUNT,
    help="Number of architectures to sample.  [default: 100, or all that have --labels]",
)
@click.option(
    "--architectures",
    type=FILE,
    metavar="FILE",
    help="Score the architectures of a results file, a text with one a line, a CSV with a column 'architecture', or a "
    "JSON list in a file whose name ends in .json.",
)
@labels_option
@label_option
@label_direction_option
@click.option("--seed", type=SEED, default=0, show_default=True, help="Seed of the run, and of the sample.")
@click.option(
    "--seeds",
    type=click.IntRange(1, MAX_PROCESSES),
    default=1,
    show_default=True,
    help="Score the same architectures with so many run seeds, from --seed on; the report shows their spread.",
)
@task_option
@device_option
@executor_option
@click.option("--workers", "-j", type=PROCESSES, help="Worker processes.  [default: one a core or CUDA device]")
@threads_option
@time_limit_option
@click.option(
    "--output",
    "-o",
    type=FILE,
    metavar="FILE",
    help="Results file.  [default: nasbench-DATE-TIME.h5]",
)
@resume_option
@overwrite_option
@click.option("--retry-failed", is_flag=True, help="With --resume: repeat jobs that ended without a score.")
@click.option(
    "--in-process",
    is_flag=True,
    help="Run jobs one after the other in this process, so that breakpoint() works in an evaluator.",
)
@click.option("--shard", metavar="I/K", help="Do only the I-th of K parts; join them with 'nasbench merge'.")
@click.option(
    "--metric",
    metavar="NAME",
    help="Ground truth to compare with, such as test_accuracy or cifar10/test_accuracy@108.  [default: the first one "
    "of the data set]",
)
@click.pass_context
def run_command(
    context: click.Context, evaluators: tuple[str, ...], space: str, dataset: str | None, images: Path | None,
    image_size: int | None, samples: int | None, architectures: Path | None, labels: Path | None, label: str | None,
    lower_is_better: bool | None, seed: int, seeds: int, task: Path | None, device: str, executor: str,
    workers: int | None, threads: int, time_limit: float | None, output: Path | None, resume: bool, overwrite: bool,
    retry_failed: bool, in_process: bool, shard: str | None, metric: str | None,
) -> int:  # fmt: skip
    """Score architectures with evaluators and write a results file.

    Samples architectures of a search space, scores the same ones with every evaluator, and prints how well each
    ranks them. Results are on disk as they come: after an interruption, run the same command with --resume. With
    --resume FILE, evaluators and architectures can also be added to what a file has.
    """
    check_options(
        resume=resume, overwrite=overwrite, output=output, images=images, dataset=dataset, image_size=image_size
    )
    shard_position = _parse_shard(shard)
    _refuse_contradictions(context)
    if in_process:
        # What a continued file says of its workers is for workers.
        executor, workers, time_limit = DEFAULT_EXECUTOR, None, None

    from ..jobs.choice import choose_executor
    from ..jobs.run import RunOptions
    from ..planning.default_evaluators import default_evaluators
    from ..planning.requests import KnownSample, RunRequest, make_plan
    from ..plugin_manager import installed_plugins

    if in_process:
        import torch  # noqa: F401  # before plugins are loaded, so that what they replace in it is put back
    plugins = installed_plugins()
    processes = 1 if in_process and device == "cpu" else workers
    own_images = describe_images(images, image_size)
    earlier = continued(context)
    if earlier:
        samples, architectures = _added_architectures(earlier, context)
    with naming_missing_plugins(output if resume else None):
        named = give_task(evaluators, task, space, plugins) if task else evaluators
        chosen = named or default_evaluators(space, plugins, dataset, own_images)
        if earlier:
            default = default_evaluators(space, plugins, dataset, own_images)
            chosen = _with_earlier(earlier, context, chosen, default)
        request = RunRequest(
            space, chosen, dataset, own_images, samples, seed, architectures, metric,
            own_labels(labels, label, lower_is_better), seeds,
            KnownSample(earlier.arch_ids, earlier.sampling) if earlier else None,
        )  # fmt: skip
        plan = make_plan(request, plugins)
    chosen_executor = choose_executor(executor, plugins)
    options = RunOptions(
        output=output or dated_file("nasbench", ".h5"),
        devices=devices_of_workers(chosen_executor, device, processes), threads=threads, time_limit=time_limit,
        resume=resume, overwrite=overwrite, retry_failed=retry_failed, shard=shard_position,
        start_executor=chosen_executor.start, in_process=in_process,
        extended_command=_extended_command(earlier, context, chosen) if earlier else None,
    )  # fmt: skip
    info = plugins.search_space(space).info
    say_what_is_missing(
        info, plan.header.dataset, chose_dataset=bool(dataset or images), has_table=bool(plan.ground_truth)
    )
    results = _run_with_progress(plan, options)
    return _print_outcome(results, options)


def _refuse_contradictions(context: click.Context) -> None:
    """Refuse options that would do nothing beside others.

    Raises:
        UsageError: They would.
    """
    given = {name: value for name, value in context.params.items() if was_given(context, name)}
    for_workers = [f"--{name.replace('_', '-')}" for name in ("executor", "workers", "time_limit") if name in given]
    if "in_process" in given and for_workers:
        raise UsageError(f"--in-process uses no worker processes: leave out {' and '.join(for_workers)}.")
    if "architectures" in given and "samples" in given:
        raise UsageError("--architectures lists what is scored, and --samples draws it: give one of them.")
    if "retry_failed" in given and not context.params["resume"]:
        raise UsageError("--retry-failed repeats jobs of a file that is continued: add --resume.")


def _added_architectures(earlier: Continued, context: click.Context) -> tuple[int | None, Path | None]:
    """Return what is said of further architectures: how many there are to be in all, or a list.

    Raises:
        UsageError: The file has more architectures than there are to be.
    """
    samples = context.params["samples"] if was_given(context, "samples") else None
    architectures = context.params["architectures"] if was_given(context, "architectures") else None
    if samples is not None and samples < len(earlier.arch_ids):
        raise UsageError(
            f"'{earlier.path}' has {len(earlier.arch_ids)} architectures, and -n says how many there are to be with "
            "those that are added."
        )
    return samples, architectures


def _with_earlier(
    earlier: Continued, context: click.Context, chosen: tuple[str, ...], default: tuple[str, ...]
) -> tuple[str, ...]:
    """Return the evaluators of the file, and those that are added behind them.

    Raises:
        UsageError: The file has one of these.
    """
    before: tuple[str, ...] = earlier.options["evaluators"] or default
    added = chosen if was_given(context, "evaluators") else ()
    for name in added:
        if name in before:
            raise UsageError(f"'{earlier.path}' has '{name}' already. Leave it out, or give it other settings.")
    return (*before, *added)


# Options of what scores are compared with, by parameter.
_TRUTH = ("labels", "label", "metric", "lower_is_better")


def _extended_command(earlier: Continued, context: click.Context, evaluators: tuple[str, ...]) -> str:
    """Return the command that would have made the file with all its evaluators, and with the truth that was added."""
    added = [f"-e {shlex.quote(name)}" for name in evaluators if name not in earlier.options["evaluators"]]
    truth = {
        name: context.params[name] for name in _TRUTH if earlier.options[name] is None and was_given(context, name)
    }
    if (lower := truth.pop("lower_is_better", None)) is not None:
        added.append("--lower-is-better" if lower else "--higher-is-better")
    return " ".join(
        [earlier.command, *added, *(f"--{name} {shlex.quote(str(value))}" for name, value in truth.items())]
    )


def _parse_shard(text: str | None) -> tuple[int, int]:
    if text is None:
        return 0, 1
    match = re.fullmatch(r"([0-9]{1,9})/([0-9]{1,9})", text)
    if not match or not 1 <= int(match[1]) <= int(match[2]):
        raise UsageError(f"--shard must be I/K with I from 1 to K, such as 1/4, got '{text:.40}'.")
    return int(match[1]) - 1, int(match[2])


def _run_with_progress(plan: Plan, options: RunOptions) -> Results:
    from ..jobs.run import run_plan

    labels = ", ".join(spec.header.label for spec in plan.evaluators)
    devices = f"{len(options.devices)} x {options.devices[0]}"
    announcement = (
        f"Scoring {len(plan.arch_ids)} architectures of {plan.header.space} with {labels}\n"
        f"(data: {plan.header.dataset}, compared with: {_first_metric(plan)}, "
        f"{seeds_in_words(plan.header.seeds)}, {devices}, results: {options.output})"
    )
    click.echo(printable_lines(announcement), err=True)
    # A bar would write over what a debugger shows.
    progress = JobProgress(shown=not options.in_process)
    with interruptible(progress, options.output, options.output):
        return run_plan(plan, options, progress.start, progress.advance)


def _first_metric(plan: Plan) -> str:
    return plan.ground_truth[0].metric.key if plan.ground_truth else "nothing"


def _print_outcome(results: Results, options: RunOptions) -> int:
    from ...reports import correlation_document, correlation_table
    from .aggregates import find_aggregates

    print_document(correlation_document(correlation_table(results, aggregates=find_aggregates(results))), "table")
    click.echo(
        f"Results: {options.output} (print this table again with 'nasbench report {shlex.quote(str(options.output))}')",
        err=True,
    )
    saved = sum(float(part.records.saved_seconds.sum()) for part in results.evaluators)
    if saved >= 1:
        click.echo(f"Evaluators shared passes, which saved {saved:,.0f} s of computing.", err=True)
    without_score = [part for part in results.evaluators if part.records.done.any() and not part.records.ok.any()]
    for part in without_score:
        click.echo(f"Error: {results.name_of(part)} {_why_there_is_no_score(part, options.output)}", err=True)
    return 1 if without_score else 0


def _why_there_is_no_score(part: EvaluatorResults, file: Path) -> str:
    messages = Counter(record.message for record in part.records if record.status is not Status.PENDING)
    (reason, count), *_ = messages.most_common(1)
    return (
        f"has no score for any of its {part.done} architectures, for {count} of them since: "
        f"{printable(reason)}. All reasons: nasbench inspect {shlex.quote(str(file))} --failures"
    )
