"""GenNAS for recurrent networks (Li et al., NeurIPS 2021, section 3.1 and appendix A.2; released code).

Score: a linear map takes synthetic sequences to the network's width, another one takes its outputs to the width of
synthetic targets; all is trained for 100 steps of Adam on one batch, and the score is the mean squared error after the
last step. Lower is better.

As in the authors' code: weights of both maps begin uniform in +-0.1, the bias of the second as zero; states begin as
zero in every pass; the network is in training mode, with its dropouts, for a step, and in evaluation mode for the
score; noise on the inputs is drawn anew for both. Where their paper and code differ, on the learning rate, the paper
counts by default. Generators are the job's own, as in the evaluators for images.
"""

from __future__ import annotations

import dataclasses

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.capabilities import SequenceNetwork, require
from ....core.context import EvaluationContext
from ....core.domain import Evaluation
from ....core.interfaces import Evaluator
from .recurrent_settings import RecurrentOptions, RecurrentSettings
from .settings import Frequencies
from .signals import signal_sequences
from .task import Noise, RecurrentTask
from .training import add_noise, generators_kept, train_and_score

_INITIAL_RANGE = 0.1


class RecurrentGennas(Evaluator[RecurrentSettings]):
    """Scores a recurrent network by the loss left after a short regression; the settings know the task."""

    def _evaluate(self, context: EvaluationContext) -> Evaluation:
        options = self.settings.resolve()
        task = dataclasses.replace(self.settings.task_definition(), batch=options.batch_size)
        sequences = context.shared(
            "gennas-rnn sequences", lambda generator: draw_sequences(task, generator, options.frequencies)
        )
        backbone = context.network(options.network, bare=True)
        with context.initial_weights("gennas-rnn maps"):
            network = SequenceRegressionNetwork(backbone, task.dim).to(context.device)
        inputs, targets = (values.to(context.device) for values in sequences)
        training = SequenceTraining(network, inputs, targets, task.noise, options, context.generator("noise"))
        return training.run()


def draw_sequences(
    task: RecurrentTask, generator: torch.Generator, frequencies: Frequencies = "grid"
) -> tuple[Tensor, Tensor]:
    """Draw inputs and targets, each of shape ``(length, batch, dim)``, on the CPU.

    Args:
        task: Describes them.
        generator: CPU generator; the same seed gives the same sequences.
        frequencies: How named frequency bands are filled.
    """
    inputs = signal_sequences(task.input, task, generator, frequencies)
    return inputs, signal_sequences(task.target, task, generator, frequencies)


class SequenceRegressionNetwork(nn.Module):
    """A recurrent network between two linear maps; maps ``(length, batch, dim)`` to the same shape."""

    def __init__(self, backbone: nn.Module, dim: int) -> None:
        """Put new maps before and behind a backbone.

        Args:
            backbone: A :class:`SequenceNetwork`.
            dim: Features of inputs and outputs.
        """
        super().__init__()
        width = require(backbone, SequenceNetwork).width
        self.encoder = nn.Linear(dim, width)
        self.backbone = backbone
        self.decoder = nn.Linear(width, dim)
        nn.init.uniform_(self.encoder.weight, -_INITIAL_RANGE, _INITIAL_RANGE)
        nn.init.uniform_(self.decoder.weight, -_INITIAL_RANGE, _INITIAL_RANGE)
        nn.init.zeros_(self.decoder.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Map ``(length, batch, dim)`` to the same shape."""
        outputs: Tensor = self.decoder(self.backbone(self.encoder(inputs)))
        return outputs


class SequenceTraining:
    """Trains one network towards one target."""

    def __init__(
        self,
        network: nn.Module,
        inputs: Tensor,
        targets: Tensor,
        noise: Noise,
        options: RecurrentOptions,
        generator: torch.Generator,
    ) -> None:
        """Set up the training.

        Args:
            network: Trained in place.
            inputs: Sequences, shape ``(length, batch, dim)``.
            targets: Of the same shape.
            noise: Added to the inputs in every pass.
            options: Of the optimiser.
            generator: Source of the noise, on the CPU.
        """
        self.network = network
        self.inputs = inputs
        self.targets = targets
        self.noise = noise
        self.options = options
        self.generator = generator
        self.optimizer = torch.optim.Adam(
            network.parameters(), lr=options.learning_rate, weight_decay=options.weight_decay
        )

    def run(self) -> Evaluation:
        """Train, with scoring passes as :func:`train_and_score` makes them; the last one counts.

        Returns:
            The score with its curves ``train_loss``, one for each step, and ``score_loss``, one for each scoring pass.

        Raises:
            DivergedError: The loss of a step is not finite; that of a scoring pass may be, if it is not the score.
        """
        steps, passes = train_and_score(
            self.train_step,
            self.score_pass,
            self.skip_score_pass,
            self.options.iterations,
            self.options.score_interval,
            self.options.score_passes,
        )
        score_losses = tuple(loss for (loss,) in passes)
        train_losses = tuple(loss for (loss,) in steps)
        return Evaluation(score_losses[-1], {"train_loss": train_losses, "score_loss": score_losses})

    def train_step(self) -> Tensor:
        """Take one optimiser step; return the loss before it, on the device, in a vector of one."""
        self.network.train()
        loss = self._loss()
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return loss.detach().reshape(1)

    @torch.no_grad()
    def score_pass(self) -> tuple[float]:
        """Return the loss without dropouts."""
        self.network.eval()
        with generators_kept(self.inputs.device):
            return (float(self._loss()),)

    def skip_score_pass(self) -> None:
        """Draw the noise of a scoring pass and leave it at that: whether there is one changes nothing that follows."""
        add_noise(self.inputs, self.noise, self.generator)

    def _loss(self) -> Tensor:
        return functional.mse_loss(self.network(add_noise(self.inputs, self.noise, self.generator)), self.targets)
