"""Which modules are PyTorch's own, which only hold others, and how those inside of a module are reached."""

from __future__ import annotations

import json

from torch import nn


def is_plain(module: nn.Module) -> bool:
    """Whether a module is of ``torch.nn`` itself, and no container."""
    return type(module).__module__.startswith("torch.nn.") and not is_container(module)


def is_sequence(module: nn.Module) -> bool:
    """Whether a module calls its children one after the other, as ``nn.Sequential`` does, and does nothing else."""
    return isinstance(module, nn.Sequential) and type(module).forward is nn.Sequential.forward


def is_container(module: nn.Module) -> bool:
    """Whether a module only holds others, or parameters."""
    return is_sequence(module) or isinstance(
        module, nn.ModuleList | nn.ModuleDict | nn.ParameterList | nn.ParameterDict
    )


def attribute(module: nn.Module, path: str) -> str:
    """Return the expression for a submodule, parameter or buffer of a module, from its dotted path."""
    text, owner = "self", module
    for part in path.split(".") if path else ():
        if isinstance(owner, nn.Sequential | nn.ModuleList | nn.ParameterList) and part.isdigit():
            text += f"[{part}]"
        elif isinstance(owner, nn.ModuleDict | nn.ParameterDict):
            text += f"[{json.dumps(part)}]"
        else:
            text += f".{part}"
        owner = getattr(owner, part)
    return text
