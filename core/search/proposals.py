"""The dialogue with a strategy: it proposes, the oldest proposal's outcome is waited for and told, and so on."""

from __future__ import annotations

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


class Dialogue(Generic[OutcomeT]):
    """A strategy and its outstanding proposals, at most ``parallel`` at a time.

    Args:
        searcher: Who proposes.
        start: Begins to assess a proposal.
    """

    def __init__(self, searcher: Searcher, start: Start[OutcomeT]) -> None:
        self._searcher = searcher
        self._start = start
        with self._blaming_the_strategy():
            self._strategy = searcher.make_strategy()
        self._outstanding: deque[tuple[str, Callable[[], OutcomeT]]] = deque()
        self._asked = 0

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
            text, wait = self._outstanding.popleft()
            outcome = wait()
            with self._blaming_the_strategy():
                self._strategy.tell(text, outcome.fitness)
            yield outcome
            self._fill_window()

    def _fill_window(self) -> None:
        searcher = self._searcher
        free = min(searcher.parallel - len(self._outstanding), searcher.proposals - self._asked)
        if free < 1:
            return
        with self._blaming_the_strategy():
            proposals = list(self._strategy.ask(free))
        if len(proposals) > free:
            raise self._broken(f"was asked for {free} proposals and made {len(proposals)}")
        for text in proposals:
            canonical = self._identify(text)
            self._asked += 1
            self._outstanding.append((text, self._start(text, canonical)))

    def _identify(self, text: object) -> str:
        if not isinstance(text, str):
            raise self._broken(f"proposed {text!r}, which is no text")
        try:
            return self._searcher.space.canonicalize(text)
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
