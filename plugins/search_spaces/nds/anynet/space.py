"""The search spaces of AnyNet designs. Importing this module does not import torch."""

from __future__ import annotations

import json
import math
from collections.abc import Sequence
from typing import TYPE_CHECKING

from .....core.errors import InvalidArchitectureError
from ..recorded_space import RecordedSpace
from .design import NUM_STAGES, RESNET, RESNEXT_A, RESNEXT_B, Definition, Stage
from .layout import CIFAR_STEM_WIDTH, IMAGENET_STEM_WIDTH, NetworkLayout, benchmark_layout, reduced, scored_layout
from .records import design_of_record

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from .....core.descriptions import DatasetInfo, SearchSpaceInfo
    from .....core.pictures.graph import CellGraph

DEFINITIONS: dict[str, Definition] = {"nds-resnet": RESNET, "nds-resnext-a": RESNEXT_A, "nds-resnext-b": RESNEXT_B}


class AnyNetSpace(RecordedSpace):
    """All combinations of the values that a definition has; no two are the same network."""

    def __init__(self, info: SearchSpaceInfo) -> None:
        super().__init__(info)
        self.definition = DEFINITIONS[info.name]

    def _defined_size(self) -> int:
        return math.prod(map(len, self.definition.decisions))

    def _defined_sampling(self) -> str:
        return "uniform over the space, without replacement"

    def canonicalize(self, text: str) -> str:
        """Return the design with one blank between stages, and numbers without leading zeros.

        The ``net`` of a released record is read too, as JSON.

        Raises:
            InvalidArchitectureError: ``text`` is no design of this space.
        """
        return self.definition.text(self._parse(text))

    def _parse(self, text: str) -> tuple[Stage, ...]:
        if not text.lstrip().startswith("{"):
            return self.definition.parse(text)
        try:
            return self.definition.parse(design_of_record(self.definition, json.loads(text)))
        except (InvalidArchitectureError, ValueError, RecursionError) as error:
            raise InvalidArchitectureError(f"Record of '{self.name}': {str(error).rstrip('.')}.") from error

    def describe(self, text: str) -> str:
        """Return a design in words.

        Raises:
            InvalidArchitectureError: ``text`` is no design of this space.
        """
        stages = self._parse(text)
        depth = 1 + sum((2 if self.definition.block == "basic" else 3) * stage.depth for stage in stages) + 1
        widths = ", ".join(f"{stage.depth} x {stage.width}" for stage in stages)
        return f"{depth} layers, blocks x channels {widths}"

    def example(self) -> str:
        """Return a small design."""
        return self.definition.example

    def _draw_defined(self, count: int, rng: np.random.Generator) -> list[str]:
        numbers = rng.choice(self._defined_size(), count, replace=False).tolist()
        return [self._assemble_defined(self._options(number)) for number in numbers]

    def _options(self, number: int) -> list[int]:
        """Return the options of the design with this number, from 0 to size - 1."""
        options = []
        for values in reversed(self.definition.decisions):
            number, option = divmod(number, len(values))
            options.append(option)
        return options[::-1]

    def _mutate_defined(self, text: str, rng: np.random.Generator) -> str:
        """Redraw each decision with probability 1 / (number of decisions), uniformly among its other values.

        If none was chosen, one is: the mutant is always another network.
        """
        decisions = self.definition.decisions
        decided = self.definition.decided(self._parse(text))
        redrawn = rng.random(len(decisions)) < 1 / len(decisions)
        redrawn[rng.integers(len(decisions))] |= not redrawn.any()
        for place in redrawn.nonzero()[0].tolist():
            others = [value for value in decisions[place] if value != decided[place]]
            decided[place] = others[rng.integers(len(others))]
        return self.definition.text(self.definition.design(decided))

    def _scalars(self, text: str) -> list[str]:
        return list(map(str, self.definition.decided(self._parse(text))))

    def _defined_neighbours(self, text: str) -> list[str]:
        """Take every other value of one decision: 57 designs of ResNet, 36 or 42 of ResNeXt."""
        decided = self.definition.decided(self._parse(text))
        return [
            self.definition.text(self.definition.design([*decided[:place], value, *decided[place + 1 :]]))
            for place, values in enumerate(self.definition.decisions)
            for value in values
            if value != decided[place]
        ]

    def choices(self) -> tuple[tuple[str, ...], ...] | None:
        """Return the values of every decision, stage by stage, with the letter of the notation."""
        letters = self.definition.letters * NUM_STAGES
        return tuple(
            tuple(f"{letter}{value}" for value in values)
            for letter, values in zip(letters, self.definition.decisions, strict=True)
        )

    def _assemble_defined(self, options: Sequence[int]) -> str:
        decided = [values[option] for values, option in zip(self.definition.decisions, options, strict=True)]
        return self.definition.text(self.definition.design(decided))

    def cell_graphs(self, arch_id: str) -> tuple[CellGraph, ...]:
        """Return the graph of the network, and of a block of each stage."""
        from .picture import network_graphs

        return network_graphs(self.definition.block, self._parse(arch_id))

    def network_layout(self, arch_id: str, variant: str) -> NetworkLayout:
        """Return what a network of a design is made of."""
        stages = self._parse(arch_id)
        match variant:
            case "imagenet":
                return benchmark_layout(self.definition, stages, imagenet=True)
            case "reduced":
                return benchmark_layout(self.definition, [reduced(stage, stage.depth) for stage in stages])
            case "narrow":
                return benchmark_layout(self.definition, [reduced(stage, 1) for stage in stages])
            case "gennas":
                return scored_layout(self.definition, stages, "conv3", CIFAR_STEM_WIDTH)
            case "gennas-imagenet":
                return scored_layout(self.definition, stages, "conv3", IMAGENET_STEM_WIDTH)
            case "naswot":
                return scored_layout(self.definition, stages, "conv7-pool", CIFAR_STEM_WIDTH)
            case _:
                return benchmark_layout(self.definition, stages)

    def _build_network(self, arch_id: str, dataset: DatasetInfo, variant: str) -> nn.Module:
        from .network import AnyNet

        return AnyNet(
            self.network_layout(arch_id, variant),
            input_channels=dataset.input_shape[0],
            num_classes=dataset.num_classes,
        )
