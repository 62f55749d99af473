"""NAS-Bench-101 as the independent package nasbench-pytorch has it: its networks, and its hashes of cells.

Source: Romulus Hong and Gabriela Kadlecova, nasbench-pytorch, a translation of the benchmark's own code (Ying et al.,
ICML 2019).
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from nasbench_pytorch.model import ModelSpec, Network
from nasbench_pytorch.model.model import Placeholder
from torch import nn

from .cell import OPERATIONS, Cell
from .structure import BENCHMARK_STEM_CHANNELS

if TYPE_CHECKING:
    from torch import Tensor


class ReferenceNetwork(nn.Module):
    """The package's own network of a cell, with its initial weights and the settings that it has by default.

    The same function as our network of the variant ``benchmark`` where weights are the same. What differs: convolutions
    are drawn from N(0, 2 / (k * k * out_channels)) and the classifier from N(0, 0.01**2); batch normalisation gives a
    batch a weight of 0.997 in the statistics of stem and projections, where the benchmark means 0.003, and of 0.1 in
    operations. Its placeholders, which stand where a cell has no layer and return their input, are replaced: each has a
    parameter that nothing depends on.
    """

    def __init__(self, cell: Cell, *, input_channels: int, num_classes: int) -> None:
        """Build the network; initial weights come from torch's global generator.

        Args:
            cell: The cell; vertices that do not matter are left out.
            input_channels: Image channels.
            num_classes: Length of the logits.
        """
        super().__init__()
        self.network = Network(
            model_spec(cell), num_labels=num_classes, in_channels=input_channels,
            stem_out_channels=BENCHMARK_STEM_CHANNELS,
        )  # fmt: skip
        for parent in list(self.network.modules()):
            for name, child in parent.named_children():
                if isinstance(child, Placeholder):
                    setattr(parent, name, nn.Identity())

    def forward(self, images: Tensor) -> Tensor:
        """Map images (batch, input_channels, side, side) to logits (batch, num_classes)."""
        logits: Tensor = self.network(images)
        return logits

    def forward_stages(self, images: Tensor) -> list[Tensor]:
        """Compute the output of each of the three stages, before the max-pooling that follows."""
        outputs, features = [], images
        for layer in self.network.layers:
            if isinstance(layer, nn.MaxPool2d):
                outputs.append(features)
            features = layer(features)
        return [*outputs, features]

    def forward_blocks(self, images: Tensor) -> list[Tensor]:
        """Compute the output of the stem and of each cell, each the very tensor that the next one takes."""
        outputs, features = [], images
        for layer in self.network.layers:
            features = layer(features)
            if not isinstance(layer, nn.MaxPool2d):
                outputs.append(features)
        return outputs


def model_spec(cell: Cell) -> Any:
    """Return the package's description of a cell; it leaves out vertices that do not matter."""
    matrix = np.zeros((cell.num_vertices, cell.num_vertices), int)
    for source, target in cell.edges:
        matrix[source, target] = 1
    return ModelSpec(matrix, ["input", *cell.ops, "output"])


def reference_hash(cell: Cell) -> str:
    """Return the key of a cell in the benchmark's own table as the package computes it, 32 hexadecimal digits."""
    spec = model_spec(cell)
    # Its hash adds up rows of the matrix as NumPy does, and its description keeps a tensor.
    spec.matrix = spec.matrix.numpy()
    digits: str = spec.hash_spec(OPERATIONS)
    return digits
