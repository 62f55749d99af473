"""Which ReLU units an image turns on, for the proxies that count distinct patterns of them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.overrides import TorchFunctionMode

from .....core.errors import DegenerateError
from ...probing import argument, forward_in_training

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


def relu_input(func: Callable[..., Any], args: Sequence[Any], kwargs: Mapping[str, Any]) -> Tensor | None:
    """Return the input of an intercepted call if that is a ReLU, else None.

    ``nn.ReLU6`` makes a clipping whose lower end is 0.
    """
    if func in _RELUS or (func in _CLIPPINGS and argument(args, kwargs, 1, "min_val", -1.0) == 0):
        pre_activations: Tensor = argument(args, kwargs, 0, "input")
        return pre_activations
    return None


class _MapReluCapture(TorchFunctionMode):
    """Reads, while active, which units of each ReLU on feature maps are on, and keeps what ``pack`` makes of it."""

    def __init__(self, pack: Callable[[Tensor], Tensor]) -> None:
        super().__init__()
        self.packed: list[Tensor] = []
        self._pack = pack

    def __torch_function__(
        self,
        func: Callable[..., Any],
        types: Sequence[type],
        args: Sequence[Any] = (),
        kwargs: Mapping[str, Any] | None = None,
    ) -> Any:
        """Look at the input of a ReLU, before an in-place one overwrites it, and run the call."""
        kwargs = kwargs or {}
        pre_activations = relu_input(func, args, kwargs)
        if pre_activations is not None and pre_activations.dim() == 4:
            # Channels last, which costs nothing where the maps are stored in that order.
            units_on = (pre_activations.detach() > 0).movedim(1, -1).flatten(1)
            self.packed.append(self._pack(units_on))
        return func(*args, **kwargs)


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
    capture = _MapReluCapture(pack)
    with torch.no_grad(), capture:
        forward_in_training(network, images, weights)
    if not capture.packed:
        raise DegenerateError("no ReLU on feature maps has run: the network has no activation patterns to count")
    return capture.packed
