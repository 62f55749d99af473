"""The dialogue with a strategy: it proposes, the oldest proposal's outcome is waited for and told, and so on."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any, Generic, Protocol, TypeVar

from ..errors import InvalidArchitectureError, NasbenchError, PluginError
from ..interfaces import DesignSpace, SearchStrategy


class Outcome(Protocol):
    """What became of a proposal."""

    @property
    def fitness(self) -> float | None:
        """What the strategy is told: higher is better, None if there is no score."""


OutcomeT = TypeVar("OutcomeT", bound=Outcome)

Start = Callable[[str, str], Callable[[], OutcomeT]]
"""Begins to assess a proposal, given as it is spelled and by its canonical string; calling the result waits for it."""


@dataclass(frozen=True)
class PendingProposal(Generic[OutcomeT]):
    """A proposal that is being assessed.

    Attributes:
        text: As the strategy spelled it.
        wait: Waits for its outcome.
        counts: Whether it is one of the proposals that were asked for, or comes on top.
    """

    text: str
    wait: Callable[[], OutcomeT]
    counts: bool = True


@dataclass(frozen=True)
class Searcher:
    """Who proposes what, how often.

    Attributes:
        strategy: Name of the strategy.
        distribution: Distribution and version that provide it, as in ``nasbench-toolkit 0.1.0``.
        make_strategy: Gives the strategy at its beginning.
        space: What it proposes from.
        proposals: Number of proposals.
        parallel: Number of proposals that may wait for their outcome at the same time.
    """

    strategy: str
    distribution: str
    make_strategy: Callable[[], SearchStrategy[Any]]
    space: DesignSpace
    proposals: int
    parallel: int


class AskTellLoop(ABC, Generic[OutcomeT]):
    """A strategy and its outstanding proposals, at most ``parallel`` at a time.

    Must implement ``_begin`` and ``_tell``. :class:`Dialogue` is the plain one.

    Args:
        searcher: Who proposes.
    """

    def __init__(self, searcher: Searcher) -> None:
        self._searcher = searcher
        with self._blaming_the_strategy():
            self._strategy = searcher.make_strategy()
        self._outstanding: deque[PendingProposal[OutcomeT]] = deque()
        self._asked = 0

    @abstractmethod
    def _begin(self, proposal: object) -> PendingProposal[OutcomeT]:
        """Begin to assess what the strategy proposed."""

    @abstractmethod
    def _tell(self, text: str, outcome: OutcomeT) -> None:
        """Tell the strategy what became of a proposal."""

    def outcomes(self) -> Iterator[OutcomeT]:
        """Yield outcomes in the order in which the strategy is told of them, which is that of its proposals.

        Always waiting for the oldest proposal makes them independent of how long each takes.

        Raises:
            PluginError: The strategy breaks its contract.
        """
        self._fill_window()
        if not self._outstanding:
            raise self._broken("made no proposal at all")
        while self._outstanding:
            begun = self._outstanding.popleft()
            outcome = begun.wait()
            with self._blaming_the_strategy():
                self._tell(begun.text, outcome)
            yield outcome
            self._fill_window()

    def _fill_window(self) -> None:
        searcher = self._searcher
        # More than once only where some of the proposals come on top of those that count.
        while (free := min(searcher.parallel - len(self._outstanding), searcher.proposals - self._asked)) > 0:
            with self._blaming_the_strategy():
                proposals = list(self._strategy.ask(free))
            if len(proposals) > free:
                raise self._broken(f"was asked for {free} proposals and made {len(proposals)}")
            for proposal in proposals:
                begun = self._begin(proposal)
                self._asked += begun.counts
                self._outstanding.append(begun)
            if len(proposals) < free:
                return

    def _identify(self, text: object) -> tuple[str, str]:
        """Return a proposal as it is spelled, and its canonical string."""
        if not isinstance(text, str):
            raise self._broken(f"proposed {text!r}, which is no text")
        try:
            return text, self._searcher.space.canonicalize(text)
        except InvalidArchitectureError as error:
            raise self._broken(f"proposed what is not of '{self._searcher.space.name}': {error}") from error

    @contextmanager
    def _blaming_the_strategy(self) -> Iterator[None]:
        """Turn what a strategy raises by accident into an error that names it."""
        try:
            yield
        except NasbenchError:
            raise
        except Exception as error:
            raise self._broken(f"failed with {type(error).__name__}: {error}") from error

    def _broken(self, what: str) -> PluginError:
        what = what if what.endswith(".") else f"{what}."
        return PluginError(
            f"The search strategy '{self._searcher.strategy}' of {self._searcher.distribution} {what} This is a fault "
            "of its plugin."
        )


class Dialogue(AskTellLoop[OutcomeT]):
    """A conversation about fitness alone.

    Args:
        searcher: Who proposes.
        start: Begins to assess a proposal.
    """

    def __init__(self, searcher: Searcher, start: Start[OutcomeT]) -> None:
        super().__init__(searcher)
        self._start = start

    def _begin(self, proposal: object) -> PendingProposal[OutcomeT]:
        text, canonical = self._identify(proposal)
        return PendingProposal(text, self._start(text, canonical))

    def _tell(self, text: str, outcome: OutcomeT) -> None:
        self._strategy.tell_objectives(text, None if outcome.fitness is None else (outcome.fitness,))
