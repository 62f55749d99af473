"""The search for an architecture: what a strategy proposes is scored, each architecture once.

Limited costs are obtained as soon as an architecture is proposed. One above a limit is refused: it is never scored, the
strategy is told None at its turn, and another proposal takes its place among the evaluations that were asked for.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Sequence
from functools import partial
from typing import cast

from ..asktell.loop import AskTellLoop, PendingProposal, Searcher
from ..interfaces import PartialEvaluation
from ..jobs.environment import describe_environment
from ..plan import EvaluatorHeader, JobIndex
from .evaluations import Evaluations
from .history import SearchHistory, Step, make_step
from .limits import Patience, no_feasible_error
from .plan import SearchOptions, SearchPlan
from .proposals import Proposal
from .writer import SearchWriter


def run_search(plan: SearchPlan, options: SearchOptions, on_step: Callable[[Step, int], None]) -> SearchHistory:
    """Search, or do what a search still lacks, and return its history.

    An interrupt leaves everything that was computed in the file. A search also ends, before its evaluations are done,
    where the strategy has no more proposals or the limits refuse too many of them in a row.

    Args:
        plan: What searches for what.
        options: Where and how.
        on_step: Called after each step, whose score is safe on disk, with the number of evaluations up to it; also for
            proposals that were refused. A resumed search begins with the steps that its file has.

    Raises:
        ResultsFileError: The file exists, is damaged, or was made by another search.
        ResultsWriteError: Results cannot be written.
        NoFeasibleArchitectureError: No proposal was within the limits.
        PluginError: The strategy breaks its contract.
        NasbenchError: Workers cannot start.
    """
    environment = describe_environment(options.devices, options.threads)
    with SearchWriter.open(plan, options, environment) as writer:
        patience, evaluations = Patience(plan.space.size), 0
        with Evaluations(plan, options, writer) as jobs:
            for step in SearchDialogue(plan, writer, jobs).outcomes():
                patience.take(step)
                evaluations += not step.refused
                on_step(step, evaluations)
                if patience.is_over:
                    break
        writer.end()
        if patience.refused and not evaluations:
            raise no_feasible_error(plan.header, patience.refused, options.output)
        return writer.stored().history


class SearchDialogue(AskTellLoop[Step]):
    """Turns proposals into steps, which may have costs and fidelities."""

    def __init__(self, plan: SearchPlan, writer: SearchWriter, evaluations: Evaluations) -> None:
        super().__init__(_searcher(plan))
        self._header = plan.header
        self._writer = writer
        self._evaluations = evaluations
        self._seen: set[tuple[str, int]] = set()

    def _begin(self, proposal: object) -> PendingProposal[Step]:
        """Store a proposal, obtain its limited costs, and let it be scored if it is within the limits."""
        spelled, rung = self._fidelity(proposal)
        text, arch_id = self._identify(spelled)
        repeated = (arch_id, rung) in self._seen
        self._seen.add((arch_id, rung))
        position = self._writer.propose(text, arch_id, rung)
        finish = partial(self._finish, Proposal(text, arch_id, rung), position, repeated=repeated)
        limited = [cost.evaluator for cost in self._header.costs if cost.limit is not None]
        early = finish(self._start(limited, position, arch_id))
        if early is not None and early.refused:
            return PendingProposal(text, lambda: early, counts=False)
        needed = [self._header.rungs[rung], *(cost.evaluator for cost in self._header.costs)]
        jobs = self._start(needed, position, arch_id)
        return PendingProposal(text, lambda: cast(Step, finish(jobs)))

    def _tell(self, text: str, outcome: Step) -> None:
        self._strategy.tell_objectives(text, outcome.objectives(self._header))

    def _fidelity(self, proposal: object) -> tuple[object, int]:
        """Return what was proposed and the position of its fidelity."""
        if not isinstance(proposal, PartialEvaluation):
            return proposal, len(self._header.lower)
        if not 0 <= proposal.rung < len(self._header.rungs):
            raise self._broken(f"proposed an evaluation at fidelity {proposal.rung}, which it does not have")
        return proposal.architecture, proposal.rung

    def _start(self, evaluators: Iterable[EvaluatorHeader | None], position: int, arch_id: str) -> list[JobIndex]:
        """Let evaluators score an architecture and return their jobs; what the table says needs none."""
        jobs = [(self._header.position(evaluator), position) for evaluator in evaluators if evaluator]
        for job in jobs:
            self._evaluations.start(job, arch_id)
        return jobs

    def _finish(self, shown: Proposal, position: int, jobs: Sequence[JobIndex], *, repeated: bool) -> Step | None:
        """Wait for jobs and return the step, None while it needs others as well."""
        for job in jobs:
            self._evaluations.record(job)
        records, truth = self._writer.records_of(position), self._writer.truth(position)
        return make_step(self._header, shown, records, truth, repeated=repeated)


def _searcher(plan: SearchPlan) -> Searcher:
    return Searcher(
        strategy=plan.header.strategy,
        distribution=plan.distribution,
        make_strategy=plan.make_strategy,
        space=plan.space,
        proposals=plan.evaluations,
        parallel=plan.header.parallel,
    )
