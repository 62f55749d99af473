"""Which weights a network's layers use, found by looking at what runs.

A weight is the tensor that a convolution, linear, recurrent or embedding layer or a matrix product with a tensor of
parameters receives, whichever module or function makes the call: a parameter, or what is computed of parameters alone,
as ``weight_norm`` does. A tensor without values is none. Parts of a parameter, and its values in another order or
shape, are no weights of their own but that parameter. What is computed of the inputs, such as the products inside
attention, is none, nor is what a weight is computed of, nor a learned query that a layer has projected: that layer has
the weight.
"""

from __future__ import annotations

import re
from collections import Counter
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ...core.errors import EvaluationError
from .autograd_graph import graph_nodes
from .observe import OWN_BACKWARD_PASS, Call, inside_own_function

COMPLEX_WEIGHT = "the network has a complex weight, for which measures of weights have no definition here"

_Function = Callable[..., Any]

GATHERING_CONVOLUTIONS: tuple[_Function, ...] = (functional.conv1d, functional.conv2d, functional.conv3d)
SCATTERING_CONVOLUTIONS: tuple[_Function, ...] = (
    functional.conv_transpose1d,
    functional.conv_transpose2d,
    functional.conv_transpose3d,
)


def _called(names: Sequence[str]) -> tuple[_Function, ...]:
    """Return the functions and methods of some names."""
    return tuple(getattr(owner, name) for owner in (torch, Tensor) for name in names if hasattr(owner, name))


def _multi_dot(*matrices: Tensor) -> Tensor:
    product: Tensor = torch.linalg.multi_dot(matrices)
    return product


_PRODUCTS: dict[_Function, tuple[tuple[int, str], ...]] = {
    **dict.fromkeys(_called(("matmul", "inner", "__matmul__", "__rmatmul__")), ((0, "input"), (1, "other"))),
    **dict.fromkeys(_called(("mm", "bmm")), ((0, "input"), (1, "mat2"))),
    **dict.fromkeys(_called(("mv",)), ((0, "input"), (1, "vec"))),
    **dict.fromkeys(_called(("dot",)), ((0, "input"), (1, "tensor"))),
    **dict.fromkeys(_called(("vdot",)), ((0, "input"), (1, "other"))),
    **dict.fromkeys(_called(("addmm", "addmm_")), ((1, "mat1"), (2, "mat2"))),
    **dict.fromkeys(_called(("addmv", "addmv_")), ((1, "mat"), (2, "vec"))),
    **dict.fromkeys(_called(("addbmm", "addbmm_", "baddbmm", "baddbmm_")), ((1, "batch1"), (2, "batch2"))),
    torch.einsum: tuple((position, "") for position in range(1, 8)),
    **dict.fromkeys((_multi_dot, torch.chain_matmul), tuple((position, "") for position in range(8))),
    torch.linalg.matmul: ((0, "input"), (1, "other")),
    torch.linalg.vecdot: ((0, "x"), (1, "y")),
    torch.tensordot: ((0, "a"), (1, "b")),
    torch.conv_tbc: ((0, "input"), (1, "weight")),
    functional.bilinear: ((0, "input1"), (1, "input2"), (2, "weight")),
    functional.scaled_dot_product_attention: ((0, "query"), (1, "key"), (2, "value")),
}
"""Which arguments are multiplied with each other."""

_PAIR = ((0, "input"), (1, "other"))
_MULTIPLICATIONS = ("mul", "mul_", "multiply", "multiply_", "__mul__", "__rmul__", "__imul__")
_DIVISIONS = ("div", "div_", "divide", "divide_", "true_divide", "true_divide_", "__truediv__", "__itruediv__")
_ADDED_PAIR = ((1, "tensor1"), (2, "tensor2"))
_ADDED_PRODUCTS = ("addcmul", "addcmul_", "addcdiv", "addcdiv_")
_ELEMENTWISE_PRODUCTS: dict[_Function, tuple[tuple[int, str], tuple[int, str]]] = {
    **dict.fromkeys(_called((*_MULTIPLICATIONS, *_DIVISIONS)), _PAIR),
    **dict.fromkeys(_called(_ADDED_PRODUCTS), _ADDED_PAIR),
}
"""Which arguments are multiplied with each other number by number, or one with the reciprocals of the other."""

