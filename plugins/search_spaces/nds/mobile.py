"""DARTS cells for ImageNet under the mobile limit (Li et al., GenNAS, NeurIPS 2021, section 4.4)."""

from __future__ import annotations

import bisect
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

from ....core.errors import InvalidArchitectureError
from .definition import MAX_WIDTH, CellSpaceDefinition, Form
from .genotype import Architecture, Cell
from .layers import count_layers
from .notation import format_cells
from .space import CellSpace
from .spaces import DARTS

MILLION = 10**6

SMALL_DEPTH = 5
"""Cells of the smaller proxy: with fewer, no normal cell stands between the two reductions."""


@dataclass(frozen=True, kw_only=True)
class LimitedDefinition(CellSpaceDefinition):
    """A space of networks for ImageNet, whose width follows from their cells: the greatest that a limit allows.

    Attributes:
        depths: The one depth of all networks.
        multiply_adds: Least and greatest number of multiply-adds, for an image of 224 x 224 pixels.
    """

    states_size: ClassVar[bool] = False

    multiply_adds: tuple[int, int]

    @property
    def depth(self) -> int:
        """Number of cells of all networks."""
        return self.depths[0]

    def architecture(self, size: tuple[int, int] | None, normal: Cell, reduction: Cell) -> Architecture:
        """Return the architecture of two cells, with the width that follows from them.

        Raises:
            InvalidArchitectureError: No width brings them within the limit, or ``size`` is another one.
        """
        sized = Architecture(self._width(normal, reduction), self.depth, normal, reduction)
        if size not in (None, (sized.width, sized.depth)):
            raise InvalidArchitectureError(
                f"width and depth are {size[0]} and {size[1]}, and these cells have {sized.width} and {sized.depth}, "
                f"with {self.count(sized)[1] / MILLION:.1f} M multiply-adds: leave width and depth away"
            )
        return sized

    def count(self, architecture: Architecture) -> tuple[int, int]:
        """Return parameters and multiply-adds of the network for ImageNet."""
        outputs = len(self.outputs(architecture.normal)), len(self.outputs(architecture.reduction))
        return count_layers(architecture, outputs)

    def choices(self) -> tuple[tuple[str, ...], ...]:
        """Return the options of operation and source of each edge, cell by cell; the size is no decision."""
        return super().choices()[2:]

    def assemble(self, chosen: Sequence[str]) -> Architecture:
        """Return the architecture that takes these options, one for each of ``choices``.

        Raises:
            InvalidArchitectureError: No width brings it within the limit.
        """
        cells = super().assemble([str(self.widths[0]), str(self.depth), *chosen])
        return self.architecture(None, cells.normal, cells.reduction)

    def decisions(self, architecture: Architecture) -> list[str]:
        """Return what an architecture chose of each of ``choices``."""
        return super().decisions(architecture)[2:]

    def _width(self, normal: Cell, reduction: Cell) -> int:
        """Return the greatest width with at most the greatest number of multiply-adds."""
        narrow, double = (self.count(Architecture(width, self.depth, normal, reduction))[1] for width in (2, 4))

        def multiply_adds(width: int) -> int:
            # Every layer has them in proportion to the width or to its square, so that two counts tell all.
            return ((double - 2 * narrow) * width * width + 2 * (4 * narrow - double) * width) // 8

        least, greatest = self.multiply_adds
        place = bisect.bisect_right(self.widths, greatest, key=multiply_adds) - 1
        if place >= 0 and multiply_adds(self.widths[place]) >= least:
            return self.widths[place]
        nearest = list(self.widths[max(place, 0) : place + 2])
        counted = " and ".join(f"{multiply_adds(width) / MILLION:.1f} M at width {width}" for width in nearest)
        raise InvalidArchitectureError(
            f"no width gives '{format_cells(normal, reduction)}' {least / MILLION:g} to {greatest / MILLION:g} M "
            f"multiply-adds in {self.depth} cells: it has {counted}"
        )


MOBILE = LimitedDefinition(
    operations=DARTS.operations,
    num_nodes=DARTS.num_nodes,
    output=DARTS.output,
    widths=tuple(range(2, MAX_WIDTH + 1, 2)),
    depths=(14,),
    multiply_adds=(500 * MILLION, 600 * MILLION),
)


class DartsImagenetMobile(CellSpace):
    """DARTS cells in networks for ImageNet of 14 cells, as wide as 600 M multiply-adds allow."""

    definition = MOBILE
    forms: ClassVar[Mapping[str, Form]] = {
        "benchmark": "imagenet",
        "reduced": "imagenet",
        "gennas": "imagenet-unstrided",
        "gennas-small": "imagenet-unstrided",
    }

    def _resized(self, architecture: Architecture, variant: str) -> Architecture:
        if variant == "gennas-small":
            return replace(super()._resized(architecture, "reduced"), depth=SMALL_DEPTH)
        return super()._resized(architecture, variant)

    def _describe_size(self, architecture: Architecture) -> str:
        parameters, multiply_adds = MOBILE.count(architecture)
        return (
            f"{parameters / MILLION:.2f} M parameters, {multiply_adds / MILLION:.1f} M multiply-adds at 224 x 224 "
            f"pixels, {architecture.width} channels, {architecture.depth} cells"
        )
