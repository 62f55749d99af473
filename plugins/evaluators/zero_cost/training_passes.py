"""What zero-cost evaluators share: one forward pass in training mode of the run's batch, and derivatives of it.

An evaluator asks its context for what it needs by name, such as ``context.shared_pass(loss_gradients, network,
batch_size)``. All passes are made of one :func:`forward_graph`, which is kept as long as evaluators of the architecture
are known to need it; one backward pass gives the gradients by weights and, if others ask for them on this architecture,
what :func:`loss_gradients_by_outputs` and :func:`loss_curvatures` need.

Each takes the network, one of the space's, and the number of inputs.
"""

from __future__ import annotations

from torch import Tensor

from ....core.context import EvaluationContext
from ....core.errors import DegenerateError, DivergedError, EvaluationError
from ..probing import labelled_batch
from .forward_graph import (
    ForwardGraph,
    LossGradients,
    WeightGradients,
    curvatures,
    input_gradients,
    output_gradients,
    weight_gradients,
)


def forward_graph(context: EvaluationContext, network: str, batch_size: int, seen: bool = True) -> ForwardGraph:
    """Return the forward pass, which draws the same random numbers whether or not its layers are seen.

    Raises:
        DivergedError: The logits are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """
    return ForwardGraph(context.network(network), context.batch(batch_size).inputs, seen=seen)


def loss_backward(context: EvaluationContext, network: str, batch_size: int) -> LossGradients:
    """Return the loss's gradients, with what others of the architecture will need.

    Raises:
        DegenerateError: See :class:`LossGradients` and :func:`.probing.labelled_batch`.
        DivergedError: See :func:`forward_graph`.
        EvaluationError: See there.
    """
    labels = labelled_batch(context, batch_size).labels
    graph = context.shared_pass(forward_graph, network, batch_size)
    return LossGradients(
        graph,
        labels,
        outputs=not graph.has_hidden_layers and context.has_or_expects_pass(loss_by_outputs, network, batch_size),
        differentiable=graph.has_one_backward_pass
        and context.has_or_expects_pass(loss_curvatures, network, batch_size),
    )


def loss_gradients(context: EvaluationContext, network: str, batch_size: int) -> WeightGradients:
    """Return the executed weights with the loss's gradients by them.

    Raises:
        DegenerateError: See :func:`loss_backward` and :func:`weight_gradients`.
        DivergedError: The logits or a gradient are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """
    gradients = context.shared_pass(loss_backward, network, batch_size)
    return weight_gradients(context.shared_pass(forward_graph, network, batch_size), gradients)


def loss_curvatures(context: EvaluationContext, network: str, batch_size: int) -> WeightGradients:
    """Return the executed weights with H g, the products of the loss's Hessian and gradient.

    Raises:
        DegenerateError: See :func:`loss_backward` and :func:`curvatures`.
        DivergedError: The logits or a gradient are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """
    graph = context.shared_pass(forward_graph, network, batch_size)
    if graph.has_one_backward_pass:
        gradients = context.shared_pass(loss_backward, network, batch_size)
        if gradients.are_differentiable:
            return curvatures(graph, gradients)
    labels = labelled_batch(context, batch_size).labels
    return curvatures(graph, LossGradients(graph, labels, differentiable=True))


def loss_by_outputs(context: EvaluationContext, network: str, batch_size: int) -> tuple[Tensor | None, ...]:
    """Return the loss's gradients by the outputs of layers, as :func:`output_gradients` does.

    Raises:
        DegenerateError: See :func:`.probing.labelled_batch`.
        DivergedError: The logits are not finite.
        EvaluationError: The network's layers cannot be looked at.
    """
    if context.has_or_expects_pass(loss_backward, network, batch_size):
        gradients = context.shared_pass(loss_backward, network, batch_size)
        if gradients.by_outputs is not None:
            return gradients.by_outputs
    graph = context.shared_pass(forward_graph, network, batch_size)
    return output_gradients(graph, labelled_batch(context, batch_size).labels)


def logit_gradients(context: EvaluationContext, network: str, batch_size: int) -> Tensor:
    """Return the gradients of the sum of all logits by the inputs, shape (batch, values of one input).

    A network whose layers cannot be looked at, which need not be seen here, has a forward pass of its own.

    Raises:
        DegenerateError: They are 0.
        DivergedError: The logits or a gradient are not finite.
    """
    try:
        graph = context.shared_pass(forward_graph, network, batch_size)
    except (DegenerateError, DivergedError):
        raise
    except EvaluationError:
        graph = context.shared_pass(forward_graph, network, batch_size, False)
    return input_gradients(graph.logits, graph.differentiable_inputs)
