"""Running a network with other tensors in place of its parameters and buffers."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from torch import Tensor, nn
from torch.nn.modules.module import register_module_parameter_registration_hook

from ...core.errors import EvaluationError


def run_with(network: nn.Module, tensors: Mapping[str, Tensor], inputs: Tensor) -> Any:
    """Return what the network returns with stand-ins for some of its parameters and buffers, which it gets back.

    Unlike ``torch.func.functional_call``, which leaves stand-ins behind in modules that a network has under two names.

    Args:
        network: Left as found, but for what its forward pass does to the stand-ins.
        tensors: By name, as ``named_parameters`` and ``named_buffers`` give them.
        inputs: What it is called with.

    Raises:
        EvaluationError: It makes layers while it runs, which have no stand-ins.
    """
    own = dict([*network.named_parameters(), *network.named_buffers()])
    stand_ins = {id(own[name]): tensor for name, tensor in tensors.items()}
    # A patch of `nn.Module` instead would empty the caches of its attributes, which costs a millisecond.
    known = own.values()

    def refuse_layer(module: nn.Module, _name: str, parameter: nn.Parameter) -> None:
        if any(parameter is tensor for tensor in known):
            return  # a part of a list of the network's own
        if isinstance(module, nn.ParameterList | nn.ParameterDict):
            raise EvaluationError(
                "the network takes a part of a list of parameters in its forward pass, which makes new ones of what "
                "runs in their place: index the list, do not slice it"
            )
        raise EvaluationError(
            f"the network makes layers in its forward pass (a {type(module).__name__}), whose initial weights depend "
            "on what ran before: make them in `__init__`"
        )

    with _replaced(network, stand_ins), register_module_parameter_registration_hook(refuse_layer):
        return network(inputs)


@contextmanager
def _replaced(network: nn.Module, stand_ins: Mapping[int, Tensor]) -> Iterator[None]:
    places: list[tuple[Any, Any, Any]] = []
    for module in network.modules():
        for store in (module._parameters, module._buffers):
            places += [(store, name, tensor) for name, tensor in store.items() if id(tensor) in stand_ins]
        if isinstance(module, nn.RNNBase):
            # Its forward pass reads a list of its own.
            weights: list[Any] = module._flat_weights
            places += [(weights, place, tensor) for place, tensor in enumerate(weights) if id(tensor) in stand_ins]
    for store, name, tensor in places:
        store[name] = stand_ins[id(tensor)]
    try:
        yield
    finally:
        for store, name, tensor in places:
            store[name] = tensor
