"""``ppl``: train a language model for a few epochs, as NAS-Bench-NLP does (Klyuchnikov et al., 2020; released code).

Score: log-perplexity of the test text after epoch K, the mean cross-entropy of its tokens in nats; lower is better. Li
et al. (GenNAS, NeurIPS 2021, table 2) read the benchmark's logs so: "ppl@ep3".

The text is cut into as many parts as the batch is large, which are read side by side, the states handed on without
gradient. Each step reads 70 tokens of each (35 in one step of twenty), plus N(0, 5), at least 5. Adam, its learning
rate scaled by tokens / 70, weight decay 1.2e-6, gradients clipped to a norm of 0.25. Loss: mean cross-entropy, plus
twice the mean square of the last layer's outputs behind their dropout, plus the mean square of their changes between
steps before it. There is no schedule: a training of K epochs is the beginning of a longer one, bit for bit. Tests read
50 parts, without dropouts.

Deviations from the released code: the lengths of the steps are the same for all architectures; the test loss is divided
by the number of tokens predicted, there by one more for each of the parts, which makes it a thousandth smaller for all
networks alike; the last tokens of a text that make no whole piece (:mod:`...datasets.texts`) are left out; a loss that
is no number ends the job as diverged.
"""

from __future__ import annotations

import math
from collections.abc import Iterator

import torch
from torch import Tensor, nn

from ....core.batches import Batch
from ....core.capabilities import LanguageNetwork, Reading, require
from ....core.context import EvaluationContext
from ....core.domain import Evaluation
from ....core.errors import DivergedError, EvaluationError
from ....core.interfaces import Evaluator
from ....core.seeding import torch_generator
from ..probing import mean_cross_entropy
from .settings import LanguageTrainingSettings

SHARE_OF_FULL_LENGTHS = 0.95
LENGTH_DEVIATION = 5
SHORTEST_LENGTH = 5
FEWEST_COLUMNS = 3
"""Tokens of each part of a text: two to read and the one that follows."""


class Ppl(Evaluator[LanguageTrainingSettings]):
    """Scores a language model by the test log-perplexity that it reaches."""

    def _evaluate(self, context: EvaluationContext) -> Evaluation:
        settings = self.settings
        train = running_text(context.training_part(), settings.train_tokens)
        test = running_text(context.held_out_part(), settings.test_tokens)
        seed = context.shared("seed of lengths", lambda generator: int(torch.randint(2**62, (), generator=generator)))
        training = LanguageTraining(
            context.network(settings.network),
            train=side_by_side(train, settings.batch_size, "train").to(context.device),
            test=side_by_side(test, settings.test_batch_size, "test").to(context.device),
            settings=settings,
            lengths=torch_generator(seed),
        )
        return training.run()


def running_text(part: Batch, count: int | None) -> Tensor:
    """Return the tokens of pieces that follow one another and the one behind them, at most the first ``count``."""
    return torch.cat([part.inputs.flatten(), part.labels[-1:, -1]])[:count]


def side_by_side(text: Tensor, parts: int, name: str) -> Tensor:
    """Cut a text into equal parts, shape (parts, tokens of each); the rest is left out.

    Raises:
        EvaluationError: It is too short.
    """
    length = len(text) // parts
    if length < FEWEST_COLUMNS:
        raise EvaluationError(
            f"the text to {name} on has {len(text)} tokens, too few to read {parts} parts of it side by side: use a "
            "longer text or a smaller batch"
        )
    return text[: length * parts].view(parts, length)


