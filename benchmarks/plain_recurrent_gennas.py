"""GenNAS for recurrent networks, written as plainly as its definition; see :mod:`.plain_gennas`.

Source: Li et al., NeurIPS 2021, arXiv 2108.01899, and the authors' code: task ``nlp-combo``, 100 steps of Adam with
learning rate .001 and decay 1.2e-6, a scoring pass without dropouts after every ten. A cell is computed node by node at
every step of a sequence, as its recipe says, and weights are dropped once a pass.
"""

from __future__ import annotations

from collections.abc import Mapping

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..core.context import EvaluationContext
from ..plugins.evaluators.gennas.published_tasks import RECURRENT_COMBO
from ..plugins.evaluators.gennas.signals import signal_sequences
from ..plugins.search_spaces.nasbench_nlp.network import RecurrentLayer, RecurrentNetwork
from .plain_gennas import ITERATIONS, SCORE_INTERVAL

LEARNING_RATE = 1e-3
WEIGHT_DECAY = 1.2e-6
INITIAL_RANGE = 0.1
LEAKY_SLOPE = 0.01


class PlainRecurrentNetwork(nn.Module):
    """A cell's network, computed by its definition, between two linear maps."""

    def __init__(self, backbone: RecurrentNetwork, dim: int) -> None:
        """Build the maps; initial weights come from torch's global generator.

        Args:
            backbone: Gives layers and weights; it is never called.
            dim: Features of inputs and outputs.
        """
        super().__init__()
        self.encoder = nn.Linear(dim, backbone.width)
        self.backbone = backbone
        self.decoder = nn.Linear(backbone.width, dim)
        nn.init.uniform_(self.encoder.weight, -INITIAL_RANGE, INITIAL_RANGE)
        nn.init.uniform_(self.decoder.weight, -INITIAL_RANGE, INITIAL_RANGE)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map ``(length, batch, dim)`` to the same shape."""
        dropouts = self.backbone.dropouts
        values: Tensor = self.encoder(inputs)
        for number, layer in enumerate(self.backbone.layers, start=1):
            assert isinstance(layer, RecurrentLayer)
            values = _run_layer(layer, values)
            share = dropouts.output if number == len(self.backbone.layers) else dropouts.between
            if self.training:
                values = values * _mask((1, *values.shape[1:]), share)
        outputs: Tensor = self.decoder(values)
        return outputs


def plain_recurrent_score(context: EvaluationContext, iterations: int = ITERATIONS) -> float:
    """Return the score of the context's architecture; lower is better.

    Args:
        context: A job of ``gennas-rnn-combo`` whose networks are those of NAS-Bench-NLP.
        iterations: Training steps.
    """
    inputs, targets = context.shared("gennas-rnn sequences", _draw_sequences)
    backbone = context.network("benchmark", bare=True)
    assert isinstance(backbone, RecurrentNetwork)
    with context.initial_weights("gennas-rnn maps"):
        network = PlainRecurrentNetwork(backbone, RECURRENT_COMBO.dim)
    optimizer = torch.optim.Adam(network.parameters(), lr=LEARNING_RATE, weight_decay=WEIGHT_DECAY)
    score = float("nan")
    for step in range(1, iterations + 1):
        network.train()
        loss = functional.mse_loss(network(inputs), targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step % SCORE_INTERVAL == 0 or step == iterations:
            network.eval()
            with torch.no_grad():
                score = float(functional.mse_loss(network(inputs), targets))
    return score


def _draw_sequences(generator: torch.Generator) -> tuple[Tensor, Tensor]:
    inputs = signal_sequences(RECURRENT_COMBO.input, RECURRENT_COMBO, generator)
    return inputs, signal_sequences(RECURRENT_COMBO.target, RECURRENT_COMBO, generator)


def _run_layer(layer: RecurrentLayer, inputs: Tensor) -> Tensor:
    """Map ``(length, batch, input_size)`` to ``(length, batch, hidden_size)``."""
    recipe = layer.recipe
    matrices = _matrices(layer)
    states = [torch.zeros(inputs.shape[1], layer.hidden_size) for _ in range(recipe.num_states)]
    outputs = []
    for x in inputs:
        values = {"x": x} | {f"h_prev_{index}": state for index, state in enumerate(states)}
        for name, node in recipe.nodes.items():
            if node.operation == "linear":
                products = [functional.linear(values[source], matrix) for source, matrix in matrices[name]]
                values[name] = torch.stack(products).sum(0) + layer.biases[name]
            else:
                values[name] = _compute(node.operation, [values[source] for source in node.inputs])
        states = [values[f"h_new_{index}"] for index in range(recipe.num_states)]
        outputs.append(states[0])
    return torch.stack(outputs)


def _matrices(layer: RecurrentLayer) -> Mapping[str, list[tuple[str, Tensor]]]:
    """Return, for each linear node, its inputs and their matrices after weight-drop, which spares that of ``x``."""
    found: dict[str, list[tuple[str, Tensor]]] = {}
    for name in layer.biases:
        modules = layer.matrices[name]
        assert isinstance(modules, nn.ModuleList)
        found[name] = []
        for source, module in zip(layer.recipe.nodes[name].inputs, modules, strict=True):
            assert isinstance(module, nn.Linear)
            weight: Tensor = module.weight
            if source != "x":
                # The authors' weight-drop cuts the gradient.
                weight = weight.detach()
                if layer.training:
                    weight = weight * _mask(weight.shape, layer.dropouts.weights)
            found[name].append((source, weight))
    return found


def _mask(shape: tuple[int, ...], share: float) -> Tensor:
    return torch.empty(shape).bernoulli_(1 - share) / (1 - share)


def _compute(operation: str, inputs: list[Tensor]) -> Tensor:
    match operation:
        case "elementwise_sum":
            return inputs[0] + inputs[1]
        case "elementwise_prod":
            return inputs[0] * inputs[1]
        case "blend":
            return inputs[0] * inputs[1] + (1 - inputs[0]) * inputs[2]
        case "activation_tanh":
            return inputs[0].tanh()
        case "activation_sigm":
            return inputs[0].sigmoid()
        case _:
            return functional.leaky_relu(inputs[0], LEAKY_SLOPE)
