"""The gradient of architecture parameters through one step of the weights: Liu et al., DARTS, ICLR 2019, section 2.3.

With the training loss L(w, a), the validation loss V(w, a), the learning rate x, momentum m with factor u, and decay d:
the step is w' = w - x (u m + dL/dw + d w), and the gradient of V(w'(a), a) is

    dV/da (w', a) - x (dL/da (w + r v, a) - dL/da (w - r v, a)) / (2 r),    v = dV/dw (w', a),    r = 0.01 / |v|

with a finite difference in place of a product with second derivatives. As in the released code, w' is a step of plain
momentum, without Nesterov's correction and clipping, which the weights' own steps have. Here weights are restored from
a copy, bit for bit, where the code subtracts what it added.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence

import torch
from torch import Tensor

DISPLACEMENT = 0.01
"""Norm of the displacement of all weights together (released code)."""


def unrolled_gradient(
    training_loss: Callable[[], Tensor],
    validation_loss: Callable[[], Tensor],
    weights: Sequence[Tensor],
    alphas: Tensor,
    *,
    learning_rate: float,
    momentum: float,
    weight_decay: float,
    buffers: Sequence[Tensor | None],
    displacement: float = DISPLACEMENT,
) -> Tensor:
    """Return the gradient of the validation loss after one step of the weights with respect to ``alphas``.

    Args:
        training_loss: Computes L from the present values of weights and alphas. It is called three times: at the
            weights, and displaced to both sides.
        validation_loss: Computes V likewise; called once, after the step.
        weights: Changed in place on the way, and back to their values at the end.
        alphas: Architecture parameters.
        learning_rate: Of the step.
        momentum: Its factor.
        weight_decay: Its decay.
        buffers: Momentum of each weight, None for zero.
        displacement: Norm of the displacement for the finite difference.
    """
    before = [weight.detach().clone() for weight in weights]
    gradients = torch.autograd.grad(training_loss(), weights, allow_unused=True)
    try:
        with torch.no_grad():
            for weight, gradient, buffer in zip(weights, gradients, buffers, strict=True):
                step = weight_decay * weight
                step = step if gradient is None else step + gradient
                weight.sub_(learning_rate * (step if buffer is None else step + momentum * buffer))
        *directions, first = torch.autograd.grad(validation_loss(), [*weights, alphas], allow_unused=True)
        norm = torch.stack([each.norm() for each in directions if each is not None]).norm()
        if not norm:
            return first
        radius = displacement / norm
        sides = []
        for sign in (1, -1):
            with torch.no_grad():
                for weight, kept, direction in zip(weights, before, directions, strict=True):
                    weight.copy_(kept if direction is None else kept + sign * radius * direction)
            (side,) = torch.autograd.grad(training_loss(), [alphas])
            sides.append(side)
    finally:
        with torch.no_grad():
            for weight, kept in zip(weights, before, strict=True):
                weight.copy_(kept)
    unrolled: Tensor = first - learning_rate * (sides[0] - sides[1]) / (2 * radius)
    return unrolled
