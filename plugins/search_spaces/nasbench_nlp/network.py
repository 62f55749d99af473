"""NAS-Bench-NLP's networks between embedding and decoder: three recurrent layers with the dropouts of AWD-LSTM.

Sizes are those of the benchmark (Klyuchnikov et al., 2020): 400 features, hidden sizes 600, 600 and 400. Weights of a
cell begin uniform in +-1 / sqrt(hidden size). In training, masks of the dropouts are drawn anew in every forward pass,
always on the CPU, so that a network sees the same ones on every device:

- weight-drop: single weights of the matrices that are not fed by ``x``;
- variational dropout behind each layer: features, the same ones at every step of a sequence.

In the benchmark's released code, weight-drop cuts the gradient: matrices that are not fed by ``x`` stay as they began.
All published trainings were made so, and the networks here do the same, but for the variant ``all-trained``.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from functools import partial

import torch
from torch import Tensor, nn
from torch.nn import functional

from .plan import compile_recipe
from .recipe import INPUT, Recipe

WIDTH = 400
HIDDEN_SIZES = (600, 600, WIDTH)

LayerStates = list[list[Tensor]]
"""States of each layer, each of shape (batch, hidden size)."""

_LEAKY_SLOPE = 0.01


@dataclass(frozen=True)
class Dropouts:
    """How much is dropped in training, and whether weight-drop cuts the gradient.

    Attributes:
        weights: Share of single weights of the matrices that are not fed by ``x``.
        between: Share of features behind all layers but the last.
        output: Share of features behind the last layer.
        frozen: Whether matrices that are not fed by ``x`` get no gradient.
    """

    weights: float
    between: float
    output: float
    frozen: bool = True


VARIANTS = {
    "benchmark": Dropouts(weights=0.5, between=0.25, output=0.4),
    "wikitext-2": Dropouts(weights=0.1, between=0.25, output=0.1),
    "all-trained": Dropouts(weights=0.5, between=0.25, output=0.4, frozen=False),
}
"""The settings on Penn Treebank and, as its training logs have them, on WikiText-2."""


class RecurrentNetwork(nn.Module):
    """Three layers of one cell; maps sequences ``(length, batch, 400)`` to the same shape.

    Attributes:
        width: Features of inputs and outputs.
    """

    width = WIDTH

    def __init__(self, recipe: Recipe, dropouts: Dropouts) -> None:
        """Build the layers; initial weights come from torch's global generator."""
        super().__init__()
        self.dropouts = dropouts
        sizes = (WIDTH, *HIDDEN_SIZES)
        self.layers = nn.ModuleList(
            RecurrentLayer(recipe, before, after, dropouts) for before, after in itertools.pairwise(sizes)
        )

    def forward(self, inputs: Tensor) -> Tensor:
        """Map ``(length, batch, 400)`` to the same shape; all states begin as zero."""
        return self.read(inputs, None)[0]

    def read(self, inputs: Tensor, states: LayerStates | None) -> tuple[Tensor, Tensor, LayerStates]:
        """Map ``(length, batch, 400)`` to the same shape, from given states on.

        Args:
            inputs: The sequences.
            states: Of each layer, zero if None.

        Returns:
            The outputs, those of the last layer before its dropout, and the states behind the last step, which no
            gradient goes through.
        """
        values = raw = inputs
        after = []
        for number, layer in enumerate(self._layers, start=1):
            raw, layer_states = layer.read(values, None if states is None else states[number - 1])
            after.append(layer_states)
            share = self.dropouts.output if number == len(self.layers) else self.dropouts.between
            # One mask for all steps.
            values = raw * draw_mask(raw[:1].shape, share, raw.dtype, raw.device) if self.training else raw
        return values, raw, after

    def recurrent_weights(self) -> Iterator[Tensor]:
        """Yield the matrices that are not fed by ``x``."""
        for layer in self._layers:
            yield from layer.recurrent_weights()

    @property
    def _layers(self) -> list[RecurrentLayer]:
        return list(self.layers)  # type: ignore[arg-type]


