"""Which layers do what their class says and nothing else."""

from __future__ import annotations

from torch import nn
from torch.nn.modules import module

_HOOKS = ("_forward_hooks", "_forward_pre_hooks", "_backward_hooks", "_backward_pre_hooks")
_GLOBAL_HOOKS = tuple(f"_global{name}" for name in _HOOKS)


def is_plain(layer: nn.Module) -> bool:
    """Return whether nothing sees or changes what goes in and out of a layer, and its ``forward`` is its class's."""
    observed = any(getattr(layer, name) for name in _HOOKS) or any(getattr(module, name) for name in _GLOBAL_HOOKS)
    return not observed and "forward" not in vars(layer)
