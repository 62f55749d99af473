"""``nasbench task-search``."""

from __future__ import annotations

import json
import math
import shlex
from collections import Counter
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from ..domain import Status
from ..plain_text import printable_lines
from .each_option_once import EachOptionOnce
from .options import (
    check_options,
    dataset_option,
    device_option,
    executor_option,
    image_size_option,
    images_option,
    label_direction_option,
    label_option,
    overwrite_option,
    resume_flag,
    search_seed_option,
    space_option,
    strategy_option,
    threads_option,
    time_limit_option,
)
from .progress import TaskProgress
from .sessions import dated_file, describe_images, devices_of_workers, interruptible, say_what_is_missing
from .tables import format_option, print_document
from .types import COUNT, FILE, PROCESSES

if TYPE_CHECKING:
    from ..asktell.options import SearchOptions
    from ..documents.document import Document
    from ..task_search.fitness import FitnessKind
    from ..task_search.plan import TaskSearchPlan
    from ..task_search.scoring import TaskOutcome

SHOWN_TASKS = 5


# As in the GenNAS authors' searches for tasks: 50 random ones and 400 children (Li et al., NeurIPS 2021).
DEFAULT_EVALUATIONS = 450


@click.command("task-search", cls=EachOptionOnce)
@click.option(
    "--labelled",
    "-l",
    type=FILE,
    metavar="FILE",
    required=True,
    help="CSV of a few architectures (column 'architecture') and how well they trained.",
)
@label_option
@label_direction_option
@click.option(
    "--evaluator",
    "-e",
    metavar="NAME[:SETTING=VALUE,...]",
    help="Evaluator whose task is searched for.  [default: the one that has a task and supports the space]",
)
@strategy_option
@click.option(
    "--fitness",
    type=click.Choice(["signed", "absolute"]),
    default="signed",
    show_default=True,
    help="Spearman's rho, or its absolute value as in the GenNAS authors' code, where ranking backwards wins.",
)
@space_option
@dataset_option
@images_option
@image_size_option
@click.option(
    "--evaluations",
    "-n",
    type=COUNT,
    default=DEFAULT_EVALUATIONS,
    show_default=True,
    help="Number of tasks; each trains every labelled architecture.",
)
@search_seed_option
@click.option(
    "--parallel",
    type=PROCESSES,
    default=1,
    show_default=True,
    help="Tasks that may wait for their fitness at the same time; another number is another search.",
)
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
    help="The best task; FILE.history beside it has all that was computed.  [default: nasbench-task-DATE-TIME.json]",
)
@click.option(
    "--plot",
    type=FILE,
    metavar="FILE",
    help="Draw the fitness of each task and the best so far: .svg, .png or .pdf. With --resume, also of a search that "
    "is done.",
)
@resume_flag
@overwrite_option
@format_option
def task_search_command(
    labelled: Path, label: str | None, lower_is_better: bool | None, evaluator: str | None, strategy: str,
    fitness: FitnessKind, space: str, dataset: str | None, images: Path | None, image_size: int | None,
    evaluations: int, seed: int, parallel: int, device: str, executor: str, workers: int | None, threads: int,
    time_limit: float | None, output: Path | None, plot: Path | None, resume: bool, overwrite: bool, output_format: str,
) -> int:  # fmt: skip
    """Search for the proxy task that ranks a few labelled architectures best.

    A strategy proposes tasks; the fitness of each is Spearman's rho between its scores of the labelled architectures
    and their labels. The best task so far is in the output file at any time, for 'nasbench run --task FILE'. After an
    interruption, run the same command with --resume.
    """
    check_options(
        resume=resume, overwrite=overwrite, output=output, images=images, dataset=dataset, image_size=image_size
    )

    from ..asktell.options import SearchOptions
    from ..jobs.choice import choose_executor
    from ..pictures.files import check_picture, refuse_existing
    from ..planning.default_evaluators import searchable_evaluator
    from ..plugin_manager import installed_plugins
    from ..task_search.planning import TaskSearchRequest, make_task_search_plan

    if plot:
        check_picture(plot)
    if plot and not (overwrite or resume):
        refuse_existing(plot)
    plugins = installed_plugins()
    chosen = choose_executor(executor, plugins)
    devices = devices_of_workers(chosen, device, workers)
    request = TaskSearchRequest(
        space, labelled, evaluator or searchable_evaluator(space, plugins), strategy, label, lower_is_better, dataset,
        describe_images(images, image_size), evaluations, parallel, seed, fitness,
    )  # fmt: skip
    plan = make_task_search_plan(request, plugins)
    options = SearchOptions(
        output or dated_file("nasbench-task", ".json"), devices, threads, time_limit, resume,
        overwrite, chosen.start,
    )  # fmt: skip
    say_what_is_missing(
        plugins.search_space(space).info, plan.header.dataset, chose_dataset=bool(dataset or images), has_table=True
    )
    outcomes = _search(plan, options)
    if plot:
        _draw(plan, outcomes, plot)
    return _print_outcome(plan, options, outcomes, output_format)


def _search(plan: TaskSearchPlan, options: SearchOptions) -> list[TaskOutcome]:
    from ..task_search.history import history_path
    from ..task_search.loop import run_task_search

    _announce(plan, options)
    progress = TaskProgress(plan.evaluations)
    with interruptible(progress, history_path(options.output), options.output):
        return run_task_search(plan, options, progress.advance)


