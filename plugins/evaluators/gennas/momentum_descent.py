"""Stochastic gradient descent with momentum, as ``torch.optim.SGD`` does it bit for bit.

That class imports torch's compiler when the first one is made, which costs more than a second of each process: a third
of what GenNAS takes for a small network.
"""

from __future__ import annotations

from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn

from ..compiled.descent import update_in_c

Group = tuple[Sequence[nn.Parameter], float]
"""Parameters and their weight decay."""


class MomentumDescent:
    """Updates parameters by ``v = momentum v + (g + weight_decay p)``, ``p = p - learning_rate v``.

    Args:
        groups: What is updated.
        learning_rate: Of all groups.
        momentum: 0 for none.
    """

    def __init__(self, groups: Iterable[Group], learning_rate: float, momentum: float) -> None:
        self._groups = [(list(parameters), decay) for parameters, decay in groups]
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._velocities: dict[nn.Parameter, Tensor] = {}

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameters, _ in self._groups:
            for parameter in parameters:
                parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters that have a gradient."""
        for parameters, decay in self._groups:
            reached = [parameter for parameter in parameters if parameter.grad is not None]
            if reached:
                self._update(reached, decay)

    def _update(self, parameters: list[nn.Parameter], decay: float) -> None:
        gradients = [parameter.grad for parameter in parameters if parameter.grad is not None]
        velocities = self._velocities_of(parameters, gradients) if self._momentum else None
        update_in_c([*parameters], gradients, velocities, self._learning_rate, self._momentum, decay)

    def _velocities_of(self, parameters: list[nn.Parameter], gradients: list[Tensor]) -> list[Tensor]:
        for parameter, gradient in zip(parameters, gradients, strict=True):
            if parameter not in self._velocities:
                self._velocities[parameter] = torch.zeros_like(gradient)
        return [self._velocities[parameter] for parameter in parameters]
