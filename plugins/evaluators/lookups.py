"""The vectors that a network looks up for inputs that are whole numbers, such as tokens.

Nothing can be differentiated by a token, nor is there a token of ones. Where the definition of a measure has the inputs
of a network, it is then these vectors, what the first layer computes with.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...core.errors import EvaluationError
from .observe import Call, observe_calls


class LookedUp:
    """Notes the vectors that are looked up for some inputs.

    Args:
        inputs: Whole numbers, shape (batch, ...).
    """

    def __init__(self, inputs: Tensor) -> None:
        self._inputs = inputs
        self._vectors: Tensor | None = None

    def is_by(self, call: Call) -> bool:
        """Return whether a call looks up vectors for the inputs, as they come."""
        if call.function is not functional.embedding:
            return False
        indices: Tensor = call.argument(0, "input")
        return indices.shape == self._inputs.shape and torch.equal(indices, self._inputs)

    def note(self, call: Call, output: Any) -> None:
        """Note what a call returned if it is the first one of this kind."""
        if self._vectors is None and self.is_by(call):
            self._vectors = output

    @property
    def vectors(self) -> Tensor:
        """Return the vectors, shape (batch, ..., width).

        Raises:
            EvaluationError: None were looked up.
        """
        if self._vectors is None:
            raise EvaluationError(
                "its inputs are whole numbers, and the network was not seen to look up vectors for them: give them to "
                "torch.nn.functional.embedding, or a module of it, as they come"
            )
        return self._vectors


@contextmanager
def ones_looked_up(inputs: Tensor) -> Iterator[LookedUp]:
    """Let the network go on with vectors of ones, which require a gradient, in place of those that it looks up."""
    found = LookedUp(inputs)

    def observe(call: Call) -> Any:
        if not found.is_by(call):
            return call()
        table: Tensor = call.argument(1, "weight")
        ones = torch.ones((*inputs.shape, table.shape[1]), dtype=table.dtype, device=table.device, requires_grad=True)
        found.note(call, ones)
        # A copy, which the network may overwrite.
        return ones.clone()

    with observe_calls(observe):
        yield found
