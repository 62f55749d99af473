"""The search for a task: what a strategy proposes is scored, each task once."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence

from ..asktell.curves import incumbents
from ..asktell.loop import AskTellLoop
from ..asktell.options import SearchOptions
from ..jobs.environment import describe_environment
from ..results.whole_files import write_whole
from .history import TaskHistory
from .plan import TaskSearchPlan
from .scoring import TaskOutcome, TaskScoring


def run_task_search(
    plan: TaskSearchPlan, options: SearchOptions, on_outcome: Callable[[TaskOutcome], None]
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
    outcomes: list[TaskOutcome] = []
    written: TaskOutcome | None = None
    environment = describe_environment(options.devices, options.threads)
    with TaskHistory.open(plan, options, environment) as history:
        with TaskScoring(plan, options, history) as scoring:
            for outcome in AskTellLoop(plan.strategy, plan.evaluations, plan.parallel, scoring).outcomes():
                outcomes.append(outcome)
                best = best_of(outcomes)
                if best is not None and best is not written and len(outcomes) >= history.replay.stored:
                    write_whole(options.output, _file_text(best.design).encode())
                    written = best
                on_outcome(outcome)
        history.replay.end()
    return outcomes


def best_so_far(outcomes: Sequence[TaskOutcome]) -> list[TaskOutcome | None]:
    """Return after each outcome the one with the highest fitness, of equals the first, None without a fitness."""
    return [None if at is None else outcomes[at] for at in incumbents(outcome.fitness for outcome in outcomes)]


def best_of(outcomes: Sequence[TaskOutcome]) -> TaskOutcome | None:
    """Return the outcome with the highest fitness, of equals the first, or None if no task has a fitness."""
    return best_so_far(outcomes)[-1] if outcomes else None


def _file_text(design: str) -> str:
    """Return a task as users read it."""
    return json.dumps(json.loads(design), indent=1) + "\n"
