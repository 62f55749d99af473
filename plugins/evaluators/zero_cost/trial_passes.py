"""Passes of a few random images that show how a network treats a batch, and leave no trace in it."""

from __future__ import annotations

import warnings
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any

import torch
from torch import Tensor, nn

from ....core.seeding import seeded_global_rng
from ..checkpoints import checkpoints_ignored
from ..observe import Call, observe_calls
from ..probing import batch_norm_bypassed, blank_input, network_mode
from ..stand_ins import run_with


def trial_images(network: nn.Module, input_shape: tuple[int, ...], count: int) -> Tensor:
    """Return ``count`` images of N(0, 1), always the same, of the type and on the device of the parameters."""
    images = torch.randn((count, *input_shape), generator=torch.Generator().manual_seed(0))
    return images.to(blank_input(network, input_shape).detach())


def with_other_last_image(images: Tensor) -> Tensor:
    """Return a batch whose last image is another one, far from it in mean and scale."""
    others = images.clone()
    others[-1] = 10 * others[-1] + 10
    return others


def trial_pass(network: nn.Module, images: Tensor, note: Callable[[Call, Any], None], *, training: bool) -> None:
    """Run a network on images, and show what its calls return or, if that is nothing, change.

    Torch's batch normalisation returns its input, what is drawn at random is the same in each pass, and memory without
    values yet is NaN.

    Args:
        network: Takes ``images``; left as found.
        images: Shape (batch, channels, height, width).
        note: Is given each call, in their order, and its output.
        training: The mode to run in.
    """
    buffers = {name: buffer.clone() for name, buffer in network.named_buffers()}

    def observe(call: Call) -> Any:
        output = call()
        note(call, output if output is not None else call.argument(0, "input"))
        return output

    with (
        torch.no_grad(),
        seeded_global_rng(0),
        network_mode(network, training=training),
        _memory_filled(),
        checkpoints_ignored(),
        batch_norm_bypassed(),
        observe_calls(observe),
    ):
        run_with(network, buffers, images)


@contextmanager
def _memory_filled() -> Iterator[None]:
    """Let torch fill with NaN what is made without values, which would differ from pass to pass."""
    before = torch.are_deterministic_algorithms_enabled(), torch.is_deterministic_algorithms_warn_only_enabled()
    torch.use_deterministic_algorithms(True, warn_only=True)
    try:
        with warnings.catch_warnings(action="ignore"):
            yield
    finally:
        torch.use_deterministic_algorithms(before[0], warn_only=before[1])
