"""Which ReLU units an image turns on, for the proxies that count distinct patterns of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from .....core.errors import DegenerateError
from ...executed_weights import check_visible
from ...observe import Call, observe_calls
from ...probing import forward_in_training

_RELUS = (
    functional.relu,
    functional.relu_,
    functional.relu6,
    torch.relu,
    torch.relu_,
    Tensor.relu,
    Tensor.relu_,
)
_CLIPPINGS = (functional.hardtanh, functional.hardtanh_)


def relu_input(call: Call) -> Tensor | None:
    """Return the input of a call if that is a ReLU, else None.

    ``nn.ReLU6`` makes a clipping whose lower end is 0.
    """
    if call.function in _RELUS or (call.function in _CLIPPINGS and call.argument(1, "min_val", -1.0) == 0):
        pre_activations: Tensor = call.argument(0, "input")
        return pre_activations
    return None


class _MapReluCapture:
    """Reads which units of each ReLU on feature maps are on, and keeps what ``pack`` makes of it."""

    def __init__(self, pack: Callable[[Tensor], Tensor]) -> None:
        self.packed: list[Tensor] = []
        self._pack = pack

    def observe(self, call: Call) -> Any:
        """Look at the input of a ReLU, before an in-place one overwrites it, and make the call."""
        pre_activations = relu_input(call)
        if pre_activations is not None and pre_activations.dim() == 4:
            # Channels last, which costs nothing where the maps are stored in that order.
            units_on = (pre_activations.detach() > 0).movedim(1, -1).flatten(1)
            self.packed.append(self._pack(units_on))
        return call()


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
    """
    check_visible(network)
    capture = _MapReluCapture(pack)
    with torch.no_grad(), observe_calls(capture.observe):
        forward_in_training(network, images, weights)
    if not capture.packed:
        raise DegenerateError("no ReLU on feature maps has run: the network has no activation patterns to count")
    return capture.packed
