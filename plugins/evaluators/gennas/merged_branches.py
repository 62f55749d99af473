"""One wide layer in place of several that read the same input: the same function and training, in fewer passes.

A convolution whose outputs are no multiple of a vector costs as much as if they were, and each of several convolutions
reads the input and writes a gradient of it, which are then added up.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Iterable, Sequence

import torch
from torch import Tensor, nn
from torch.nn.utils import skip_init

from ....core.layers import Branches
from ..compiled import is_plain, split_channels
from .momentum_descent import Group


def merge_branches(network: nn.Module, groups: Iterable[Group]) -> list[Group]:
    """Replace each :class:`Branches` of a network that can be one layer by it.

    Args:
        network: Changed in place.
        groups: All parameters that are trained.

    Returns:
        The groups, with a merged parameter in place of those that are part of it.
    """
    groups = [(list(parameters), decay) for parameters, decay in groups]
    # What the network has in two places must stay one in both.
    modules = [module for _, module in network.named_modules(remove_duplicate=False)]
    uses = Counter(parameter for module in modules for parameter in module.parameters(recurse=False))
    places = {
        parameter: index
        for index, (parameters, _) in enumerate(groups)
        for parameter in parameters
        if uses[parameter] == 1
    }
    merged: dict[nn.Parameter, nn.Parameter] = {}
    for name, module in [*network.named_modules()]:
        if type(module) is Branches and is_plain(module) and _is_one_layer([*module.values()], places):
            wide = _MergedBranches(module)
            network.set_submodule(name, wide)
            merged |= wide.replaced
    return [(list(dict.fromkeys(merged.get(p, p) for p in parameters)), decay) for parameters, decay in groups]


def _is_one_layer(branches: Sequence[nn.Module], places: dict[nn.Parameter, int]) -> bool:
    """Whether all are convolution, batch normalisation and ReLU of the same kind, and trained in the same way."""
    if len(branches) < 2 or not all(_is_conv_bn_relu(branch) for branch in branches):
        return False
    kinds = {_kind(*branch) for branch in branches}  # type: ignore[misc]
    ways = {tuple(places.get(parameter, -1) for parameter in branch.parameters()) for branch in branches}
    return len(kinds) == len(ways) == 1 and -1 not in ways.pop()


def _is_conv_bn_relu(branch: nn.Module) -> bool:
    layers = [branch, *branch.children()]
    if [type(layer) for layer in layers[1:]] != [nn.Conv2d, nn.BatchNorm2d, nn.ReLU]:
        return False
    groups = getattr(layers[1], "groups", 0)
    return type(branch).forward is nn.Sequential.forward and groups == 1 and all(map(is_plain, layers))


def _kind(convolution: nn.Conv2d, normalization: nn.BatchNorm2d, _relu: nn.ReLU) -> tuple[object, ...]:
    """Return all that must be equal."""
    return (
        convolution.kernel_size, convolution.stride, convolution.padding, convolution.padding_mode,
        convolution.dilation, convolution.bias is None,
        normalization.eps, normalization.momentum, normalization.affine, normalization.track_running_stats,
        convolution.training, normalization.training, convolution.weight.dtype, convolution.weight.device,
    )  # fmt: skip


class _MergedBranches(nn.Module):
    """Does what :class:`Branches` does.

    Attributes:
        replaced: Parameters of the branches, and that of which each is now a part.
    """

    def __init__(self, branches: Branches) -> None:
        super().__init__()
        convolutions, normalizations, _ = zip(*(branch.children() for branch in branches.values()), strict=True)
        self.sizes = tuple(layer.out_channels for layer in convolutions)
        first = convolutions[0]
        channels = sum(self.sizes)
        self.layers = nn.Sequential(
            skip_init(  # type: ignore[no-untyped-call]
                nn.Conv2d, first.in_channels, channels, first.kernel_size, first.stride, first.padding, first.dilation,
                bias=first.bias is not None, padding_mode=first.padding_mode,
            ),
            nn.BatchNorm2d(
                channels, normalizations[0].eps, normalizations[0].momentum, normalizations[0].affine,
                normalizations[0].track_running_stats,
            ),
            nn.ReLU(inplace=True),
        )  # fmt: skip
        self.to(first.weight.device, first.weight.dtype)
        self.train(first.training)
        self.replaced: dict[nn.Parameter, nn.Parameter] = {}
        for wide, parts in zip(self.layers, (convolutions, normalizations), strict=False):
            self._take_over(wide, parts)

    @torch.no_grad()
    def _take_over(self, wide: nn.Module, parts: Sequence[nn.Module]) -> None:
        """Give a layer the parameters and statistics of those that it replaces."""
        for name, parameter in wide.named_parameters():
            members = tuple(part.get_parameter(name) for part in parts)
            parameter.copy_(torch.cat(members))
            self.replaced |= dict.fromkeys(members, parameter)
        for name, buffer in wide.named_buffers():
            values = tuple(part.get_buffer(name) for part in parts)
            buffer.copy_(torch.cat(values) if buffer.dim() else values[0])

    def forward(self, features: Tensor) -> tuple[Tensor, ...]:
        """Return the output of each branch, in their order."""
        return split_channels(self.layers(features), self.sizes)
