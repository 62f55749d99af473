"""The contract of search strategies."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np

from ..interfaces import PartialEvaluation, SearchStrategy
from ..plugin_manager import installed_plugins
from .other_process import in_other_process


class SearchStrategyContract:
    """What a search strategy promises.

    Attributes:
        strategy: Name of the search strategy.
        space: Name of a search space that it supports.
        settings: Settings to test it with, as texts.
        proposals: Number of architectures to ask for.
    """

    strategy: ClassVar[str]
    space: ClassVar[str]
    settings: ClassVar[dict[str, str]] = {}
    proposals: ClassVar[int] = 12

    def create(self, seed: int) -> SearchStrategy[Any]:
        """Make the strategy at its beginning."""
        plugins = installed_plugins()
        info = plugins.search_strategy(self.strategy).info
        space = plugins.search_space(self.space).info.create()
        return info.create(space, info.parse_settings(self.settings), seed)

    def propose(self, seed: int, parallel: int) -> list[str]:
        """Search as the engine does, with up to ``parallel`` proposals that wait for their fitness.

        The fitness of an architecture is the length of its canonical string; every fourth proposal has none. Fidelity
        makes no difference, but has to be one of the strategy's.
        """
        strategy = self.create(seed)
        space = strategy.space
        proposed: list[str] = []
        told = 0
        while len(proposed) < self.proposals:
            room = parallel - (len(proposed) - told)
            asked = strategy.ask(room)
            assert len(asked) <= room
            for proposal in asked:
                if isinstance(proposal, PartialEvaluation):
                    assert 0 <= proposal.rung < len(strategy.fidelities)
                proposed.append(proposal.architecture if isinstance(proposal, PartialEvaluation) else proposal)
            if told == len(proposed):
                break
            fitness = float(len(space.canonicalize(proposed[told])))
            strategy.tell_objectives(proposed[told], None if told % 4 == 3 else [fitness])
            told += 1
        return proposed

    def test_proposals_are_architectures(self) -> None:
        """There are proposals, and every one is an architecture of the space, in any spelling."""
        space = installed_plugins().search_space(self.space).info.create()
        for parallel in (1, 3):
            proposed = self.propose(0, parallel)
            assert proposed
            for text in proposed:
                space.canonicalize(text)

    def test_fidelities_ascend_to_a_full_evaluation(self) -> None:
        """They are shares of a full evaluation, all different."""
        fidelities = self.create(0).fidelities
        assert list(fidelities) == sorted(set(fidelities))
        assert fidelities[0] > 0
        assert fidelities[-1] == 1.0

    def test_proposals_depend_on_seed_and_answers_only(self) -> None:
        """The same seed and the same answers give the same proposals. A strategy that draws nothing needs no seed."""
        for parallel in (1, 3):
            np.random.seed(0)
            first = self.propose(1, parallel)
            np.random.seed(1)
            assert self.propose(1, parallel) == first

    def test_proposals_are_the_same_in_another_process(self) -> None:
        """A search that goes on elsewhere repeats its proposals: none follows the order of a set of texts."""
        there = in_other_process(_propose_there, self.strategy, self.space, dict(self.settings), self.proposals)
        assert there == self.propose(1, 1)


def _propose_there(strategy: str, space: str, settings: dict[str, str], proposals: int) -> list[str]:
    attributes = {"strategy": strategy, "space": space, "settings": settings, "proposals": proposals}
    proposed: list[str] = type("Contract", (SearchStrategyContract,), attributes)().propose(1, 1)
    return proposed
