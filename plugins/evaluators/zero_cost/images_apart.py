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
from ..observe import Call
from .trial_passes import trial_images, trial_pass, with_other_last_image

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
        Tensor.shape.__get__,  # type: ignore[attr-defined]
    )
)
# By the position and name of their axes.
_ALONG_AXES: dict[_Function, tuple[int, str]] = {
    **dict.fromkeys((torch.mean, Tensor.mean), (1, "dim")),
    **dict.fromkeys((torch.flatten, Tensor.flatten), (1, "start_dim")),
}
_TRIALS = (5, 11)
"""Numbers of images of trials; hardly a network has tensors with both numbers of rows that are no images."""

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

    Where all calls are common ones, that is certain; others take passes of a few images, once.

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
        if all(self._mixes(count) for count in _TRIALS):
            raise EvaluationError(
                "the network normalises feature maps itself, or lets the images of a batch change one another in some "
                "other way, and what it does so is not seen: call torch.nn.functional.batch_norm"
            )

    def _mixes(self, count: int) -> bool:
        """Return whether another last image of a few changes the first row of what a call returns for all."""
        images = trial_images(self.network, self.input_shape, count)
        batches = (images, with_other_last_image(images))
        pairs = zip(*(_first_sizes(self.network, batch, self.training) for batch in batches), strict=False)
        return any(abs(before - after) > _TOLERANCE * before for before, after in pairs)


def _first_sizes(network: nn.Module, images: Tensor, training: bool) -> list[float]:
    """Return the norms of what calls give for the first image, without torch's batch normalisation."""
    sizes: list[Tensor] = []

    def note(_: Call, output: Any) -> None:
        if isinstance(output, Tensor) and output.is_floating_point() and output.shape[:1] == images.shape[:1]:
            sizes.append(output[0].double().norm())

    trial_pass(network, images.clone(), note, training=training)
    return torch.stack(sizes).tolist() if sizes else []
