"""The supernet of NAS-Bench-201: every edge of every cell holds all five operations.

Source: Dong & Yang, NAS-Bench-201, ICLR 2020, released code. Stem, reduction blocks and classifier are those of the
benchmark's networks. The convolutions of the cells have no affine batch normalisation, and a bias, which that takes
out again: no output depends on it.
"""

from __future__ import annotations

from functools import reduce
from operator import add

import torch
from torch import Tensor, nn

from ....core.supernets import Choice, DecisionRule, Supernet, SupernetNorm
from .cell import EDGES, NUM_NODES, OPERATIONS, format_arch_str
from .network import Cell, CellNetwork, Variant, build_operation
from .other_spellings import parse_cell


class Zero(nn.Module):
    """The operation `none`."""

    def forward(self, x: Tensor) -> Tensor:
        """Return zeros; what is not finite stays visible."""
        return x * 0.0


class SuperCell(nn.Module):
    """A cell with all operations on every edge."""

    def __init__(self, channels: int, variant: Variant) -> None:
        super().__init__()
        self.edges = nn.ModuleList(
            nn.ModuleList(Zero() if op == "none" else build_operation(op, channels, variant) for op in OPERATIONS)
            for _ in EDGES
        )

    def forward(self, x: Tensor, rule: DecisionRule) -> Tensor:
        """Map (batch, channels, side, side) to the same shape."""
        nodes = [x]
        for node in range(1, NUM_NODES):
            terms = [
                rule(edge, self.edges[edge], nodes[source])  # type: ignore[arg-type]
                for edge, (target, source) in enumerate(EDGES)
                if target == node
            ]
            nodes.append(reduce(add, terms))
        return nodes[-1]


class CellSupernet(Supernet):
    """All networks of :class:`.network.CellNetwork` of one size in one."""

    options = (OPERATIONS,) * len(EDGES)
    skips = frozenset({"skip_connect"})
    zeros = frozenset({"none"})
    nodes = tuple(
        tuple(edge for edge, (target, _) in enumerate(EDGES) if target == node) for node in range(1, NUM_NODES)
    )

    def __init__(
        self,
        *,
        input_channels: int,
        stem_channels: int,
        cells_per_stage: int,
        num_classes: int,
        norm: SupernetNorm,
    ) -> None:
        """Build the supernet with PyTorch's default initial weights.

        Args:
            input_channels: Image channels.
            stem_channels: Channels of the first stage.
            cells_per_stage: Cells in each of the three stages.
            num_classes: Length of the logits.
            norm: Batch normalisation.
        """
        super().__init__()
        self._size = (input_channels, stem_channels, cells_per_stage, num_classes)
        self._norm = norm
        self.skeleton = self._stand_alone(("none",) * len(EDGES))
        for number, stage in enumerate(self._stages(self.skeleton)):
            for position, block in enumerate(stage):
                if isinstance(block, Cell):
                    stage[position] = SuperCell(stem_channels * 2**number, self._variant)

    @property
    def _variant(self) -> Variant:
        return "tracked" if self._norm.tracked else "gennas"

    def forward(self, images: Tensor, rule: DecisionRule) -> Tensor:
        """Map images (batch, input_channels, side, side) to logits (batch, num_classes)."""
        features = self.skeleton.stem(images)
        for stage in self._stages(self.skeleton):
            for block in stage:
                features = block(features, rule) if isinstance(block, SuperCell) else block(features)
        features = self.skeleton.final_activation(features)
        logits: Tensor = self.skeleton.classifier(features.mean(dim=(2, 3)))
        return logits

    def spell(self, choice: Choice) -> str:
        """Return the architecture string of a choice."""
        return format_arch_str([OPERATIONS[option] for option in choice])

    def choice_of(self, text: str) -> Choice:
        """Return the operations of a cell by their indices.

        Raises:
            InvalidArchitectureError: The text is no NAS-Bench-201 cell.
        """
        return tuple(OPERATIONS.index(op) for op in parse_cell(text))

    def path_network(self, choice: Choice) -> CellNetwork:
        """Return the stand-alone network of a choice with copies of its weights and running statistics."""
        with torch.random.fork_rng(devices=()):
            network = self._stand_alone([OPERATIONS[option] for option in choice])
        parameter = next(self.parameters())
        network.to(device=parameter.device, dtype=parameter.dtype)
        for part in ("stem", "final_activation", "classifier"):
            getattr(network, part).load_state_dict(getattr(self.skeleton, part).state_dict())
        for stage, shared_stage in zip(self._stages(network), self._stages(self.skeleton), strict=True):
            for block, shared in zip(stage, shared_stage, strict=True):
                if isinstance(block, Cell):
                    _copy_path(block, shared, choice)
                else:
                    block.load_state_dict(shared.state_dict())
        return network.train(self.training)

    def _stand_alone(self, ops: list[str] | tuple[str, ...]) -> CellNetwork:
        input_channels, stem_channels, cells_per_stage, num_classes = self._size
        network = CellNetwork(
            ops,
            input_channels=input_channels,
            stem_channels=stem_channels,
            cells_per_stage=cells_per_stage,
            num_classes=num_classes,
            variant=self._variant,
        )
        if self._norm.plain_last:
            channels = network.classifier.in_features
            network.final_activation[0] = nn.BatchNorm2d(channels, affine=False, track_running_stats=False)
        return network

    @staticmethod
    def _stages(network: CellNetwork) -> list[nn.Sequential]:
        return list(network.stages)  # type: ignore[arg-type]


def _copy_path(cell: Cell, shared: nn.Module, choice: Choice) -> None:
    """Give a cell the weights that a choice has in a cell of the supernet."""
    chosen = [
        edge[option]
        for edge, option in zip(shared.edges, choice, strict=True)  # type: ignore[arg-type]
        if OPERATIONS[option] != "none"
    ]
    for operation, its_weights in zip(cell.operations, chosen, strict=True):
        operation.load_state_dict(its_weights.state_dict())
