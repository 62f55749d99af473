"""Compare whole runs of a GenNAS evaluator with the plain definition, on the same architectures.

    python -m nasbench_toolkit.benchmarks.gennas_against_plain --space nasbench101 [--cells 40] [--evaluator NAME]

In turn: a run with one worker, the plain definition in one process, a run with two workers. With ``--rounds`` each turn
takes a part of the architectures, so that a change of the machine's load hits all alike; a run's start is then paid as
many times. Prints

- processor seconds of a job, which no other work on the machine changes much, and of the whole run with its start, both
  an architecture;
- the clock's seconds an architecture, which mean something on a quiet machine only;
- how many times more the plain definition takes, with a 95 % interval over architectures;
- the rank correlation of both scores with the space's ground truth, if its table is here, and with each other.
"""

from __future__ import annotations

import json
import os
import sys
import tempfile
from contextlib import nullcontext
from dataclasses import dataclass, field
from pathlib import Path

import click
import numpy as np

from ..core.plan import Plan
from ..core.planning.requests import RunRequest, make_plan
from ..core.plugin_manager import installed_plugins
from ..core.results.store import read_results
from ..core.statistics.correlation import spearman_rho
from .intervals import Floats, interval, ratio_of_sums
from .machine import describe_machine
from .plain_run import reference_evaluator
from .processes import NO_USAGE, Usage, measure_command


@dataclass
class Series:
    """What one way of scoring gave and took.

    Attributes:
        name: The way, in words.
        usage: Of all its runs.
        scores: One for each architecture, NaN if there is none.
        seconds: Processor seconds of each job.
    """

    name: str
    usage: Usage = NO_USAGE
    scores: list[float] = field(default_factory=list)
    seconds: list[float] = field(default_factory=list)

    def add(self, usage: Usage, scores: list[float], seconds: list[float]) -> None:
        """Add a run."""
        self.usage += usage
        self.scores += scores
        self.seconds += seconds

    def row(self) -> str:
        """Return a line of the table."""
        count = len(self.seconds)
        job, whole, wall = np.mean(self.seconds), self.usage.processor / count, self.usage.wall / count
        return f"{self.name:36} {job:10.3f} {whole:10.3f} {wall:10.3f}"


def run_evaluator(series: Series, plan: Plan, arch_ids: tuple[str, ...], workers: int, file: Path) -> None:
    """Run an evaluator on some architectures in processes of its own."""
    listed = file.with_suffix(".txt")
    listed.write_text("\n".join(arch_ids))
    command = (
        f"run --space {plan.header.space} --dataset {plan.header.dataset} --seed {plan.header.seed} -j {workers}"
    ).split()
    options = ["-e", plan.evaluators[0].header.label, "--architectures", str(listed), "-o", str(file), "--overwrite"]
    usage = measure_command([sys.executable, "-m", "nasbench_toolkit", *command, *options])
    results = read_results(file)
    if results.arch_ids != arch_ids:
        raise click.ClickException(f"{file} holds other architectures than were asked for.")
    records = results.evaluators[0].records
    series.add(usage, records.scores.tolist(), records.processor_seconds.tolist())


def run_plain(series: Series, plan: Plan, arch_ids: tuple[str, ...], file: Path) -> None:
    """Run the plain definition on some architectures in a process of its own."""
    module = "nasbench_toolkit.benchmarks.plain_run"
    arguments = [plan.header.space, plan.header.dataset, str(plan.header.seed), str(file)]
    usage = measure_command([sys.executable, "-m", module, *arguments], stdin="\n".join(arch_ids))
    lines = [json.loads(line) for line in file.read_text().splitlines()]
    scores = [float("nan") if line["score"] is None else line["score"] for line in lines]
    series.add(usage, scores, [line["seconds"] for line in lines])


