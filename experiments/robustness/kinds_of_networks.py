"""Networks that compute the same with the same weights, written in different ways, and what scores them.

Shared by ``networks_of_others`` and by a test.
"""

from __future__ import annotations

import copy
import dataclasses
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import partial
from typing import Any

import numpy as np
import torch
from nasbench_toolkit import (
    BlockNetwork,
    DatasetInfo,
    Evaluation,
    EvaluationContext,
    Network,
    SearchSpace,
    SearchSpaceInfo,
    StagedNetwork,
)
from nasbench_toolkit.core.context import WorkerCache
from nasbench_toolkit.core.domain import JobKey
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.seeding import seeded_global_rng
from nasbench_toolkit.core.settings import parse_settings, settings_hash
from nasbench_toolkit.experiments.robustness import rewritten_layers as layers
from nasbench_toolkit.plugins.evaluators.gennas.published_tasks import COMBO
from nasbench_toolkit.plugins.evaluators.gennas.settings import TaskFileSettings
from nasbench_toolkit.plugins.evaluators.gennas.task import task_to_text
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

Rewrite = Callable[[Any], nn.Module]

_REGRESSION = {"iterations": "2", "batch_size": "4"}
_TRAINING = {"epochs": "1", "train_images": "32", "test_images": "32", "batch_size": "16"}

EVALUATORS: dict[str, dict[str, str]] = {
    "gennas-single": _REGRESSION,
    "gennas-combo": _REGRESSION,
    "gennas-fast": _REGRESSION,
    "gennas-n": _REGRESSION,
    "gennas-signal": _REGRESSION,
    "gennas-d": _REGRESSION | {"weight_init": "xavier", "bias_init": "zero"},
    "gennas-r": _REGRESSION,
    "gennas": _REGRESSION,
    "eproxy": _REGRESSION | {"head_channels": "8", "target_channels": "4"},
    "cls": _TRAINING,
    "rot": _TRAINING,
    "col": _TRAINING,
    "jig": _TRAINING,
    "econas": _TRAINING | {"max_epochs": "1"},
    "grad_norm": {"batch_size": "16"},
    "snip": {"batch_size": "16"},
    "grasp": {"batch_size": "16"},
    "fisher": {"batch_size": "16"},
    "plain": {"batch_size": "16"},
    "synflow": {},
    "zico": {"batch_size": "16"},
    "jacob_cov": {"batch_size": "16"},
    "epe_nas": {"batch_size": "32"},
    "te_nas_ntk": {"batch_size": "8", "repeats": "1"},
    "naswot": {"batch_size": "16"},
    "zen": {"batch_size": "4", "repeats": "1"},
    "meco": {"image_size": "16", "repeats": "1"},
    "az_nas_expressivity": {"batch_size": "4"},
    "az_nas_progressivity": {"batch_size": "4"},
    "az_nas_trainability": {"batch_size": "4"},
    "swap": {"batch_size": "16", "repeats": "1"},
    "te_nas_regions": {"batch_size": "16", "crops": "100", "side": "4", "repeats": "1"},
    "params": {},
    "flops": {},
    "l2_norm": {},
    "random": {},
}
"""All evaluators that score networks for images, with settings for a small network."""

TOLERANCE = 2e-3
"""Relative difference that counts as rounding: behind batch normalisation some terms are rounding errors themselves."""

COARSE = {"epe_nas": 2e-2}
"""Relative differences of evaluators that take logarithms of correlations next to 0."""


class Stage(nn.Module):
    """A 3x3 convolution, batch normalisation and ReLU."""

    def __init__(self, inputs: int, outputs: int) -> None:
        super().__init__()
        self.convolution = nn.Conv2d(inputs, outputs, 3, padding=1)
        self.norm = nn.BatchNorm2d(outputs)
        self.activation = nn.ReLU()

    def forward(self, images: Tensor) -> Tensor:
        """Map (batch, inputs, height, width) to (batch, outputs, height, width)."""
        maps: Tensor = self.activation(self.norm(self.convolution(images)))
        return maps


