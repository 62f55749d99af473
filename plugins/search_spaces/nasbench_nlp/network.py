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
from dataclasses import dataclass

import torch
from torch import Tensor, nn
from torch.nn import functional

from .recipe import INPUT, Recipe, new_state, previous_state

WIDTH = 400
HIDDEN_SIZES = (600, 600, WIDTH)

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
        values = inputs
        for number, layer in enumerate(self.layers, start=1):
            values = layer(values)
            share = self.dropouts.output if number == len(self.layers) else self.dropouts.between
            if self.training:
                # One mask for all steps.
                values = values * _mask((1, *values.shape[1:]), share, values.device)
        return values


class RecurrentLayer(nn.Module):
    """One cell, applied to a sequence step by step."""

    def __init__(self, recipe: Recipe, input_size: int, hidden_size: int, dropouts: Dropouts) -> None:
        """Build the matrices and biases of the cell's linear nodes."""
        super().__init__()
        self.recipe = recipe
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
        from_input = self._from_input(inputs)
        recurrent = self._recurrent_matrices(inputs.device)
        zero = inputs.new_zeros(inputs.shape[1], self.hidden_size)
        states = [zero] * self.recipe.num_states
        outputs = []
        for step in range(len(inputs)):
            values = {previous_state(index): state for index, state in enumerate(states)}
            for name, node in self.recipe.nodes.items():
                if node.operation == "linear":
                    value = from_input[name][step]
                    for source, matrix in recurrent[name]:
                        value = torch.addmm(value, values[source], matrix)
                    values[name] = value
                else:
                    values[name] = _compute(node.operation, [values[source] for source in node.inputs])
            states = [values[new_state(index)] for index in range(self.recipe.num_states)]
            outputs.append(states[0])
        return torch.stack(outputs)

    def _from_input(self, inputs: Tensor) -> dict[str, Tensor]:
        """Return what ``x`` and the bias give each linear node at all steps: one product instead of one a step."""
        parts: dict[str, Tensor] = {}
        for name, bias in self.biases.items():
            part = bias.expand(*inputs.shape[:2], -1)
            for source, matrix in zip(self.recipe.nodes[name].inputs, self._modules_of(name), strict=True):
                if source == INPUT:
                    part = part + functional.linear(inputs, matrix.weight)
            parts[name] = part
        return parts

    def _recurrent_matrices(self, device: torch.device) -> dict[str, list[tuple[str, Tensor]]]:
        """Return, for each linear node, its other inputs and their transposed matrices after weight-drop."""
        return {
            name: [
                (source, self._dropped(matrix.weight, device).t())
                for source, matrix in zip(self.recipe.nodes[name].inputs, self._modules_of(name), strict=True)
                if source != INPUT
            ]
            for name in self.biases
        }

    def _dropped(self, weight: Tensor, device: torch.device) -> Tensor:
        kept = weight.detach() if self.dropouts.frozen else weight
        return kept * _mask(kept.shape, self.dropouts.weights, device) if self.training else kept

    def _modules_of(self, name: str) -> list[nn.Linear]:
        matrices: nn.ModuleList = self.matrices[name]  # type: ignore[assignment]
        return list(matrices)  # type: ignore[arg-type]


def _compute(operation: str, inputs: list[Tensor]) -> Tensor:
    if operation == "elementwise_sum":
        return inputs[0] + inputs[1]
    if operation == "elementwise_prod":
        return inputs[0] * inputs[1]
    if operation == "blend":
        return inputs[0] * inputs[1] + (1 - inputs[0]) * inputs[2]
    if operation == "activation_tanh":
        return inputs[0].tanh()
    if operation == "activation_sigm":
        return inputs[0].sigmoid()
    return functional.leaky_relu(inputs[0], _LEAKY_SLOPE)


def _mask(shape: tuple[int, ...], share: float, device: torch.device) -> Tensor:
    """Return a mask of dropout: 0 for a ``share`` of all values, 1 / (1 - share) for the others."""
    return (torch.empty(shape).bernoulli_(1 - share) / (1 - share)).to(device)
