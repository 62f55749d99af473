"""Supernets: one network that holds all candidates of a search space, which share its weights.

A search space builds one (``SearchSpace.build_supernet``) and says so with the capability ``Supernets``. An
architecture is a *choice*: one option for each decision, such as an operation for each edge of a cell. What becomes of
the options at a decision, one of them or a mixture, a :class:`DecisionRule` says, so that every method of weight
sharing works with every supernet.
"""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from torch import Tensor, nn

Choice = tuple[int, ...]
"""One option for each decision, by its position among the decision's options."""


class DecisionRule(Protocol):
    """What a supernet does at a decision, such as to run one of the operations."""

    def __call__(self, decision: int, operations: nn.ModuleList, inputs: Tensor) -> Tensor:
        """Return the output of a decision at one of its places in the network.

        Args:
            decision: Its number.
            operations: The options that it has there, in their order, with the weights of this place.
            inputs: What they take, shape ``(batch, channels, height, width)``.

        Returns:
            A tensor of the shape that the operations return.
        """


@dataclass(frozen=True)
class SupernetNorm:
    """Batch normalisation of a supernet. That of stem and reduction blocks is as in a stand-alone network.

    Attributes:
        tracked: Whether the options' batch normalisation has running statistics, which are then averages over
            whatever was run; without, it takes those of the batch, also in evaluation. It has no weights.
        plain_last: Whether that behind the last cell has neither weights nor running statistics.
    """

    tracked: bool = False
    plain_last: bool = False


class Supernet(nn.Module, ABC):
    """A network that holds all candidates.

    Must implement ``forward``, ``spell``, ``choice_of`` and ``path_network``, and set the attributes.

    Attributes:
        options: Names of the options of each decision.
        skips: Those of the names that only pass their input on. A search that ends with many has collapsed.
        zeros: Those of the names that stand for no connection.
        nodes: Decisions whose outputs are added up, for each node.
    """

    options: tuple[tuple[str, ...], ...]
    skips: frozenset[str]
    zeros: frozenset[str]
    nodes: tuple[tuple[int, ...], ...]

    @abstractmethod
    def forward(self, images: Tensor, rule: DecisionRule) -> Tensor:
        """Map images to logits, asking the rule for the output of each decision wherever the network has it.

        Args:
            images: Shape ``(batch, *input_shape)``.
            rule: Asked for the decisions of a cell in their order, for the cells in theirs.

        Returns:
            Shape ``(batch, num_classes)``.
        """

    @abstractmethod
    def spell(self, choice: Choice) -> str:
        """Return a spelling of the architecture of a choice; not every choice need be one of the search space."""

    @abstractmethod
    def choice_of(self, text: str) -> Choice:
        """Return the choice that a spelling of an architecture stands for.

        Raises:
            InvalidArchitectureError: It is none.
        """

    @abstractmethod
    def path_network(self, choice: Choice) -> nn.Module:
        """Return the stand-alone network of a choice with copies of its weights and running statistics.

        In both modes it returns the very logits that the supernet does where only the choice's options run.
        """

    def names(self, choice: Choice) -> tuple[str, ...]:
        """Return the names of the options of a choice."""
        return tuple(names[option] for names, option in zip(self.options, choice, strict=True))


@dataclass(frozen=True)
class SinglePath:
    """Runs one option of each decision, the same ones in every cell.

    Attributes:
        choice: The options.
    """

    choice: Sequence[int]

    def __call__(self, decision: int, operations: nn.ModuleList, inputs: Tensor) -> Tensor:
        """Return the output of the chosen operation."""
        output: Tensor = operations[self.choice[decision]](inputs)
        return output
