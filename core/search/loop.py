"""The search for an architecture: what a strategy proposes is scored, each architecture once."""

from __future__ import annotations

from collections.abc import Callable

from ..environment import describe_environment
from .evaluations import Evaluations
from .history import SearchHistory, Step
from .plan import SearchOptions, SearchPlan
from .proposals import Dialogue, Searcher
from .writer import SearchWriter


def run_search(plan: SearchPlan, options: SearchOptions, on_step: Callable[[Step, int], None]) -> SearchHistory:
    """Search, or do what a search still lacks, and return its history.

    An interrupt leaves everything that was computed in the file.

    Args:
        plan: What searches for what.
        options: Where and how.
        on_step: Called after each step, whose score is safe on disk, with the number of steps up to it. A resumed
            search begins with the steps that its file has.

    Raises:
        ResultsFileError: The file exists, is damaged, or was made by another search.
        ResultsWriteError: Results cannot be written.
        PluginError: The strategy breaks its contract.
        NasbenchError: Workers cannot start.
    """
    environment = describe_environment(options.devices, options.threads)
    with SearchWriter.open(plan, options, environment) as writer:
        with Evaluations(plan, options, writer) as evaluations:
            dialogue = Dialogue(_searcher(plan), _Scoring(plan, writer, evaluations).start)
            for number, step in enumerate(dialogue.outcomes(), start=1):
                on_step(step, number)
        writer.end()
        return writer.stored().history


def _searcher(plan: SearchPlan) -> Searcher:
    return Searcher(
        strategy=plan.header.strategy,
        distribution=plan.distribution,
        make_strategy=plan.make_strategy,
        space=plan.space,
        proposals=plan.evaluations,
        parallel=plan.header.parallel,
    )


class _Scoring:
    """Turns proposals into steps."""

    def __init__(self, plan: SearchPlan, writer: SearchWriter, evaluations: Evaluations) -> None:
        self._plan = plan
        self._writer = writer
        self._evaluations = evaluations
        self._seen: set[str] = set()

    def start(self, architecture: str, arch_id: str) -> Callable[[], Step]:
        """Store a proposal and let it be scored; the result waits for the score."""
        position = self._writer.propose(architecture, arch_id)
        self._evaluations.start(position, arch_id)
        repeated = arch_id in self._seen
        self._seen.add(arch_id)
        direction = self._plan.evaluator.header.direction

        def wait() -> Step:
            record = self._evaluations.record(position)
            return Step.of(architecture, arch_id, record, repeated=repeated, direction=direction)

        return wait
