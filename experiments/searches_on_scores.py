"""Searches whose fitness is a score that a run has stored: what a proxy finds, over many seeds and in no time.

Usage: python experiments/searches_on_scores.py results.h5 --metric ptb/test_loss [--strategy random-search ...]
           [--evaluations 200] [--seeds 20] [--stops 10 20 50 100 200]

A score is the same in a run as in a search with the same run seed, so that nothing is computed anew: only architectures
that results.h5 holds are worth proposing, and others, as jobs that failed, have no score. Prints the mean regret of
what had the best score so far, in the metric, after each stop, with its sample deviation over the seeds.
"""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path

from nasbench_toolkit.core.asktell.curves import incumbents, spread
from nasbench_toolkit.core.asktell.loop import AskTellLoop, PendingProposal, Proposal
from nasbench_toolkit.core.asktell.strategy import choose_strategy
from nasbench_toolkit.core.planning.ground_truth import compared_space
from nasbench_toolkit.core.planning.metric_names import find_metric
from nasbench_toolkit.core.plugin_manager import installed_plugins
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


def main() -> None:
    """Print a line for each evaluator and strategy."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("results", type=Path)
    parser.add_argument("--metric", required=True)
    parser.add_argument("--strategy", nargs="+", default=["random-search", "regularized-evolution"])
    parser.add_argument("--evaluations", type=int, default=200)
    parser.add_argument("--seeds", type=int, default=20)
    parser.add_argument("--stops", type=int, nargs="+", default=[10, 20, 50, 100, 200])
    args = parser.parse_args()
    results, plugins = read_results(args.results), installed_plugins()
    space = compared_space(plugins.search_space(results.plan.space).info.create(), results.plan.dataset, args.metric)
    table = space.ground_truth()
    if table is None:
        parser.error(f"there is no table of {space.name}: import one with 'nasbench data import'")
    summary = TableSummary.read(table, find_metric(args.metric, table.metrics, results.plan.dataset))
    for part in results.evaluators:
        sign = part.header.direction.sign
        fitness = {
            arch_id: sign * record.score
            for arch_id, record in zip(results.arch_ids, part.records, strict=True)
            if record.status == "ok"
        }
        print(f"{part.header.label}: {len(fitness)} architectures with a score")
        for strategy in args.strategy:
            curves = []
            for seed in range(args.seeds):
                scores = StoredScores(fitness, [])
                spec = choose_strategy(strategy, space, seed, plugins)
                told = list(AskTellLoop(spec, args.evaluations, 1, scores).outcomes())
                found = [None if place is None else scores.seen[place] for place in incumbents(told)]
                values = dict(zip(scores.seen, table.values(summary.metric, scores.seen), strict=True))
                curves.append([None if arch_id is None else summary.regret(values[arch_id]) for arch_id in found])
            reached = [(stop, spread(curve[stop - 1] for curve in curves if len(curve) >= stop)) for stop in args.stops]
            figures = [
                f"{stop}: {found.mean:.3f} ({found.deviation or 0.0:.3f}, {found.count} seeds)"
                for stop, found in reached
                if found is not None
            ]
            print(f"  {strategy:24} {'  '.join(figures)}", flush=True)


if __name__ == "__main__":
    main()
