"""One forward pass in training mode whose graph serves many derivatives, and the passes that evaluators share.

An evaluator asks its context for what it needs by name: ``context.shared_pass(loss_gradients, network, batch_size)`` or
:func:`logit_gradients`, or for the :func:`forward_graph` that both are made of, to differentiate it in another way. All
three are computed once for an architecture, and the graph is the same whoever asks first.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional
from torch.nn.attention import SDPBackend, sdpa_kernel

from ....core.batches import Batch
from ....core.context import EvaluationContext
from ....core.errors import DegenerateError, DivergedError, EvaluationError
from ..checkpoints import checkpoints_ignored
from ..executed_weights import ExecutedWeights, check_visible
from ..observe import OWN_BACKWARD_PASS, Call, observe_calls
from ..probing import (
    check_gradients,
    check_outputs,
    differentiable_by,
    forward_in_training,
    labelled_batch,
    leaf_parameters,
)
from .layer_runs import LayerRun, LayerRuns

WeightGradients = dict[str, tuple[Tensor, Tensor]]
"""Weights with their gradients, by name."""


class ForwardGraph:
    """What one forward pass in training mode computed, with the graph to differentiate it by, many times.

    Args:
        network: Left as found.
        images: Shape (batch, channels, height, width).
        copied: Keep layers' outputs that the network overwrites, by letting it go on with copies.

    Attributes:
        network: As above.
        images: A leaf to differentiate by.
        logits: What the network returned; finite.

    Raises:
        DivergedError: The logits are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """

    def __init__(self, network: nn.Module, images: Tensor, *, copied: bool = False) -> None:
        check_visible(network)
        self.network = network
        # Differentiable images also tell what is computed of them from what is computed of parameters alone.
        self.images = images.detach().requires_grad_()
        parameters = leaf_parameters(network)
        self._weights = ExecutedWeights(parameters, network)
        self._layers = LayerRuns(self.images, copied=copied)
        # Of the kernels of attention only this one can be differentiated twice.
        with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH), checkpoints_ignored(), observe_calls(self._observe):
            self.logits = forward_in_training(network, self.images, parameters)

    def _observe(self, call: Call) -> object:
        return self._layers.note(call, self._weights.observe(call))

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """Return the weights of the layers that ran, by name, to differentiate by.

        Raises:
            DegenerateError: There are none.
        """
        return differentiable_by(self._weights)

    @property
    def layers(self) -> list[LayerRun]:
        """Return what convolutions and linear layers returned.

        Raises:
            EvaluationError: Some ran where their gradients are not seen.
        """
        if self._layers.has_hidden:
            raise EvaluationError(OWN_BACKWARD_PASS)
        return self._layers.runs

    def loss(self, labels: Tensor) -> Tensor:
        """Return the mean cross-entropy of the logits."""
        with torch.enable_grad():
            return functional.cross_entropy(self.logits, labels)


def weight_gradients(graph: ForwardGraph, labels: Tensor) -> WeightGradients:
    """Return each executed weight with the gradient of the batch's mean cross-entropy, both detached.

    A weight that the loss does not depend on is left out.

    Raises:
        DegenerateError: The network has no weights, every gradient is 0, or the logits are the same for all images: no
            path leads from input to output.
        DivergedError: A gradient is not finite.
    """
    weights = graph.weights
    if not graph.logits.requires_grad:
        raise DegenerateError("the network's output depends on none of its weights")
    gradients = torch.autograd.grad(graph.loss(labels), list(weights.values()), retain_graph=True, allow_unused=True)
    pairs = {
        name: (weight.detach(), gradient)
        for (name, weight), gradient in zip(weights.items(), gradients, strict=True)
        if gradient is not None
    }
    check_gradients([gradient for _, gradient in pairs.values()])
    check_outputs(graph.logits)
    return pairs


def image_gradients(logits: Tensor, images: Tensor) -> Tensor:
    """Differentiate the sum of all logits of all images by the images.

    Batch normalisation couples the images: a row also has what its image does to the logits of the others.

    Args:
        logits: What a network returned; its graph is kept.
        images: The leaf that it was given, shape (batch, channels, height, width).

    Returns:
        Shape (batch, channels * height * width), float32.

    Raises:
        DegenerateError: The logits do not depend on the images.
        DivergedError: A gradient is not finite.
    """
    gradients = None
    if logits.requires_grad:
        gradients = torch.autograd.grad(logits.sum(), images, retain_graph=True, allow_unused=True)[0]
    if gradients is None or not gradients.any():
        raise DegenerateError("the gradient by the images is 0: the network has no path from its input to its output")
    if not torch.isfinite(gradients).all():
        raise DivergedError("a gradient by the images is not finite")
    return gradients.flatten(1)


def image_gradients_of(network: nn.Module, images: Tensor) -> Tensor:
    """Return :func:`image_gradients` of one forward pass in training mode; the network is left as found.

    Its layers need not be seen.

    Raises:
        DegenerateError: See :func:`image_gradients`.
        DivergedError: The logits or a gradient are not finite.
    """
    leaf = images.detach().requires_grad_()
    with torch.enable_grad(), sdpa_kernel(SDPBackend.MATH):
        return image_gradients(forward_in_training(network, leaf), leaf)


def forward_graph(context: EvaluationContext, network: str, batch_size: int) -> ForwardGraph:
    """Return the :class:`ForwardGraph` of a job's network and batch, a pass that several evaluators share.

    Args:
        context: The job.
        network: One of the space's networks.
        batch_size: Number of images.

    Raises:
        DivergedError: See :class:`ForwardGraph`.
        EvaluationError: See there.
    """
    return ForwardGraph(context.network(network), context.batch(batch_size).images)


def loss_gradients(context: EvaluationContext, network: str, batch_size: int) -> WeightGradients:
    """Return :func:`weight_gradients` of a job's network and batch, a pass that several evaluators share.

    Raises:
        DegenerateError: See :func:`weight_gradients` and :func:`.probing.labelled_batch`.
        DivergedError: See :func:`weight_gradients`.
        EvaluationError: The network's layers cannot be looked at.
    """
    labels = labelled_batch(context, batch_size).labels
    return weight_gradients(context.shared_pass(forward_graph, network, batch_size), labels)


def logit_gradients(context: EvaluationContext, network: str, batch_size: int) -> Tensor:
    """Return :func:`image_gradients` of a job's network and batch, a pass that several evaluators share.

    A network whose layers cannot be looked at, which need not be seen here, has a forward pass of its own.

    Raises:
        DegenerateError: See :func:`image_gradients`.
        DivergedError: See there.
    """
    try:
        graph = context.shared_pass(forward_graph, network, batch_size)
    except (DegenerateError, DivergedError):
        raise
    except EvaluationError:
        return image_gradients_of(context.network(network), context.batch(batch_size).images)
    return image_gradients(graph.logits, graph.images)


def gradients_of_batch(network: nn.Module, batch: Batch) -> WeightGradients:
    """Return :func:`weight_gradients` of one forward pass in training mode; the network is left as found.

    Raises:
        DegenerateError: See :func:`weight_gradients`.
        DivergedError: The logits or a gradient are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """
    return weight_gradients(ForwardGraph(network, batch.images), batch.labels)