class LanguageTraining:
    """Trains one language model."""

    def __init__(
        self, network: nn.Module, *, train: Tensor, test: Tensor, settings: LanguageTrainingSettings,
        lengths: torch.Generator,
    ) -> None:  # fmt: skip
        """Set up the training.

        Args:
            network: A :class:`LanguageNetwork`, trained in place.
            train: Tokens to train on, shape (parts, tokens of each).
            test: Tokens to test on, likewise.
            settings: Of the training.
            lengths: Draws how many tokens a step reads.
        """
        self.network = network
        self.train, self.test = train, test
        self.settings = settings
        self.lengths = lengths
        self._read = require(network, LanguageNetwork).read
        self._trained = [parameter for parameter in network.parameters() if parameter.requires_grad]
        self.optimizer = torch.optim.Adam(self._trained, lr=settings.learning_rate, weight_decay=settings.weight_decay)

    def run(self) -> Evaluation:
        """Train, and test after each epoch.

        Returns:
            The last test loss, with the curves ``train_loss`` (mean over the epoch's tokens) and ``test_loss``, one
            point an epoch, in nats.

        Raises:
            DivergedError: A loss is no longer finite.
        """
        train_losses, test_losses = [], []
        for epoch in range(1, self.settings.epochs + 1):
            train_losses.append(_finite(self.train_epoch(), "training", epoch))
            test_losses.append(_finite(self.test_loss(), "test", epoch))
        return Evaluation(test_losses[-1], {"train_loss": tuple(train_losses), "test_loss": tuple(test_losses)})

    def train_epoch(self) -> float:
        """Read the training text once; return the mean cross-entropy of its tokens, without penalties."""
        self.network.train()
        total, count, states = torch.zeros((), dtype=torch.float64, device=self.train.device), 0, None
        for start, length in self._steps():
            pieces, following = _piece(self.train, start, length)
            reading = self._read(pieces, states)
            states = reading.states
            loss = mean_cross_entropy(reading.logits, following)
            self.optimizer.param_groups[0]["lr"] = self.settings.learning_rate * length / self.settings.length
            self._step(loss + self._penalty(reading))
            total += loss.detach().double() * following.numel()
            count += following.numel()
        return float(total / count)

    def _steps(self) -> Iterator[tuple[int, int]]:
        """Yield where each step of an epoch begins, and for how many tokens; there may be fewer at the end."""
        start = 0
        while start < self.train.shape[1] - 2:
            length = self._draw_length()
            yield start, length
            start += length

    def _draw_length(self) -> int:
        is_full = float(torch.rand((), generator=self.lengths)) < SHARE_OF_FULL_LENGTHS
        mean = self.settings.length if is_full else self.settings.length / 2
        drawn = mean + LENGTH_DEVIATION * float(torch.randn((), generator=self.lengths))
        return max(SHORTEST_LENGTH, int(drawn))

    def _penalty(self, reading: Reading) -> Tensor | float:
        changes = reading.raw_outputs[1:] - reading.raw_outputs[:-1]
        return (
            self.settings.activation_penalty * reading.outputs.square().mean()
            + self.settings.change_penalty * changes.square().mean()
        )

    def _step(self, loss: Tensor) -> None:
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        nn.utils.clip_grad_norm_(self._trained, self.settings.clip)
        self.optimizer.step()

    @torch.no_grad()
    def test_loss(self) -> float:
        """Return the mean cross-entropy of the test text's tokens."""
        self.network.eval()
        total, count, states = torch.zeros((), dtype=torch.float64, device=self.test.device), 0, None
        for start in range(0, self.test.shape[1] - 1, self.settings.length):
            pieces, following = _piece(self.test, start, self.settings.length)
            reading = self._read(pieces, states)
            states = reading.states
            total += mean_cross_entropy(reading.logits, following).double() * following.numel()
            count += following.numel()
        return float(total / count)


def _piece(text: Tensor, start: int, length: int) -> tuple[Tensor, Tensor]:
    """Return up to ``length`` tokens of each part, and those that follow them."""
    end = min(start + length, text.shape[1] - 1)
    return text[:, start:end], text[:, start + 1 : end + 1]


def _finite(loss: float, name: str, epoch: int) -> float:
    if not math.isfinite(loss):
        raise DivergedError(f"the {name} loss became {loss} in epoch {epoch}")
    return loss
