"""Layers that learn their sizes from the first input, such as ``torch.nn.LazyLinear``."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .descriptions import DatasetInfo
from .errors import EvaluationError

if TYPE_CHECKING:
    from torch import nn


def initialize_lazy_layers(network: nn.Module, dataset: DatasetInfo) -> None:
    """Let such layers draw their initial weights, from the global generator, for one input of zeros.

    Args:
        network: On the CPU; its modes are left as found.
        dataset: Says what inputs are like.

    Raises:
        EvaluationError: There are no inputs, or a layer does not run in evaluation mode.
    """
    if not _lazy_layers(network):
        return
    if dataset.has_inputs:
        _run_blank_input(network, dataset)
    for name in _lazy_layers(network):
        raise EvaluationError(
            f"no input has told the lazy layer '{name}' its size, as one does in evaluation mode: give it sizes"
        )


def _lazy_layers(network: nn.Module) -> list[str]:
    from torch.nn.modules.lazy import LazyModuleMixin

    lazy = {name: module for name, module in network.named_modules() if isinstance(module, LazyModuleMixin)}
    return [name for name, module in lazy.items() if module.has_uninitialized_params()]  # type: ignore[misc]


def _run_blank_input(network: nn.Module, dataset: DatasetInfo) -> None:
    import torch

    modes = {module: module.training for module in network.modules()}
    dtype = torch.int64 if dataset.discrete else torch.float32
    with torch.no_grad():
        network.eval()(torch.zeros((1, *dataset.input_shape), dtype=dtype))
    for module, training in modes.items():
        module.training = training
