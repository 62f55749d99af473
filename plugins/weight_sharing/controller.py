"""The controller of ENAS: a recurrent network that chooses the options of all decisions one after the other.

Sources: Pham et al., ICML 2018; as in Dong & Yang's code of NAS-Bench-201: two LSTM layers of 32, a learned first
input, then the embedding of the option chosen before; one linear layer for all decisions, whose logits are 2.5 tanh(.
/ 5). They stay within 2.5 of 0, so that no option ever has a probability above 0.974. Initial values are uniform in
(-0.1, 0.1) where the code says so, else PyTorch's own.
"""

from __future__ import annotations

from dataclasses import dataclass

import torch
from torch import Tensor, nn

from ...core.errors import DivergedError
from ...core.supernets import Choice

WIDTH = 32
LAYERS = 2
INITIAL_RANGE = 0.1
TEMPERATURE = 5.0
TANH_CONSTANT = 2.5


@dataclass(frozen=True)
class ControllerSample:
    """What a controller chose.

    Attributes:
        choice: One option for each decision.
        log_probability: Of the choice, with a gradient.
        entropy: Sum of those of all decisions, with a gradient.
    """

    choice: Choice
    log_probability: Tensor
    entropy: Tensor


class Controller(nn.Module):
    """Chooses one option of each decision."""

    def __init__(self, counts: list[int]) -> None:
        """Build the controller.

        Args:
            counts: Number of options of each decision.
        """
        super().__init__()
        self.counts = counts
        self.lstm = nn.LSTM(WIDTH, WIDTH, LAYERS)
        self.start = nn.Parameter(torch.empty(WIDTH))
        self.embedding = nn.Embedding(max(counts), WIDTH)
        self.linear = nn.Linear(WIDTH, max(counts))
        with torch.no_grad():
            first_layer = dict(self.lstm.named_parameters())
            for weight in (
                self.start, first_layer["weight_ih_l0"], first_layer["weight_hh_l0"], self.embedding.weight,
                self.linear.weight,
            ):  # fmt: skip
                weight.uniform_(-INITIAL_RANGE, INITIAL_RANGE)

    def sample(self, generator: torch.Generator) -> ControllerSample:
        """Sample a choice; the generator is on the CPU.

        Raises:
            DivergedError: A probability is NaN.
        """
        inputs: Tensor = self.start
        memory = None
        choice: list[int] = []
        log_probability, entropy = self.start.new_zeros(()), self.start.new_zeros(())
        for count in self.counts:
            output, memory = self.lstm(inputs.view(1, 1, WIDTH), memory)
            logits = TANH_CONSTANT * torch.tanh(self.linear(output.view(WIDTH)) / TEMPERATURE)
            log_probabilities = torch.log_softmax(logits[:count], dim=0)
            probabilities = log_probabilities.exp()
            drawn_from = probabilities.detach().cpu()
            if drawn_from.isnan().any():
                raise DivergedError("the probabilities of options became nan")
            option = int(torch.multinomial(drawn_from, 1, generator=generator))
            choice.append(option)
            log_probability = log_probability + log_probabilities[option]
            entropy = entropy - (probabilities * log_probabilities).sum()
            inputs = self.embedding.weight[option]
        return ControllerSample(tuple(choice), log_probability, entropy)
