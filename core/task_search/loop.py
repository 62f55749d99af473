"""The search for a task: what a strategy proposes is judged, each task once."""

from __future__ import annotations

import json
from collections.abc import Callable

from ..asktell.loop import Dialogue, Searcher
from ..jobs.environment import describe_environment
from ..results.whole_files import write_whole
from .history import TaskHistory
from .plan import TaskSearchOptions, TaskSearchPlan
from .scoring import TaskOutcome, TaskScoring


def run_task_search(
    plan: TaskSearchPlan, options: TaskSearchOptions, on_outcome: Callable[[TaskOutcome], None]
) -> list[TaskOutcome]:
    """Search, or do what a search still lacks, and return the outcomes of all proposals in their order.

    The best task so far is written whenever there is a better one; of equals, the first stays. A resumed search leaves
    the file alone until it has gone through its history. An interrupt leaves everything that was computed there.

    Args:
        plan: What searches for what.
        options: Where and how.
        on_outcome: Called after each proposal. A resumed search begins with those that its history has.

    Raises:
        ResultsFileError: Task or history exist, are damaged, or were made by another search.
        ResultsWriteError: Task or history cannot be written.
        PluginError: The strategy breaks its contract.
        NasbenchError: Workers cannot start.
    """
    searcher = Searcher(
        strategy=plan.strategy,
        distribution=plan.distribution,
        make_strategy=plan.make_strategy,
        space=plan.designs,
        proposals=plan.evaluations,
        parallel=plan.parallel,
    )
    outcomes: list[TaskOutcome] = []
    written: TaskOutcome | None = None
    environment = describe_environment(options.devices, options.threads)
    with TaskHistory.open(plan, options, environment) as history:
        with TaskScoring(plan, options, history) as scoring:
            for outcome in Dialogue(searcher, scoring.start).outcomes():
                outcomes.append(outcome)
                best = best_of(outcomes)
                if best is not None and best is not written and len(outcomes) >= history.stored:
                    write_whole(options.output, _file_text(best.design).encode())
                    written = best
                on_outcome(outcome)
        history.end()
    return outcomes


def best_of(outcomes: list[TaskOutcome]) -> TaskOutcome | None:
    """Return the outcome with the highest fitness, of equals the first, or None if no task has a fitness."""
    ranked = [outcome for outcome in outcomes if outcome.fitness is not None]
    return max(ranked, key=lambda outcome: outcome.fitness or 0.0, default=None)


def _file_text(design: str) -> str:
    """Return a task as users read it."""
    return json.dumps(json.loads(design), indent=1) + "\n"
