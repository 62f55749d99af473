"""Stochastic gradient descent with momentum, as ``torch.optim.SGD`` does it bit for bit.

That class imports torch's compiler when the first one is made, which costs more than a second of each process: a third
of what GenNAS takes for a small network.
"""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn


class MomentumDescent:
    """Updates parameters by ``v = momentum v + (g + weight_decay p)``, ``p = p - learning_rate v``.

    Args:
        groups: Pairs of parameters and their weight decay.
        learning_rate: Of all groups.
        momentum: 0 for none.
    """

    def __init__(
        self, groups: Iterable[tuple[Iterable[nn.Parameter], float]], learning_rate: float, momentum: float
    ) -> None:
        self._decays = [(parameter, decay) for parameters, decay in groups for parameter in parameters]
        self._learning_rate = learning_rate
        self._momentum = momentum
        self._velocities: dict[nn.Parameter, Tensor] = {}

    def zero_grad(self) -> None:
        """Forget all gradients."""
        for parameter, _ in self._decays:
            parameter.grad = None

    @torch.no_grad()
    def step(self) -> None:
        """Update the parameters that have a gradient."""
        for parameter, decay in self._decays:
            gradient = parameter.grad
            if gradient is None:
                continue
            if decay:
                gradient = gradient.add(parameter, alpha=decay)
            parameter.add_(self._velocity(parameter, gradient), alpha=-self._learning_rate)

    def _velocity(self, parameter: nn.Parameter, gradient: Tensor) -> Tensor:
        if not self._momentum:
            return gradient
        velocity = self._velocities.get(parameter)
        if velocity is None:
            velocity = self._velocities[parameter] = gradient.clone()
            return velocity
        return velocity.mul_(self._momentum).add_(gradient)