def _announce(plan: TaskSearchPlan, options: SearchOptions) -> None:
    labelled, header = plan.fitness.labelled, plan.header
    better = "higher" if labelled.direction.sign > 0 else "lower"
    announcement = (
        f"Searching {plan.strategy.space.name} with {plan.strategy.name} for the {plan.setting} with which "
        f"{plan.evaluator.header.label} ranks {len(labelled.arch_ids)} architectures of {header.space} best\n"
        f"(label: {labelled.label}, {better} is better; images: {header.dataset}, seed {header.seed}, "
        f"{plan.evaluations} tasks, {len(options.devices)} x {options.devices[0]}, result: {options.output})"
    )
    click.echo(printable_lines(announcement), err=True)


def _draw(plan: TaskSearchPlan, outcomes: list[TaskOutcome], path: Path) -> None:
    from ..pictures.curves import Curve, Dots, draw_curves
    from ..task_search.loop import best_so_far

    numbers = range(1, len(outcomes) + 1)
    fitness = [_or_nan(outcome) for outcome in outcomes]
    best = [_or_nan(outcome) for outcome in best_so_far(outcomes)]
    draw_curves(
        path, [Curve(f"{plan.strategy.name}, best so far", numbers, best)], dots=[Dots("each task", numbers, fitness)],
        x_label="tasks", y_label=_kind_of_fitness(plan).replace(" on ", "\non "),
    )  # fmt: skip
    click.echo(f"Plot: {path}", err=True)


def _or_nan(outcome: TaskOutcome | None) -> float:
    return math.nan if outcome is None or outcome.fitness is None else outcome.fitness


def _print_outcome(
    plan: TaskSearchPlan, options: SearchOptions, outcomes: list[TaskOutcome], output_format: str
) -> int:
    from ..task_search.loop import best_of

    best = best_of(outcomes)
    print_document(_describe(plan, options, outcomes, best), output_format)
    if best is None:
        message = next((record.message for outcome in outcomes for record in outcome.records if record.message), "")
        because = f" The first network without a score: {printable_lines(message)}" if message else ""
        click.echo(f"Error: No task ranks the labelled architectures.{because}", err=True)
        return 1
    click.echo(
        f"Task: {options.output} (score with it: nasbench run --space {plan.header.space} -e "
        f"{plan.evaluator.header.label} --{plan.setting} {shlex.quote(str(options.output))})\n"
        f"Its fitness is the best of {len(outcomes)} on the same {len(plan.fitness.labelled.arch_ids)} architectures: "
        "expect less on others.",
        err=True,
    )
    return 0


def _describe(
    plan: TaskSearchPlan, options: SearchOptions, outcomes: list[TaskOutcome], best: TaskOutcome | None
) -> Document:
    """Describe the outcome: for people the best tasks, for CSV one line a task, for JSON every score as well."""
    from ..documents.document import Document
    from ..documents.records import describe_blocks

    content = _for_machines(plan, options, outcomes, best)
    return Document(
        blocks=describe_blocks(_for_people(plan, outcomes, best)),
        records=[{key: task[key] for key in task if key not in ("scores", "statuses")} for task in content["tasks"]],
        content=content,
    )


def _for_people(plan: TaskSearchPlan, outcomes: list[TaskOutcome], best: TaskOutcome | None) -> dict[str, Any]:
    from ..task_search.scoring import TaskStatus

    counts = Counter(outcome.status for outcome in outcomes)
    record: dict[str, Any] = {
        "fitness": best and f"{best.fitness:.4g} ({_kind_of_fitness(plan)}; first at task {best.number + 1})",
        "Kendall tau-b": best and best.kendall and f"{best.kendall:.4g}",
        "tasks": f"{len(outcomes)}, {sum(not outcome.repeated for outcome in outcomes)} of them distinct",
    }
    if not plan.learns:
        record["abandoned"] = f"{counts[TaskStatus.ABANDONED]}, when they could not become the best any more"
    record["unranked"] = counts[TaskStatus.UNRANKED]
    ranked = [outcome for outcome in outcomes if outcome.fitness is not None and not outcome.repeated]
    ranked.sort(key=lambda outcome: -(outcome.fitness or 0.0))
    return record | {
        "best tasks": [
            {
                "task": outcome.number + 1,
                "Spearman": f"{outcome.fitness:.3f}",
                "Kendall": f"{outcome.kendall:.3f}",
                "failures": sum(record.status is not Status.OK for record in outcome.records),
                "what it is": plan.strategy.space.describe(outcome.design),
            }
            for outcome in ranked[:SHOWN_TASKS]
        ],
    }


def _kind_of_fitness(plan: TaskSearchPlan) -> str:
    labelled = len(plan.fitness.labelled.arch_ids)
    absolute = "absolute value of " if plan.fitness.kind == "absolute" else ""
    return f"{absolute}Spearman's rho on {labelled} architectures"


def _for_machines(
    plan: TaskSearchPlan, options: SearchOptions, outcomes: list[TaskOutcome], best: TaskOutcome | None
) -> dict[str, Any]:
    from ..task_search.history import history_path
    from ..task_search.loop import best_so_far

    return {
        **plan.described(),
        "file": str(options.output),
        "history": str(history_path(options.output)),
        "best": best and _task_for_machines(best),
        "tasks": [
            _task_for_machines(outcome) | {"best_so_far": incumbent and incumbent.fitness}
            for outcome, incumbent in zip(outcomes, best_so_far(outcomes), strict=True)
        ],
    }


def _task_for_machines(outcome: TaskOutcome) -> dict[str, Any]:
    return {
        "task": outcome.number + 1,
        "status": str(outcome.status),
        "repeated": outcome.repeated,
        "fitness": outcome.fitness,
        "kendall": outcome.kendall,
        "bound": outcome.bound,
        "scores": [record.score if record.status is Status.OK else None for record in outcome.records],
        "statuses": [str(record.status) for record in outcome.records],
        "design": json.loads(outcome.design),
    }
