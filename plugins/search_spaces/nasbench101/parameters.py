"""Numbers of trainable parameters of many cells' networks, counted without building them."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
import numpy.typing as npt

from .cell import OPERATIONS
from .encoding import CellBatch, Codes, encode, has_edge, ops_at, prune_many
from .structure import BENCHMARK_STEM_CHANNELS, stage_channels

_KERNEL_AREAS = {"conv1x1-bn-relu": 1, "conv3x3-bn-relu": 9}


def count_trainable_parameters(
    texts: Sequence[str],
    *,
    stem_channels: int = BENCHMARK_STEM_CHANNELS,
    input_channels: int = 3,
    num_classes: int = 10,
) -> npt.NDArray[np.int64]:
    """Count the weights and biases, those of batch normalisation among them, of each cell's network.

    Args:
        texts: Cells, in any spelling.
        stem_channels: Channels of the first stage.
        input_channels: Image channels.
        num_classes: Outputs of the classifier.

    Returns:
        Shape (cells,).

    Raises:
        InvalidArchitectureError: If a text is no cell of the space.
    """
    counts = np.zeros(len(texts), np.int64)
    stages = stage_channels(stem_channels)
    for batch in encode(texts):
        for pruned in prune_many(batch):
            for in_channels, out_channels in (cell for stage in stages for cell in stage):
                counts[pruned.rows] += _count_in_cells(pruned, in_channels, out_channels)
    classifier_inputs = stages[-1][-1][1]
    return counts + _conv_bn(9, input_channels, stem_channels) + (classifier_inputs + 1) * num_classes


def _count_in_cells(batch: CellBatch, in_channels: int, out_channels: int) -> Codes:
    """Parameters of one cell of each network."""
    channels = _vertex_channels(batch, out_channels)
    counts = np.zeros_like(batch.codes)
    for vertex in range(1, batch.num_vertices):
        projection = _conv_bn(1, in_channels, channels[vertex])
        counts += projection * has_edge(batch.num_vertices, batch.codes, 0, vertex)
    for vertex in range(1, batch.num_vertices - 1):
        ops = ops_at(batch.num_vertices, batch.codes, vertex)
        for op, kernel_area in _KERNEL_AREAS.items():
            counts += _conv_bn(kernel_area, channels[vertex], channels[vertex]) * (ops == OPERATIONS.index(op))
    return counts


def _conv_bn(kernel_area: int, in_channels: Codes | int, out_channels: Codes | int) -> Codes | int:
    """Parameters of a convolution without bias, and of the batch normalisation behind it."""
    return kernel_area * in_channels * out_channels + 2 * out_channels


def _vertex_channels(batch: CellBatch, out_channels: int) -> list[Codes]:
    """Channels of each vertex of each cell, by the rule of `structure.vertex_channels`; 0 for the input."""
    output = batch.num_vertices - 1
    feeding = [has_edge(batch.num_vertices, batch.codes, vertex, output) for vertex in range(output)]
    num_feeding = np.maximum(sum(feeding[1:], np.zeros_like(batch.codes)), 1)
    channels = [np.zeros_like(batch.codes) for _ in range(output)] + [np.full_like(batch.codes, out_channels)]
    rank = np.zeros_like(batch.codes)
    for vertex in range(1, output):
        channels[vertex] = (out_channels // num_feeding + (rank < out_channels % num_feeding)) * feeding[vertex]
        rank += feeding[vertex]
    for vertex in reversed(range(1, output)):
        for target in range(vertex + 1, output):
            passed = channels[target] * has_edge(batch.num_vertices, batch.codes, vertex, target)
            widest = np.maximum(channels[vertex], passed)
            channels[vertex] = np.where(feeding[vertex] == 1, channels[vertex], widest)
    return channels
