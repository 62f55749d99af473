"""How a network is put together from one cell: stages, and the channels of each vertex.

Three stages of three cells. The first cell of the second and third stage doubles the channels (Ying et al.,
NAS-Bench-101, ICML 2019, section 2.2).
"""

from __future__ import annotations

from .cell import Cell

NUM_STAGES = 3
CELLS_PER_STAGE = 3
BENCHMARK_STEM_CHANNELS = 128


def stage_channels(stem_channels: int, cells_per_stage: int = CELLS_PER_STAGE) -> list[list[tuple[int, int]]]:
    """Input and output channels of each cell of each stage."""
    stages = []
    in_channels = stem_channels
    for stage in range(NUM_STAGES):
        out_channels = stem_channels * 2**stage
        stages.append([(in_channels, out_channels), *[(out_channels, out_channels)] * (cells_per_stage - 1)])
        in_channels = out_channels
    return stages


def vertex_channels(cell: Cell, in_channels: int, out_channels: int) -> list[int]:
    """Channels of each vertex's output.

    The vertices that feed the output share its channels equally, the first ones taking one more where that does not
    come out even; any other interior vertex has as many as the widest one it feeds (section 2.2 and the benchmark's
    code).

    Args:
        cell: A pruned cell.
        in_channels: Channels of the cell's input.
        out_channels: Channels of the cell's output.
    """
    feeding = [vertex for vertex in cell.sources(cell.output) if vertex > 0]
    channels = [in_channels, *[0] * (cell.num_vertices - 2), out_channels]
    for index, vertex in enumerate(feeding):
        channels[vertex] = out_channels // len(feeding) + (index < out_channels % len(feeding))
    for vertex in reversed(range(1, cell.output)):
        if vertex not in feeding:
            channels[vertex] = max(channels[target] for target in cell.targets(vertex))
    return channels