_RECURRENT: dict[_Function, bool] = {
    **dict.fromkeys((torch.lstm_cell, torch.gru_cell, torch.rnn_tanh_cell, torch.rnn_relu_cell), True),
    **dict.fromkeys((torch.lstm, torch.gru, torch.rnn_tanh, torch.rnn_relu), False),
}
"""Recurrent layers, and whether they are cells, which take one step."""

_WITH_WEIGHT = (*GATHERING_CONVOLUTIONS, *SCATTERING_CONVOLUTIONS, functional.linear, functional.embedding)

# Marks nodes of what layers return; a list of these would keep alive what the network has thrown away.
_OF_LAYER = "nasbench_of_layer"


@dataclass
class _Computed:
    """A weight that is computed of parameters: which ones, what came out, and the leaf that stands for it."""

    sources: frozenset[int]
    operand: Tensor
    values: Tensor
    leaf: Tensor


class ExecutedWeights:
    """Finds the weights of the layers that run, and lets the loss be differentiated by each.

    Computed weights are replaced by leaves of their own, so that a derivative by a weight is that by the tensor that
    the layer receives. A weight that is computed anew for each run of its layer is one weight.
    """

    def __init__(self, parameters: Mapping[str, Tensor], network: nn.Module, *, lookups: bool = False) -> None:
        """Begin to look.

        Args:
            parameters: All floating parameters that the network runs with, by name: leaves that require a gradient.
            network: What they are to run in, in place of its own.
            lookups: Whether the vectors that embeddings look up stand for the inputs, as where these are tokens.
        """
        self._lookups = lookups
        self._positions = {id(parameter): position for position, parameter in enumerate(parameters.values())}
        self._parameters = list(parameters.values())
        self._names = list(parameters)
        own = dict(network.named_parameters())
        self._replaced = {id(own[name]): name for name, parameter in parameters.items() if own[name] is not parameter}
        self._found: set[int] = set()
        self._recurrent: set[int] = set()
        self._computed: list[_Computed] = []
        self._views: dict[int, Tensor] = {}
        # Known to be computed of inputs: what a recurrent network multiplies has its whole history behind it.
        self._of_inputs: set[Any] = set()

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

    def computed(self) -> dict[str, Tensor]:
        """Return the values of those weights found so far that are computed of parameters' values, by name."""
        values = {id(weight.leaf): weight.values for weight in self._computed}
        return {name: values[id(leaf)] for name, leaf in self.by_name().items() if id(leaf) in values}

    def views(self) -> dict[str, Tensor]:
        """Return what layers received of parameters whose values they get in another shape, by the parameter's name."""
        return {self._names[position]: tensor for position, tensor in self._views.items()}

    def sources(self) -> set[str]:
        """Return the names of the parameters that those of :meth:`computed` are computed of."""
        return {self._names[position] for weight in self._computed for position in weight.sources}

    def recurrent(self) -> set[str]:
        """Return the names of the weights of recurrent layers among those found so far."""
        return {self._names[self._positions[identity]] for identity in self._recurrent}

    def multiplies(self, call: Call) -> bool:
        """Return whether a call is a product with a weight that is none of a layer of torch."""
        return call.function not in _WITH_WEIGHT and bool(self._slots(with_separate_operands(call)))

    def observe(self, call: Call) -> Any:
        """Make the call, with leaves in place of weights that are computed of parameters.

        Raises:
            EvaluationError: A layer is made of products of single numbers, its weight's gradient would be lost, or it
                has one of the network's own parameters.
        """
        for recurrent_weight in recurrent_weights(call):
            self._note_recurrent(recurrent_weight)
        call = with_separate_operands(call)
        for position, name in self._slots(call):
            operand = call.argument(position, name)
            weight = self._weight(operand)
            if inside_own_function() and id(operand) not in self._positions:
                raise EvaluationError(OWN_BACKWARD_PASS)
            if weight is not None and weight is not operand:
                call = call.with_argument(position, name, weight)
        return self.noted(call, call())

    def noted(self, call: Call, output: Any) -> Any:
        """Return what a call returned, after noting it if a layer did; for those who do not call :meth:`observe`."""
        is_layer = call.function in _WITH_WEIGHT and call.function is not functional.embedding
        if is_layer and output.grad_fn is not None:
            output.grad_fn.metadata[_OF_LAYER] = True
        return output

    def refuse_products(self, call: Call) -> None:
        """Refuse a matrix product with a weight and a recurrent layer, for measures that look at the outputs of layers.

        Raises:
            EvaluationError: The call is such a product or layer.
        """
        if recurrent_weights(call):
            raise EvaluationError(
                "the network has a recurrent layer, inside which outputs are not seen: write its step with "
                "torch.nn.functional.linear instead"
            )
        if self.multiplies(call):
            raise EvaluationError(
                "the network multiplies by a weight outside of convolutions and linear layers, whose outputs are "
                "counted: call torch.nn.functional.linear instead"
            )

    def refuse_own(self, operand: Tensor) -> None:
        """Refuse one of the network's own parameters, for which another tensor was to run.

        Raises:
            EvaluationError: It is one.
        """
        name = self._replaced.get(id(operand))
        if name is not None:
            raise EvaluationError(
                f"the network holds on to its parameter '{name}' elsewhere than in the module that registers it, so "
                "that no other values can run in its place: read it from that module in `forward`"
            )

    def _note_recurrent(self, weight: Tensor) -> None:
        self.refuse_own(weight)
        if id(weight) in self._positions:
            self._found.add(id(weight))
            self._recurrent.add(id(weight))
        elif self._sources(weight) is not None:
            raise EvaluationError(
                "the network has a recurrent layer whose weight is computed of parameters, and its gradient is not "
                "seen: use one without parametrisation"
            )

    def _slots(self, call: Call) -> tuple[tuple[int, str], ...]:
        """Return position and name of those arguments of a call that are weights.

        Raises:
            EvaluationError: It is a part of a layer that is made of products of single numbers, has one of the
                network's own parameters, or has a complex weight.
        """
        if call.function in _WITH_WEIGHT:
            operand = call.argument(1, "weight")
            if not isinstance(operand, Tensor) or not operand.numel():
                return ()
            self.refuse_own(operand)
            if operand.is_complex() and self._is_weight(operand):
                raise EvaluationError(COMPLEX_WEIGHT)
            return ((1, "weight"),)
        if call.function in _ELEMENTWISE_PRODUCTS:
            self._refuse_expansion(call)
        if call.function not in _PRODUCTS:
            return ()
        operands = [slot for slot in _PRODUCTS[call.function] if isinstance(call.argument(*slot), Tensor)]
        weights = [slot for slot in operands if self._is_weight(call.argument(*slot))]
        # A learned query is projected before, and that projection is the layer.
        weights = [slot for slot in weights if not self._is_projected(call.argument(*slot))]
        if call.function is functional.scaled_dot_product_attention:
            weights = [slot for slot in weights if _is_parameter(call.argument(*slot))]
        if any(call.argument(*slot).is_complex() for slot in weights):
            raise EvaluationError(COMPLEX_WEIGHT)
        # A product of parameters and constants alone is no layer; what it gives may be a weight.
        others = [call.argument(*slot) for slot in operands if slot not in weights]
        return tuple(weights) if any(other.requires_grad for other in others) else ()

    def _refuse_expansion(self, call: Call) -> None:
        """Refuse a product of numbers with a weight that is to be added up.

        It gives more numbers than it gets of the images, or is one of many with slices of the same kernel.
        """
        first, second = _ELEMENTWISE_PRODUCTS[call.function]
        pair = call.argument(*first), call.argument(*second)
        if not all(isinstance(operand, Tensor) and operand.requires_grad for operand in pair):
            return
        size = _broadcast_size(*pair)
        for values, weight in (pair, pair[::-1]):
            is_larger = size > values.numel() and weight.dim() > 1 and self._is_weight(weight)
            if (is_larger or self._is_slice_of_kernel(weight, values)) and not self._is_weight(values):
                raise EvaluationError(
                    "the network multiplies by a weight outside of convolutions and linear layers, number by number: "
                    "call torch.nn.functional.linear instead"
                )

    def _is_slice_of_kernel(self, operand: Tensor, values: Tensor) -> bool:
        if operand.grad_fn is None or not _is_rearranged(operand):
            return False
        # Of a matrix, slices may also be scales: of all channels of a map, or one number for all of a vector.
        fewest = 2 if values.dim() > 2 or (values.dim() == 2 and operand.numel() == 1) else 1
        kernels = [self._parameters[position] for position in self._sources(operand) or ()]
        return any(kernel.dim() > fewest and kernel.numel() > operand.numel() for kernel in kernels)

    def _is_weight(self, operand: Tensor) -> bool:
        self.refuse_own(operand)
        has_values = operand.numel() > 0
        return has_values and (id(operand) in self._positions or self._sources(operand) is not None)

    def _is_projected(self, operand: Tensor) -> bool:
        """Return whether a tensor that is computed of parameters alone is computed of what a layer returned."""
        nodes: Iterable[Any] = graph_nodes(operand.grad_fn)
        return any(_OF_LAYER in node.metadata for node in nodes)

    def _weight(self, operand: Tensor) -> Tensor | None:
        if id(operand) in self._positions:
            self._found.add(id(operand))
            return operand
        sources = self._sources(operand)
        if sources is None:
            return None
        if _is_rearranged(operand):
            (position,) = sources
            self._found.add(id(self._parameters[position]))
            self._views[position] = operand.detach()
            return operand
        for known in self._computed:
            if known.operand is operand or (known.sources == sources and torch.equal(known.values, operand)):
                return known.leaf
        leaf = operand.detach().clone(memory_format=torch.preserve_format).requires_grad_()
        self._computed.append(_Computed(sources, operand, operand.detach(), leaf))
        return leaf

    def _sources(self, operand: Tensor) -> frozenset[int] | None:
        """Return the positions of the parameters that a tensor is computed of, None if of something else too."""
        if operand.grad_fn is None:
            return None
        leaves: set[int] = set()
        for node in graph_nodes(operand.grad_fn):
            if node in self._of_inputs or (self._lookups and node.name() == _LOOKUP):
                self._of_inputs.add(operand.grad_fn)
                return None
            variable = getattr(node, "variable", None)
            if variable is not None:
                self.refuse_own(variable)
                if id(variable) not in self._positions:
                    self._of_inputs.add(operand.grad_fn)
                    return None
                leaves.add(self._positions[id(variable)])
        return frozenset(leaves) or None


