"""What runs at a decision of the supernet: paths that differ from cell to cell, mixtures, samples."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from functools import reduce
from operator import add
from typing import Literal

from torch import Tensor, nn

from ...core.supernets import Choice

StraightThrough = Literal["bias", "chosen", "full"]


class PathPerCell:
    """Runs one option of each decision, other ones in each cell.

    Args:
        draw: Gives the choice of the next cell.
    """

    def __init__(self, draw: Callable[[], Choice]) -> None:
        self._draw = draw
        self._choice: Choice = ()

    def __call__(self, decision: int, operations: nn.ModuleList, inputs: Tensor) -> Tensor:
        """Return the output of the operation that is chosen in this cell."""
        if decision == 0:
            self._choice = self._draw()
        output: Tensor = operations[self._choice[decision]](inputs)
        return output


@dataclass(frozen=True)
class Mixture:
    """Runs all options and adds up what they return, weighted.

    Attributes:
        weights: Of each option of each decision, shape ``(decisions, options)``.
    """

    weights: Tensor

    def __call__(self, decision: int, operations: nn.ModuleList, inputs: Tensor) -> Tensor:
        """Return the weighted sum."""
        weights = self.weights[decision]
        output: Tensor = reduce(add, (weights[option] * run(inputs) for option, run in enumerate(operations)))
        return output


@dataclass(frozen=True)
class Sampled:
    """Runs the sampled option of each decision, with a weight that is 1 and has a gradient.

    Attributes:
        weights: One-hot in the forward pass, those of a softmax in the backward pass, shape ``(decisions, options)``.
        choice: Where they are 1.
        straight_through: What the weights of the other options get as gradient. ``bias``: the sum of the output's,
            since the authors' code adds each of them, a 0, to every element. ``chosen``: nothing. ``full``: what the
            estimator's definition says, for which all options have to run.
    """

    weights: Tensor
    choice: Choice
    straight_through: StraightThrough = "bias"

    def __call__(self, decision: int, operations: nn.ModuleList, inputs: Tensor) -> Tensor:
        """Return the output of the sampled option."""
        if self.straight_through == "full":
            return Mixture(self.weights)(decision, operations, inputs)
        weights, chosen = self.weights[decision], self.choice[decision]
        output: Tensor = weights[chosen] * operations[chosen](inputs)
        if self.straight_through == "bias":
            others = [weights[option] for option in range(len(operations)) if option != chosen]
            output = reduce(add, others, output)
        return output
