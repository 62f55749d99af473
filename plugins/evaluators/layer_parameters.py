"""What each parameter of a network is for, found by looking at what runs.

Layers are told by the functions that run, whatever modules call them, so that new initial weights, weight decay and
counts are the same for all ways to write a network.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass
from enum import Enum
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...core.errors import EvaluationError
from ...core.seeding import seeded_global_rng
from .checkpoints import checkpoints_ignored
from .executed_weights import (
    GATHERING_CONVOLUTIONS,
    SCATTERING_CONVOLUTIONS,
    ExecutedWeights,
    check_visible,
)
from .observe import Call, observe_calls
from .probing import batch_norm_bypassed, blank_input, leaf_parameters, network_mode
from .stand_ins import run_with


class Role(Enum):
    """What a parameter is for."""

    WEIGHT = "weight of a convolution that is not transposed, or of a linear layer"
    BIAS = "bias of a convolution or linear layer"
    SCALE = "factor behind batch or group normalisation"
    SHIFT = "shift behind batch or group normalisation"
    OTHER_WEIGHT = "weight of another layer"
    OTHER_BIAS = "bias of another layer"
    UNKNOWN = "used by what is no layer of torch"
    UNUSED = "not used"


_ARGUMENTS: dict[Callable[..., Any], tuple[tuple[int, str, Role], ...]] = {
    **dict.fromkeys((*GATHERING_CONVOLUTIONS, functional.linear), ((1, "weight", Role.WEIGHT), (2, "bias", Role.BIAS))),
    **dict.fromkeys(SCATTERING_CONVOLUTIONS, ((1, "weight", Role.OTHER_WEIGHT), (2, "bias", Role.OTHER_BIAS))),
    functional.embedding: ((1, "weight", Role.OTHER_WEIGHT),),
    functional.batch_norm: ((3, "weight", Role.SCALE), (4, "bias", Role.SHIFT)),
    torch.batch_norm: ((1, "weight", Role.SCALE), (2, "bias", Role.SHIFT)),
    functional.group_norm: ((2, "weight", Role.SCALE), (3, "bias", Role.SHIFT)),
    torch.group_norm: ((2, "weight", Role.SCALE), (3, "bias", Role.SHIFT)),
    functional.layer_norm: ((2, "weight", Role.OTHER_WEIGHT), (3, "bias", Role.OTHER_BIAS)),
    torch.layer_norm: ((2, "weight", Role.OTHER_WEIGHT), (3, "bias", Role.OTHER_BIAS)),
    functional.instance_norm: ((3, "weight", Role.OTHER_WEIGHT), (4, "bias", Role.OTHER_BIAS)),
    functional.rms_norm: ((2, "weight", Role.OTHER_WEIGHT),),
    functional.prelu: ((1, "weight", Role.OTHER_WEIGHT),),
}
"""Which arguments of a layer are parameters for what."""


@dataclass(frozen=True)
class LayerParameters:
    """What a network's floating parameters are for.

    Attributes:
        roles: Of each parameter, by name, in the order in which they are registered.
        views: What layers receive of parameters whose values they get in another shape, by the parameter's name.
        computed: Values of the weights that are computed of parameters' values, by name.
        sources: Names of the parameters that these are computed of.
        multiplies: Whether a weight is a factor of a product that is none of a layer of torch.
        sizes: Number of values of each parameter, by name.
    """

    roles: dict[str, Role]
    views: dict[str, Tensor]
    computed: dict[str, Tensor]
    sources: frozenset[str]
    multiplies: bool
    sizes: dict[str, int]

    def named(self, *roles: Role) -> list[str]:
        """Return the names of the parameters that have one of some roles."""
        return [name for name, role in self.roles.items() if role in roles]

    def partial_kernels(self) -> list[str]:
        """Return the names of the parameters of which convolutions receive parts, sorted."""
        return sorted(name for name, view in self.views.items() if view.dim() > 2 and view.numel() != self.sizes[name])

    def without_prefix(self, prefix: str) -> LayerParameters:
        """Return the same for parameters whose names lack their first part."""

        def renamed(values: dict[str, Any]) -> dict[str, Any]:
            return {name.removeprefix(prefix): value for name, value in values.items()}

        sources = frozenset(name.removeprefix(prefix) for name in self.sources)
        return LayerParameters(
            renamed(self.roles),
            renamed(self.views),
            renamed(self.computed),
            sources,
            self.multiplies,
            renamed(self.sizes),
        )


class _Roles:
    """Notes what each parameter is an argument of."""

    def __init__(self, network: nn.Module, parameters: dict[str, Tensor], *, lookups: bool) -> None:
        self.weights = ExecutedWeights(parameters, network, lookups=lookups)
        self.parameters = parameters
        self.roles: dict[str, Role] = {}
        self.multiplies = False
        self._names = {id(parameter): name for name, parameter in parameters.items()}

    def observe(self, call: Call) -> Any:
        self.multiplies |= self.weights.multiplies(call)
        output = self.weights.observe(call)
        # What is asked of a parameter, such as its shape, does not use it; its transpose does.
        if getattr(call.function, "__name__", "") != "__get__" or isinstance(output, Tensor):
            for name in self._touched((*call.args, *call.kwargs.values())):
                self.roles.setdefault(name, Role.UNKNOWN)
        for position, argument, role in _ARGUMENTS.get(call.function, ()):
            known = self._names.get(id(call.argument(position, argument)))
            if known is not None:
                self.roles[known] = role
        return output

    def _touched(self, arguments: tuple[Any, ...]) -> Iterator[str]:
        for argument in arguments:
            if isinstance(argument, Tensor):
                self.weights.refuse_own(argument)
                if id(argument) in self._names:
                    yield self._names[id(argument)]
            elif isinstance(argument, list | tuple):
                yield from self._touched(tuple(argument))


def layer_parameters(
    network: nn.Module, input_shape: tuple[int, ...], *, discrete: bool = False, modes: tuple[bool, ...] = (False, True)
) -> LayerParameters:
    """Find what the parameters are for by running one input of zeros; the network is left as found.

    Args:
        network: Takes inputs of shape ``(1, *input_shape)``.
        input_shape: Of one input, such as ``(channels, height, width)``.
        discrete: Whether inputs are whole numbers.
        modes: Whether it runs in training mode, one pass after the other as long as parameters have not run.

    Raises:
        EvaluationError: The network's layers cannot be looked at.
    """
    check_visible(network)
    parameters = leaf_parameters(network)
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    blank = blank_input(network, input_shape, discrete=discrete)
    found = _Roles(network, parameters, lookups=discrete)
    for training in modes:
        if len(found.roles) == len(parameters):
            break
        with (
            torch.enable_grad(),
            seeded_global_rng(0),
            network_mode(network, training=training),
            checkpoints_ignored(),
            batch_norm_bypassed(),
            observe_calls(found.observe),
        ):
            run_with(network, {**parameters, **buffers}, blank.clone())
    return _described(found)


def _described(found: _Roles) -> LayerParameters:
    recurrent = found.weights.recurrent()
    weights = found.weights.by_name()
    views = found.weights.views()
    roles = {name: found.roles.get(name, Role.UNUSED) for name in found.parameters}
    for name in roles:
        if name in recurrent:
            roles[name] = Role.OTHER_WEIGHT
        elif roles[name] is Role.UNKNOWN and (name in views or name in weights):
            roles[name] = Role.WEIGHT
    computed, sources = found.weights.computed(), frozenset(found.weights.sources())
    sizes = {name: parameter.numel() for name, parameter in found.parameters.items()}
    return LayerParameters(roles, views, computed, sources, found.multiplies, sizes)


def trainable_parameters(network: nn.Module, input_shape: tuple[int, ...], prefix: str = "") -> LayerParameters:
    """Find what the parameters are for, and refuse a network that trains otherwise than its function tells.

    Args:
        network: Takes inputs of shape ``(1, *input_shape)``.
        input_shape: Of one input, such as ``(channels, height, width)``.
        prefix: Of the names of the parameters that are trained.

    Raises:
        EvaluationError: A weight is computed of parameters, as by a parametrisation, or a parameter is frozen.
    """
    found = layer_parameters(network, input_shape)
    for name, parameter in network.named_parameters():
        is_used = found.roles.get(name, Role.UNUSED) is not Role.UNUSED
        if is_used and name.startswith(prefix) and not parameter.requires_grad:
            raise EvaluationError(
                f"it trains all parameters, and '{name}' is frozen: leave requires_grad as it is, or make it a buffer"
            )
    if found.sources:
        raise EvaluationError(
            f"it trains weights, and one is computed of other parameters ('{min(found.sources)}'), which train "
            "differently: use layers without parametrisation"
        )
    return found
