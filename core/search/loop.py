"""The search itself: the strategy proposes, the oldest proposal's score is waited for and told, and so on."""

from __future__ import annotations

from collections import deque
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass

from ..environment import describe_environment
from ..errors import InvalidArchitectureError, NasbenchError, PluginError
from .evaluations import Evaluations
from .history import SearchHistory, Step
from .plan import SearchOptions, SearchPlan
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
            for number, step in enumerate(_Search(plan, writer, evaluations).steps(), start=1):
                on_step(step, number)
        writer.end()
        return writer.stored().history


@dataclass(frozen=True)
class _Outstanding:
    """A proposal whose score the strategy has not been told."""

    architecture: str
    arch_id: str
    position: int
    repeated: bool


class _Search:
    """A strategy and its outstanding proposals, at most ``parallel`` at a time."""

    def __init__(self, plan: SearchPlan, writer: SearchWriter, evaluations: Evaluations) -> None:
        self._plan = plan
        self._writer = writer
        self._evaluations = evaluations
        with self._blaming_the_strategy():
            self._strategy = plan.make_strategy()
        self._outstanding: deque[_Outstanding] = deque()
        self._asked = 0
        self._seen: set[str] = set()

    def steps(self) -> Iterator[Step]:
        """Yield the steps in the order in which the strategy is told of them, which is that of its proposals.

        Always waiting for the oldest proposal makes the steps independent of how long each evaluation takes.
        """
        self._fill_window()
        if not self._outstanding:
            raise self._broken("proposed no architecture at all")
        while self._outstanding:
            yield self._do_step(self._outstanding.popleft())
            self._fill_window()

    def _do_step(self, proposal: _Outstanding) -> Step:
        record = self._evaluations.record(proposal.position)
        direction = self._plan.evaluator.header.direction
        step = Step.of(proposal.architecture, proposal.arch_id, record, repeated=proposal.repeated, direction=direction)
        with self._blaming_the_strategy():
            self._strategy.tell(step.architecture, step.fitness)
        return step

    def _fill_window(self) -> None:
        free = min(self._plan.header.parallel - len(self._outstanding), self._plan.evaluations - self._asked)
        if free < 1:
            return
        with self._blaming_the_strategy():
            architectures = list(self._strategy.ask(free))
        if len(architectures) > free:
            raise self._broken(f"was asked for {free} architectures and proposed {len(architectures)}")
        for architecture in architectures:
            self._propose(architecture)

    def _propose(self, architecture: str) -> None:
        arch_id = self._identify(architecture)
        self._asked += 1
        position = self._writer.propose(architecture, arch_id)
        self._evaluations.start(position, arch_id)
        self._outstanding.append(_Outstanding(architecture, arch_id, position, arch_id in self._seen))
        self._seen.add(arch_id)

    def _identify(self, architecture: object) -> str:
        if not isinstance(architecture, str):
            raise self._broken(f"proposed {architecture!r}, which is no text")
        try:
            return self._plan.space.canonicalize(architecture)
        except InvalidArchitectureError as error:
            raise self._broken(f"proposed no architecture of '{self._plan.header.space}': {error}") from error

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
            f"The search strategy '{self._plan.header.strategy}' of {self._plan.distribution} {what} This is a fault "
            "of its plugin."
        )
