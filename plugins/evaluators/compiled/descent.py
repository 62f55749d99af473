"""A step of stochastic gradient descent for many tensors in one call.

Most are so small that a call of PyTorch's own for each takes longer than its arithmetic.
"""

from __future__ import annotations

import ctypes
from collections.abc import Callable
from functools import cache

import torch
from torch import Tensor

from ..memory_layout import is_dense
from .library import POINTERS, SIZE, declare, load_library, pointers

Update = Callable[[list[Tensor], list[Tensor], list[Tensor] | None, float, float, float], None]
"""Takes parameters, gradients, velocities, learning rate, momentum and weight decay, and changes the parameters and
velocities; no velocities mean no momentum."""

_ARGUMENTS = {
    "descend": (POINTERS, POINTERS, POINTERS, ctypes.POINTER(SIZE), SIZE, *(ctypes.c_float,) * 3),
}

# So that a rest of a vector, a vector and several vectors are among them.
_SIZES_TO_TRY = (1, 7, 16, 83)


def update_with_torch(
    parameters: list[Tensor],
    gradients: list[Tensor],
    velocities: list[Tensor] | None,
    rate: float,
    momentum: float,
    decay: float,
) -> None:
    """Take a step by PyTorch, an :data:`Update`."""
    followed = torch._foreach_add(gradients, parameters, alpha=decay) if decay else gradients
    if velocities is not None:
        torch._foreach_mul_(velocities, momentum)
        torch._foreach_add_(velocities, followed)
        followed = velocities
    torch._foreach_add_(parameters, followed, alpha=-rate)


def update_in_c(
    parameters: list[Tensor],
    gradients: list[Tensor],
    velocities: list[Tensor] | None,
    rate: float,
    momentum: float,
    decay: float,
) -> None:
    """Take a step in C where that can be done, else by PyTorch, an :data:`Update`."""
    # Asked first: on a GPU there is nothing to compile.
    library = _library() if _can_compute(parameters, gradients, velocities) else None
    if library is None:
        update_with_torch(parameters, gradients, velocities, rate, momentum, decay)
    else:
        _descend(library, parameters, gradients, velocities, rate, momentum, decay)


@cache
def _library() -> ctypes.CDLL | None:
    """Return the compiled function; None where there is no compiler, or PyTorch computes something else."""
    library = load_library("descent")
    if library is not None:
        declare(library, _ARGUMENTS)
    return library if library is not None and _agrees(library) else None


def _agrees(library: ctypes.CDLL) -> bool:
    for momentum, decay in ((0.9, 4e-5), (0.9, 0.0), (0.0, 4e-5)):
        ours, theirs = _state(momentum), _state(momentum)
        _descend(library, *ours, 0.1, momentum, decay)
        update_with_torch(*theirs, 0.1, momentum, decay)
        for mine, other in zip(ours, theirs, strict=True):
            if not all(map(torch.equal, mine or (), other or ())):
                return False
    return True


def _state(momentum: float) -> tuple[list[Tensor], list[Tensor], list[Tensor] | None]:
    def numbers(step: float) -> list[Tensor]:
        return [torch.sin(step * torch.arange(1, size + 1) ** 2) for size in _SIZES_TO_TRY]

    velocities = numbers(2.0) if momentum else None
    return numbers(3.0), numbers(7.0), velocities


def _can_compute(parameters: list[Tensor], gradients: list[Tensor], velocities: list[Tensor] | None) -> bool:
    """Whether all are dense single-precision numbers on the CPU, in the same order in memory."""
    return all(
        first.dtype is second.dtype is torch.float32
        and first.device.type == second.device.type == "cpu"
        and first.stride() == second.stride()
        and is_dense(first)
        for others in (gradients, velocities or ())
        for first, second in zip(parameters, others, strict=False)
    )


def _descend(
    library: ctypes.CDLL,
    parameters: list[Tensor],
    gradients: list[Tensor],
    velocities: list[Tensor] | None,
    rate: float,
    momentum: float,
    decay: float,
) -> None:
    count = len(parameters)
    sizes = (SIZE * count)(*(parameter.numel() for parameter in parameters))
    library.descend(
        pointers(parameters), pointers(gradients), None if velocities is None else pointers(velocities), sizes,
        count, rate, momentum, decay,
    )  # fmt: skip
