"""Whether the images of a batch change one another elsewhere than in the batch normalisation of torch.

Measures that skip batch normalisation, or look at it, find its calls. Normalisation by hand, however written, shows in
what it does: another image in the batch, and what comes of the first one is different.
"""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.errors import EvaluationError
from ....core.seeding import seeded_global_rng
from ..checkpoints import checkpoints_ignored
from ..observe import Call, observe_calls
from ..probing import batch_norm_bypassed, blank_input, network_mode
from ..stand_ins import run_with

_Function = Callable[..., Any]

_IMAGE_BY_IMAGE: frozenset[_Function] = frozenset(
    (
        functional.conv2d,
        functional.linear,
        functional.batch_norm,
        functional.relu,
        functional.max_pool2d,
        functional.avg_pool2d,
        functional.adaptive_avg_pool2d,
        functional.dropout,
        functional.pad,
        torch.relu,
        torch.cat,
        torch.zeros_like,
        Tensor.relu,
        Tensor.add,
        Tensor.add_,
        Tensor.mul,
        Tensor.to,
        Tensor.clone,
        Tensor.contiguous,
        Tensor.dim,
        Tensor.size,
        Tensor.shape.__get__,
    )
)
# By the position and name of their axes.
_ALONG_AXES: dict[_Function, tuple[int, str]] = {
    **dict.fromkeys((torch.mean, Tensor.mean), (1, "dim")),
    **dict.fromkeys((torch.flatten, Tensor.flatten), (1, "start_dim")),
}
_IMAGES = 7
"""Images of a trial; hardly a tensor has as many rows that are no images."""

_TOLERANCE = 1e-4
"""Relative difference that may be rounding."""


def keeps_images_apart(call: Call) -> bool:
    """Return whether a call of a common function certainly leaves each image to itself, if images come first."""
    if call.function in _ALONG_AXES:
        axes = call.argument(*_ALONG_AXES[call.function])
        return all(isinstance(axis, int) and axis > 0 for axis in (axes if isinstance(axes, tuple | list) else (axes,)))
    if call.function is Tensor.__getitem__:
        places = call.args[1]
        return isinstance(places, tuple) and isinstance(places[0], slice) and places[0] == slice(None)
    return call.function in _IMAGE_BY_IMAGE


class ImagesApart:
    """Refuses a network that normalises a batch by hand.

    Where all calls are common ones, that is certain; others take two passes of seven images, once.

    Args:
        network: Takes images; left as found.
        input_shape: ``(channels, height, width)``.
        training: The mode to run it in.
    """

    def __init__(self, network: nn.Module, input_shape: tuple[int, ...], *, training: bool) -> None:
        self.network = network
        self.input_shape = input_shape
        self.training = training
        self._is_certain = True
        self._was_tried = False

    def observe(self, call: Call) -> Any:
        """Look at a call of the pass that a score is made of, and make it."""
        self._is_certain = self._is_certain and keeps_images_apart(call)
        return call()

    def check(self) -> None:
        """Refuse what was observed.

        Raises:
            EvaluationError: Another last image in a batch changes what comes of the first one.
        """
        if self._is_certain or self._was_tried:
            return
        self._was_tried = True
        blank = blank_input(self.network, self.input_shape).detach()
        images = torch.randn((_IMAGES, *self.input_shape), generator=torch.Generator().manual_seed(0)).to(blank)
        others = images.clone()
        others[-1] = 10 * others[-1] + 10
        pairs = zip(*(_first_sizes(self.network, batch, self.training) for batch in (images, others)), strict=False)
        if any(abs(before - after) > _TOLERANCE * before for before, after in pairs):
            raise EvaluationError(
                "the network normalises feature maps itself, or lets the images of a batch change one another in some "
                "other way, and what it does so is not seen: call torch.nn.functional.batch_norm"
            )


def _first_sizes(network: nn.Module, images: Tensor, training: bool) -> list[float]:
    """Return the norms of what calls give for the first image, without torch's batch normalisation."""
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    sizes: list[Tensor] = []

    def observe(call: Call) -> Any:
        output = call()
        if isinstance(output, Tensor) and output.is_floating_point() and output.shape[:1] == images.shape[:1]:
            sizes.append(output[0].double().norm())
        return output

    with (
        torch.no_grad(),
        seeded_global_rng(0),
        network_mode(network, training=training),
        checkpoints_ignored(),
        batch_norm_bypassed(),
        observe_calls(observe),
    ):
        run_with(network, buffers, images.clone())
    return torch.stack(sizes).tolist() if sizes else []
