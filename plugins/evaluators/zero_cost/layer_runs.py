"""What convolutions and linear layers return while a network runs, and where gradients reach it."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from torch import Tensor
from torch.autograd.graph import GradientEdge, get_gradient_edge
from torch.nn import functional

from ..autograd_graph import graph_nodes
from ..executed_weights import GATHERING_CONVOLUTIONS, SCATTERING_CONVOLUTIONS
from ..observe import MAPPED, OWN_BACKWARD_PASS, Call, inside_own_function, is_mapped


@dataclass(frozen=True)
class LayerRun:
    """One run of a convolution or linear layer whose output depends on a parameter.

    Attributes:
        values: Its output, detached: shape (batch, channels, places...) of a convolution, (batch, places..., channels)
            of a linear layer, or with the images elsewhere in front of the channels. One channel has an axis too.
        version: Of ``values`` when the layer returned them.
        edge: Where the gradient by the output comes in, which may lack the axis of one channel.
        channel_axis: Which axis of the values counts the channels, from the end: below 0.
        fan_in: Number of weights of one output channel.
    """

    values: Tensor
    version: int
    edge: GradientEdge
    channel_axis: int
    fan_in: int

    @property
    def is_overwritten(self) -> bool:
        """Whether an operation in place, such as an activation, has changed the values since."""
        return self.values._version != self.version


class LayerRuns:
    """Notes the ``runs`` of layers that have weights and whose outputs can be differentiated by.

    Attributes:
        runs: In the order in which they were made.
        hidden: Why outputs of some layers cannot be differentiated by, empty if all can.

    Args:
        images: A leaf, if it requires a gradient: what depends on nothing else is left out.
        copied: Let the network go on with copies, which it may overwrite.
    """

    def __init__(self, images: Tensor | None = None, *, copied: bool = False) -> None:
        self.runs: list[LayerRun] = []
        self.hidden = ""
        self._images = images
        self._copied = copied

    def note(self, call: Call, output: Any) -> Any:
        """Note what a call returned if it was one of those layers; return what the network is to go on with."""
        is_convolution = call.function in GATHERING_CONVOLUTIONS or call.function in SCATTERING_CONVOLUTIONS
        if not (is_convolution or call.function is functional.linear):
            return output
        if inside_own_function() or is_mapped(call):
            self.hidden = OWN_BACKWARD_PASS if inside_own_function() else MAPPED
            return output
        weight: Tensor = call.argument(1, "weight")
        if output.requires_grad and weight.numel() and (_is_trained(weight) or self._depends_on_parameters(output)):
            # A vector as the weight of a linear layer gives one channel, without an axis for it.
            values = output.detach() if weight.dim() > 1 else output.detach().unsqueeze(-1)
            axis = 1 - values.dim() if is_convolution else -1
            fan_in = weight.numel() // values.shape[axis]
            self.runs.append(LayerRun(values, values._version, get_gradient_edge(output), axis, fan_in))
        return output.clone() if self._copied else output

    def _depends_on_parameters(self, output: Tensor) -> bool:
        leaves = (getattr(node, "variable", None) for node in graph_nodes(output.grad_fn))
        return any(leaf is not None and leaf is not self._images for leaf in leaves)


def _is_trained(weight: Tensor) -> bool:
    return weight.requires_grad and weight.is_leaf