class PlainNetwork(nn.Module):
    """Three stages with pooling between them, made of torch's own layers."""

    widths = (6, 8, 10)

    def __init__(self, colours: int, classes: int) -> None:
        super().__init__()
        inputs = (colours, *self.widths)
        self.stages = nn.ModuleList(map(Stage, inputs, self.widths))
        self.pools = nn.ModuleList([nn.MaxPool2d(2), nn.AvgPool2d(2), nn.AdaptiveAvgPool2d(1)])
        self.dropout = nn.Dropout(0.1)
        self.classifier = nn.Linear(self.widths[-1], classes)

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Return the three maps."""
        maps = [self.stages[0](images)]
        for stage, pool in zip(self.stages[1:], self.pools, strict=False):
            maps.append(stage(pool(maps[-1])))
        return maps

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """Return the three maps."""
        return self.forward_stages(images)

    def forward(self, images: Tensor) -> Any:
        """Map (batch, colours, height, width) to (batch, classes)."""
        return self.classifier(self.dropout(self.pools[2](self.forward_stages(images)[-1]).flatten(1)))


class WrappedNetwork(nn.Module):
    """Another network as a module of this one."""

    def __init__(self, module: PlainNetwork) -> None:
        super().__init__()
        self.module = module

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the other."""
        return self.module.forward_stages(images)

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """Return the maps of the other."""
        return self.module.forward_blocks(images)

    def forward(self, images: Tensor) -> Any:
        """Call the other."""
        return self.module(images)


class _Changed(WrappedNetwork):
    """Another network whose output is changed."""

    def __init__(self, module: PlainNetwork, change: Callable[[Any], Any]) -> None:
        super().__init__(module)
        self.change = change

    def forward(self, images: Tensor) -> Any:
        return self.change(self.module(images))


class _Checkpointed(nn.Module):
    def __init__(self, module: nn.Module, reentrant: bool) -> None:
        super().__init__()
        self.module, self.reentrant = module, reentrant

    def forward(self, images: Tensor) -> Any:
        return checkpoint(self.module, images, use_reentrant=self.reentrant)


class _Viewed(nn.Module):
    """Takes whole maps as vectors without a copy, which only those that have their channels first in memory can be."""

    def __init__(self, module: nn.Module) -> None:
        super().__init__()
        self.module = module

    def forward(self, images: Tensor) -> Any:
        maps = self.module(images)
        return maps.view(len(maps), -1).view(maps.shape)


class _Unregistered(nn.Module):
    """A module kept where torch does not look for it, with its parameters registered."""

    def __init__(self, module: nn.Module, made: Callable[[nn.Module], nn.Module]) -> None:
        super().__init__()
        self.parts = nn.ParameterList(module.parameters())
        self.hidden = [made(module)]

    def forward(self, images: Tensor) -> Any:
        return self.hidden[0](images)


class _Bare(nn.Module):
    """All parameters and buffers of a plain network in two lists, and functions."""

    def __init__(self, plain: PlainNetwork) -> None:
        super().__init__()
        self.values = nn.ParameterList(plain.parameters())
        self.count = 0
        for stage in plain.stages:
            for name in ("running_mean", "running_var"):
                self.register_buffer(f"b{self.count}", getattr(stage.norm, name))
                self.count += 1

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        maps: list[Tensor] = []
        for number in range(3):
            kernel, offset, gain, shift = (self.values[4 * number + place] for place in range(4))
            images = functional.conv2d(images, kernel, offset, padding=1)
            mean, spread = getattr(self, f"b{2 * number}"), getattr(self, f"b{2 * number + 1}")
            maps.append(functional.batch_norm(images, mean, spread, gain, shift, self.training).relu())
            if number < 2:
                images = (functional.max_pool2d, functional.avg_pool2d)[number](maps[-1], 2)
        return maps

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        return self.forward_stages(images)

    def forward(self, images: Tensor) -> Tensor:
        pooled = functional.adaptive_avg_pool2d(self.forward_stages(images)[-1], 1).flatten(1)
        return functional.linear(functional.dropout(pooled, 0.1, self.training), self.values[-2], self.values[-1])


