"""One forward pass in training mode whose graph serves many derivatives."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager, nullcontext

import torch
from torch import Tensor, nn
from torch.autograd.graph import GradientEdge
from torch.nn.attention import SDPBackend, sdpa_kernel

from ....core.batches import Batch
from ....core.errors import DegenerateError, DivergedError, EvaluationError
from ....core.seeding import saved_global_rng
from ..autograd_graph import graph_nodes
from ..checkpoints import checkpoints_ignored
from ..executed_weights import ExecutedWeights, check_visible
from ..lookups import LookedUp
from ..memory_layout import channels_last_inputs, is_dense
from ..observe import Call, observe_calls
from ..probing import (
    check_gradients,
    check_outputs,
    differentiable_by,
    forward_in_training,
    leaf_parameters,
    mean_cross_entropy,
)
from .layer_runs import LayerRun, LayerRuns
from .twice_differentiable import TwiceDifferentiableBatchNorm, twice_differentiable

WeightGradients = dict[str, tuple[Tensor, Tensor]]
"""Weights with their gradients, or with what is made of these, by name."""


_WITH_ONE_BACKWARD_PASS = frozenset(
    f"{name}Backward{number}"
    for name, number in (
        (TwiceDifferentiableBatchNorm.__name__, ""),
        *((name, 0) for name in ("Add", "Addmm", "AvgPool2D", "AdaptiveAvgPool2D", "Cat", "Clone", "ConstantPadNd")),
        *((name, 0) for name in ("Convolution", "Div", "MaxPool2DWithIndices", "Mul", "NativeBatchNorm", "Relu")),
        *((name, 0) for name in ("Slice", "Sub", "T", "UnsafeView", "View", "ReshapeAlias", "Transpose")),
        ("Mean", 1),
        ("Sum", 1),
        ("Squeeze", 1),
    )
) | {"AccumulateGrad"}
"""Nodes of a graph whose gradients torch computes by the same formula whether or not they are to be differentiated."""


class ForwardGraph:
    """What one forward pass in training mode computed, with the graph to differentiate it by, many times.

    Args:
        network: Left as found.
        inputs: Shape (batch, ...).
        copied: Keep layers' outputs that the network overwrites, by letting it go on with copies.
        seen: Look at the layers; else there are no ``weights`` and ``layers``.

    Attributes:
        network: As above.
        inputs: A leaf to differentiate by, unless they are whole numbers.
        logits: What the network returned; finite.
        restore_rng: Puts the global generators back to where they were before the pass.

    Raises:
        DivergedError: The logits are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """

    def __init__(self, network: nn.Module, inputs: Tensor, *, copied: bool = False, seen: bool = True) -> None:
        if seen:
            check_visible(network)
        self.network = network
        discrete = not inputs.is_floating_point()
        # Differentiable inputs also tell what is computed of them from what is computed of parameters alone.
        self.inputs = inputs if discrete else self._laid_out(inputs, seen).detach().requires_grad_()
        parameters = leaf_parameters(network) if seen else {}
        self._looked_up = LookedUp(inputs) if discrete else None
        self._weights = ExecutedWeights(parameters, network, lookups=discrete)
        self._layers = LayerRuns(self.inputs, copied=copied)
        self.restore_rng = saved_global_rng()
        # Of the kernels of attention only this one can be differentiated twice.
        with (
            torch.enable_grad(),
            sdpa_kernel(SDPBackend.MATH),
            checkpoints_ignored(),
            self._observed() if seen else nullcontext(),
        ):
            self.logits = forward_in_training(network, self.inputs, parameters)

    def _laid_out(self, inputs: Tensor, seen: bool) -> Tensor:
        # PyTorch's own batch normalisation is imprecise with channels last, and stays in place where it is not seen.
        return channels_last_inputs(self.network, inputs) if seen else inputs

    @contextmanager
    def _observed(self) -> Iterator[None]:
        with observe_calls(twice_differentiable), observe_calls(self._observe):
            yield

    def _observe(self, call: Call) -> object:
        output = self._layers.note(call, self._weights.observe(call))
        if self._looked_up is not None:
            self._looked_up.note(call, output)
        return output

    @property
    def differentiable_inputs(self) -> Tensor:
        """Return the inputs to differentiate by; where these are whole numbers, the vectors looked up for them.

        Raises:
            EvaluationError: None were seen to be looked up.
        """
        return self.inputs if self._looked_up is None else self._looked_up.vectors

    @property
    def weights(self) -> Mapping[str, Tensor]:
        """Return the weights of the layers that ran, by name, to differentiate by.

        Raises:
            DegenerateError: There are none.
        """
        return differentiable_by(self._weights)

    @property
    def has_hidden_layers(self) -> bool:
        """Return whether layers ran where their gradients are not seen."""
        return bool(self._layers.hidden)

    @property
    def layers(self) -> list[LayerRun]:
        """Return what convolutions and linear layers returned.

        Raises:
            EvaluationError: Some ran where their gradients are not seen.
        """
        if self._layers.hidden:
            raise EvaluationError(self._layers.hidden)
        return self._layers.runs

    @property
    def has_one_backward_pass(self) -> bool:
        """Return whether gradients are the same, bit for bit, if they are to be differentiated again.

        Some functions of torch compute them in another way then, and layouts in memory may differ.
        """
        if not all(map(is_dense, (run.values for run in self._layers.runs))):
            return False
        names = (node.name().removeprefix("torch::autograd::") for node in graph_nodes(self.logits.grad_fn))
        return all(name in _WITH_ONE_BACKWARD_PASS for name in names)

    def loss(self, labels: Tensor) -> Tensor:
        """Return the mean cross-entropy of the logits."""
        with torch.enable_grad():
            return mean_cross_entropy(self.logits, labels)


class LossGradients:
    """Gradients of the batch's mean cross-entropy by what a forward pass computed.

    Args:
        graph: The forward pass; its graph is kept.
        labels: Of its inputs.
        outputs: Whether to differentiate by the outputs of layers too, which costs next to nothing.
        differentiable: Whether the gradients by weights can be differentiated again.

    Attributes:
        by_weights: In the order of ``graph.weights``; None where the loss does not depend on one.
        by_outputs: In the order of ``graph.layers``, None likewise; None as a whole unless asked for.
        are_differentiable: As above.

    Raises:
        DegenerateError: The network has no weights, or its output depends on none.
    """

    def __init__(
        self, graph: ForwardGraph, labels: Tensor, *, outputs: bool = False, differentiable: bool = False
    ) -> None:
        weights = list(graph.weights.values())
        if not graph.logits.requires_grad:
            raise DegenerateError("the network's output depends on none of its weights")
        inputs: list[Tensor | GradientEdge] = [*weights, *([layer.edge for layer in graph.layers] if outputs else [])]
        found = torch.autograd.grad(
            graph.loss(labels),
            inputs,  # type: ignore[arg-type]  # which may be of both kinds
            retain_graph=True,
            create_graph=differentiable,
            allow_unused=True,
        )
        self.are_differentiable = differentiable
        self.by_weights = found[: len(weights)]
        self.by_outputs = (
            tuple(None if gradient is None else gradient.detach() for gradient in found[len(weights) :])
            if outputs
            else None
        )


def weight_gradients(graph: ForwardGraph, gradients: LossGradients) -> WeightGradients:
    """Return each executed weight with the loss's gradient by it, both detached.

    A weight that the loss does not depend on is left out.

    Raises:
        DegenerateError: Every gradient is 0, or the logits are the same for all inputs: no path leads from input to
            output.
        DivergedError: A gradient is not finite.
    """
    pairs = {
        name: (weight.detach(), gradient.detach())
        for (name, weight), gradient in zip(graph.weights.items(), gradients.by_weights, strict=True)
        if gradient is not None
    }
    check_gradients([gradient for _, gradient in pairs.values()])
    check_outputs(graph.logits)
    return pairs


def output_gradients(graph: ForwardGraph, labels: Tensor) -> tuple[Tensor | None, ...]:
    """Return the loss's gradients by the outputs of the layers, in their order; None where it does not depend on one.

    There are none as a whole if no layer ran, or the logits depend on no weight.

    Raises:
        EvaluationError: Layers ran where their gradients are not seen.
    """
    edges = [layer.edge for layer in graph.layers]
    gradients: tuple[Tensor | None, ...] = ()
    if edges and graph.logits.requires_grad:
        gradients = torch.autograd.grad(graph.loss(labels), edges, retain_graph=True, allow_unused=True)
    return gradients


def curvatures(graph: ForwardGraph, gradients: LossGradients) -> WeightGradients:
    """Return each executed weight with H g, the product of the loss's Hessian and gradient, both detached.

    By double backward: <stop(g), g> need not be formed, since its gradient is the vector-Jacobian product of g with
    stop(g). A weight whose product is 0, because the loss does not depend on it, is left out.

    Args:
        graph: A forward pass.
        gradients: Its differentiable gradients.

    Raises:
        DegenerateError: Every gradient is 0, or the logits are the same for all inputs.
        DivergedError: A gradient is not finite.
    """
    by_weights = [gradient for gradient in gradients.by_weights if gradient is not None]
    check_gradients(by_weights)
    check_outputs(graph.logits)
    constants = [gradient.detach() for gradient in by_weights]
    weights = graph.weights
    products = torch.autograd.grad(by_weights, list(weights.values()), constants, retain_graph=True, allow_unused=True)
    return {
        name: (weight.detach(), product)
        for (name, weight), product in zip(weights.items(), products, strict=True)
        if product is not None
    }


def input_gradients(logits: Tensor, inputs: Tensor) -> Tensor:
    """Differentiate the sum of all logits of all inputs by the inputs.

    Batch normalisation couples the inputs: a row also has what its input does to the logits of the others.

    Args:
        logits: What a network returned; its graph is kept.
        inputs: The leaf that it was given, or the vectors looked up for it, shape (batch, ...).

    Returns:
        Shape (batch, values of one input), float32.

    Raises:
        DegenerateError: The logits do not depend on the inputs.
        DivergedError: A gradient is not finite.
    """
    gradients = None
    if logits.requires_grad:
        gradients = torch.autograd.grad(logits.sum(), inputs, retain_graph=True, allow_unused=True)[0]
    if gradients is None or not gradients.any():
        raise DegenerateError("the gradient by the inputs is 0: the network has no path from its input to its output")
    if not torch.isfinite(gradients).all():
        raise DivergedError("a gradient by the inputs is not finite")
    return gradients.flatten(1)


def input_gradients_of(network: nn.Module, inputs: Tensor) -> Tensor:
    """Return :func:`input_gradients` of one forward pass in training mode; the network is left as found.

    Its layers need not be seen, unless they look up vectors for whole numbers.

    Raises:
        DegenerateError: See :func:`input_gradients`.
        DivergedError: The logits or a gradient are not finite.
    """
    try:
        graph = ForwardGraph(network, inputs)
    except (DegenerateError, DivergedError):
        raise
    except EvaluationError:
        graph = ForwardGraph(network, inputs, seen=False)
    return input_gradients(graph.logits, graph.differentiable_inputs)


def gradients_of_batch(network: nn.Module, batch: Batch) -> WeightGradients:
    """Return :func:`weight_gradients` of one forward pass in training mode; the network is left as found.

    Raises:
        DegenerateError: See :func:`weight_gradients`.
        DivergedError: The logits or a gradient are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """
    graph = ForwardGraph(network, batch.inputs)
    return weight_gradients(graph, LossGradients(graph, batch.labels))