def _broadcast_size(first: Tensor, second: Tensor) -> int:
    """Return how many numbers an element-wise product has."""
    if first.shape == second.shape:
        return first.numel()
    size: int = torch.broadcast_shapes(first.shape, second.shape).numel()  # type: ignore[no-untyped-call]
    return size


_LOOKUP = "EmbeddingBackward0"

_REARRANGEMENTS = re.compile(
    r"(View|UnsafeView|ReshapeAlias|AsStrided|T|Transpose|Permute|Unsqueeze|Squeeze|Slice|Select|Split|SplitWithSizes|"
    r"Unbind|Expand|Alias|Detach|Clone|ToCopy)Backward\d*|AccumulateGrad"
)


def _is_parameter(operand: Tensor) -> bool:
    return operand.grad_fn is None or _is_rearranged(operand)


def _is_rearranged(operand: Tensor) -> bool:
    """Return whether a tensor's values are those of one parameter, in another order or shape."""
    nodes = [operand.grad_fn]
    while nodes:
        node = nodes.pop()
        if node is None or not _REARRANGEMENTS.fullmatch(node.name().removeprefix("torch::autograd::")):
            return False
        nodes += [following for following, _ in node.next_functions]
    return True


def as_rows(weight: Tensor) -> Tensor:
    """Return a weight as it is, but a vector, with which a linear layer has one output, as the only row of a matrix."""
    return weight if weight.dim() > 1 else weight.unsqueeze(0)