class _FunctionalDropout(nn.Module):
    def forward(self, features: Tensor) -> Tensor:
        return functional.dropout(features, 0.1, self.training)


class _OtherConvolution(nn.Conv2d):
    """A subclass."""


class _ScriptedRelu(nn.Module):
    def forward(self, maps: Tensor) -> Any:
        return _scripted_relu(maps)


class _ScriptedConvolution(layers.OwnConvolution):
    def forward(self, images: Tensor) -> Any:
        return _scripted_convolution(images, self.kernel, self.offset)


def _relu(maps: Tensor) -> Tensor:
    return torch.relu(maps)


def _convolution(images: Tensor, kernel: Tensor, offset: Tensor) -> Tensor:
    return torch.conv2d(images, kernel, offset, padding=(1, 1))


_scripted_relu: Callable[..., Any] = torch.jit.script(_relu)
_scripted_convolution: Callable[..., Any] = torch.jit.script(_convolution)


class AttentionNetwork(PlainNetwork):
    """With self-attention behind the last stage."""

    def __init__(self, colours: int, classes: int) -> None:
        super().__init__(colours, classes)
        self.attention: nn.Module = nn.MultiheadAttention(self.widths[-1], 2, batch_first=True)

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Return the three maps."""
        *first, last = super().forward_stages(images)
        tokens = last.flatten(2).transpose(1, 2)
        if isinstance(self.attention, nn.MultiheadAttention):
            attended = self.attention(tokens, tokens, tokens, need_weights=False)[0]
        else:
            attended = self.attention(tokens)
        return [*first, last + attended.transpose(1, 2).unflatten(2, last.shape[2:])]


class RepeatingNetwork(PlainNetwork):
    """With a second convolution in the last stage, whose weights are those of the first one of that size."""

    def __init__(self, colours: int, classes: int) -> None:
        super().__init__(colours, classes)
        layer = nn.Conv2d(10, 10, 3, padding=1)
        self.stages[2].activation = nn.Sequential(nn.ReLU(), layer, nn.ReLU(), layer, nn.ReLU())


class OtherNormsNetwork(PlainNetwork):
    """With group normalisation, PReLU and a ReLU that ends at 6."""

    def __init__(self, colours: int, classes: int) -> None:
        super().__init__(colours, classes)
        self.stages[0].norm = nn.GroupNorm(2, 6)
        self.stages[1].activation = nn.PReLU(8)
        self.stages[2].activation = nn.ReLU6()


class PlainNormsNetwork(PlainNetwork):
    """With batch normalisation that has neither parameters nor running statistics."""

    def __init__(self, colours: int, classes: int) -> None:
        super().__init__(colours, classes)
        for stage, width in zip(self.stages, self.widths, strict=True):
            stage.norm = nn.BatchNorm2d(width, affine=False, track_running_stats=False)


class _OwnGroupNorm(nn.Module):
    def __init__(self, layer: nn.GroupNorm) -> None:
        super().__init__()
        self.gain, self.shift = layer.weight, layer.bias

    def forward(self, maps: Tensor) -> Tensor:
        return functional.group_norm(maps, 2, self.gain, self.shift)


class _OwnPrelu(nn.Module):
    def __init__(self, layer: nn.PReLU) -> None:
        super().__init__()
        self.slope = layer.weight

    def forward(self, maps: Tensor) -> Tensor:
        return functional.prelu(maps, self.slope)


def replaced(network: nn.Module, kind: type[nn.Module], make: Callable[[Any], nn.Module]) -> nn.Module:
    """Replace all modules of a class in place."""
    for module in list(network.modules()):
        for name, child in module.named_children():
            if type(child) is kind:
                setattr(module, name, make(child))
    return network


def _replacing(*pairs: tuple[type[nn.Module], Callable[[Any], nn.Module]]) -> Rewrite:
    def rewrite(network: nn.Module) -> nn.Module:
        for kind, make in pairs:
            replaced(network, kind, make)
        return network

    return rewrite


def _on_weighted_layers(change: Callable[[nn.Module], object]) -> Rewrite:
    def rewrite(network: nn.Module) -> nn.Module:
        for module in list(network.modules()):
            if type(module) in (nn.Conv2d, nn.Linear):
                change(module)
        return network

    return rewrite


def _with_relu(function: layers.ReluFunction) -> Rewrite:
    return _replacing((nn.ReLU, lambda _: layers.Activation(function)))


def _changing_output(change: Callable[[Any], Any]) -> Rewrite:
    return lambda network: _Changed(network, change)  # type: ignore[arg-type]


def _other_convolution(layer: nn.Conv2d) -> nn.Module:
    other = _OtherConvolution(layer.in_channels, layer.out_channels, 3, padding=1)
    other.weight, other.bias = layer.weight, layer.bias
    return other


def _lazy_convolution(layer: nn.Conv2d) -> nn.Module:
    lazy = nn.LazyConv2d(layer.out_channels, 3, padding=1)
    lazy(torch.zeros(1, layer.in_channels, 3, 3))
    lazy.load_state_dict(layer.state_dict())
    return lazy


def _with_second_name(network: Any) -> nn.Module:
    network.alias = network.stages[1].convolution
    network.another = network.stages
    return network  # type: ignore[no-any-return]


def _with_unused(network: Any) -> nn.Module:
    network.stages[0].spare = nn.Conv2d(3, 5, 3)
    network.stages[1].extra = nn.Parameter(torch.ones(4, 4))
    return network  # type: ignore[no-any-return]


def _nested(layer: nn.Module) -> nn.Module:
    return nn.Sequential(nn.Identity(), nn.Sequential(layer))


def _twice_made(network: Any) -> nn.Module:
    relu, first, _, _, last = network.stages[2].activation
    second = nn.Conv2d(10, 10, 3, padding=1)
    second.weight, second.bias = first.weight, first.bias
    network.stages[2].activation = nn.Sequential(relu, first, nn.ReLU(), second, last)
    return network  # type: ignore[no-any-return]


def _compiled_in_place(network: nn.Module) -> nn.Module:
    network.compile(backend="eager")
    return network


def _scripted(network: Any) -> nn.Module:
    for stage in network.stages:
        stage.train()
    network.stages = nn.ModuleList(map(torch.jit.script, network.stages))
    return network  # type: ignore[no-any-return]


def _traced(network: Any) -> nn.Module:
    state = copy.deepcopy(network.state_dict())
    colours = network.stages[0].convolution.in_channels
    traced: nn.Module = torch.jit.trace(network, torch.zeros(2, colours, 32, 32), check_trace=False)
    traced.load_state_dict(state)
    return traced


def _fx(network: Any) -> nn.Module:
    network.stages = nn.ModuleList(map(torch.fx.symbolic_trace, network.stages))
    return network  # type: ignore[no-any-return]


@dataclass(frozen=True)
class Kind:
    """A way to write a network.

    Attributes:
        rewrite: Makes another network of the reference, which it may use up.
        refusal: What evaluators may say that do not score it, as a regular expression; it must be true.
        reference: Builds the network to compare with, of the number of colours and of classes.
    """

    rewrite: Rewrite
    refusal: str | None = None
    reference: Callable[[int, int], nn.Module] = PlainNetwork


_COMPUTED = r"computed of other parameters|draws new weights .* cannot tell what '.*(original|weight_)"
_PRODUCT = "multiplies by a weight outside of convolutions and linear layers|cannot tell what|of whose operands"
_OWN_NORM = "normalises feature maps itself"
_MAPPED = "torch.func.vmap"
_SCRIPT = "TorchScript"
_OUTPUT = "the network returns a (tuple|dict)"

KINDS: dict[str, Kind] = {
    "weights: weight_norm": Kind(_on_weighted_layers(parametrizations.weight_norm), _COMPUTED),
    "weights: weight_norm by hooks": Kind(_on_weighted_layers(torch.nn.utils.weight_norm), _COMPUTED),
    "weights: spectral_norm": Kind(_on_weighted_layers(layers.with_spectral_norm), _COMPUTED),
    "weights: pruned": Kind(_on_weighted_layers(lambda layer: prune.identity(layer, "weight")), _COMPUTED),
    "weights: in parts": Kind(
        _replacing((nn.Conv2d, layers.PartsConvolution)), r"cannot tell what .*(kernel|offset)|parts of .*kernel"
    ),
    "weights: two factors": Kind(_on_weighted_layers(layers.with_factors), _COMPUTED),
    "modules: own": Kind(
        _replacing(
            (nn.Conv2d, layers.OwnConvolution), (nn.BatchNorm2d, layers.OwnBatchNorm), (nn.Linear, layers.OwnLinear)
        )
    ),
    "modules: bare parameters": Kind(_Bare),
    "modules: subclass": Kind(_replacing((nn.Conv2d, _other_convolution))),
    "modules: lazy": Kind(_replacing((nn.Conv2d, _lazy_convolution))),
    "modules: nested": Kind(_replacing((nn.Conv2d, _nested), (nn.BatchNorm2d, _nested), (nn.Linear, _nested))),
    "modules: two names": Kind(_with_second_name),
    "modules: wrapped": Kind(WrappedNetwork),
    "modules: frozen": Kind(lambda network: network.requires_grad_(False), "is frozen"),
    "modules: unused parameters": Kind(_with_unused),
    "modules: shared by two layers": Kind(_twice_made, reference=RepeatingNetwork),
    "modules: other norms": Kind(
        _replacing(
            (nn.GroupNorm, _OwnGroupNorm),
            (nn.PReLU, _OwnPrelu),
            (nn.ReLU6, lambda _: layers.Activation(lambda maps: maps.clamp(0, 6))),
        ),
        reference=OtherNormsNetwork,
    ),
    "run: data parallel": Kind(nn.DataParallel, "it needs networks that return the feature maps"),
    "run: checkpoints": Kind(_replacing((Stage, partial(_Checkpointed, reentrant=False)))),
    "run: reentrant checkpoints": Kind(_replacing((Stage, partial(_Checkpointed, reentrant=True)))),
    "run: channels last": Kind(lambda network: network.to(memory_format=torch.channels_last)),
    "run: views of maps": Kind(_replacing((Stage, _Viewed))),
    "run: compiled": Kind(lambda network: torch.compile(network, backend="eager")),  # type: ignore[return-value]
    "run: compiled stages": Kind(_replacing((Stage, lambda stage: torch.compile(stage, backend="eager")))),
    "run: compiled in place": Kind(_compiled_in_place),
    "run: graph modules": Kind(_fx),
    "run: mapped layers": Kind(_replacing((nn.Conv2d, layers.MappedConvolution)), _MAPPED),
    "run: mapped ReLU": Kind(_with_relu(torch.func.vmap(functional.relu)), _MAPPED),
    "run: traced": Kind(_traced, _SCRIPT + "|StagedNetwork|BlockNetwork"),
    "run: scripted stages": Kind(_scripted, _SCRIPT),
    "run: hidden script modules": Kind(
        _replacing((nn.Conv2d, lambda layer: _Unregistered(layer, torch.jit.script))), _SCRIPT
    ),
    "run: scripted ReLU": Kind(_replacing((nn.ReLU, lambda _: _ScriptedRelu())), _SCRIPT),
    "run: scripted convolution": Kind(_replacing((nn.Conv2d, _ScriptedConvolution)), _SCRIPT),
    "ReLU: functional.relu": Kind(_with_relu(functional.relu)),
    "ReLU: in place": Kind(_with_relu(partial(functional.relu, inplace=True))),
    "ReLU: torch.relu": Kind(_with_relu(torch.relu)),
    "ReLU: operator": Kind(_with_relu(torch.ops.aten.relu)),
    "ReLU: clamp": Kind(_with_relu(lambda maps: maps.clamp(min=0))),
    "ReLU: clamp_min": Kind(_with_relu(lambda maps: torch.clamp_min(maps, 0.0))),
    "ReLU: clamp_min_": Kind(_with_relu(lambda maps: maps.clamp_min_(0.0))),
    "ReLU: clip": Kind(_with_relu(lambda maps: torch.clip(maps, 0))),
    "ReLU: threshold": Kind(_replacing((nn.ReLU, lambda _: nn.Threshold(0.0, 0.0)))),
    "ReLU: hardtanh": Kind(_with_relu(lambda maps: functional.hardtanh(maps, 0.0, float("inf")))),
    "ReLU: leaky": Kind(_replacing((nn.ReLU, lambda _: nn.LeakyReLU(0.0)))),
    "ReLU: leaky in place": Kind(_replacing((nn.ReLU, lambda _: nn.LeakyReLU(0.0, inplace=True)))),
    "ReLU: maximum": Kind(_with_relu(lambda maps: torch.maximum(maps, torch.zeros_like(maps)))),
    "ReLU: maximum of a constant": Kind(_with_relu(lambda maps: torch.max(maps.new_zeros(()), maps))),
    "ReLU: maximum by keyword": Kind(_with_relu(lambda maps: torch.maximum(input=maps, other=torch.zeros_like(maps)))),
    "ReLU: where": Kind(_with_relu(lambda maps: torch.where(maps > 0, maps, 0.0))),
    "ReLU: mask": Kind(_with_relu(lambda maps: maps * (maps > 0))),
    "ReLU: mask of numbers": Kind(_with_relu(lambda maps: (maps > 0).float() * maps)),
    "ReLU: masked_fill": Kind(_with_relu(lambda maps: maps.masked_fill(maps < 0, 0.0))),
    "ReLU: assignment": Kind(_with_relu(layers.relu_by_assignment)),
    "ReLU: half of sum and size": Kind(_with_relu(lambda maps: (maps + maps.abs()) / 2)),
    "ReLU: less the negative part": Kind(_with_relu(lambda maps: maps - maps.clamp(max=0))),
    "pooling: other functions": Kind(
        _replacing(
            (nn.MaxPool2d, lambda _: layers.Activation(lambda maps: torch.max_pool2d(maps, 2))),
            (
                nn.AvgPool2d,
                lambda _: layers.Activation(
                    lambda maps: functional.adaptive_avg_pool2d(maps, [side // 2 for side in maps.shape[2:]])
                ),
            ),
            (nn.AdaptiveAvgPool2d, lambda _: layers.Activation(lambda maps: maps.mean((2, 3), keepdim=True))),
        )
    ),
    "pooling: by reshaping": Kind(
        _replacing(
            (nn.MaxPool2d, lambda _: layers.ReshapedPool(lambda cells: cells.max(4)[0])),
            (nn.AvgPool2d, lambda _: layers.ReshapedPool(lambda cells: cells.mean(4))),
            (nn.AdaptiveAvgPool2d, lambda _: layers.Activation(lambda maps: maps.flatten(2).mean(2))),
        )
    ),
    "norm: torch.native_batch_norm": Kind(
        _replacing((nn.BatchNorm2d, layers.NativeBatchNorm)),
        rf"cannot tell what .*(gain|shift)|{_OWN_NORM}|changes its buffer",
    ),
    "norm: by hand": Kind(
        _replacing((nn.BatchNorm2d, layers.HandWrittenBatchNorm)),
        rf"cannot tell what .*(gain|shift)|{_OWN_NORM}|changes its buffer",
    ),
    "norm: of moments": Kind(
        _replacing((nn.BatchNorm2d, layers.BatchNormOfMoments)), _OWN_NORM, reference=PlainNormsNetwork
    ),
    "norm: of flat maps": Kind(
        _replacing((nn.BatchNorm2d, layers.BatchNormOfFlatMaps)), _OWN_NORM, reference=PlainNormsNetwork
    ),
    "product: operator": Kind(_replacing((nn.Conv2d, layers.DispatchedConvolution))),
    "product: torch.convolution": Kind(_replacing((nn.Conv2d, layers.GeneralConvolution)), "torch.nn.functional"),
    "product: unfolded": Kind(_replacing((nn.Conv2d, layers.UnfoldedConvolution)), _PRODUCT),
    "product: einsum": Kind(_replacing((nn.Conv2d, layers.EinsumConvolution)), _PRODUCT),
    "product: own backward pass": Kind(_replacing((nn.Conv2d, layers.FunctionConvolution)), "backward pass of its own"),
    "product: shifted maps": Kind(_replacing((nn.Conv2d, layers.ShiftedConvolution)), _PRODUCT),
    "product: matmul": Kind(_replacing((nn.Linear, layers.MatrixProduct)), _PRODUCT),
    "product: addmm": Kind(_replacing((nn.Linear, layers.AddedProduct)), _PRODUCT),
    "product: elementwise": Kind(_replacing((nn.Linear, layers.ElementwiseProduct)), _PRODUCT),
    "product: inner": Kind(_replacing((nn.Linear, layers.InnerProduct)), _PRODUCT),
    "product: pointwise convolution": Kind(_replacing((nn.Linear, layers.PointwiseLinear))),
    "attention: by hand": Kind(_replacing((nn.MultiheadAttention, layers.ByHandAttention)), None, AttentionNetwork),
    "attention: one function": Kind(
        _replacing((nn.MultiheadAttention, layers.ScaledDotProductAttention)), None, AttentionNetwork
    ),
    "output: tuple": Kind(_changing_output(lambda logits: (logits, 0)), _OUTPUT),
    "output: dictionary": Kind(_changing_output(lambda logits: {"logits": logits}), _OUTPUT),
    "output: functional dropout": Kind(_replacing((nn.Dropout, lambda _: _FunctionalDropout()))),
}
"""By name, which begins with what they are about."""


class OneNetwork(SearchSpace):
    """A space of one architecture."""

    size = 1
    build: Callable[[int, int], nn.Module]

    def canonicalize(self, text: str) -> str:
        """Return it."""
        return text

    def _sample(self, count: int, rng: np.random.Generator) -> list[str]:
        return ["network"]

    def _build_network(self, arch_id: str, dataset: DatasetInfo, variant: str) -> nn.Module:
        return self.build(dataset.input_shape[0], dataset.num_classes)


_SPACE = SearchSpaceInfo(
    name="networks-of-others",
    summary="One network.",
    source="here",
    factory=OneNetwork,
    datasets=("photos",),
    provides=frozenset({Network, StagedNetwork, BlockNetwork}),
    network_variants={"benchmark": "the network", "reduced": "the same"},
)


def score(evaluator: str, build: Callable[[int, int], nn.Module]) -> Evaluation:
    """Score the network that a function builds of the numbers of colours and classes.

    Raises:
        EvaluationError: The evaluator refuses it.
    """
    info = installed_plugins().evaluator(evaluator).info
    settings = parse_settings(evaluator, info.settings, EVALUATORS[evaluator])
    if isinstance(settings, TaskFileSettings):
        settings = dataclasses.replace(settings, task=task_to_text(COMBO))
    dataset = installed_plugins().dataset("photos").info
    space = OneNetwork(_SPACE)
    space.build = build
    key = JobKey(space.name, dataset.name, "network", evaluator, settings_hash(info.version, settings), 0)
    cache = WorkerCache({})
    context = EvaluationContext(key, space, dataset, dataset.create(), torch.device("cpu"), cache)
    with seeded_global_rng(0):
        return info.create(settings).evaluate(context)


def rewritten(kind: Kind) -> Callable[[int, int], nn.Module]:
    """Return what builds the rewritten network."""
    return lambda colours, classes: kind.rewrite(kind.reference(colours, classes))


def kind_names(prefixes: Sequence[str]) -> list[str]:
    """Return the names of kinds that begin with one of some prefixes, all if there are none."""
    return [name for name in KINDS if not prefixes or name.startswith(tuple(prefixes))]
