"""Weights for two networks that match where the networks are the same, found without knowing how they were built.

When a module with parameters of its own is called for the first time, they are drawn with a seed made of its type, the
shapes of its parameters and its input. Those of convolutions, linear maps and batch normalisation follow their input
channels, which may come in another order. In a second round the norm of each parameter's gradient in the first one is
part of the seed: it tells apart what gets the same input and is used differently, and what a network uses without
calling its module. A module that gets zeros alone has a bias of zero.

All is computed in float64, and numbers that differ by rounding count as equal.
"""

from __future__ import annotations

import bisect
import functools
import itertools
import math
from collections import defaultdict
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import numpy as np
import torch
from torch import Tensor, nn
from torch.utils.hooks import RemovableHandle

from ..seeding import derive_seed, torch_generator

ROUNDS = 2

TOLERANCE = 1e-7
"""Relative difference that counts as rounding, which stays far below; different numbers hardly ever come as near."""

# Values of networks with these weights are near 1. Below it, a channel is zero up to rounding.
_ZERO = 1e-9

# A gradient this small beside the largest one is zero up to rounding: that of a bias before batch normalisation.
_NO_GRADIENT = 1e-9

_CHANNEL_DIMENSIONS: dict[type[nn.Module], int] = {
    nn.Conv1d: -2,
    nn.Conv2d: -3,
    nn.Conv3d: -4,
    nn.Linear: -1,
    nn.BatchNorm1d: 1,
    nn.BatchNorm2d: 1,
    nn.BatchNorm3d: 1,
}
_BATCH_NORMS = (nn.BatchNorm1d, nn.BatchNorm2d, nn.BatchNorm3d)

Point = tuple[float, ...]


class KnownPoints:
    """Points seen so far in networks that are to be compared; those that differ by rounding are one."""

    def __init__(self) -> None:
        self._in_order: dict[str, list[tuple[Point, int]]] = defaultdict(list)

    def index(self, kind: str, point: Point) -> int:
        """Return the index of a point among those of its kind, counted from 1; a new one if none is near."""
        known = self._in_order[kind]
        first = bisect.bisect(known, ((point[0] - TOLERANCE,), 0))
        for other, index in itertools.islice(known, first, None):
            if other[0] > point[0] + TOLERANCE:
                break
            if max(abs(x - y) for x, y in zip(point, other, strict=True)) <= TOLERANCE:
                return index
        bisect.insort(known, (point, len(known) + 1))
        return len(known)

    def row_indices(self, rows: Tensor) -> list[int]:
        """Return the index of each row, told by its norm and its projections on random directions; 0 for zeros."""
        rows = rows.flatten(1)
        norms = rows.norm(dim=1)
        zeros = norms <= _ZERO * math.sqrt(rows.shape[1])
        projections = rows @ _random(torch.Size((rows.shape[1], 2)), "directions") / norms[:, None]
        points = torch.cat([projections, norms[:, None].log()], dim=1).tolist()
        return [
            0 if zero else self.index("row", tuple(point)) for zero, point in zip(zeros.tolist(), points, strict=True)
        ]


@dataclass(frozen=True)
class NetworkTraits:
    """What equal networks have in common when their weights match.

    Attributes:
        outputs: The output for a fixed input.
        live_parameters: Number of scalars that have a gradient and belong to no module that gets zeros alone.
        gradient_norms: Norm of the gradient of each live parameter tensor, in rising order.

    A bias that a batch normalisation behind it takes away has no gradient, and does not count.
    """

    outputs: Tensor
    live_parameters: int
    gradient_norms: list[float]

    def difference(self, other: NetworkTraits) -> str | None:
        """Say what differs, None if nothing does."""
        if self.live_parameters != other.live_parameters:
            return f"{self.live_parameters:,} and {other.live_parameters:,} live parameters"
        if not torch.allclose(self.outputs, other.outputs, rtol=TOLERANCE, atol=TOLERANCE):
            return f"outputs that differ by up to {float((self.outputs - other.outputs).abs().max()):g}"
        if not np.allclose(self.gradient_norms, other.gradient_norms, rtol=TOLERANCE, atol=0.0):
            return "live parameters with other gradients"
        return None


def network_traits(network: nn.Module, inputs: Tensor, points: KnownPoints) -> NetworkTraits:
    """Give a network matching weights, and return its traits.

    Args:
        network: Is changed: its parameters become float64, and all of it works as in evaluation, but for batch
            normalisation, which takes the statistics of the batch.
        inputs: Float64, the same for networks that are compared.
        points: The same object for networks that are compared.
    """
    network.double().eval()
    for module in network.modules():
        if isinstance(module, _BATCH_NORMS):
            module.train()
    matching = _MatchingWeights(network, points)
    for _ in range(ROUNDS):
        traits = matching.draw_and_run(inputs)
    return traits


