"""The layers of a network for ImageNet that have weights: what they count, without building them."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from typing import NamedTuple

from .genotype import NUM_INPUTS, Architecture, Cell

STEM_SIDES = (112, 56, 28)
"""Height and width behind the three convolutions of the stems, of images of 224 pixels."""

NUM_CLASSES = 1000

SEPARABLE = {"sep3": 3, "sep5": 5, "sep7": 7}
DILATED = {"dil3": 3, "dil5": 5}
WITHOUT_WEIGHTS = ("none", "avg3", "max3", "max5", "max7")


class Layer(NamedTuple):
    """A convolution, or the linear classifier, with the batch normalisation behind it.

    Attributes:
        weights: Of the convolution.
        side: Height and width of its output.
        others: Further parameters: two for each channel that is normalised, or biases.
    """

    weights: int
    side: int
    others: int


def count_layers(architecture: Architecture, outputs: tuple[int, int]) -> tuple[int, int]:
    """Return parameters and multiply-adds of the network for ImageNet, without an auxiliary head.

    They are those of :func:`.counts.count`, for operations of DARTS.

    Args:
        architecture: The network.
        outputs: How many nodes the normal cell and the reduction cell concatenate.
    """
    layers = list(_layers(architecture, outputs))
    return (
        sum(layer.weights + layer.others for layer in layers),
        sum(layer.weights * layer.side**2 for layer in layers),
    )


def _layers(architecture: Architecture, outputs: tuple[int, int]) -> Iterator[Layer]:
    """Yield all layers in the order of the network; :class:`.cell_network.CellNetwork` says how it is made."""
    width, depth = architecture.width, architecture.depth
    yield _normalized(27 * width // 2, width // 2, STEM_SIDES[0])
    yield _normalized(9 * width // 2 * width, width, STEM_SIDES[1])
    yield _normalized(9 * width * width, width, STEM_SIDES[2])
    before_previous, previous, side = width, width, STEM_SIDES[2]
    for index in range(depth):
        reduces = index in (depth // 3, 2 * depth // 3)
        width *= 2 if reduces else 1
        # The first input is halved where it is twice as large as the second, at the second's size.
        yield _normalized(before_previous * width, width, side)
        yield _normalized(previous * width, width, side)
        side = -(-side // 2) if reduces else side
        yield from _cell_layers(architecture.reduction if reduces else architecture.normal, width, side, reduces)
        before_previous, previous = previous, width * outputs[reduces]
    yield Layer(previous * NUM_CLASSES, 1, NUM_CLASSES)


def _cell_layers(cell: Cell, channels: int, side: int, reduces: bool) -> Iterator[Layer]:
    for node in cell:
        for edge in node:
            yield from _operation_layers(edge.operation, channels, side, reduces and edge.source < NUM_INPUTS)


@functools.cache
def _operation_layers(name: str, channels: int, side: int, halves: bool) -> tuple[Layer, ...]:
    """Return what :func:`.operation_modules.make_operation` makes with weights; ``side`` is that of the output."""
    pointwise = _normalized(channels * channels, channels, side)
    if name == "skip":
        return (pointwise,) if halves else ()
    if name in WITHOUT_WEIGHTS:
        return ()
    if name not in SEPARABLE and name not in DILATED:
        raise AssertionError(f"the layers of '{name}' are not known")
    kernel = SEPARABLE.get(name) or DILATED[name]
    convolution = (Layer(kernel * kernel * channels, side, 0), pointwise)
    return convolution * 2 if name in SEPARABLE else convolution


def _normalized(weights: int, channels: int, side: int) -> Layer:
    return Layer(weights, side, 2 * channels)
