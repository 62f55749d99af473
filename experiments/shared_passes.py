"""Measure what evaluators cost alone and together, where they share passes, and compare their scores bit by bit.

Run by hand:

    python -m nasbench_toolkit.experiments.shared_passes [--space nasbench201] [--dataset cifar10] [--repeats 3]

Each evaluator scores the same architecture of a space by itself, as if no other were in the run, and then all do, in
the order given, as a worker runs the jobs of an architecture that is not its first: it knows by then which passes will
be asked for. One thread; of each the least processor time of all repeats counts, which other work on the machine
changes least. Prints for each evaluator its seconds and peak memory alone, and the seconds, those of them that were
saved, and the peak memory that its records say when all run; then the sum of seconds alone and the seconds of all
together, also with ``vote`` as one more evaluator, which alone costs what its three voters do. Ends with exit code 1 if
a score differs by a single bit.
"""

from __future__ import annotations

import sys
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from functools import partial

import click
import numpy as np
import torch

from ..core.domain import JobKey, Record
from ..core.interfaces import Evaluator
from ..core.jobs.evaluation import JobRunner
from ..core.memory import MemoryMeter
from ..core.planning.spellings import parse_spelling
from ..core.plugin_manager import installed_plugins
from ..core.settings import parse_settings, settings_hash

PAPER = ("synflow", "grad_norm", "snip", "grasp", "fisher", "jacob_cov", "naswot")
"""The zero-cost evaluators of the GenNAS paper, but for ``vote``, which is made of scores of three of them."""

VOTERS = frozenset({"synflow", "jacob_cov", "snip"})
ARCHITECTURE_SEED = 2021


@dataclass(frozen=True)
class Spec:
    """An evaluator as the user named it."""

    label: str
    hash: str
    evaluator: Evaluator[object]

    @classmethod
    def parse(cls, text: str) -> Spec:
        """Read a text such as ``naswot:batch_size=64``."""
        spelling = parse_spelling(text)
        info = installed_plugins().evaluator(spelling.name).info
        settings = parse_settings(spelling.name, info.settings, spelling.settings)
        return cls(text, settings_hash(info.version, settings), info.create(settings))

    def score(self, runner: JobRunner, arch_id: str) -> Record:
        """Run the job."""
        name = self.label.partition(":")[0]
        return runner.run(
            JobKey(runner.space.name, runner.dataset_info.name, arch_id, name, self.hash, 0), self.evaluator
        )


@dataclass(frozen=True)
class Measured:
    """What one way of running jobs took and gave.

    Attributes:
        seconds: Of the processor.
        records: Of each evaluator, by label.
    """

    seconds: float
    records: dict[str, Record]


def measure(specs: Sequence[Spec], runner: JobRunner, arch_id: str) -> Measured:
    """Run the jobs of one architecture."""
    MemoryMeter(runner.device).give_back_unused()
    start = time.process_time()
    records = {spec.label: spec.score(runner, arch_id) for spec in specs}
    return Measured(time.process_time() - start, records)


def compare(specs: Sequence[Spec], make_runner: Callable[[], JobRunner], arch_id: str, repeats: int) -> bool:
    """Print the table of one architecture; return whether all scores were the same."""
    runner = make_runner()
    measure(specs, runner, runner.space.example())
    alone: dict[str, list[Measured]] = {spec.label: [] for spec in specs}
    together = []
    for _ in range(repeats):
        for spec in specs:
            # Nothing is known there of other evaluators.
            alone[spec.label].append(measure([spec], make_runner(), arch_id))
        runner.passes.enter("another")
        together.append(measure(specs, runner, arch_id))
    click.echo(f"{runner.space.name} on {runner.dataset_info.name}: {arch_id}")
    best = min(together, key=lambda run: run.seconds)
    seconds = {label: min(run.seconds for run in runs) for label, runs in alone.items()}
    same = _print_evaluators(alone, together, best)
    total = sum(seconds.values())
    saved = sum(record.cost.saved for record in best.records.values())
    click.echo(f"{'sum':28} {total:7.3f}")
    click.echo(
        f"{'together':28} {best.seconds:7.3f}, {best.seconds / total:.3f} of the sum; saved {saved:.3f} by records"
    )
    if seconds.keys() >= VOTERS:
        with_vote = total + sum(seconds[label] for label in VOTERS)
        click.echo(f"{'sum with vote alone':28} {with_vote:7.3f}, together {best.seconds / with_vote:.3f} of it")
    return same


def _print_evaluators(alone: Mapping[str, Sequence[Measured]], together: Sequence[Measured], best: Measured) -> bool:
    """Print a line for each evaluator; return whether all scores were the same."""
    click.echo(f"{'':28} alone          together, by records")
    click.echo(f"{'evaluator':28} seconds    MB seconds   saved    MB  score")
    all_same = True
    for label, runs in alone.items():
        scores = {run.records[label].score.hex() for run in (*runs, *together)}
        all_same &= len(scores) == 1
        first, cost = runs[0].records[label], best.records[label].cost
        click.echo(
            f"{label:28} {min(run.seconds for run in runs):7.3f} {first.cost.peak_memory / 1e6:5.0f} "
            f"{cost.processor:7.3f} {cost.saved:7.3f} {cost.peak_memory / 1e6:5.0f}  {first.score!r} {first.status}"
            f"{'' if len(scores) == 1 else f'  DIFFERS: {sorted(scores)}'}"
        )
    return all_same


@click.command()
@click.option("--space", "spaces", multiple=True, default=["nasbench201"], show_default=True, help="Search spaces.")
@click.option("--dataset", default="photos", show_default=True, help="Images.")
@click.option(
    "-e", "--evaluator", "texts", multiple=True, default=PAPER, help="Evaluators; those of the paper if none."
)
@click.option("--arch", default=None, help="Architecture; a random one if not given.")
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(min=2), help="Times that all is run.")
def main(spaces: tuple[str, ...], dataset: str, texts: tuple[str, ...], arch: str | None, repeats: int) -> None:
    """Measure evaluators alone and together."""
    torch.set_num_threads(1)
    plugins, specs, same = installed_plugins(), [Spec.parse(text) for text in texts], True
    for name in spaces:
        images = plugins.dataset(dataset).info
        space = plugins.search_space(name).info.create()
        source = images.create()
        arch_id = space.canonicalize(arch) if arch else space.sample(1, np.random.default_rng(ARCHITECTURE_SEED))[0]
        same &= compare(specs, partial(JobRunner, space, images, source, torch.device("cpu")), arch_id, repeats)
    sys.exit(0 if same else 1)


if __name__ == "__main__":
    main()