def with_separate_operands(call: Call) -> Call:
    """Return a call of a product that takes a list of operands as one with an argument for each."""
    if call.function is torch.einsum and len(call.args) == 2 and isinstance(call.args[1], list | tuple):
        return replace(call, args=(call.args[0], *call.args[1]))
    if call.function is torch.linalg.multi_dot and not call.kwargs:
        return Call(_multi_dot, tuple(call.args[0]), {})
    return call


def recurrent_weights(call: Call) -> list[Tensor]:
    """Return the weights that a recurrent layer or cell of torch receives, without its biases; none of other calls."""
    is_cell = _RECURRENT.get(call.function)
    if is_cell is None:
        return []
    if is_cell:
        return [call.argument(2, "w_ih"), call.argument(3, "w_hh")]
    # Behind the states, which stand one further back where sequences of several lengths are packed.
    parameters = next(argument for argument in call.args[3:1:-1] if isinstance(argument, list | tuple))
    return [parameter for parameter in parameters if parameter.dim() > 1]


def check_visible(network: nn.Module) -> None:
    """Refuse a network whose layers cannot be looked at while they run.

    Raises:
        EvaluationError: A module is TorchScript.
    """
    for name, module in network.named_modules():
        where = f"its module '{name}'" if name else "the network"
        if isinstance(module, torch.jit.ScriptModule):
            raise EvaluationError(f"{where} is TorchScript, whose layers are not seen: return it as an nn.Module")
