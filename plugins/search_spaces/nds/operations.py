"""The operations of the NDS cell spaces. Importing this module does not import torch."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import TYPE_CHECKING

from ....core.pictures.graph import OperationFamily

if TYPE_CHECKING:
    from torch import nn


@dataclass(frozen=True)
class Operation:
    """What may stand between two nodes of a cell.

    Attributes:
        name: What users read and type: lower-case letters and digits.
        release_name: Its name in papers and in the released records.
        label: Its name in pictures.
        family: What it is akin to; ``ZERO`` lets nothing pass.
        build: Makes the module from its channels, which do not change, and its stride, 1 or 2. None for the operations
            of this module, which :mod:`.operation_modules` makes.
    """

    name: str
    release_name: str
    label: str
    family: OperationFamily
    build: Callable[[int, int], nn.Module] | None = None


NONE = Operation("none", "none", "none", OperationFamily.ZERO)
SKIP = Operation("skip", "skip_connect", "skip", OperationFamily.IDENTITY)
AVG3 = Operation("avg3", "avg_pool_3x3", "avg pool 3×3", OperationFamily.POOLING)
MAX3 = Operation("max3", "max_pool_3x3", "max pool 3×3", OperationFamily.POOLING)
MAX5 = Operation("max5", "max_pool_5x5", "max pool 5×5", OperationFamily.POOLING)
MAX7 = Operation("max7", "max_pool_7x7", "max pool 7×7", OperationFamily.POOLING)
CONV1 = Operation("conv1", "conv_1x1", "conv 1×1", OperationFamily.CONVOLUTION)
CONV3 = Operation("conv3", "conv_3x3", "conv 3×3", OperationFamily.CONVOLUTION)
CONV3X1 = Operation("conv3x1", "conv_3x1_1x3", "conv 1×3, 3×1", OperationFamily.CONVOLUTION)
CONV7X1 = Operation("conv7x1", "conv_7x1_1x7", "conv 1×7, 7×1", OperationFamily.CONVOLUTION)
SEP3 = Operation("sep3", "sep_conv_3x3", "sep conv 3×3", OperationFamily.CONVOLUTION)
SEP5 = Operation("sep5", "sep_conv_5x5", "sep conv 5×5", OperationFamily.CONVOLUTION)
SEP7 = Operation("sep7", "sep_conv_7x7", "sep conv 7×7", OperationFamily.CONVOLUTION)
DIL3 = Operation("dil3", "dil_conv_3x3", "dil conv 3×3", OperationFamily.CONVOLUTION)
DIL5 = Operation("dil5", "dil_conv_5x5", "dil conv 5×5", OperationFamily.CONVOLUTION)
DILSEP3 = Operation("dilsep3", "dil_sep_conv_3x3", "dil sep conv 3×3", OperationFamily.CONVOLUTION)
