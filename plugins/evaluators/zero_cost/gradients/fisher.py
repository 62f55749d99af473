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
that of the images are places. A network that multiplies by weights outside of these layers, as recurrent layers do, is
refused. The bias that a layer is given is part of its output, one that is added to the output is not.
Deviations from the code of Abdelfattah et al.: its batches are augmented; it takes the second
axis of a linear layer as its channels too, which differs on sequences; it fails where a layer runs twice; a network
whose outputs are the same for all images has no score (status ``degenerate``), there it has one from the
classifier's biases.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Literal

import torch
from torch import Tensor, nn

from .....core.batches import Batch
from .....core.context import EvaluationContext
from .....core.errors import DegenerateError, DivergedError, EvaluationError
from .....core.interfaces import Evaluator
from .....core.seeding import seeded_global_rng
from ...checkpoints import checkpoints_ignored
from ...macs import count_macs
from ...observe import observe_calls
from ...probing import batch_norm_bypassed, check_outputs, labelled_batch, leaf_parameters, network_mode
from ...stand_ins import run_with
from ..forward_graph import ForwardGraph, output_gradients
from ..image_layouts import Layout
from ..layer_runs import LayerRun, LayerRuns
from ..settings import FisherSettings
from ..training_passes import forward_graph, loss_by_outputs
from ..trial_passes import with_other_last_image

Weighting = Literal["fanin", "channel"]

DEPENDS_ON_BATCH = (
    "the network runs other layers for another number of images, or by what it draws at random behind other draws, so "
    "that the changes of their channels cannot be told apart by image"
)


def _layouts(graph: ForwardGraph) -> list[Layout]:
    """Find where the images are in the output of each layer that ran in a forward pass.

    One image and two tell the axis. In what order places lie along it shows where another last image changes nothing:
    what is dropped at random is the same for as many images, and layers are skipped as in that pass.

    Raises:
        EvaluationError: A layer has its images in no order that is known, or other layers run for another number of
            images.
    """
    images = graph.inputs.detach()
    ones, twos = (_layer_outputs(graph, images[:count]) for count in (1, 2))
    if len(ones) == len(twos) and all(_counts_images_first(*outputs) for outputs in zip(ones, twos, strict=True)):
        return [Layout(0, 1)] * len(ones)
    others = _layer_outputs(graph, with_other_last_image(images[:2]))
    if not len(ones) == len(twos) == len(others):
        raise EvaluationError(DEPENDS_ON_BATCH)
    return [_layout(*outputs) for outputs in zip(ones, twos, others, strict=True)]


def _layer_outputs(graph: ForwardGraph, images: Tensor) -> list[Tensor]:
    network = graph.network
    # Stand-ins, so that a frozen layer counts too.
    stand_ins = {**leaf_parameters(network), **{name: buffer.clone() for name, buffer in network.named_buffers()}}
    layers = LayerRuns(copied=True)
    with (
        torch.enable_grad(),
        seeded_global_rng(0),
        network_mode(network, training=True),
        checkpoints_ignored(),
        batch_norm_bypassed(),
        observe_calls(lambda call: layers.note(call, call())),
    ):
        graph.restore_rng()
        run_with(network, stand_ins, images.clone())
    return [layer.values for layer in layers.runs]


def _counts_images_first(one: Tensor, two: Tensor) -> bool:
    return one.shape[:1] == (1,) and two.shape == (2, *one.shape[1:])


def _layout(one: Tensor, two: Tensor, other: Tensor) -> Layout:
    """Return where the images are in outputs for one image, for two, and for two of which the last is another one."""
    pairs = zip(one.shape, two.shape, strict=True)
    changed = [axis for axis, (first, second) in enumerate(pairs) if second == 2 * first]
    for axis in changed[:1]:
        if one.shape[axis] == 1:
            return Layout(axis, 1)
        for layout in (Layout(axis, one.shape[axis]), Layout(axis, one.shape[axis], by_image=False)):
            if torch.allclose(layout.images_first(two)[0], layout.images_first(other)[0], rtol=1e-3, atol=1e-4):
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


def fisher_score(network: nn.Module, batch: Batch, weighting: Weighting = "fanin") -> float:
    """Return the weighted sum over all channels of f_c; the network is left as found.

    Args:
        network: Takes ``batch.inputs`` and returns logits.
        batch: Labelled images.
        weighting: Multiply f_c by the number of weights of an output channel, or by 1.

    Raises:
        DegenerateError: No convolution or linear layer has run, or the network's outputs are the same for all images.
        DivergedError: The logits or a gradient are not finite.
        EvaluationError: The network has layers whose outputs are not seen.
    """
    graph = ForwardGraph(network, batch.inputs)
    check_layers(graph)
    return information_of(graph, output_gradients(graph, batch.labels), batch.labels, weighting)


def check_layers(graph: ForwardGraph) -> None:
    """Refuse a network with layers that are not seen, as must be done here; takes one image.

    Raises:
        EvaluationError: It has such layers.
    """
    count_macs(graph.network, (graph.inputs.shape[1], graph.inputs.shape[2], graph.inputs.shape[3]))
    _ = graph.layers


def information_of(
    graph: ForwardGraph, gradients: Sequence[Tensor | None], labels: Tensor, weighting: Weighting
) -> float:
    """Return the weighted sum over all channels of f_c of a forward pass.

    Args:
        graph: The forward pass.
        gradients: The loss's, by the outputs of its layers.
        labels: Of the images.
        weighting: See :func:`fisher_score`.

    Raises:
        DegenerateError: See :func:`fisher_score`.
        DivergedError: A gradient is not finite.
        EvaluationError: See :func:`fisher_score`.
    """
    check_outputs(graph.logits)
    if all(gradient is None for gradient in gradients):
        raise DegenerateError("the output depends on no convolution and no linear layer, hence on no channels")
    if any(layer.is_overwritten for layer in graph.layers):
        graph.restore_rng()  # so that the second pass drops what the first has dropped
        graph = ForwardGraph(graph.network, graph.inputs.detach(), copied=True)
        gradients = output_gradients(graph, labels)
    layouts = _layouts(graph)
    if len(layouts) != len(graph.layers):
        raise EvaluationError(DEPENDS_ON_BATCH)
    information = [
        _information(layer, layout, gradient).sum() * (layer.fan_in if weighting == "fanin" else 1)
        for layer, layout, gradient in zip(graph.layers, layouts, gradients, strict=True)
        if gradient is not None
    ]
    score = float(torch.stack(information).sum())
    if not math.isfinite(score):
        raise DivergedError("the gradient of a layer's output is not finite")
    return score


def _information(layer: LayerRun, layout: Layout, gradient: Tensor) -> Tensor:
    """Return f_c of all channels, shape (channels,), float64."""
    values = layout.images_first(layer.values)
    gradient = layout.images_first(gradient.reshape(layer.values.shape))
    return channel_information(values, gradient, values.dim() + layer.channel_axis)


class Fisher(Evaluator[FisherSettings]):
    """Scores an architecture by the Fisher information of its channels at initialisation."""

    def _evaluate(self, context: EvaluationContext) -> float:
        network, batch_size = self.settings.network, self.settings.batch_size
        labels = labelled_batch(context, batch_size).labels
        graph = context.shared_pass(forward_graph, network, batch_size)
        check_layers(graph)
        gradients = context.shared_pass(loss_by_outputs, network, batch_size)
        return information_of(graph, gradients, labels, self.settings.weighting)