class _MatchingWeights:
    """Draws the weights of a network while it runs."""

    def __init__(self, network: nn.Module, points: KnownPoints) -> None:
        self._network = network
        self._points = points
        self._owners = [module for module in network.modules() if any(True for _ in module.parameters(recurse=False))]
        # What each gradient was in the round before; 0 for none.
        self._roles = dict.fromkeys(network.parameters(), 0)
        self._drawn: set[nn.Parameter] = set()
        self._gets_zeros: dict[nn.Module, bool] = {}

    def draw_and_run(self, inputs: Tensor) -> NetworkTraits:
        """Draw all weights anew, run the network forwards and backwards, and note what its parameters do."""
        self._drawn.clear()
        self._gets_zeros.clear()
        self._draw_without_input()
        outputs = self._run(inputs)
        gradients = self._gradients(outputs)
        self._roles = {parameter: self._role(gradients.get(parameter)) for parameter in self._roles}
        for module, zeros in self._gets_zeros.items():
            for parameter in module.parameters(recurse=False) if zeros else ():
                gradients.pop(parameter, None)
        norms = sorted(float(gradient.norm()) for gradient in gradients.values())
        return NetworkTraits(outputs.detach(), sum(parameter.numel() for parameter in gradients), norms)

    @torch.no_grad()
    def _draw_without_input(self) -> None:
        """Draw by shape and role what the network may use without calling its module."""
        for parameter, role in self._roles.items():
            parameter.copy_(_weights(parameter, "", role))

    def _run(self, inputs: Tensor) -> Tensor:
        handles: list[RemovableHandle] = [
            module.register_forward_pre_hook(self._before_call, with_kwargs=True) for module in self._owners
        ]
        try:
            outputs: Tensor = self._network(inputs)
        finally:
            for handle in handles:
                handle.remove()
        return outputs

    @torch.no_grad()
    def _before_call(self, module: nn.Module, arguments: tuple[Any, ...], keywords: dict[str, Any]) -> None:
        inputs = [value for value in (*arguments, *keywords.values()) if isinstance(value, Tensor)]
        zeros = all(bool((values.abs() <= _ZERO).all()) for values in inputs)
        if module not in self._gets_zeros:
            self._draw(module, inputs, zeros)
        self._gets_zeros[module] = zeros and self._gets_zeros.get(module, True)

    def _draw(self, module: nn.Module, inputs: Sequence[Tensor], zeros: bool) -> None:
        channel_dimension = _channel_dimension(module)
        if channel_dimension is None:
            seen = [index for values in inputs for index in self._points.row_indices(values.double().unsqueeze(0))]
        else:
            seen = self._points.row_indices(inputs[0].movedim(channel_dimension, 0))
        rank = np.argsort(np.argsort(seen, kind="stable"))
        for name, parameter in module.named_parameters(recurse=False):
            if parameter in self._drawn:
                continue
            self._drawn.add(parameter)
            weights = _weights(parameter, type(module).__name__, name, self._roles[parameter], *sorted(seen))
            if zeros and "bias" in name:
                parameter.zero_()
            elif channel_dimension is None or (name == "bias" and not isinstance(module, _BATCH_NORMS)):
                parameter.copy_(weights)
            else:
                parameter.copy_(weights.index_select(min(1, weights.ndim - 1), torch.from_numpy(rank)))

    def _gradients(self, outputs: Tensor) -> dict[nn.Parameter, Tensor]:
        """Return the gradient of each parameter that has one, as far as it is not negligible beside others."""
        if not outputs.requires_grad:
            return {}
        loss = (outputs * _random(outputs.shape, "loss")).sum()
        computed = torch.autograd.grad(loss, list(self._roles), allow_unused=True)
        gradients = {p: gradient for p, gradient in zip(self._roles, computed, strict=True) if gradient is not None}
        least = _NO_GRADIENT * max(float(gradient.norm()) for gradient in gradients.values())
        return {parameter: gradient for parameter, gradient in gradients.items() if float(gradient.norm()) > least}

    def _role(self, gradient: Tensor | None) -> int:
        """Return the index of a gradient, told by two norms, which do not depend on the order of channels."""
        if gradient is None:
            return 0
        return self._points.index("gradient", (math.log(gradient.norm()), math.log(gradient.norm(4))))


def _weights(like: Tensor, *key: str | int) -> Tensor:
    """Draw weights that keep values near 1: matrices by their fan-in, vectors around 1 if they scale, else around 0."""
    generator = torch_generator(derive_seed(*key, str(tuple(like.shape))))
    normal = torch.randn(like.shape, generator=generator, dtype=torch.float64)
    if like.ndim > 1:
        return normal * math.sqrt(2 * like.shape[0] / like.numel())
    return 1.0 + 0.2 * normal if "weight" in key else 0.5 * normal


def _channel_dimension(module: nn.Module) -> int | None:
    """Return the dimension of the input's channels where a module's weights belong to them."""
    return None if getattr(module, "groups", 1) > 1 else _CHANNEL_DIMENSIONS.get(type(module))


@functools.cache
def _random(shape: torch.Size, purpose: str) -> Tensor:
    return torch.randn(shape, generator=torch_generator(derive_seed(purpose)), dtype=torch.float64)
