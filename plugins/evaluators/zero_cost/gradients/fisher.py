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
images, has no channels. Channels of a convolution are its second axis, of a linear layer the last one; all axes but
that of the images are places. A network that multiplies by weights outside of these layers is refused.
Deviations from the code of Abdelfattah et al.: its batches are augmented; it takes the second
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
from ...probing import (
    batch_norm_bypassed,
    check_outputs,
    forward_in_training,
    labelled_batch,
    leaf_parameters,
    network_mode,
)
from ...stand_ins import run_with
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
class Layout:
    """Where the images of a batch lie in the output of a layer.

    Attributes:
        axis: Which axis counts them.
        places: How many places of each image lie along the same axis.
        by_image: Whether all places of the first image come first there, or the first place of all images.
    """

    axis: int
    places: int
    by_image: bool = True

    def images_first(self, output: Tensor) -> Tensor:
        """Return the output with the images along a first axis of their own; axes behind stay where they are."""
        if self.places == 1:
            return output.movedim(self.axis, 0)
        images = output.shape[self.axis] // self.places
        lengths = (images, self.places) if self.by_image else (self.places, images)
        shape = *output.shape[: self.axis], *lengths, *output.shape[self.axis + 1 :]
        return output.reshape(shape).movedim(self.axis + (not self.by_image), 0)


@dataclass(frozen=True)
class LayerOutput:
    """What one run of a convolution or linear layer returned.

    Attributes:
        values: Shape (batch, channels, places...) of a convolution, (batch, places..., channels) of a linear layer, or
            with the images elsewhere in front of the channels.
        layout: Where the images are.
        channel_axis: Which axis of ``values`` counts the channels, from the end: below 0.
        fan_in: Number of weights of one output channel.
    """

    values: Tensor
    layout: Layout
    channel_axis: int
    fan_in: int

    def information(self, gradient: Tensor) -> Tensor:
        """Return f_c of all channels, shape (channels,), float64."""
        values, gradient = self.layout.images_first(self.values), self.layout.images_first(gradient)
        return channel_information(values, gradient, values.dim() + self.channel_axis)


class _LayerOutputs:
    """Keeps the ``outputs`` of all convolutions and linear layers that need a gradient.

    Args:
        layouts: Of the outputs, in this order, as :func:`_layouts` finds them.
    """

    def __init__(self, layouts: Sequence[Layout] = ()) -> None:
        self.outputs: list[LayerOutput] = []
        self._layouts = layouts

    def observe(self, call: Call) -> Any:
        """Make the call and keep its output if it is one of those layers.

        Raises:
            EvaluationError: It is one whose output's gradient is not seen.
        """
        output = call()
        is_convolution = call.function in _CONVOLUTIONS
        if not (is_convolution or call.function is functional.linear):
            return output
        if inside_own_function():
            raise EvaluationError(OWN_BACKWARD_PASS)
        if not output.requires_grad:
            return output
        number, weight = len(self.outputs), call.argument(1, "weight")
        # A layer that runs in training mode alone is taken to have its images first.
        layout = self._layouts[number] if number < len(self._layouts) else Layout(0, 1)
        axis = 1 - output.dim() if is_convolution else -1
        self.outputs.append(LayerOutput(output, layout, axis, weight.numel() // output.shape[axis]))
        # The network goes on with a copy: an in-place activation would overwrite what is kept here.
        return output.clone()


def _layouts(network: nn.Module, images: Tensor, weights: dict[str, Tensor]) -> list[Layout]:
    """Find where the images are in the output of each layer, by running one image and two.

    Raises:
        EvaluationError: A layer has its images in no order that is known.
    """
    found = []
    for batch in (images[:1], images[:2]):
        layers = _LayerOutputs()
        buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
        with network_mode(network, training=False), batch_norm_bypassed(), observe_calls(layers.observe):
            run_with(network, {**weights, **buffers}, batch.clone())
        found.append([layer.values.detach() for layer in layers.outputs])
    return [_layout(one, two) for one, two in zip(*found, strict=False)]


def _layout(one: Tensor, two: Tensor) -> Layout:
    """Return where the images are in outputs for one image and for two, of which it is the first."""
    pairs = zip(one.shape, two.shape, strict=True)
    changed = [axis for axis, (first, second) in enumerate(pairs) if second == 2 * first]
    for axis in changed[:1]:
        if one.shape[axis] == 1:
            return Layout(axis, 1)
        for layout in (Layout(axis, one.shape[axis]), Layout(axis, one.shape[axis], by_image=False)):
            if torch.allclose(layout.images_first(two)[0], layout.images_first(one)[0], rtol=1e-3, atol=1e-4):
                return layout
    raise EvaluationError(
        "the network has a layer in whose output the images are in no order that is known, so that the changes of its "
        "channels cannot be told apart by image: keep the images along an axis of their own"
    )


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
    # Refuses what it does not see, as must be done here, and takes one image.
    count_macs(network, (batch.images.shape[1], batch.images.shape[2], batch.images.shape[3]))
    with torch.enable_grad(), checkpoints_ignored():
        layers = _LayerOutputs(_layouts(network, batch.images, weights))
        with observe_calls(layers.observe):
            logits = forward_in_training(network, batch.images, weights)
        gradients = _output_gradients(layers.outputs, logits, batch.labels)
    information = [
        layer.information(gradient).sum() * (layer.fan_in if weighting == "fanin" else 1)
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
