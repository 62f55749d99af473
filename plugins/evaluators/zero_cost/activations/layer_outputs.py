"""Which calls are ReLUs and poolings, however a network spells them."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import torch
from torch import Tensor
from torch.nn import functional

from ...observe import Call, refuse_mapped

_Function = Callable[..., Any]

_RELUS: frozenset[_Function] = frozenset(
    (
        functional.relu,
        functional.relu_,
        functional.relu6,
        torch.relu,
        torch.relu_,
        Tensor.relu,
        Tensor.relu_,
    )
)
# With the ends of the range as the next two arguments.
_CLIPPINGS: dict[_Function, tuple[str, str]] = {
    **dict.fromkeys((functional.hardtanh, functional.hardtanh_), ("min_val", "max_val")),
    **dict.fromkeys((torch.clamp, torch.clamp_, Tensor.clamp, Tensor.clamp_), ("min", "max")),
    **dict.fromkeys((torch.clip, torch.clip_, Tensor.clip, Tensor.clip_), ("min", "max")),
    **dict.fromkeys((torch.clamp_min, torch.clamp_min_, Tensor.clamp_min, Tensor.clamp_min_), ("min", "")),
}
_THRESHOLDS: frozenset[_Function] = frozenset(
    (functional.threshold, torch.threshold, functional.threshold_)  # type: ignore[attr-defined]
)
_MASKING_IN_PLACE: frozenset[_Function] = frozenset(
    (
        Tensor.mul_,
        Tensor.__imul__,
        Tensor.multiply_,
        Tensor.masked_fill_,
        Tensor.__setitem__,
        functional.leaky_relu_,
        functional.elu_,
        functional.rrelu_,
    )
)
# Where the argument "inplace" stands; with a slope or scale of 0 for negative values these are ReLUs.
_MASKING_IF_ASKED: dict[_Function, int] = {functional.leaky_relu: 2, functional.elu: 2, functional.rrelu: 4}
_POOLINGS: frozenset[_Function] = frozenset(
    (
        functional.avg_pool2d,
        functional.max_pool2d,
        torch.max_pool2d,
        functional.max_pool2d_with_indices,
        functional.adaptive_avg_pool2d,
        functional.adaptive_max_pool2d,
        functional.adaptive_max_pool2d_with_indices,
    )
)
_REDUCTIONS: frozenset[_Function] = frozenset((torch.mean, Tensor.mean, torch.amax, Tensor.amax, torch.max, Tensor.max))


def run_and_find_relu(call: Call, note: Callable[[Tensor], None]) -> tuple[Any, Tensor | None]:
    """Make a call and say what it rectified, if it was a ReLU.

    A ReLU is one of torch's functions of that name, clipping or a threshold at 0, or whatever else returns 0 for the
    negative values of an argument and the others as they are, or doubled, as x + |x| does.

    Args:
        call: Any.
        note: Is given the input of a ReLU, as it was before the call.

    Returns:
        What the call returns, and what the ReLU gives, None if it was none.

    Raises:
        EvaluationError: The call is mapped over its images.
    """
    refuse_mapped(call)
    if _is_named_relu(call):
        note(call.argument(0, "input"))
        output = call()
        return output, output
    changed = call.argument(0, "input") if _masks_in_place(call) else None
    before = changed.detach().clone() if isinstance(changed, Tensor) else None
    output = call()
    if before is not None and isinstance(changed, Tensor):
        found, rectified = before if _is_rectified(before, changed.detach()) else None, changed
    else:
        found, rectified = _rectified_argument(call, output), output
    if found is None:
        return output, None
    note(found)
    return output, rectified


def _is_named_relu(call: Call) -> bool:
    if call.function in _RELUS:
        return True
    if call.function in _CLIPPINGS:
        lowest, highest = _CLIPPINGS[call.function]
        end = call.argument(2, highest)
        return _is_zero(call.argument(1, lowest)) and (end is None or (not isinstance(end, Tensor) and end > 0))
    return call.function in _THRESHOLDS and all(
        _is_zero(call.argument(place, name)) for place, name in ((1, "threshold"), (2, "value"))
    )


def _masks_in_place(call: Call) -> bool:
    place = _MASKING_IF_ASKED.get(call.function)
    return call.function in _MASKING_IN_PLACE or (place is not None and bool(call.argument(place, "inplace")))


def _is_zero(value: Any) -> bool:
    return isinstance(value, int | float) and value == 0


def _rectified_argument(call: Call, output: Any) -> Tensor | None:
    if not isinstance(output, Tensor) or not output.is_floating_point():
        return None
    for argument in (*call.args, *call.kwargs.values()):
        if isinstance(argument, Tensor) and argument is not output and _is_rectified(argument, output.detach()):
            return argument.detach()
    return None


def _is_rectified(inputs: Tensor, outputs: Tensor) -> bool:
    if inputs.shape != outputs.shape or not inputs.dim() or not inputs.is_floating_point() or not inputs.numel():
        return False
    inputs = inputs.detach()
    # The first row tells nearly always.
    row = (0,) * (inputs.dim() - 1)
    if not _are_halves(inputs[row], outputs[row]):
        return False
    lowest, highest = inputs.aminmax()
    return bool(lowest < 0 < highest) and _are_halves(inputs, outputs)


def _are_halves(inputs: Tensor, outputs: Tensor) -> bool:
    positive = inputs.clamp(min=0)
    return torch.equal(outputs, positive) or torch.equal(outputs, 2 * positive)


def pooled_map(call: Call, output: Any) -> Tensor | None:
    """Return the feature map that a call pooled, None if it was no pooling.

    Means and maxima of a map that was cut into cells of pixels are poolings as well.
    """
    pooled = output[0] if isinstance(output, tuple) and output else output
    if not isinstance(pooled, Tensor) or call.function not in _POOLINGS | _REDUCTIONS:
        return None
    source = call.argument(0, "input")
    is_smaller = source.shape[:2] == pooled.shape[:2] and source.numel() > pooled.numel()
    return pooled if call.function in _POOLINGS or (pooled.dim() == 4 and is_smaller) else None