def compare(plan: Plan, rounds: int, folder: Path) -> tuple[Series, Series, Series]:
    """Run all in turn; return the plain definition, one worker and two workers."""
    label = plan.evaluators[0].header.label
    plain, one, two = Series("plain"), Series(f"{label}, one worker"), Series(f"{label}, two workers")
    size = -(-len(plan.arch_ids) // rounds)
    for number in range(0, len(plan.arch_ids), size):
        chunk = plan.arch_ids[number : number + size]
        run_evaluator(one, plan, chunk, 1, folder / f"one-{number}.h5")
        run_plain(plain, plan, chunk, folder / f"plain-{number}.jsonl")
        run_evaluator(two, plan, chunk, 2, folder / f"two-{number}.h5")
    return plain, one, two


def format_ratios(plain: Series, one: Series, two: Series) -> list[str]:
    """Say how many times more the plain definition takes."""
    first, second = np.array(plain.seconds), np.array(one.seconds)
    low, high = interval(ratio_of_sums, first, second)
    whole = plain.usage.processor / one.usage.processor
    walls = [plain.usage.wall / series.usage.wall for series in (one, two)]
    return [
        f"plain / {one.name}, processor seconds: jobs {ratio_of_sums(first, second):.2f} [{low:.2f}, {high:.2f}], "
        f"whole runs {whole:.2f}",
        f"plain / evaluator, clock: one worker {walls[0]:.2f}, two workers {walls[1]:.2f}; "
        f"one worker / two workers {one.usage.wall / two.usage.wall:.2f}",
    ]


def format_scores(plan: Plan, plain: Series, one: Series, two: Series) -> list[str]:
    """Say how the scores rank, and how far they are apart."""
    sign = plan.evaluators[0].header.direction.sign
    ours, definition = sign * np.array(one.scores), -np.array(plain.scores)
    known = np.isfinite(ours) & np.isfinite(definition)
    both = [f"scores with one and two workers are {'' if same(one, two) else 'NOT '}equal to the last bit"]
    if plan.ground_truth:
        column = plan.ground_truth[0]
        truth = column.metric.direction.sign * np.array(column.values)
        known &= np.isfinite(truth)
        both.append(_format_rho(column.metric.key, ours[known], definition[known], truth[known]))
    ours, definition = ours[known], definition[known]
    agreement = spearman_rho(ours, definition)
    apart = np.abs(np.abs(ours) - np.abs(definition)) / np.abs(definition)
    both.append(
        f"rho of both scores {_number(agreement)}; relative difference, median {np.median(apart):.1e}, "
        f"most {apart.max():.1e}; {known.sum()} of {known.size} architectures"
    )
    return both


def same(first: Series, second: Series) -> bool:
    """Whether two series have the same scores."""
    return np.array_equal(first.scores, second.scores, equal_nan=True)


def _format_rho(metric: str, ours: Floats, plain: Floats, truth: Floats) -> str:
    def difference(first: Floats, second: Floats, third: Floats) -> float | None:
        before, after = spearman_rho(first, third), spearman_rho(second, third)
        return None if before is None or after is None else before - after

    values = [f"rho with {metric}:"]
    for name, scores in (("evaluator", ours), ("plain", plain)):
        low, high = interval(spearman_rho, scores, truth)
        values.append(f"{name} {_number(spearman_rho(scores, truth))} [{low:.3f}, {high:.3f}],")
    low, high = interval(difference, ours, plain, truth)
    return f"{' '.join(values)} difference {_number(difference(ours, plain, truth))} [{low:.3f}, {high:.3f}]"


def _number(value: float | None) -> str:
    return "undefined" if value is None else f"{value:.3f}"


@click.command()
@click.option("--space", default="nasbench101", show_default=True, help="Search space.")
@click.option("--evaluator", help="Evaluator, with settings.  [default: the one that is the plain definition's]")
@click.option("--cells", default=40, show_default=True, type=click.IntRange(min=2), help="Architectures.")
@click.option("--seed", default=0, show_default=True, help="Seed of the runs and of the sample.")
@click.option("--dataset", help="Images.  [default: the space's first that is here]")
@click.option("--rounds", default=1, show_default=True, type=click.IntRange(min=1), help="Turns of all.")
@click.option("--folder", type=click.Path(path_type=Path, file_okay=False), help="Keep what the runs wrote here.")
def main(
    space: str, evaluator: str | None, cells: int, seed: int, dataset: str | None, rounds: int, folder: Path | None
) -> None:
    """Compare whole runs of a GenNAS evaluator with the plain definition."""
    plugins = installed_plugins()
    chosen = evaluator or reference_evaluator(plugins.search_space(space).info)
    plan = make_plan(RunRequest(space, (chosen,), dataset=dataset, samples=cells, seed=seed), plugins)
    click.echo(describe_machine())
    with nullcontext(str(folder)) if folder else tempfile.TemporaryDirectory() as kept:
        Path(kept).mkdir(parents=True, exist_ok=True)
        plain, one, two = compare(plan, rounds, Path(kept))
    click.echo(f"{plan.header.space} on {plan.header.dataset}, {cells} architectures, seed {seed}")
    click.echo(f"{'seconds an architecture':36} {'jobs':>10} {'whole run':>10} {'clock':>10}")
    for series in (plain, one, two):
        click.echo(series.row())
    for line in (*format_ratios(plain, one, two), *format_scores(plan, plain, one, two)):
        click.echo(line)
    click.echo(f"load at the end {os.getloadavg()[0]:.1f}")


if __name__ == "__main__":
    main()
