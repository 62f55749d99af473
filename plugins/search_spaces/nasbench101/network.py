"""Networks built from NAS-Bench-101 cells (Ying et al., ICML 2019, section 2.2, and the benchmark's code).

A stem, three stages of three cells, max-pooling between the stages, global average pooling and a linear classifier.
The first cell after a pooling doubles the channels.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

import torch
from torch import Tensor, nn

from ....core.layers import Branches, Concatenation
from .cell import Cell, prune
from .structure import BENCHMARK_STEM_CHANNELS, CELLS_PER_STAGE, stage_channels, vertex_channels

Initialization = Literal["tensorflow", "fan-out"]

BATCH_NORM_EPS = 1e-5

# Standard deviation of a standard normal distribution cut off at -2 and 2.
_TRUNCATED_STD = 0.87962566103423978


@dataclass(frozen=True)
class NetworkVariant:
    """What differs between the networks that the literature builds from one cell.

    Attributes:
        stem_channels: Channels of the first stage.
        batch_norm_momentum: Weight of a batch in the running statistics, as PyTorch counts it.
        initialization: `tensorflow`: convolutions from a normal distribution cut off at two standard deviations, of
            variance 1 / fan-in, and the classifier uniform after Glorot, as the benchmark's layers draw them;
            `fan-out`: convolutions from N(0, 2 / (k * k * out_channels)), the classifier from N(0, 0.01**2).
        cells_per_stage: Cells in each of the three stages.
    """

    stem_channels: int
    batch_norm_momentum: float
    initialization: Initialization
    cells_per_stage: int = CELLS_PER_STAGE


SMALL_CHANNELS = 8
"""Enough for the five vertices that may share the output's channels. Ours: TE-NAS has no NAS-Bench-101 networks."""

