"""The search space of a definition of cells. Importing this module does not import torch."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, ClassVar

from ....core.errors import InvalidArchitectureError, SampleSizeError, UnsupportedSearchSpaceError
from .definition import MIN_DEPTH, CellSpaceDefinition, Form
from .genotype import Architecture, Cell
from .notation import format_architecture, parse_architecture
from .recorded_space import RecordedSpace

if TYPE_CHECKING:
    import numpy as np
    from torch import nn

    from ....core.descriptions import DatasetInfo
    from ....core.pictures.graph import CellGraph

SINGLE_CELLS = ("single-cell", "te-nas")

DRAWS_WITHOUT_NEWS = 2000
"""After so many repetitions in a row a space counts as exhausted: where a hundredth is left, one draw in 100 is new."""

SIDES_FOR_HEADS: dict[Form, range] = {
    "cifar": range(29, 41),
    "imagenet": range(193, 257),
    "imagenet-unstrided": range(25, 33),
}
"""Height and width of images from whose features the auxiliary head gets two windows in each direction, as it needs."""

NOTHING = "-"
"""In place of a node that a cell does not concatenate."""

NARROW_WIDTH = 4
REDUCED_SHARE = 4

NETWORK_VARIANTS = {
    "benchmark": "the networks for CIFAR: a stem of three times the width, cells, pooling and classifier",
    "imagenet": "the networks for ImageNet: two stems, which leave an eighth of the images' resolution",
    "imagenet-unstrided": "the same with stems that keep the resolution, as GenNAS scores networks for ImageNet",
    "narrow": "the networks for CIFAR with width 4 and three cells, one of them normal, after TE-NAS",
    "reduced": "the networks for CIFAR with a quarter of the width, after EcoNAS",
    "single-cell": "one normal cell with 4 channels, no stem, after SWAP",
    "te-nas": "the single cell with batch norm and ReLU behind it, after TE-NAS",
}

IDENTITY = (
    "Architectures are one if they differ only in the order of a node's two edges, in the numbers of the nodes, and in "
    "what `none` works on."
)


class CellSpace(RecordedSpace):
    """Networks of two cells, each of nodes that are sums of two operations.

    Attributes:
        definition: What the space is made of.
        forms: The stems of those network variants that do not have those for CIFAR.
    """

    definition: ClassVar[CellSpaceDefinition]
    forms: ClassVar[Mapping[str, Form]] = {"imagenet": "imagenet", "imagenet-unstrided": "imagenet-unstrided"}

    def _defined_size(self) -> int | None:
        """Return None: nobody counted the architectures without repetition."""
        return None

    def _defined_sampling(self) -> str:
        return "each decision of the definition uniform, without repetition"

    def canonicalize(self, text: str) -> str:
        """Return the first spelling of an architecture.

        Raises:
            InvalidArchitectureError: ``text`` is none of this space.
        """
        return self._spell(self.definition.canonical(self._parse(text)))

    def example(self) -> str:
        """Return a small architecture: the first draw, with the smallest width and depth."""
        import numpy as np

        drawn = self._draw(np.random.default_rng(0))
        smallest = replace(drawn, width=min(self.definition.widths), depth=min(self.definition.depths))
        return self._spell(self.definition.canonical(smallest))

    def describe(self, text: str) -> str:
        """Return width, depth, and what the two cells are made of.

        Raises:
            InvalidArchitectureError: ``text`` is none of this space.
        """
        architecture = self._parse(text)
        return (
            f"{self._describe_size(architecture)}; normal cell: {_operations(architecture.normal)}; reduction cell: "
            f"{_operations(architecture.reduction)}"
        )

    def _describe_size(self, architecture: Architecture) -> str:
        return f"{architecture.width} channels, {architecture.depth} cells"

    def choices(self) -> tuple[tuple[str, ...], ...] | None:
        """Return the options of width, depth, and operation and source of each edge."""
        return self.definition.choices()

    def cell_graphs(self, arch_id: str) -> tuple[CellGraph, ...]:
        """Return the graphs of normal and reduction cell, with operations on their edges."""
        from .picture import cell_graphs

        return cell_graphs(self._parse(arch_id), self.definition)

    def _draw_defined(self, count: int, rng: np.random.Generator) -> list[str]:
        drawn: dict[str, None] = {}
        repeated = 0
        while len(drawn) < count:
            arch_id = self._spell(self.definition.canonical(self._draw(rng)))
            repeated = repeated + 1 if arch_id in drawn else 0
            if repeated == DRAWS_WITHOUT_NEWS:
                raise SampleSizeError(
                    f"Of {count:,} architectures of '{self.name}' only {len(drawn):,} were found: the last "
                    f"{repeated:,} draws repeated one. Ask for at most {len(drawn)}."
                )
            drawn.setdefault(arch_id)
        return list(drawn)

    def _mutate_defined(self, text: str, rng: np.random.Generator) -> str:
        """Take another option of one decision, both drawn uniformly."""
        choices, chosen = self.definition.choices(), self.definition.decisions(self._parse(text))
        others = [[option for option in options if option != old] for options, old in zip(choices, chosen, strict=True)]
        open_places = [place for place, options in enumerate(others) if options]
        place = open_places[rng.integers(len(open_places))]
        chosen[place] = others[place][rng.integers(len(others[place]))]
        return self._spell(self.definition.assemble(chosen))

    def _defined_neighbours(self, text: str) -> list[str]:
        """Take every other option of width, depth, and operation and source of each edge."""
        return [self._spell(neighbour) for neighbour in self.definition.neighbours(self._parse(text))]

    def _assemble_defined(self, options: Sequence[int]) -> str:
        choices = self.definition.choices()
        return self._spell(
            self.definition.assemble([names[option] for names, option in zip(choices, options, strict=True)])
        )

    def _scalars(self, text: str) -> list[str]:
        """Return the decisions, and the indices of the nodes that each cell concatenates, padded to all nodes."""
        architecture = self._parse(text)
        scalars = self.definition.decisions(architecture)
        for cell in (architecture.normal, architecture.reduction):
            outputs = self.definition.outputs(cell)
            scalars += [*map(str, outputs), *[NOTHING] * (len(cell) - len(outputs))]
        return scalars

    def _draw(self, rng: np.random.Generator) -> Architecture:
        return self.definition.assemble([options[rng.integers(len(options))] for options in self.definition.choices()])

    def _spell(self, architecture: Architecture) -> str:
        return format_architecture(architecture, self.definition)

    def _parse(self, text: str) -> Architecture:
        try:
            return parse_architecture(text, self.definition)
        except InvalidArchitectureError as error:
            raise InvalidArchitectureError(f"Architecture of '{self.name}': {str(error).rstrip('.')}.") from error

    def _build_network(self, arch_id: str, dataset: DatasetInfo, variant: str) -> nn.Module:
        from .cell_network import SingleCellNetwork

        if variant not in SINGLE_CELLS:
            return self._build_cells(arch_id, dataset, variant, auxiliary=False)
        return SingleCellNetwork(
            self._parse(arch_id),
            self.definition,
            input_channels=dataset.input_shape[0],
            num_classes=dataset.num_classes,
            final_activation=variant == "te-nas",
        )

    def _build_with_auxiliary_head(self, arch_id: str, dataset: DatasetInfo, variant: str) -> nn.Module:
        """Add the head behind the second reduction cell (Liu et al., DARTS, whose training weighs its loss by 0.4)."""
        if variant in SINGLE_CELLS:
            raise UnsupportedSearchSpaceError(
                f"The network '{variant}' of '{self.name}' is a single cell, without an auxiliary head."
            )
        sides, (height, width) = SIDES_FOR_HEADS[self.forms.get(variant, "cifar")], dataset.input_shape[1:]
        if height not in sides or width not in sides:
            raise UnsupportedSearchSpaceError(
                f"The auxiliary head of the network '{variant}' of '{self.name}' takes features of images of "
                f"{sides[0]} to {sides[-1]} pixels, not {height} x {width}."
            )
        return self._build_cells(arch_id, dataset, variant, auxiliary=True)

    def _build_cells(self, arch_id: str, dataset: DatasetInfo, variant: str, *, auxiliary: bool) -> nn.Module:
        from .cell_network import CellNetwork

        return CellNetwork(
            self._resized(self._parse(arch_id), variant),
            self.definition,
            input_channels=dataset.input_shape[0],
            num_classes=dataset.num_classes,
            form=self.forms.get(variant, "cifar"),
            auxiliary=auxiliary,
        )

    def _resized(self, architecture: Architecture, variant: str) -> Architecture:
        if variant == "narrow":
            return replace(architecture, width=NARROW_WIDTH, depth=MIN_DEPTH)
        if variant == "reduced":
            return replace(architecture, width=max(2, architecture.width // REDUCED_SHARE // 2 * 2))
        return architecture


def _operations(cell: Cell) -> str:
    counts = Counter(edge.operation for node in cell for edge in node)
    return ", ".join(f"{count} {name}" for name, count in counts.most_common())
