"""The eight cell spaces of NDS (Radosavovic et al., ICCV 2019, section 3.2 and table 2)."""

from __future__ import annotations

from dataclasses import replace

from . import operations as op
from .definition import CellSpaceDefinition
from .space import CellSpace

WIDTHS = (16, 24, 32)
DEPTHS = (4, 8, 12, 16, 20)
FIXED_WIDTH = 16
FIXED_DEPTH = 20

DARTS = CellSpaceDefinition(
    operations=(op.NONE, op.MAX3, op.AVG3, op.SKIP, op.SEP3, op.SEP5, op.DIL3, op.DIL5),
    num_nodes=4,
    output="all nodes",
    widths=WIDTHS,
    depths=DEPTHS,
)
AMOEBA = CellSpaceDefinition(
    operations=(op.SKIP, op.SEP3, op.SEP5, op.SEP7, op.AVG3, op.MAX3, op.DILSEP3, op.CONV7X1),
    num_nodes=5,
    output="loose ends",
    widths=WIDTHS,
    depths=DEPTHS,
)
ENAS = CellSpaceDefinition(
    operations=(op.SKIP, op.SEP3, op.SEP5, op.AVG3, op.MAX3),
    num_nodes=5,
    output="loose ends",
    widths=WIDTHS,
    depths=DEPTHS,
)
NASNET = CellSpaceDefinition(
    operations=(
        op.SKIP, op.CONV3X1, op.CONV7X1, op.DIL3, op.AVG3, op.MAX3, op.MAX5, op.MAX7, op.CONV1, op.CONV3, op.SEP3,
        op.SEP5, op.SEP7,
    ),
    num_nodes=5,
    output="loose ends",
    widths=WIDTHS,
    depths=DEPTHS,
)  # fmt: skip
PNAS = CellSpaceDefinition(
    operations=(op.SEP3, op.SEP5, op.SEP7, op.CONV7X1, op.SKIP, op.AVG3, op.MAX3, op.DIL3),
    num_nodes=5,
    output="all nodes",
    widths=WIDTHS,
    depths=DEPTHS,
)


def _fixed(definition: CellSpaceDefinition) -> CellSpaceDefinition:
    return replace(definition, widths=(FIXED_WIDTH,), depths=(FIXED_DEPTH,))


class NdsDarts(CellSpace):
    """DARTS cells: four nodes, eight operations."""

    definition = DARTS


class NdsDartsFixed(CellSpace):
    """DARTS cells at one width and depth."""

    definition = _fixed(DARTS)


class NdsAmoeba(CellSpace):
    """AmoebaNet cells: five nodes, eight operations."""

    definition = AMOEBA


class NdsEnas(CellSpace):
    """ENAS cells: five nodes, five operations."""

    definition = ENAS


class NdsEnasFixed(CellSpace):
    """ENAS cells at one width and depth."""

    definition = _fixed(ENAS)


class NdsNasnet(CellSpace):
    """NASNet cells: five nodes, thirteen operations."""

    definition = NASNET


class NdsPnas(CellSpace):
    """PNASNet cells: five nodes, eight operations."""

    definition = PNAS


class NdsPnasFixed(CellSpace):
    """PNASNet cells at one width and depth."""

    definition = _fixed(PNAS)
