"""The ask/tell loop: a strategy is asked for proposals, and told what became of each, the oldest first."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from itertools import islice
from typing import Generic, Protocol, TypeVar

from ..errors import InvalidArchitectureError, NasbenchError, PluginError
from ..global_state.state import surroundings_kept
from ..interfaces import PartialEvaluation
from ..loading.faults import describe_error, silent_output
from .strategy import StrategySpec

OutcomeT = TypeVar("OutcomeT")


@dataclass(frozen=True)
class Proposal:
    """A design that a strategy proposed.

    Attributes:
        text: As the strategy spelled it.
        canonical: Its canonical string.
        rung: Position of its fidelity among the strategy's; the last one is a full evaluation.
    """

    text: str
    canonical: str
    rung: int


@dataclass(frozen=True)
class PendingProposal(Generic[OutcomeT]):
    """A proposal that the strategy has not been told of.

    Attributes:
        proposal: What was proposed.
        wait: Waits for its outcome.
        counts: Whether it is one of the evaluations that were asked for, or comes on top.
    """

    proposal: Proposal
    wait: Callable[[], OutcomeT]
    counts: bool = True


class ProposalEvaluator(Protocol[OutcomeT]):
    """Finds out what becomes of proposals."""

    def start(self, proposal: Proposal) -> PendingProposal[OutcomeT]:
        """Begin to evaluate a proposal."""

    def objectives(self, outcome: OutcomeT) -> Sequence[float] | None:
        """Return what the strategy is told of an outcome: higher is better, None if there is no score."""


class AskTellLoop(Generic[OutcomeT]):
    """A strategy and its pending proposals.

    Args:
        spec: The strategy.
        evaluations: Number of proposals to ask for; those that do not count come on top.
        parallel: Number of proposals that may be pending at the same time.
        evaluator: Evaluates them.

    Raises:
        PluginError: The strategy cannot be made.
    """

    def __init__(
        self, spec: StrategySpec, evaluations: int, parallel: int, evaluator: ProposalEvaluator[OutcomeT]
    ) -> None:
        self._spec = spec
        self._evaluations = evaluations
        self._parallel = parallel
        self._evaluator = evaluator
        with self._blaming_the_strategy():
            self._strategy = spec.make()
            self._num_rungs = len(self._strategy.fidelities)
        self._pending: deque[PendingProposal[OutcomeT]] = deque()
        self._asked = 0

    def outcomes(self) -> Iterator[OutcomeT]:
        """Yield outcomes in the order in which the strategy is told of them, which is that of its proposals.

        Always waiting for the oldest proposal makes them independent of how long each takes.

        Raises:
            PluginError: The strategy breaks its contract.
        """
        self._ask()
        if not self._pending:
            raise self._broken("made no proposal at all")
        while self._pending:
            pending = self._pending.popleft()
            outcome = pending.wait()
            objectives = self._evaluator.objectives(outcome)
            with self._blaming_the_strategy():
                self._strategy.tell_objectives(pending.proposal.text, objectives)
            yield outcome
            self._ask()

    def _ask(self) -> None:
        # More than once only where some of the proposals come on top of those that count.
        while (free := min(self._parallel - len(self._pending), self._evaluations - self._asked)) > 0:
            with self._blaming_the_strategy():
                proposals = list(islice(self._strategy.ask(free), free + 1))
            if len(proposals) > free:
                raise self._broken(f"was asked for {free} proposals and made more")
            for proposed in proposals:
                pending = self._evaluator.start(self._identify(proposed))
                self._asked += pending.counts
                self._pending.append(pending)
            if len(proposals) < free:
                return

    def _identify(self, proposed: object) -> Proposal:
        """Return what was proposed with its canonical string and fidelity."""
        text, rung = proposed, self._num_rungs - 1
        if isinstance(proposed, PartialEvaluation):
            text, rung = proposed.architecture, proposed.rung
        if not isinstance(rung, int) or not 0 <= rung < self._num_rungs:
            raise self._broken(f"proposed an evaluation at fidelity {rung!r:.80}, which it does not have")
        if not isinstance(text, str):
            raise self._broken(f"proposed {text!r:.80}, which is no text")
        space = self._spec.space
        try:
            return Proposal(text, space.canonicalize(text), rung)
        except InvalidArchitectureError as error:
            raise self._broken(f"proposed what is not of '{space.name}': {error}") from error

    @contextmanager
    def _blaming_the_strategy(self) -> Iterator[None]:
        """Turn what a strategy raises by accident into an error that names it, and keep it to its own affairs."""
        try:
            with surroundings_kept(), silent_output():
                yield
        except (NasbenchError, KeyboardInterrupt):
            raise
        except BaseException as error:
            raise self._broken(f"failed with {describe_error(error)}") from error

    def _broken(self, what: str) -> PluginError:
        what = what if what.endswith(".") else f"{what}."
        strategy = f"'{self._spec.name}' of {self._spec.distribution}"
        return PluginError(f"The search strategy {strategy} {what} This is a fault of its plugin.")
