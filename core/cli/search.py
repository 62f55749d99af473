"""``nasbench search``."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import NasbenchError, ResultsFileError, UsageError
from ..plain_text import printable_lines
from .continued import resume_option
from .cost_options import cost_options, read_limits
from .each_option_once import EachOptionOnce
from .missing_plugins import naming_missing_plugins
from .options import (
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
    search_seed_option,
    space_option,
    strategy_option,
    threads_option,
    time_limit_option,
)
from .progress import SearchProgress, SupernetProgress
from .sessions import dated_file, describe_images, devices_of_workers, interruptible, say_what_is_missing
from .tables import format_option
from .types import COUNT, FILE, MAX_PROCESSES, PROCESSES

if TYPE_CHECKING:
    from collections.abc import Sequence

    from ..asktell.options import SearchOptions
    from ..search.history import SearchHeader, SearchHistory
    from ..search.outcome import SearchOutcome
    from ..search.plan import SearchPlan


@click.command("search", cls=EachOptionOnce)
@click.option(
    "--evaluator",
    "-e",
    "evaluators",
    multiple=True,
    metavar="NAME[:SETTING=VALUE,...]",
    help="Evaluator whose score is to be made as good as possible, such as 'oracle', the ground truth.  [required but "
    "for strategies that train a supernet: there it only scores what they derive]",
)
@strategy_option
@space_option
@dataset_option
@images_option
@image_size_option
@click.option(
    "--evaluations",
    "-n",
    type=COUNT,
    help="Length of the search; an architecture that comes up again counts, and costs nothing.  [default: 450; a "
    "strategy that trains a supernet has its setting 'epochs' instead]",
)
@search_seed_option
@click.option(
    "--seeds",
    type=click.IntRange(1, MAX_PROCESSES),
    default=1,
    show_default=True,
    help="Number of searches, with seeds from --seed on; each has a results file of its own.",
)
@click.option(
    "--parallel",
    type=PROCESSES,
    default=1,
    show_default=True,
    help="Proposals that may wait for their scores at the same time; another number is another search.",
)
@cost_options
@device_option
@executor_option
@click.option(
    "--workers",
    "-j",
    type=PROCESSES,
    help="Worker processes, at most --parallel.  [default: as many as --parallel and cores allow]",
)
@threads_option
@time_limit_option
@click.option(
    "--output",
    "-o",
    type=FILE,
    metavar="FILE",
    help="Results file; with --seeds, FILE.h5 stands for FILE-seed0.h5 and so on.  [default: "
    "nasbench-search-DATE-TIME.h5]",
)
@resume_option
@overwrite_option
@click.option(
    "--metric",
    metavar="NAME",
    help="Ground truth that measures what was found, such as test_accuracy; the search does not see it: an "
    "evaluator that looks a metric up has a setting of its own.  [default: the first one of the data set]",
)
@labels_option
@label_option
@label_direction_option
@format_option
def search_command(
    evaluators: tuple[str, ...], strategy: str, space: str, dataset: str | None, images: Path | None,
    image_size: int | None, evaluations: int | None, seed: int, seeds: int, parallel: int, device: str, executor: str,
    workers: int | None, threads: int, time_limit: float | None, output: Path | None, resume: bool, overwrite: bool,
    metric: str | None, labels: Path | None, label: str | None, lower_is_better: bool | None, output_format: str,
    limits: tuple[str, ...], max_params: str | None, max_flops: str | None, minimize: tuple[str, ...],
) -> int:  # fmt: skip
    """Search a space for the architecture with the best score.

    A strategy proposes architectures, an evaluator scores them, and the strategy learns from the scores. Says what was
    found and, where the space has a table, its trained performance, its rank and the regret: how much better the best
    of the table, or the best value that is known, is; with --format json after every evaluation. Everything is on disk
    as it comes: after an interruption, run the same command with --resume, and the search goes on as if nothing had
    happened.

    Strategies such as 'gdas' need no scores: they train one network that holds all candidates, and derive an
    architecture after every epoch. The last one is what the search found.
    """
    check_options(
        resume=resume, overwrite=overwrite, output=output, images=images, dataset=dataset, image_size=image_size
    )
    evaluator = _only_one(evaluators)

    from ..asktell.options import SearchOptions
    from ..jobs.choice import choose_executor
    from ..jobs.devices import worker_devices
    from ..plugin_manager import installed_plugins
    from ..search.planning import SearchRequest, make_search_plans
    from .search_outcome import print_outcomes

    plugins = installed_plugins()
    chosen = choose_executor(executor, plugins)
    devices = devices_of_workers(chosen, device, workers)
    _say_who_is_idle(chosen.stated_workers(workers), parallel)
    request = SearchRequest(
        space, evaluator, strategy, dataset, describe_images(images, image_size), evaluations,
        parallel, seed, seeds, metric, read_limits(limits, max_params, max_flops), minimize,
        own_labels(labels, label, lower_is_better),
    )  # fmt: skip
    with naming_missing_plugins(output if resume else None):
        plans = make_search_plans(request, plugins)
    if plans[0].trains_supernet:
        devices = worker_devices(device, workers)  # it is trained here, whatever scores what is derived
    whole = output or dated_file("nasbench-search", ".h5")
    options = [
        SearchOptions(
            _file_of(plan, plans, whole), devices[:parallel], threads, time_limit, resume, overwrite, chosen.start
        )
        for plan in plans
    ]
    _check_targets(options)
    if not (resume or overwrite):
        _refuse_existing(options)
    say_what_is_missing(
        plugins.search_space(space).info, plans[0].header.dataset, chose_dataset=bool(dataset or images),
        has_table=bool(plans[0].ground_truth(())),
    )  # fmt: skip
    outcomes = _search_all(plans, options, whole)
    print_outcomes(plans[0].space, outcomes, [option.output for option in options], output_format)
    return _conclude(plans, outcomes, options)


def _say_who_is_idle(workers: int | None, parallel: int) -> None:
    if workers and parallel < workers:
        click.echo(
            f"Note: {parallel} of the {workers} workers will have something to do, since so many proposals wait for "
            f"their scores at a time; --parallel {workers} uses all, and is another search.",
            err=True,
        )


def _only_one(evaluators: tuple[str, ...]) -> str | None:
    if len(evaluators) > 1:
        raise UsageError(
            f"A search maximises the score of one evaluator, {len(evaluators)} were given. Name one with --evaluator; "
            "'nasbench evaluators' lists them."
        )
    return evaluators[0] if evaluators else None


def _file_of(plan: SearchPlan, plans: Sequence[SearchPlan], whole: Path) -> Path:
    """Return the file of one search; each of several has its seed in its name."""
    return whole if len(plans) == 1 else whole.with_name(f"{whole.stem}-seed{plan.header.seed}{whole.suffix}")


def _check_targets(options: Sequence[SearchOptions]) -> None:
    """Refuse places where no file can be before the first of several searches begins, not when its turn comes."""
    from ..results.whole_files import check_target

    for option in options:
        check_target(option.output)


def _refuse_existing(options: Sequence[SearchOptions]) -> None:
    """Refuse files that exist before the first of several searches begins, not when its turn comes."""
    existing = [option.output for option in options if option.output.exists()]
    if existing:
        raise ResultsFileError(
            f"'{existing[0]}' exists. Continue it with --resume, replace it with --overwrite, or choose another "
            "--output."
        )


def _search_all(plans: Sequence[SearchPlan], options: Sequence[SearchOptions], whole: Path) -> list[SearchOutcome]:
    from ..search.outcome import find_outcome

    histories = [_search_one(plan, option, whole) for plan, option in zip(plans, options, strict=True)]
    return [find_outcome(history, plan.table) for plan, history in zip(plans, histories, strict=True)]


def _search_one(plan: SearchPlan, options: SearchOptions, whole: Path) -> SearchHistory:
    from ..search.loop import run_search

    _announce(plan, options)
    if plan.trains_supernet:
        training = SupernetProgress(plan.evaluations)
        with interruptible(training, options.output, whole):
            return run_search(plan, options, training.advance, training.take_epoch)
    progress = SearchProgress(plan.evaluations)
    with interruptible(progress, options.output, whole):
        return run_search(plan, options, progress.advance)


def _announce(plan: SearchPlan, options: SearchOptions) -> None:
    header, columns = plan.header, plan.ground_truth(())
    sought = f"for the best {header.evaluator.label}{_conditions(header)}"
    length = f"{plan.evaluations} evaluations, {header.parallel} at a time"
    if plan.trains_supernet:
        sought = f"by training a supernet (each architecture's {header.evaluator.label} is for you only)"
        length = f"{plan.evaluations} epochs"
    announcement = (
        f"Searching {header.space} with {header.strategy} {sought}\n"
        f"(data: {header.dataset}, measured with: {columns[0].metric.key if columns else 'nothing'}, seed "
        f"{header.seed}, {length} on {options.devices[0]}, results: {options.output})"
    )
    click.echo(printable_lines(announcement), err=True)


def _conditions(header: SearchHeader) -> str:
    """Say what is minimised and limited besides."""
    minimized = "".join(f" and the least {cost.name}" for cost in header.minimized)
    limits = [f"{cost.name} at most {cost.limit:.10g}" for cost in header.costs if cost.limit is not None]
    return minimized + (f", {', '.join(limits)}" if limits else "")


def _draw(plan: SearchPlan, outcome: SearchOutcome, options: SearchOptions) -> None:
    """Draw what was found beside the results file, where the space has pictures; not worth failing for."""
    if outcome.best is None or plan.space.cell_graphs(outcome.best.arch_id) is None:
        return
    from ..pictures.cells import write_picture
    from ..pictures.files import picture_of

    picture = picture_of(options.output)
    if picture.exists() and not (options.resume or options.overwrite):
        click.echo(f"Picture: '{picture}' exists and was left. 'nasbench draw --search' draws another.", err=True)
        return
    try:
        write_picture(plan.space, outcome.best.arch_id, picture)
    except NasbenchError as error:
        click.echo(f"Warning: no picture: {printable_lines(str(error))}", err=True)
    else:
        click.echo(f"Picture: {picture}", err=True)


def _conclude(plans: Sequence[SearchPlan], outcomes: Sequence[SearchOutcome], options: Sequence[SearchOptions]) -> int:
    for plan, outcome, option in zip(plans, outcomes, options, strict=True):
        click.echo(f"Results: {option.output}", err=True)
        if outcome.refused and outcome.evaluations < plan.evaluations:
            click.echo(
                f"Note: the search in '{option.output}' ended after {outcome.evaluations} of {plan.evaluations} "
                f"evaluations: the strategy found no more architectures within the limits ({outcome.refused} "
                "proposals were refused).",
                err=True,
            )
        _draw(plan, outcome, option)
    _say_what_failed(outcomes)
    if all(outcome.best is None for outcome in outcomes):
        click.echo(f"Error: {printable_lines(_why_nothing_was_found(outcomes))}", err=True)
        return 1
    return 0


def _say_what_failed(outcomes: Sequence[SearchOutcome]) -> None:
    """Say which trainings of a supernet failed, of several searches."""
    for outcome in outcomes:
        trajectory = outcome.history.trajectory
        if trajectory is not None and trajectory.failure and len(outcomes) > 1:
            click.echo(
                f"Warning: the search with seed {outcome.history.header.seed} found nothing: "
                f"{printable_lines(trajectory.failure)}.",
                err=True,
            )


def _why_nothing_was_found(outcomes: Sequence[SearchOutcome]) -> str:
    header, trajectory = outcomes[0].history.header, outcomes[0].history.trajectory
    if trajectory is not None:
        return (
            f"'{header.strategy}' found nothing: {trajectory.failure}. The epochs before are in the results file; "
            "try a smaller 'learning_rate'."
        )
    in_full = [outcome.evaluations_by_fidelity[header.evaluator.label] for outcome in outcomes]
    if not any(in_full):
        return (
            f"No architecture was evaluated in full ({header.evaluator.label}): the search ended while the strategy "
            "was still comparing shorter evaluations. Repeat the command with --resume and a larger --evaluations."
        )
    return "No architecture got a score; 'nasbench inspect' on the results file says why."