class RecurrentLayer(nn.Module):
    """One cell, applied to a sequence step by step."""

    def __init__(self, recipe: Recipe, input_size: int, hidden_size: int, dropouts: Dropouts) -> None:
        """Build the matrices and biases of the cell's linear nodes."""
        super().__init__()
        self.recipe = recipe
        self.plan = compile_recipe(recipe)
        self.hidden_size = hidden_size
        self.dropouts = dropouts
        linear = {name: node for name, node in recipe.nodes.items() if node.operation == "linear"}
        self.matrices = nn.ModuleDict(
            {
                name: nn.ModuleList(
                    nn.Linear(input_size if source == INPUT else hidden_size, hidden_size, bias=False)
                    for source in node.inputs
                )
                for name, node in linear.items()
            }
        )
        self.biases = nn.ParameterDict({name: nn.Parameter(torch.empty(hidden_size)) for name in linear})
        bound = 1 / math.sqrt(hidden_size)
        for parameter in self.parameters():
            nn.init.uniform_(parameter, -bound, bound)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map ``(length, batch, input_size)`` to ``(length, batch, hidden_size)``, the states ``h_new_0``."""
        return self.read(inputs, None)[0]

    def read(self, inputs: Tensor, states: list[Tensor] | None) -> tuple[Tensor, list[Tensor]]:
        """Do the same from given states on, zero if None; return the states behind the last step too, detached."""
        from_input = self._from_input(inputs)
        recurrent = self._recurrent_matrices(inputs.device)
        values = [inputs.new_zeros(inputs.shape[1], self.hidden_size)] * self.plan.num_slots
        values[: len(states or ())] = states or ()
        outputs = []
        for step in range(len(inputs)):
            for instruction in self.plan.instructions:
                sources = [values[slot] for slot in instruction.sources]
                if instruction.operation == "linear":
                    value = from_input[instruction.node][step]
                    for source, matrix in zip(sources, recurrent[instruction.node], strict=True):
                        value = torch.addmm(value, source, matrix)
                else:
                    value = _COMPUTE[instruction.operation](*sources)
                values[instruction.target] = value
            new_states = [values[slot] for slot in self.plan.new_states]
            values[: len(new_states)] = new_states
            outputs.append(new_states[0])
        return torch.stack(outputs), [state.detach() for state in new_states]

    def _from_input(self, inputs: Tensor) -> dict[str, tuple[Tensor, ...]]:
        """Return what ``x`` and the bias give each linear node at each step, from one product for all steps."""
        parts: dict[str, tuple[Tensor, ...]] = {}
        for name, bias in self.biases.items():
            part = bias.expand(*inputs.shape[:2], -1)
            for source, matrix in zip(self.recipe.nodes[name].inputs, self._modules_of(name), strict=True):
                if source == INPUT:
                    part = part + functional.linear(inputs, matrix.weight)
            parts[name] = part.unbind()
        return parts

    def _recurrent_matrices(self, device: torch.device) -> dict[str, list[Tensor]]:
        """Return, for each linear node, the transposed matrices of its inputs but ``x``, after weight-drop."""
        return {
            name: [
                self._dropped(matrix.weight, device).t()
                for source, matrix in zip(self.recipe.nodes[name].inputs, self._modules_of(name), strict=True)
                if source != INPUT
            ]
            for name in self.biases
        }

    def recurrent_weights(self) -> Iterator[Tensor]:
        """Yield the matrices that are not fed by ``x``."""
        for name in self.biases:
            for source, matrix in zip(self.recipe.nodes[name].inputs, self._modules_of(name), strict=True):
                if source != INPUT:
                    yield matrix.weight

    def _dropped(self, weight: Tensor, device: torch.device) -> Tensor:
        kept = weight.detach() if self.dropouts.frozen else weight
        return kept * draw_large_mask(kept.shape, self.dropouts.weights, kept.dtype, device) if self.training else kept

    def _modules_of(self, name: str) -> list[nn.Linear]:
        matrices: nn.ModuleList = self.matrices[name]  # type: ignore[assignment]
        return list(matrices)  # type: ignore[arg-type]


def _blend(gate: Tensor, first: Tensor, second: Tensor) -> Tensor:
    return gate * first + (1 - gate) * second


_COMPUTE: Mapping[str, Callable[..., Tensor]] = {
    "elementwise_sum": torch.add,
    "elementwise_prod": torch.mul,
    "blend": _blend,
    "activation_tanh": torch.tanh,
    "activation_sigm": torch.sigmoid,
    "activation_leaky_relu": partial(functional.leaky_relu, negative_slope=_LEAKY_SLOPE),
}


def draw_mask(shape: torch.Size, share: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return a mask of dropout: 0 for a ``share`` of all values, 1 / (1 - share) for the others, drawn on the CPU."""
    return _scaled(torch.rand(shape), share, share, dtype, device)


def draw_large_mask(shape: torch.Size, share: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    """Return such a mask for the weights of a matrix, in half the time.

    It is made of 16 random bits for each value. PyTorch's ``bernoulli_`` takes seven times as long, which was nearly
    half of a training, and draws others where MKL makes them (before PyTorch 2.7).

    Args:
        shape: Of the mask; the number of random words follows from it, so it must not depend on the batch.
        share: Rounded to a multiple of 2 ** -16.
        dtype: Of the mask.
        device: Where to put it.
    """
    words = torch.empty(-(-shape.numel() // 4), dtype=torch.int64).random_(-(2**63), None)
    levels = words.view(torch.int16)[: shape.numel()].view(shape)
    return _scaled(levels, round(share * 2**16) - 2**15, share, dtype, device)


def _scaled(levels: Tensor, least: float, share: float, dtype: torch.dtype, device: torch.device) -> Tensor:
    # Written as numbers: to make numbers of truth values takes as long as to draw them.
    kept = torch.ge(levels, least, out=torch.empty(levels.shape, dtype=dtype))
    return kept.to(device).mul_(1 / (1 - share))
