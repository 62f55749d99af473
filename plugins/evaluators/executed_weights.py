"""Which weights a network's layers use, found by looking at what runs.

A weight is the tensor that a convolution, linear or embedding layer or a matrix product with a tensor of parameters
receives, whichever module or function makes the call: a parameter, or what is computed of parameters alone, as
``weight_norm`` does. What is computed of the images, such as the products inside attention, is none.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...core.errors import EvaluationError
from .observe import Call

_Function = Callable[..., Any]

GATHERING_CONVOLUTIONS: tuple[_Function, ...] = (functional.conv1d, functional.conv2d, functional.conv3d)
SCATTERING_CONVOLUTIONS: tuple[_Function, ...] = (
    functional.conv_transpose1d,
    functional.conv_transpose2d,
    functional.conv_transpose3d,
)
MATRIX_PRODUCTS: tuple[_Function, ...] = (
    torch.matmul,
    Tensor.matmul,
    Tensor.__matmul__,
    torch.mm,
    Tensor.mm,
    torch.bmm,
    Tensor.bmm,
)
_UNREADABLE: tuple[_Function, ...] = (
    torch.einsum,
    torch.tensordot,
    functional.bilinear,
    torch.addmm,
    torch.baddbmm,
    torch.addbmm,
    Tensor.addmm,
    Tensor.baddbmm,
    Tensor.addbmm,
    Tensor.__rmatmul__,
)
"""Products whose operands' axes are not read off here."""

_WITH_WEIGHT = (*GATHERING_CONVOLUTIONS, *SCATTERING_CONVOLUTIONS, functional.linear, functional.embedding)


@dataclass
class _Computed:
    """A weight that is computed of parameters: which ones, what came out, and the leaf that stands for it."""

    sources: frozenset[int]
    values: Tensor
    leaf: Tensor


class ExecutedWeights:
    """Finds the weights of the layers that run, and lets the loss be differentiated by each.

    Computed weights are replaced by leaves of their own, so that a derivative by a weight is that by the tensor that
    the layer receives. A weight that is computed anew for each run of its layer is one weight.
    """

    def __init__(self, parameters: Mapping[str, Tensor], network: nn.Module) -> None:
        """Begin to look.

        Args:
            parameters: All floating parameters that the network runs with, by name: leaves that require a gradient.
            network: Names the weights of its recurrent layers, whose calls are not looked into.
        """
        self._positions = {id(parameter): position for position, parameter in enumerate(parameters.values())}
        self._parameters = list(parameters.values())
        self._names = list(parameters)
        self._found = {id(parameters[name]) for name in recurrent_weight_names(network) if name in parameters}
        self._computed: list[_Computed] = []

    def by_name(self) -> dict[str, Tensor]:
        """Return the weights found so far, in the order of the parameters that they are or are first computed of.

        A computed weight is named after these parameters, and by its number among those of the same ones.
        """
        found = [(self._positions[identity], "") for identity in self._found]
        tensors: dict[tuple[int, str], Tensor] = {pair: self._parameters[pair[0]] for pair in found}
        counts: Counter[frozenset[int]] = Counter()
        for weight in self._computed:
            counts[weight.sources] += 1
            first, *others = sorted(weight.sources)
            suffix = "".join(f" and {self._names[other]}" for other in others)
            tensors[first, f"{suffix}, computed {counts[weight.sources]:06}"] = weight.leaf
        return {self._names[position] + suffix: tensors[position, suffix] for position, suffix in sorted(tensors)}

    def observe(self, call: Call) -> Any:
        """Make the call, with leaves in place of weights that are computed of parameters.

        Raises:
            EvaluationError: A product runs of which it is not known which operands are weights.
        """
        for position, name in weight_slots(call):
            operand = call.argument(position, name)
            if isinstance(operand, Tensor):
                weight = self._weight(operand)
                if weight is not None and weight is not operand:
                    call = _with_argument(call, position, name, weight)
        return call()

    def refuse_products(self, call: Call) -> None:
        """Refuse a matrix product with a weight, for measures that count the outputs of layers.

        Raises:
            EvaluationError: The call is such a product.
        """
        if call.function in (*MATRIX_PRODUCTS, *_UNREADABLE) and any(
            isinstance(operand, Tensor) and self._weight(operand) is not None
            for operand in (call.argument(position, name) for position, name in weight_slots(call))
        ):
            raise EvaluationError(
                "the network multiplies by a weight outside of convolutions and linear layers, whose outputs are "
                "counted: call torch.nn.functional.linear instead"
            )

    def _weight(self, operand: Tensor) -> Tensor | None:
        if id(operand) in self._positions:
            self._found.add(id(operand))
            return operand
        sources = self._sources(operand)
        if sources is None:
            return None
        for known in self._computed:
            if known.sources == sources and torch.equal(known.values, operand):
                return known.leaf
        leaf = operand.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        self._computed.append(_Computed(sources, operand.detach(), leaf))
        return leaf

    def _sources(self, operand: Tensor) -> frozenset[int] | None:
        """Return the positions of the parameters that a tensor is computed of, None if of something else too."""
        if operand.grad_fn is None:
            return None
        leaves: set[int] = set()
        nodes, seen = [operand.grad_fn], {operand.grad_fn}
        while nodes:
            node = nodes.pop()
            variable = getattr(node, "variable", None)
            if variable is not None:
                if id(variable) not in self._positions:
                    return None
                leaves.add(self._positions[id(variable)])
            for following, _ in node.next_functions:
                if following is not None and following not in seen:
                    seen.add(following)
                    nodes.append(following)
        return frozenset(leaves) or None


def weight_slots(call: Call) -> tuple[tuple[int, str], ...]:
    """Return position and name of the arguments of a call that may be weights.

    Raises:
        EvaluationError: It is a product whose axes are not read off.
    """
    if call.function in _WITH_WEIGHT:
        return ((1, "weight"),)
    if call.function in MATRIX_PRODUCTS:
        return ((0, "input"), (1, "mat2" if "mat2" in call.kwargs else "other"))
    if call.function in _UNREADABLE:
        name = getattr(call.function, "__name__", str(call.function))
        raise EvaluationError(
            f"the network calls '{name}', of whose operands it is not known which are weights: "
            "call torch.nn.functional.linear or torch.matmul instead"
        )
    return ()


def _with_argument(call: Call, position: int, name: str, value: Tensor) -> Call:
    if len(call.args) > position:
        return replace(call, args=(*call.args[:position], value, *call.args[position + 1 :]))
    return replace(call, kwargs={**call.kwargs, name: value})


def recurrent_weight_names(network: nn.Module) -> list[str]:
    """Name the weights of PyTorch's recurrent layers, a shared one once."""
    counted = {
        id(parameter)
        for layer in network.modules()
        if isinstance(layer, nn.RNNBase | nn.RNNCellBase)
        for name, parameter in layer.named_parameters(recurse=False)
        if name.startswith("weight")
    }
    return [name for name, parameter in network.named_parameters() if id(parameter) in counted]


def check_visible(network: nn.Module) -> None:
    """Refuse a network whose layers cannot be looked at while they run.

    Raises:
        EvaluationError: A module is TorchScript or was compiled.
    """
    for name, module in network.named_modules():
        where = f"its module '{name}'" if name else "the network"
        if isinstance(module, torch.jit.ScriptModule):
            raise EvaluationError(f"{where} is TorchScript, whose layers are not seen: return it as an nn.Module")
        if isinstance(module, torch._dynamo.eval_frame.OptimizedModule):
            raise EvaluationError(f"{where} is compiled, so that its layers are not seen: leave out torch.compile")
