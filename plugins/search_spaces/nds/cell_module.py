"""One cell as a module."""

from __future__ import annotations

from torch import Tensor, nn

from ....core.layers import Concatenation
from .definition import CellSpaceDefinition
from .genotype import NUM_INPUTS, Cell
from .operation_modules import FactorizedReduction, ReLUConvBN, make_operation


class CellModule(nn.Module):
    """Projects its two inputs to its channels, computes its nodes and concatenates some of them.

    Attributes:
        out_channels: Channels of the concatenation.
    """

    def __init__(
        self,
        cell: Cell,
        definition: CellSpaceDefinition,
        in_channels: tuple[int, int],
        channels: int,
        *,
        reduces: bool,
        halves_first: bool,
    ) -> None:
        """Build the cell with PyTorch's default initial weights.

        Args:
            cell: Its nodes.
            definition: Its operations, and what it concatenates.
            in_channels: Channels of the output of the cell before the previous one, and of the previous one.
            channels: Channels of every node.
            reduces: Whether operations on the two inputs have stride 2.
            halves_first: Whether the first input has twice the resolution of the second.
        """
        super().__init__()
        project_first = FactorizedReduction if halves_first else ReLUConvBN
        self.projections = nn.ModuleList(
            [project_first(in_channels[0], channels), ReLUConvBN(in_channels[1], channels)]
        )
        self.sources = [[edge.source for edge in node] for node in cell]
        self.operations = nn.ModuleList(
            make_operation(
                definition.by_name[edge.operation], channels, 2 if reduces and edge.source < NUM_INPUTS else 1
            )
            for node in cell
            for edge in node
        )
        self.outputs = definition.outputs(cell)
        self.concatenate = Concatenation()
        self.out_channels = channels * len(self.outputs)

    def forward(self, before_previous: Tensor, previous: Tensor) -> Tensor:
        """Map the outputs of the two cells before, in this order, to (batch, out_channels, height, width)."""
        states = [self.projections[0](before_previous), self.projections[1](previous)]
        operations = iter(self.operations)
        for sources in self.sources:
            first, second = (next(operations)(states[source]) for source in sources)
            states.append(first + second)
        output: Tensor = self.concatenate([states[index] for index in self.outputs])
        return output
