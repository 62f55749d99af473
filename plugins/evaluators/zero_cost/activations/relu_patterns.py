"""Which ReLU units an image turns on, for the proxies that count distinct patterns of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn

from .....core.errors import DegenerateError
from ...executed_weights import check_visible
from ...observe import Call, observe_calls
from ...probing import forward_in_training
from ..image_layouts import ImageLayouts, with_image_layouts
from .layer_outputs import run_and_find_relu


class _MapReluCapture:
    """Reads which units of each ReLU on feature maps are on, and keeps what ``pack`` makes of it."""

    def __init__(self, pack: Callable[[Tensor], Tensor], layouts: ImageLayouts) -> None:
        self.packed: list[Tensor] = []
        self._pack = pack
        self._layouts = layouts

    def observe(self, call: Call) -> Any:
        """Look at the input of a ReLU, before an in-place one overwrites it, and make the call."""
        self._layouts.follow(call)
        return run_and_find_relu(call, self._note)[0]

    def _note(self, pre_activations: Tensor) -> None:
        if pre_activations.dim() == 4:
            are_on = self._layouts.images_first(pre_activations.detach()) > 0
            # Channels last, which costs nothing where the maps are stored in that order.
            self.packed.append(self._pack(are_on.movedim(1, -1).flatten(1)))


def map_relu_patterns(
    network: nn.Module, images: Tensor, weights: Mapping[str, Tensor], pack: Callable[[Tensor], Tensor]
) -> list[Tensor]:
    """Run one forward pass in training mode and pack which units of each ReLU are on; the network is left as found.

    Only ReLUs on feature maps count, tensors of four dimensions, as in the code of TE-NAS and SWAP-NAS.

    Args:
        network: Takes ``images``.
        images: Shape (batch, channels, height, width).
        weights: Stand-ins for the network's parameters, by name.
        pack: Maps which units are on, shape (batch, units), to what is to be kept.

    Returns:
        One value of ``pack`` for each ReLU that ran, in this order.

    Raises:
        DegenerateError: No such ReLU has run.
        DivergedError: The logits are not finite.
        EvaluationError: A ReLU gets the images in no order that is known.
    """
    check_visible(network)

    def run(layouts: ImageLayouts) -> list[Tensor]:
        capture = _MapReluCapture(pack, layouts)
        with torch.no_grad(), observe_calls(capture.observe):
            forward_in_training(network, images, weights)
        return capture.packed

    packed = with_image_layouts(network, images, run)
    if not packed:
        raise DegenerateError("no ReLU on feature maps has run: the network has no activation patterns to count")
    return packed
