"""``fisher``: how much the loss of the untrained network would change if single channels were removed.

Source: Theis, Korshunova, Tejani, Huszar, "Faster gaze prediction with dense networks and Fisher pruning", 2018;
Turner, Crowley, O'Boyle, Storkey, Gray, "BlockSwap: Fisher-guided Block Substitution for Network
Compression on a Budget", ICLR 2020; as a zero-cost score Abdelfattah et al., "Zero-Cost Proxies for
Lightweight NAS", ICLR 2021.
Formula: sum over channels c of w_c * f_c, f_c = 1/2 mean over images n of (sum over places of a_nc dL/da_nc)^2,
where a is the output of a convolution or linear layer, before normalisation and activation, and L the batch's mean
cross-entropy. Weighting ``fanin``: w_c = number of weights of an output channel, as in the code of Abdelfattah et
al., which gives f_c to each weight of the channel and adds up; ``channel``: w_c = 1, as in Turner et al.
Direction: higher is better.

One labelled batch, not augmented, in training mode with the space's own initial weights; float32 gradients,
float64 sums. Every convolution and linear layer that runs counts, module or function, and a layer that runs twice
has two sets of channels, one for each run. A layer whose output needs no gradient, such as a fixed filter of the
images, has no channels. Channels of a convolution are its second axis, of a linear layer the last one; the axes
between are places. Deviations from the code of Abdelfattah et al.: its batches are augmented; it takes the second
axis of a linear layer as its channels too, which differs on sequences; it fails where a layer runs twice; a network
whose outputs are the same for all images has no score (status ``degenerate``), there it has one from the
classifier's biases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from .....core.batches import Batch
from .....core.context import EvaluationContext
from .....core.errors import DegenerateError, DivergedError, EvaluationError
from .....core.interfaces import Evaluator
from ...checkpoints import checkpoints_ignored
from ...macs import count_macs
from ...observe import OWN_BACKWARD_PASS, Call, inside_own_function, observe_calls
from ...probing import check_outputs, forward_in_training, labelled_batch, leaf_parameters
from ..settings import FisherSettings

_CONVOLUTIONS = (
    functional.conv1d,
    functional.conv2d,
    functional.conv3d,
    functional.conv_transpose1d,
    functional.conv_transpose2d,
    functional.conv_transpose3d,
)


@dataclass(frozen=True)
class LayerOutput:
    """What one run of a convolution or linear layer returned.

    Attributes:
        values: Shape (batch, channels, places...) of a convolution, (batch, places..., channels) of a linear layer.
        image_axis: Which axis of ``values`` counts the images: the first one as long as their number.
        channel_axis: Which axis of ``values`` counts the channels.
        fan_in: Number of weights of one output channel.
    """

    values: Tensor
    image_axis: int
    channel_axis: int
    fan_in: int


class _LayerOutputs:
    """Keeps the ``outputs`` of all convolutions and linear layers that need a gradient."""

    def __init__(self, batch_size: int) -> None:
        self.outputs: list[LayerOutput] = []
        self._batch_size = batch_size

    def observe(self, call: Call) -> Any:
        """Make the call and keep its output if it is one of those layers."""
        output = call()
        is_convolution = call.function in _CONVOLUTIONS
        if not (is_convolution or call.function is functional.linear):
            return output
        if inside_own_function():
            raise EvaluationError(OWN_BACKWARD_PASS)
        if not output.requires_grad:
            return output
        axis = 1 if is_convolution else output.dim() - 1
        weight: Tensor = call.argument(1, "weight")
        images = [place for place, size in enumerate(output.shape) if size == self._batch_size and place != axis]
        if not images or (is_convolution and images[0] != 0):
            raise EvaluationError(
                "the network has a layer of whose output no axis counts the images, so that its channels' changes "
                "cannot be told apart by image: keep the images along an axis of their own"
            )
        self.outputs.append(LayerOutput(output, images[0], axis, weight.numel() // output.shape[axis]))
        # The network goes on with a copy: an in-place activation would overwrite what is kept here.
        return output.clone()


def _layer_information(layer: LayerOutput, gradient: Tensor) -> Tensor:
    values, gradient = (tensor.movedim(layer.image_axis, 0) for tensor in (layer.values, gradient))
    # What moves to the front moves those before it back.
    axis = layer.channel_axis
    return channel_information(values, gradient, axis if axis > layer.image_axis else axis + 1).sum()


def channel_information(values: Tensor, gradient: Tensor, channel_axis: int) -> Tensor:
    """Return f_c = 1/2 mean over images of (sum over places of value x gradient)^2.

    Args:
        values: Activations, images along the first axis.
        gradient: Of the loss with respect to them, of the same shape.
        channel_axis: Which axis counts the channels; not the first.

    Returns:
        Shape (channels,), float64.
    """
    places = [axis for axis in range(1, values.dim()) if axis != channel_axis]
    products = values.detach() * gradient
    sums = products.sum(places, dtype=torch.float64) if places else products.double()
    return sums.square().mean(0) / 2


def fisher_score(network: nn.Module, batch: Batch, weighting: Literal["fanin", "channel"] = "fanin") -> float:
    """Return the weighted sum over all channels of f_c; the network is left as found.

    Args:
        network: Takes ``batch.images`` and returns logits.
        batch: Labelled images.
        weighting: Multiply f_c by the number of weights of an output channel, or by 1.

    Raises:
        DegenerateError: No convolution or linear layer has run, or the network's outputs are the same for all images.
        DivergedError: The logits or a gradient are not finite.
        EvaluationError: The network has layers whose outputs are not seen.
    """
    # Stand-ins, so that gradients flow through a frozen network too, and reach none of its tensors.
    weights = leaf_parameters(network)
    layers = _LayerOutputs(len(batch.images))
    # Refuses what it does not see, as must be done here, and takes one image.
    count_macs(network, (batch.images.shape[1], batch.images.shape[2], batch.images.shape[3]))
    with torch.enable_grad(), checkpoints_ignored():
        with observe_calls(layers.observe):
            logits = forward_in_training(network, batch.images, weights)
        gradients = _output_gradients(layers.outputs, logits, batch.labels)
    information = [
        _layer_information(layer, gradient) * (layer.fan_in if weighting == "fanin" else 1)
        for layer, gradient in zip(layers.outputs, gradients, strict=True)
        if gradient is not None
    ]
    score = float(torch.stack(information).sum())
    if not math.isfinite(score):
        raise DivergedError("the gradient of a layer's output is not finite")
    return score


def _output_gradients(layers: Sequence[LayerOutput], logits: Tensor, labels: Tensor) -> Sequence[Tensor | None]:
    """Return the loss's gradient with respect to each layer's output; None where the loss does not depend on it."""
    check_outputs(logits)
    outputs = [layer.values for layer in layers]
    gradients: Sequence[Tensor | None] = ()
    if outputs and logits.requires_grad:
        loss = functional.cross_entropy(logits, labels)
        gradients = torch.autograd.grad(loss, outputs, allow_unused=True)
    if all(gradient is None for gradient in gradients):
        raise DegenerateError("the output depends on no convolution and no linear layer, hence on no channels")
    return gradients


class Fisher(Evaluator[FisherSettings]):
    """Scores an architecture by the Fisher information of its channels at initialisation."""

    def _evaluate(self, context: EvaluationContext) -> float:
        network = context.network(self.settings.network)
        batch = labelled_batch(context, self.settings.batch_size)
        return fisher_score(network, batch, self.settings.weighting)
