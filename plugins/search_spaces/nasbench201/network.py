"""Networks built from NAS-Bench-201 cells.

Three stages of cells at falling resolution, joined by residual reduction blocks (Dong & Yang, ICLR 2020,
section 2.1).
"""

from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from .cell import EDGES, NUM_NODES, format_arch_str

Variant = Literal["benchmark", "gennas", "tracked"]

NUM_STAGES = 3


class ReLUConvBN(nn.Sequential):
    """ReLU, convolution with same padding, batch normalisation: the benchmark's pre-activation unit."""

    def __init__(
        self,
        in_channels: int,
        out_channels: int,
        kernel_size: int,
        *,
        stride: int = 1,
        affine: bool = True,
        tracked: bool = True,
    ) -> None:
        """Build the unit.

        Args:
            in_channels: Input channels.
            out_channels: Output channels.
            kernel_size: Side of the square kernel, odd.
            stride: Stride of the convolution.
            affine: Batch normalisation with weights; without, the convolution has a bias.
            tracked: Batch normalisation with running statistics.
        """
        super().__init__(
            nn.ReLU(),
            nn.Conv2d(in_channels, out_channels, kernel_size, stride=stride, padding=kernel_size // 2, bias=not affine),
            nn.BatchNorm2d(out_channels, affine=affine, track_running_stats=tracked),
        )


class ReductionBlock(nn.Module):
    """Residual block that halves the resolution and widens to `out_channels`."""

    def __init__(self, in_channels: int, out_channels: int) -> None:
        super().__init__()
        self.conv_a = ReLUConvBN(in_channels, out_channels, 3, stride=2)
        self.conv_b = ReLUConvBN(out_channels, out_channels, 3)
        self.shortcut = nn.Sequential(nn.AvgPool2d(2), nn.Conv2d(in_channels, out_channels, 1, bias=False))

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, in_channels, side, side) to (batch, out_channels, side / 2, side / 2)."""
        shortcut: Tensor = self.shortcut(x)
        residual: Tensor = self.conv_b(self.conv_a(x))
        return shortcut + residual


def build_operation(op: str, channels: int, variant: Variant) -> nn.Module:
    """Build the operation of an edge, other than `none`, in a cell of one variant of :class:`CellNetwork`."""
    affine, tracked = variant == "benchmark", variant != "gennas"
    match op:
        case "nor_conv_1x1":
            return ReLUConvBN(channels, channels, 1, affine=affine, tracked=tracked)
        case "nor_conv_3x3":
            return ReLUConvBN(channels, channels, 3, affine=affine, tracked=tracked)
        case "avg_pool_3x3":
            return nn.AvgPool2d(3, stride=1, padding=1, count_include_pad=False)
        case _:
            return nn.Identity()


class Cell(nn.Module):
    """One cell; the chosen operation is built on every edge, also on edges that cannot reach the output.

    An edge `none` has no module and adds nothing. Operations on an always-zero node do run, as in the
    benchmark: their batch normalisation can still learn a constant.
    """

    def __init__(self, ops: Sequence[str], channels: int, variant: Variant) -> None:
        super().__init__()
        self.edges = [edge for op, edge in zip(ops, EDGES, strict=True) if op != "none"]
        self.operations = nn.ModuleList(build_operation(op, channels, variant) for op in ops if op != "none")

    def forward(self, x: Tensor) -> Tensor:
        """Map (batch, channels, side, side) to the same shape."""
        nodes: list[Tensor | None] = [x] + [None] * (NUM_NODES - 1)
        for (target, source), operation in zip(self.edges, self.operations, strict=True):
            source_value = nodes[source]
            if source_value is None:
                source_value = nodes[source] = torch.zeros_like(x)
            term: Tensor = operation(source_value)
            previous = nodes[target]
            nodes[target] = term if previous is None else previous + term
        output = nodes[-1]
        # A cell without a path still takes part in the graph: the gradient of its input is 0, not missing.
        return x * 0.0 if output is None else output


class SingleCellNetwork(nn.Module):
    """Image classifier made of one cell with as many channels as the images, global average pooling and a classifier.

    There is no stem. With batch normalisation and ReLU behind the cell it is the network in which TE-NAS counts linear
    regions (Chen et al., ICLR 2021, released code), without them that of SWAP (Peng et al., ICLR 2024, released code).
    """

    def __init__(self, ops: Sequence[str], *, input_channels: int, num_classes: int, final_activation: bool) -> None:
        """Build the network with PyTorch's default initial weights.

        Args:
            ops: Six operation names in the order of `EDGES`.
            input_channels: Image channels.
            num_classes: Length of the logits.
            final_activation: Whether batch normalisation and ReLU follow the cell.
        """
        super().__init__()
        self.cell = Cell(ops, input_channels, "benchmark")
        self.final_activation = (
            nn.Sequential(nn.BatchNorm2d(input_channels), nn.ReLU()) if final_activation else nn.Identity()
        )
        self.classifier = nn.Linear(input_channels, num_classes)

    def forward(self, images: Tensor) -> Tensor:
        """Map images (batch, input_channels, side, side) to logits (batch, num_classes)."""
        features: Tensor = self.final_activation(self.cell(images))
        logits: Tensor = self.classifier(features.mean(dim=(2, 3)))
        return logits


class CellNetwork(nn.Module):
    """Image classifier made of three stages of one cell.

    The stem is a 3x3 convolution with batch normalisation; each reduction block doubles the channels; batch
    normalisation, ReLU, global average pooling and a linear classifier follow the last stage. NAS-Bench-201
    has 16 stem channels and 5 cells a stage.
    """

    def __init__(
        self,
        ops: Sequence[str],
        *,
        input_channels: int,
        stem_channels: int,
        cells_per_stage: int,
        num_classes: int,
        variant: Variant = "benchmark",
    ) -> None:
        """Build the network with PyTorch's default initial weights.

        Args:
            ops: Six operation names in the order of `EDGES`.
            input_channels: Image channels.
            stem_channels: Channels of the first stage.
            cells_per_stage: Cells in each of the three stages.
            num_classes: Length of the logits.
            variant: `benchmark`: all batch normalisation affine with running statistics, convolutions without bias.
                `gennas`: the cells of the GenNAS authors' code (Li et al., NeurIPS 2021), whose batch normalisation has
                neither, and whose convolutions have a bias; stem and reduction blocks as in the benchmark.
                `tracked`: the same with running statistics, as in one of the benchmark authors' two supernets.

        Raises:
            InvalidArchitectureError: If there are not six names or one is no operation.
        """
        super().__init__()
        self.arch_str = format_arch_str(ops)
        self.stem = nn.Sequential(
            nn.Conv2d(input_channels, stem_channels, 3, padding=1, bias=False), nn.BatchNorm2d(stem_channels)
        )
        self.stages = nn.ModuleList()
        for stage in range(NUM_STAGES):
            channels = stem_channels * 2**stage
            blocks: list[nn.Module] = [] if stage == 0 else [ReductionBlock(channels // 2, channels)]
            blocks += [Cell(ops, channels, variant) for _ in range(cells_per_stage)]
            self.stages.append(nn.Sequential(*blocks))
        self.final_activation = nn.Sequential(nn.BatchNorm2d(channels), nn.ReLU())
        self.classifier = nn.Linear(channels, num_classes)

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Compute the output of each stage.

        Args:
            images: Shape (batch, input_channels, side, side), side divisible by 4.

        Returns:
            Three tensors of shape (batch, stem_channels * 2**i, side / 2**i, side / 2**i); the last one comes
            before the final batch normalisation.
        """
        features = self.stem(images)
        outputs = []
        for stage in self.stages:
            features = stage(features)
            outputs.append(features)
        return outputs

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """Compute the output of the stem, of each cell and of each reduction block, in the order they run.

        Each tensor is the very one that the next block takes, so that a block can be differentiated by itself. No block
        changes another's output.

        Args:
            images: Shape (batch, input_channels, side, side), side divisible by 4.

        Returns:
            3 * cells_per_stage + 3 tensors of shape (batch, channels, height, width); the last one comes before the
            final batch normalisation.
        """
        outputs = [self.stem(images)]
        for stage in self.stages:
            for block in stage:  # type: ignore[attr-defined]
                outputs.append(block(outputs[-1]))
        return outputs

    def forward(self, images: Tensor) -> Tensor:
        """Map images (batch, input_channels, side, side) to logits (batch, num_classes)."""
        features: Tensor = self.final_activation(self.forward_stages(images)[-1])
        logits: Tensor = self.classifier(features.mean(dim=(2, 3)))
        return logits
