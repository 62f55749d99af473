"""``meco``: how far the channels of the feature maps of one image are from being linearly dependent.

Source: Jiang, Wang, Bie, "MeCo: Zero-Shot NAS with One Data and Single Forward Pass via Minimum Eigenvalue of
Correlation", NeurIPS 2023.
Formula: sum over the outputs of all convolution, batch-norm, ReLU and pooling layers of the smallest eigenvalue of the
C x C correlation matrix of the channels, pixels being the observations; averaged over images.
Direction: higher is better.

One forward pass of one N(0, 1) image of 64x64 pixels in training mode through the network with its own initial
weights, three times. Correlations and eigenvalues are float64. A map that has as many channels as pixels or a constant
channel counts 0: its matrix is singular (the authors set the correlations of constant channels to 0, with the same
effect). Deviations from the authors' code:

- Each layer's output counts once, from whatever function or module it comes. The code hooks every module, so that
  the same map counts again as the output of each container around it, up to the whole network.
- Identity and linear layers count nothing. In the code an identity repeats its input; a linear output has one
  observation, hence 0, as has a ReLU's behind it.
- Eigenvalues are those of a symmetric matrix in float64, and 0 where they are 0 to working precision; the code takes
  the real part of a general float32 decomposition, whose rounding errors count for singular maps.
- Three images instead of one, to lower the noise of the draw.
"""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .....core.context import EvaluationContext
from .....core.errors import DegenerateError, DivergedError, EvaluationError
from .....core.interfaces import Evaluator
from ...layer_parameters import LayerParameters, layer_parameters
from ...observe import Call, observe_calls
from ...probing import network_mode
from ...stand_ins import run_with
from ..image_layouts import ImageLayouts, with_image_layouts
from ..images_apart import ImagesApart
from ..settings import MecoSettings
from .layer_outputs import pooled_map, run_and_find_relu

_LAYERS = (
    functional.conv1d,
    functional.conv2d,
    functional.conv3d,
    functional.conv_transpose1d,
    functional.conv_transpose2d,
    functional.conv_transpose3d,
    functional.batch_norm,
    torch.batch_norm,
)
"""Besides ReLUs and poolings."""


class EigenvalueSum:
    """Adds up the smallest eigenvalues of the first image's feature maps.

    Args:
        layouts: Where the images are.

    Attributes:
        total: The sum so far.
    """

    def __init__(self, layouts: ImageLayouts) -> None:
        self.total = 0.0
        self._layouts = layouts

    def observe(self, call: Call) -> Any:
        """Make the call and look at its output, before an in-place layer overwrites it."""
        self._layouts.follow(call)
        output, rectified = run_and_find_relu(call, lambda _: None)
        layer_output = rectified
        if rectified is None:
            layer_output = output if call.function in _LAYERS else pooled_map(call, output)
        if isinstance(layer_output, Tensor):
            self.total += smallest_eigenvalue(self._first_image(layer_output))
        return output

    def _first_image(self, layer_output: Tensor) -> Tensor:
        images = self._layouts.images_first(layer_output)
        if images.dim() != layer_output.dim():
            raise EvaluationError(
                "the network has a layer whose output has parts of images along the axis of the images, so that it is "
                "not known which are its channels: keep the images along an axis of their own"
            )
        return images[0]


def smallest_eigenvalue(feature_map: Tensor) -> float:
    """Return the smallest eigenvalue of the correlation matrix of the channels.

    Args:
        feature_map: Of one image, shape (channels, ...); a vector has one observation of each channel.

    Returns:
        At least 0, at most 1; exactly 0 where the matrix is singular.

    Raises:
        DivergedError: The map is not finite.
    """
    channels = feature_map.detach().reshape(feature_map.shape[:1].numel(), -1)
    # NaN and infinities show in the extremes, many times faster than by a look at every value.
    lowest, highest = channels.amin(1), channels.amax(1)
    if not torch.isfinite(torch.stack([lowest, highest])).all():
        raise DivergedError("a feature map is not finite")
    count, pixels = channels.shape
    # Centred rows span at most pixels - 1 dimensions; a constant row has no correlation with any.
    if count >= pixels or bool((lowest == highest).any()):
        return 0.0
    values = channels.double()
    values = values - values.mean(dim=1, keepdim=True)  # in place, it would change the network's map in float64
    products = (values @ values.T).cpu()  # so that what follows is the same on every device
    scales = products.diagonal().rsqrt()
    smallest = float(torch.linalg.eigvalsh(scales[:, None] * products * scales)[0])
    return smallest if smallest > count * torch.finfo(torch.float64).eps else 0.0


def meco_score(
    network: nn.Module, channels: int, generator: torch.Generator, *, image_size: int = 64, repeats: int = 1
) -> float:
    """Return the mean over images of the summed eigenvalues; the network is left as found.

    Args:
        network: Takes images of any size.
        channels: Colours of the images.
        generator: Source of the images, on the CPU.
        image_size: Their height and width.
        repeats: Number of images.

    Raises:
        DegenerateError: Every map of every image is singular.
        DivergedError: A map is not finite.
        EvaluationError: The network has layers whose outputs are not seen, normalises a batch by hand, or has images
            in no order that is known.
    """
    shape = (channels, image_size, image_size)
    _check_outputs_seen(layer_parameters(network, shape))
    apart = ImagesApart(network, shape, training=True)
    sums = [_eigenvalue_sum(network, torch.randn((1, *shape), generator=generator), apart) for _ in range(repeats)]
    if not any(sums):
        raise DegenerateError(
            "the channels of every feature map are linearly dependent, so that all smallest eigenvalues are 0"
        )
    return math.fsum(sums) / repeats


def _check_outputs_seen(found: LayerParameters) -> None:
    """Refuse a network that computes the output of a convolution otherwise than by one call."""
    if found.multiplies:
        raise EvaluationError(
            "the network multiplies by a weight outside of convolutions and linear layers, whose outputs are looked "
            "at: call torch.nn.functional.conv2d instead"
        )
    parts = found.partial_kernels()
    if parts:
        raise EvaluationError(
            f"the network gives its convolutions parts of '{parts[0]}', and the whole output is looked at: call "
            "torch.nn.functional.conv2d once"
        )


@torch.no_grad()
def _eigenvalue_sum(network: nn.Module, image: Tensor, apart: ImagesApart) -> float:
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    image = image.to(device)

    def run(layouts: ImageLayouts) -> float:
        # Before a second pass, in which means over a batch would be taken for poolings.
        apart.check()
        buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
        eigenvalues = EigenvalueSum(layouts)
        with network_mode(network, training=True), observe_calls(eigenvalues.observe), observe_calls(apart.observe):
            run_with(network, buffers, image.clone())
        return eigenvalues.total

    total = with_image_layouts(network, image, run)
    apart.check()
    return total


class Meco(Evaluator[MecoSettings]):
    """Scores an architecture by the smallest eigenvalues of its feature maps' correlations."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings, channels = self.settings, context.dataset.input_shape[0]
        size = (channels, settings.image_size, settings.image_size)
        return meco_score(
            context.network(settings.network, input_shape=size),
            channels,
            context.generator("images"),
            image_size=settings.image_size,
            repeats=settings.repeats,
        )
