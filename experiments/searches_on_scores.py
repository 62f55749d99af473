"""Searches whose fitness is a score that a run has stored: what a proxy finds, over many seeds and in no time.

Usage: python experiments/searches_on_scores.py results.h5 [more.h5 ...] --evaluator gennas-rnn-combo
           --metric ptb/test_loss [--strategy random-search ...] [--evaluations 200] [--seeds 20] [--stops 10 50 200]

A score is the same in a run as in a search with the same run seed, so that nothing is computed anew. Architectures that
the files do not hold have no score, as jobs that failed. Prints the mean regret, in the metric, of what had the best
score so far after each stop, with its sample deviation over the seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path

from nasbench_toolkit.core.asktell.curves import incumbents, spread
from nasbench_toolkit.core.asktell.loop import AskTellLoop, PendingProposal, Proposal
from nasbench_toolkit.core.asktell.strategy import StrategySpec, choose_strategy
from nasbench_toolkit.core.interfaces import GroundTruth
from nasbench_toolkit.core.planning.ground_truth import compared_space
from nasbench_toolkit.core.planning.metric_names import find_metric
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.results.contents import Results
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.core.search.outcome import TableSummary


@dataclass
class StoredScores:
    """Evaluates proposals by looking them up.

    Attributes:
        fitness: Of architectures that have a score, higher is better.
        seen: What was proposed, in this order.
    """

    fitness: Mapping[str, float]
    seen: list[str]

    def start(self, proposal: Proposal) -> PendingProposal[float | None]:
        """Note a proposal, whose outcome is known at once."""
        self.seen.append(proposal.canonical)
        return PendingProposal(proposal, lambda: self.fitness.get(proposal.canonical))

    def objectives(self, outcome: float | None) -> tuple[float] | None:
        """Return what the strategy is told."""
        return None if outcome is None else (outcome,)


def read_fitness(files: Sequence[Path], label: str) -> dict[str, float]:
    """Return the scores that an evaluator gave in runs, turned so that higher is better.

    Raises:
        SystemExit: A file lacks the evaluator, or is of another space, data set or run seed than the first.
    """
    fitness: dict[str, float] = {}
    results = [read_results(file) for file in files]
    for file, run in zip(files, results, strict=True):
        if key_of(run) != key_of(results[0]):
            raise SystemExit(f"{file} is of {key_of(run)}, {files[0]} of {key_of(results[0])}")
        parts = [part for part in run.evaluators if part.header.label == label]
        if not parts:
            raise SystemExit(f"{file} has no '{label}', only {', '.join(part.header.label for part in run.evaluators)}")
        records = parts[0].records
        known = records.scores[records.ok].tolist()
        scored = (arch_id for arch_id, ok in zip(run.arch_ids, records.ok, strict=True) if ok)
        fitness |= {
            arch_id: parts[0].header.direction.sign * score for arch_id, score in zip(scored, known, strict=True)
        }
    return fitness


def key_of(run: Results) -> tuple[str, str, int]:
    """Return what scores of one architecture depend on besides the evaluator."""
    return run.plan.space, run.plan.dataset, run.plan.seed


def regret_curve(
    spec: StrategySpec, fitness: Mapping[str, float], table: GroundTruth, summary: TableSummary, evaluations: int
) -> list[float | None]:
    """Return the regret of the best score so far after each evaluation of a search; None before the first score."""
    scores = StoredScores(fitness, [])
    told = list(AskTellLoop(spec, evaluations, 1, scores).outcomes())
    values = table.values(summary.metric, scores.seen)
    return [None if place is None else summary.regret(values[place]) for place in incumbents(told)]


def main() -> None:
    """Print a line for each strategy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path, nargs="+")
    parser.add_argument("--evaluator", required=True)
    parser.add_argument("--metric", required=True)
    parser.add_argument("--strategy", nargs="+", default=["random-search", "regularized-evolution"])
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--stops", type=int, nargs="+", default=[10, 20, 50, 100, 200])
    args = parser.parse_args()
    fitness, plugins, plan = (
        read_fitness(args.results, args.evaluator),
        installed_plugins(),
        read_results(args.results[0]).plan,
    )
    space = compared_space(plugins.search_space(plan.space).info.create(), plan.dataset, args.metric)
    table = space.ground_truth()
    if table is None:
        parser.error(f"there is no table of {space.name}: import one with 'nasbench data import'")
    summary = TableSummary.read(table, find_metric(args.metric, table.metrics, plan.dataset))
    print(f"{args.evaluator}: {len(fitness)} architectures with a score")
    for strategy in args.strategy:
        specs = [choose_strategy(strategy, space, seed, plugins) for seed in range(args.seeds)]
        curves = [regret_curve(spec, fitness, table, summary, args.evaluations) for spec in specs]
        reached = {stop: spread(curve[stop - 1] for curve in curves if len(curve) >= stop) for stop in args.stops}
        figures = [
            f"{stop}: {found.mean:.3f} ({found.deviation or 0.0:.3f}, {found.count} seeds)"
            for stop, found in reached.items()
            if found is not None
        ]
        print(f"  {strategy:24} {'  '.join(figures)}", flush=True)


if __name__ == "__main__":
    main()
