"""Ways to look into a network without changing it."""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, contextmanager
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...core.batches import Batch
from ...core.context import EvaluationContext
from ...core.errors import DegenerateError, DivergedError, EvaluationError
from .checkpoints import checkpoints_ignored
from .executed_weights import COMPLEX_WEIGHT, ExecutedWeights, check_visible
from .observe import Call, observe_calls
from .stand_ins import run_with

NO_WEIGHTS = "no convolution, linear, recurrent or embedding layer has run, hence no weights"


def leaf_parameters(network: nn.Module) -> dict[str, Tensor]:
    """Return stand-ins for all floating parameters, leaves to differentiate by.

    They share memory with the network's, whose ``grad`` and ``requires_grad`` no derivative will touch.

    Raises:
        EvaluationError: A parameter is complex.
    """
    named = dict(network.named_parameters())
    _refuse_complex(named.values())
    return {
        name: parameter.detach().requires_grad_() for name, parameter in named.items() if parameter.is_floating_point()
    }


def _refuse_complex(parameters: Iterable[Tensor]) -> None:
    if any(parameter.is_complex() for parameter in parameters):
        raise EvaluationError(COMPLEX_WEIGHT)


@contextmanager
def executed_weights(
    network: nn.Module, parameters: Mapping[str, Tensor], *, lookups: bool = False
) -> Iterator[ExecutedWeights]:
    """Find the weights that layers use; forward and backward passes run inside.

    Args:
        network: The network.
        parameters: Stand-ins that it runs with, by name.
        lookups: See :class:`ExecutedWeights`.

    Raises:
        EvaluationError: The network's layers cannot be looked at, or a parameter is complex.
    """
    check_visible(network)
    _refuse_complex(network.parameters())
    weights = ExecutedWeights(parameters, network, lookups=lookups)
    with checkpoints_ignored(), observe_calls(weights.observe):
        yield weights


def differentiable_by(weights: ExecutedWeights) -> dict[str, Tensor]:
    """Return the weights that were found, by name.

    Raises:
        DegenerateError: There are none.
    """
    tensors = weights.by_name()
    if not tensors:
        raise DegenerateError(NO_WEIGHTS)
    return tensors


def forward_in_training(network: nn.Module, inputs: Tensor, weights: Mapping[str, Tensor] | None = None) -> Tensor:
    """Return the logits of one forward pass in training mode; modes and running statistics are left as found.

    Args:
        network: Takes ``inputs``.
        inputs: Shape (batch, ...).
        weights: Stand-ins for parameters, by name.

    Raises:
        DivergedError: The logits are not finite.
    """
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    with network_mode(network, training=True), checkpoints_ignored():
        # A copy goes in: a network may begin with an in-place operation, and others are to see the same inputs.
        logits = require_logits(run_with(network, {**(weights or {}), **buffers}, inputs.clone()))
    if not torch.isfinite(logits).all():
        raise DivergedError("the network's output is not finite")
    return logits


def blank_input(network: nn.Module, input_shape: tuple[int, ...], *, discrete: bool = False) -> Tensor:
    """Return a batch of one input of zeros on the device of the parameters.

    It is of their type, to differentiate by, or of whole numbers if ``discrete``.
    """
    first = next((parameter for parameter in network.parameters() if parameter.is_floating_point()), torch.zeros(()))
    if discrete:
        return torch.zeros((1, *input_shape), dtype=torch.int64, device=first.device)
    return torch.zeros((1, *input_shape), dtype=first.dtype, device=first.device, requires_grad=True)


def run_weights(network: nn.Module, input_shape: tuple[int, ...], *, discrete: bool = False) -> list[Tensor]:
    """Return the weights of the layers that one input runs, detached; the network is left as found.

    Args:
        network: Takes inputs of shape ``(1, *input_shape)``.
        input_shape: Of one input, such as ``(channels, height, width)``.
        discrete: Whether inputs are whole numbers.

    Raises:
        DegenerateError: There are none.
        EvaluationError: The network's layers cannot be looked at.
    """
    parameters = leaf_parameters(network)
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}
    blank = blank_input(network, input_shape, discrete=discrete)
    with (
        torch.enable_grad(),
        network_mode(network, training=False),
        batch_norm_bypassed(),
        executed_weights(network, parameters, lookups=discrete) as executed,
    ):
        run_with(network, {**parameters, **buffers}, blank.clone())
    return [weight.detach() for weight in differentiable_by(executed).values()]


def require_logits(output: Any) -> Tensor:
    """Return what a network returned if it is a tensor.

    Raises:
        EvaluationError: It is not.
    """
    if not isinstance(output, Tensor):
        raise EvaluationError(f"the network returns a {type(output).__name__}, and a tensor of logits is needed")
    return output


def check_gradients(gradients: Sequence[Tensor]) -> None:
    """Refuse gradients that say nothing.

    Raises:
        DegenerateError: All of them are 0.
        DivergedError: One has a value that is not finite.
    """
    largest = torch.stack([gradient.detach().abs().max() for gradient in gradients]) if gradients else torch.zeros(1)
    if not torch.isfinite(largest).all():
        raise DivergedError("a gradient is not finite")
    if not largest.any():
        raise DegenerateError("every gradient is 0: the network has no path from its input to its output")


def check_outputs(logits: Tensor) -> None:
    """Refuse logits that say nothing of their inputs; biases alone can give the layers behind a gap gradients.

    Raises:
        DegenerateError: They are the same for all inputs.
    """
    if torch.equal(logits, logits[:1].expand_as(logits)):
        raise DegenerateError(
            "the outputs are the same for all inputs: the network has no path from its input, or a classifier of zeros"
        )


def labelled_batch(context: EvaluationContext, size: int) -> Batch:
    """Return the run's batch of ``size`` inputs for a score that needs their labels.

    Raises:
        DegenerateError: All have the same label.
    """
    batch = context.batch(size)
    if len(torch.unique(batch.labels)) < 2:
        raise DegenerateError(
            f"all {size} {context.dataset.unit} of the batch have the same label: use a larger batch_size"
        )
    return batch


def mean_cross_entropy(logits: Tensor, labels: Tensor) -> Tensor:
    """Return the mean cross-entropy over all labels.

    Args:
        logits: Shape ``(*labels.shape, classes)``.
        labels: Class indices, shape (batch,), or with further axes where an input has several.
    """
    return functional.cross_entropy(logits.flatten(end_dim=-2), labels.flatten())


@contextmanager
def network_mode(network: nn.Module, *, training: bool) -> Iterator[None]:
    """Put all modules into training or evaluation mode, and restore the mode of each afterwards."""
    modes = {module: module.training for module in network.modules()}
    network.train(training)
    try:
        yield
    finally:
        for module, was_training in modes.items():
            module.training = was_training


def batch_norm_bypassed() -> AbstractContextManager[None]:
    """Let batch normalisation return its input."""
    return observe_calls(_bypass_batch_norm)


def _bypass_batch_norm(call: Call) -> Any:
    if call.function in (functional.batch_norm, torch.batch_norm):
        features: Tensor = call.argument(0, "input")
        # A copy, so that an in-place activation behind it cannot change what a skip connection reads.
        return features.clone()
    return call()