# TensorFlow's momentum of 0.997 is a weight of 0.003 for the batch.
VARIANTS = {
    "benchmark": NetworkVariant(BENCHMARK_STEM_CHANNELS, 0.003, "tensorflow"),
    "stem16": NetworkVariant(16, 0.003, "tensorflow"),
    "reduced": NetworkVariant(BENCHMARK_STEM_CHANNELS // 4, 0.003, "tensorflow"),
    "narrow": NetworkVariant(SMALL_CHANNELS, 0.003, "tensorflow", cells_per_stage=1),
    "gennas": NetworkVariant(16, 0.1, "fan-out"),
}


class ConvBNReLU(nn.Sequential):
    """Convolution with same padding, batch normalisation, ReLU."""

    def __init__(self, in_channels: int, out_channels: int, kernel_size: int, momentum: float) -> None:
        super().__init__(
            nn.Conv2d(in_channels, out_channels, kernel_size, padding=kernel_size // 2, bias=False),
            nn.BatchNorm2d(out_channels, eps=BATCH_NORM_EPS, momentum=momentum),
            nn.ReLU(inplace=True),
        )


def _build_operation(op: str, channels: int, momentum: float) -> nn.Module:
    match op:
        case "conv1x1-bn-relu":
            return ConvBNReLU(channels, channels, 1, momentum)
        case "conv3x3-bn-relu":
            return ConvBNReLU(channels, channels, 3, momentum)
        case _:
            return nn.MaxPool2d(3, stride=1, padding=1)


class CellModule(nn.Module):
    """One cell.

    An edge from the cell's input is a projection, a 1x1 convolution; an edge between interior vertices passes the
    first channels, as many as its target has. Interior vertices sum their edges; the output concatenates the
    interior vertices that feed it, and adds the projection of the input if there is such an edge.
    """

    def __init__(self, cell: Cell, in_channels: int, out_channels: int, momentum: float) -> None:
        super().__init__()
        self.channels = vertex_channels(cell, in_channels, out_channels)
        self.interior_sources = [[s for s in cell.sources(v) if s > 0] for v in range(cell.num_vertices)]
        self.projected = cell.targets(0)
        self.projections = Branches(
            {str(v): ConvBNReLU(in_channels, self.channels[v], 1, momentum) for v in self.projected}
        )
        self.operations = nn.ModuleList(
            _build_operation(op, self.channels[v], momentum) for v, op in enumerate(cell.ops, start=1)
        )
        self.concatenation = Concatenation()

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, side, side) to (batch, out_channels, side, side)."""
        outputs, projections = [x], dict(zip(self.projected, self.projections(x), strict=True))
        for vertex, operation in enumerate(self.operations, start=1):
            terms = [self._truncated(outputs[source], vertex) for source in self.interior_sources[vertex]]
            outputs.append(operation(_sum(terms, projections.get(vertex))))
        feeding = [outputs[source] for source in self.interior_sources[-1]]
        if len(feeding) > 1:
            feeding = [self.concatenation(feeding)]
        return _sum(feeding, projections.get(len(outputs)))

    def _truncated(self, features: Tensor, vertex: int) -> Tensor:
        channels = self.channels[vertex]
        return features if features.shape[1] == channels else features[:, :channels]


def _sum(terms: list[Tensor], projection: Tensor | None) -> Tensor:
    """Add the terms and the projection of the cell's input, if there is one."""
    total, *rest = terms if projection is None else [*terms, projection]
    for term in rest:
        total = total + term
    return total


class CellNetwork(nn.Module):
    """Image classifier made of one cell, nine times."""

    def __init__(self, cell: Cell, variant: NetworkVariant, *, input_channels: int, num_classes: int) -> None:
        """Build the network and draw its initial weights from torch's global generator.

        Args:
            cell: The cell; vertices that do not matter are left out.
            variant: Width, batch normalisation and distribution of the initial weights.
            input_channels: Image channels.
            num_classes: Length of the logits.

        Raises:
            InvalidArchitectureError: If the cell has no path from input to output, or too many edges.
        """
        super().__init__()
        cell = prune(cell)
        momentum = variant.batch_norm_momentum
        self.stem = ConvBNReLU(input_channels, variant.stem_channels, 3, momentum)
        self.stages = nn.ModuleList()
        for channels in stage_channels(variant.stem_channels, variant.cells_per_stage):
            blocks: list[nn.Module] = [nn.MaxPool2d(2)] if len(self.stages) else []
            blocks += [CellModule(cell, *in_and_out, momentum) for in_and_out in channels]
            self.stages.append(nn.Sequential(*blocks))
        self.classifier = nn.Linear(channels[-1][1], num_classes)
        _initialize(self, variant.initialization)

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Compute the output of each stage, before the max-pooling that follows.

        Args:
            images: Shape (batch, input_channels, side, side), side divisible by 4.

        Returns:
            Three tensors of shape (batch, stem_channels * 2**i, side / 2**i, side / 2**i).
        """
        features = self.stem(images)
        outputs = []
        for stage in self.stages:
            features = stage(features)
            outputs.append(features)
        return outputs

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """Compute the output of the stem and of each cell, in the order they run.

        The max-pooling between two stages, which has no weights, belongs to the cell behind it. Each tensor is the very
        one that the next block takes, so that a block can be differentiated by itself. No block changes another's
        output.

        Args:
            images: Shape (batch, input_channels, side, side), side divisible by 4.

        Returns:
            3 * cells_per_stage + 1 tensors of shape (batch, channels, height, width).
        """
        features: Tensor = self.stem(images)
        outputs = [features]
        for stage in self.stages:
            for layer in stage:  # type: ignore[attr-defined]
                features = layer(features)
                if isinstance(layer, CellModule):
                    outputs.append(features)
        return outputs

    def forward(self, images: Tensor) -> Tensor:
        """Map images (batch, input_channels, side, side) to logits (batch, num_classes)."""
        features = self.forward_stages(images)[-1]
        logits: Tensor = self.classifier(features.mean(dim=(2, 3)))
        return logits


class SingleCellNetwork(nn.Module):
    """Image classifier made of one cell with few channels, global average pooling and a linear classifier."""

    def __init__(self, cell: Cell, *, input_channels: int, num_classes: int, final_activation: bool) -> None:
        """Build the network and draw its initial weights from torch's global generator.

        Args:
            cell: The cell; vertices that do not matter are left out.
            input_channels: Image channels.
            num_classes: Length of the logits.
            final_activation: Whether batch normalisation and ReLU follow the cell.

        Raises:
            InvalidArchitectureError: If the cell has no path from input to output, or too many edges.
        """
        super().__init__()
        benchmark = VARIANTS["benchmark"]
        momentum = benchmark.batch_norm_momentum
        self.cell = CellModule(prune(cell), input_channels, SMALL_CHANNELS, momentum)
        self.final_activation = (
            nn.Sequential(nn.BatchNorm2d(SMALL_CHANNELS, momentum=momentum), nn.ReLU())
            if final_activation
            else nn.Identity()
        )
        self.classifier = nn.Linear(SMALL_CHANNELS, num_classes)
        _initialize(self, benchmark.initialization)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (batch, input_channels, side, side) to logits (batch, num_classes)."""
        features: Tensor = self.final_activation(self.cell(images))
        logits: Tensor = self.classifier(features.mean(dim=(2, 3)))
        return logits


@torch.no_grad()
def _initialize(network: nn.Module, initialization: Initialization) -> None:
    for module in network.modules():
        if isinstance(module, nn.Conv2d):
            _initialize_convolution(module, initialization)
        elif isinstance(module, nn.Linear):
            if initialization == "tensorflow":
                nn.init.xavier_uniform_(module.weight)
            else:
                nn.init.normal_(module.weight, std=0.01)
            nn.init.zeros_(module.bias)


def _initialize_convolution(convolution: nn.Conv2d, initialization: Initialization) -> None:
    """Draw a kernel; the spread of the cut-off normal is that before cutting, as TensorFlow corrects for it."""
    out_channels, in_channels, height, width = convolution.weight.shape
    if initialization == "tensorflow":
        std = math.sqrt(1.0 / (height * width * in_channels)) / _TRUNCATED_STD
        nn.init.trunc_normal_(convolution.weight, std=std, a=-2.0 * std, b=2.0 * std)
    else:
        nn.init.normal_(convolution.weight, std=math.sqrt(2.0 / (height * width * out_channels)))
