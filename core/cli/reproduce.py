"""``nasbench reproduce``."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import TYPE_CHECKING

import click

from ..errors import NasbenchError, UsageError, closest_matches
from .each_option_once import EachOptionOnce
from .options import device_option, threads_option
from .progress import JobProgress, SearchProgress
from .sessions import interruptible
from .tables import format_option, print_document, print_rows
from .types import COUNT, FILE, PROCESSES, SECONDS, SEED

if TYPE_CHECKING:
    from ...reports.reproduction import Reproduced
    from ..descriptions import RecipeInfo
    from ..plan import Plan
    from ..planning.aggregation import AggregateSpec
    from ..plugin_manager import PluginManager, Provided
    from ..reproduction.recipe import Comparison, PublishedFigure, Recipe
    from ..reproduction.runs import Scale
    from ..results.contents import Results
    from ..search.outcome import SearchOutcome
    from ..search.plan import SearchPlan

DEFAULT_MINUTES = 20.0

SHORTEST_LIMIT = 10.0
"""Seconds that a job may take at least when time is measured: the first one of a worker loads what it needs. Ours."""


@click.command("reproduce", cls=EachOptionOnce)
@click.argument("recipe", required=False, metavar="[RECIPE]")
@click.option("--space", "spaces", multiple=True, metavar="NAME", help="Only this search space; repeat for more.")
@click.option(
    "--evaluator",
    "-e",
    "evaluators",
    multiple=True,
    metavar="NAME",
    help="Only this evaluator; a name alone takes it with all its settings. Repeat for more.",
)
@click.option(
    "--scale",
    "-n",
    type=COUNT,
    help="Number of architectures, or of evaluations of each search.  [default: as published]",
)
@click.option("--seeds", type=click.IntRange(1, 1000), help="Number of run seeds.  [default: as published]")
@click.option("--seed", type=SEED, default=0, show_default=True, help="The first of them.")
@click.option(
    "--minutes",
    type=SECONDS,
    default=DEFAULT_MINUTES,
    show_default=True,
    help="Leave out an evaluator that would take longer on one space.",
)
@click.option("--estimate", is_flag=True, help="Say how long it will take, and do no more.")
@device_option
@click.option("--workers", "-j", type=PROCESSES, help="Worker processes.  [default: one a core or CUDA device]")
@threads_option
@click.option("--output", "-o", type=FILE, metavar="FOLDER", help="Where results go.  [default: RECIPE]")
@format_option
def reproduce_command(
    recipe: str | None, spaces: tuple[str, ...], evaluators: tuple[str, ...], scale: int | None, seeds: int | None,
    seed: int, minutes: float, estimate: bool, device: str, workers: int | None, threads: int, output: Path | None,
    output_format: str,
) -> int:  # fmt: skip
    """Make a published table again, and print its figures beside ours.

    RECIPE is one of the installed recipes, which are listed if none is named, or a TOML file. First each evaluator
    scores two architectures of each space, which says how long the rest will take; then all of them. Results are in
    the output folder as they come: the same command goes on where it was stopped.
    """
    from ..jobs.devices import worker_devices
    from ..plugin_manager import installed_plugins
    from ..reproduction.runs import Scale, labelled

    plugins = installed_plugins()
    if recipe is None:
        print_rows([_summary(info) for info in plugins.recipes().values()], output_format)
        return 0
    found = _find_recipe(recipe, plugins)
    chosen = labelled(_choose(found, spaces, evaluators), plugins)
    session = _Session(
        chosen, plugins, Scale(scale, seeds, seed), minutes, output or Path(Path(recipe).stem),
        worker_devices(device, workers), threads,
    )  # fmt: skip
    from ...reports.reproduction_document import reproduction_document

    figures = [figure for comparison in chosen.comparisons for figure in session.reproduce(comparison, estimate)]
    if not estimate:
        print_document(reproduction_document(chosen, figures), output_format)
    return _say_what_failed(figures, session.folder)


def _say_what_failed(figures: Sequence[Reproduced], folder: Path) -> int:
    """Name what has no score at all, which makes a failed run; return the exit code."""
    failed = [each for each in figures if each.without_scores]
    messages = (f"'{each.figure.evaluator}' on {each.comparison.space}: {each.why_undefined}" for each in failed)
    for message in dict.fromkeys(messages):
        click.echo(
            f"Error: {message}. 'nasbench inspect FILE --failures' says why, of its file in '{folder}'.",
            err=True,
        )
    return 1 if failed else 0


def _summary(provided: Provided[RecipeInfo]) -> dict[str, str]:
    return {"name": provided.info.name, "summary": provided.info.summary, "source": provided.info.source}


def _find_recipe(text: str, plugins: PluginManager) -> Recipe:
    """Return an installed recipe, or that of a file.

    Raises:
        UsageError: There is none, or the file is no recipe or names what is not installed.
    """
    from ..input_files import check_input, read_text
    from ..reproduction.recipe import parse_recipe
    from ..reproduction.runs import check_names

    if text in plugins.recipes() or not text.endswith(".toml"):
        return parse_recipe(plugins.recipe(text).info.create(), text)
    path = Path(text)
    check_input(path, "Give the name of a recipe, or a TOML file; 'nasbench reproduce' lists the former.")
    try:
        recipe = parse_recipe(read_text(path), path.stem)
    except UnicodeDecodeError:
        raise UsageError(f"'{path}' is not a text: a recipe is TOML.") from None
    # An installed recipe may name what only other plugins have; what a user names wrongly is a mistake.
    check_names(recipe, plugins)
    return recipe


def _choose(recipe: Recipe, spaces: Sequence[str], evaluators: Sequence[str]) -> Recipe:
    """Keep what the user wants.

    Raises:
        UsageError: The recipe has no such space or evaluator.
    """
    known_spaces = list(dict.fromkeys(part.space for part in recipe.comparisons))
    spelled = [text for part in recipe.comparisons for text in part.evaluators]
    known_evaluators = list(dict.fromkeys(name for text in spelled for name in (_without_settings(text), text)))
    for kind, asked, known in (("space", spaces, known_spaces), ("evaluator", evaluators, known_evaluators)):
        for name in asked:
            if name not in known:
                hint = closest_matches(name, known)
                raise UsageError(f"'{recipe.name}' has no {kind} '{name}'. {hint}It has: {', '.join(known)}.")
    kept = [
        replace(part, figures=tuple(each for each in part.figures if _is_asked(each.evaluator, evaluators)))
        for part in recipe.comparisons
        if not spaces or part.space in spaces
    ]
    return replace(recipe, comparisons=tuple(part for part in kept if part.figures))


def _is_asked(evaluator: str, asked: Sequence[str]) -> bool:
    return not asked or evaluator in asked or _without_settings(evaluator) in asked


def _without_settings(evaluator: str) -> str:
    return evaluator.partition(":")[0]


@dataclass(frozen=True)
class _Session:
    """What all parts of a reproduction share."""

    recipe: Recipe
    plugins: PluginManager
    scale: Scale
    minutes: float
    folder: Path
    devices: tuple[str, ...]
    threads: int

    def reproduce(self, comparison: Comparison, estimate: bool) -> list[Reproduced]:
        """Make one part again, or only say how long it will take."""
        from ...reports.reproduction import Reproduced
        from ..reproduction.recipe import COMPARABLE
        from ..reproduction.runs import missing_ground_truth

        of_what = "-".join(filter(None, (comparison.dataset, comparison.metric))) or "default"
        name = f"{comparison.space}-{of_what.replace('/', '-')}"
        if comparison.not_comparable:
            return [Reproduced(comparison, each, why_not=comparison.not_comparable) for each in comparison.figures]
        try:
            missing = missing_ground_truth(comparison, self.plugins)
            if missing and all(each.statistic in COMPARABLE for each in comparison.figures):
                raise UsageError(missing)
            left_out = self._left_out(comparison, name)
        except NasbenchError as error:
            click.echo(f"{name}: {error}", err=True)
            return [Reproduced(comparison, each, why_not=str(error)) for each in comparison.figures]
        made = self._make(comparison, name, left_out, estimate)
        if not missing:
            return made
        return [
            Reproduced(comparison, each.figure, why_not=missing) if each.figure.statistic in COMPARABLE else each
            for each in made
        ]

    def _make(self, comparison: Comparison, name: str, left_out: Mapping[str, str], estimate: bool) -> list[Reproduced]:
        from ...reports.reproduction import Reproduced, reproduce_figures
        from .aggregates import find_aggregates

        if comparison.searches and not estimate:
            return self._search(comparison, name, left_out)
        plans = [] if estimate else self._plans(comparison, left_out)
        results = [self._run(plan, comparison, f"{name}-seed{plan.header.seed}.h5", None) for plan in plans]
        if not results:
            return [
                Reproduced(comparison, each, why_not=left_out.get(each.evaluator, "")) for each in comparison.figures
            ]
        return reproduce_figures(comparison, results, left_out, find_aggregates(results[0]))

    def _search(self, comparison: Comparison, name: str, left_out: Mapping[str, str]) -> list[Reproduced]:
        """Search for every figure whose evaluator is not left out."""
        from ...reports.reproduction import Reproduced, reproduce_found
        from ..reproduction.searches import found_by, search_plans

        figures = []
        for figure in comparison.figures:
            if figure.evaluator in left_out:
                figures.append(Reproduced(comparison, figure, why_not=left_out[figure.evaluator]))
                continue
            plans = search_plans(comparison, figure, self.scale, self.recipe.seeds, self.plugins)
            outcomes = [self._found(plan, name, figure) for plan in plans]
            figures.append(reproduce_found(comparison, figure, found_by(outcomes, plans[0].evaluations)))
        return figures

    def _found(self, plan: SearchPlan, name: str, figure: PublishedFigure) -> SearchOutcome:
        from ..asktell.options import SearchOptions
        from ..reproduction.searches import file_name
        from ..search.loop import run_search
        from ..search.outcome import find_outcome

        self.folder.mkdir(parents=True, exist_ok=True)
        output = self.folder / file_name(name, figure, plan.header.seed)
        options = SearchOptions(output, self.devices[:1], self.threads, resume=True)
        progress = SearchProgress(plan.evaluations)
        with interruptible(progress, output, self.folder):
            return find_outcome(run_search(plan, options, progress.advance), plan.table)

    def _plans(self, comparison: Comparison, left_out: Mapping[str, str]) -> list[Plan]:
        from ..reproduction.runs import plans_of

        kept = [evaluator for evaluator in comparison.evaluators if evaluator not in left_out]
        return plans_of(comparison, kept, self.scale, self.recipe.seeds, self.plugins) if kept else []

    def _left_out(self, comparison: Comparison, name: str) -> dict[str, str]:
        """Measure on a few architectures how long evaluators take; return why some are left out."""
        from ..reproduction.runs import first_architectures, forecast, unusable

        left_out = unusable(comparison, comparison.evaluators, self.plugins)
        plans = self._plans(comparison, left_out)
        if not plans:
            return left_out
        jobs, workers = len(plans) * len(plans[0].arch_ids), len(self.devices)
        # A job that takes longer could not be done for all within the limit.
        time_limit = max(SHORTEST_LIMIT, 60 * self.minutes * workers / jobs)
        measured = self._run(first_architectures(plans[0]), comparison, f"{name}-two.h5", time_limit)
        found = forecast(measured, plans[0], len(plans), workers, self.minutes)
        for label, minutes in found.minutes.items():
            fate = f"left out, {found.too_long[label]}" if label in found.too_long else f"about {minutes:.1f} min"
            click.echo(f"  {label}: {fate}", err=True)
        total = sum(minutes for label, minutes in found.minutes.items() if label not in found.too_long)
        click.echo(f"{name}: {jobs} architectures and seeds, about {total:.0f} min with {workers} workers", err=True)
        parts = {label: spec.components for label, spec in self._aggregates(plans[0]).items()}
        for label in plans[0].aggregates:
            missing = [part for part in parts.get(label, ()) if part in found.too_long]
            if missing:
                left_out[label] = f"'{missing[0]}' is left out"
        return left_out | dict(found.too_long)

    def _aggregates(self, plan: Plan) -> dict[str, AggregateSpec]:
        from ..planning.aggregation import find_aggregate

        specs = {label: find_aggregate(label, self.plugins) for label in plan.aggregates}
        return {label: spec for label, spec in specs.items() if spec is not None}

    def _run(self, plan: Plan, comparison: Comparison, name: str, time_limit: float | None) -> Results:
        from ..jobs.environment import command_line
        from ..jobs.run import RunOptions, run_plan
        from ..reproduction.runs import with_evaluators_of
        from ..results.store import read_results

        self.folder.mkdir(parents=True, exist_ok=True)
        output, extended_command = self.folder / name, None
        if output.exists():
            stored = read_results(output)
            plan = with_evaluators_of(stored, plan, comparison, self.plugins)
            extended_command = command_line() if len(plan.evaluators) > len(stored.headers) else None
        options = RunOptions(
            output, self.devices, self.threads, time_limit, resume=output.exists(), extended_command=extended_command
        )
        progress = JobProgress()
        with interruptible(progress, output, self.folder):
            return run_plan(plan, options, progress.start, progress.advance)
