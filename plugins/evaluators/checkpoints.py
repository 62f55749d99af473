"""Gradient checkpointing, which changes no score and yet hides what runs inside."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import Any
from unittest.mock import patch

from torch.utils import checkpoint


def _run(function: Callable[..., Any], _preserve_rng_state: bool, *args: Any) -> Any:
    return function(*args)


def _without_recomputation(*_args: Any, **_kwargs: Any) -> Iterator[None]:
    yield


@contextmanager
def checkpoints_ignored() -> Iterator[None]:
    """Let ``torch.utils.checkpoint`` run functions as they are.

    The reentrant kind runs them without gradients at first and is no part of the graph then; both kinds run them once
    more in the backward pass.
    """
    # Not the public function, to which a network's module may hold a reference of its own.
    with (
        patch.object(checkpoint.CheckpointFunction, "apply", _run),
        patch.object(checkpoint, "_checkpoint_without_reentrant_generator", _without_recomputation),
    ):
        yield
