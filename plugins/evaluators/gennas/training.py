"""GenNAS's short training: one batch, one target, and the loss that is left."""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager

import torch
from torch import Tensor
from torch.nn import functional

from ....core.domain import Evaluation
from ....core.errors import DivergedError
from ..checkpoints import checkpoints_ignored
from .momentum_descent import Group, MomentumDescent
from .regression_network import RegressionNetwork
from .settings import RegressionOptions
from .step_graph import CudaRecorder, Recorder, StepGraph
from .task import Noise

READ_INTERVAL = 10
"""Steps after which losses are read at least, to notice one that is not finite."""


class RegressionTraining:
    """Trains one network towards one target."""

    def __init__(
        self,
        network: RegressionNetwork,
        groups: Sequence[Group],
        images: Tensor,
        targets: Sequence[Tensor],
        noise: Noise,
        options: RegressionOptions,
        generator: torch.Generator,
    ) -> None:
        """Set up the training.

        Args:
            network: Trained in place.
            groups: What is trained of it, and with which weight decay.
            images: Normalised images, shape ``(batch, colours, height, width)``.
            targets: One for each stage of the task, shape ``(batch, channels, 8, 8)``.
            noise: Added to the images at every forward pass.
            options: Optimiser and losses.
            generator: Source of the noise, on the CPU.
        """
        self.network = network
        self.images = images
        self.targets = [targets[index] for index in options.stages]
        self.train_weights = [options.train_weights[index] for index in options.stages]
        self.score_weights = [options.score_weights[index] for index in options.stages]
        self.noise = noise
        self.options = options
        self.generator = generator
        self.optimizer = MomentumDescent(groups, options.learning_rate, options.momentum)

    def run(self) -> Evaluation:
        """Train, with scoring passes if they make the score: the last ``score_passes`` of the places for them.

        There is one after every ``score_interval`` steps and after the last.

        Returns:
            The score, the mean of the last ``readout_average`` values of its curve ``score_loss``, which has one for
            each scoring pass, or for each step where steps make the score. Further curves: ``train_loss`` for each
            step, as ``score_loss`` a weighted sum over stages, and, parallel to the score's, the unweighted
            ``score_loss_stage1`` to ``3`` of the stages that take part.

        Raises:
            DivergedError: The loss of a step is not finite; that of a scoring pass may be, if it is none of the score.
        """
        self.network.train()
        train_step = self.train_step
        if self.images.device.type == "cuda":
            train_step = self.graphed_step(CudaRecorder(self.images.device))
        score_pass = self.score_pass if self.options.readout == "passes" else None
        # Which run batch normalisation twice, and so change its statistics.
        with checkpoints_ignored():
            steps, passes = train_and_score(
                train_step,
                score_pass,
                self.skip_score_pass,
                self.options.iterations,
                self.options.score_interval,
                self.options.score_passes,
            )
        return self._evaluation([loss for loss, *_ in steps], passes or [losses for _, *losses in steps])

    def graphed_step(self, recorder: Recorder) -> Callable[[], Tensor]:
        """Return what :meth:`train_step` does, recorded as a graph; noise, which the CPU draws, stays outside."""
        images = self.images.clone()
        graph = StepGraph(lambda: self._step(images), recorder)

        def step() -> Tensor:
            if self.noise.level:
                images.copy_(add_noise(self.images, self.noise, self.generator))
            return graph()

        return step

    def train_step(self) -> Tensor:
        """Take one optimiser step; return the losses before it on the device: weighted sum, and each stage's own."""
        return self._step(add_noise(self.images, self.noise, self.generator))

    def _step(self, images: Tensor) -> Tensor:
        stage_losses = self._stage_losses(images)
        loss = torch.zeros((), device=self.images.device)
        for weight, stage_loss in zip(self.train_weights, stage_losses, strict=True):
            loss = loss + weight * stage_loss
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        return torch.stack([loss, *stage_losses]).detach()

    @torch.no_grad()
    def score_pass(self) -> list[float]:
        """Return the unweighted loss of each stage, batch normalisation in the mode of ``score_mode``."""
        self.network.train(self.options.score_mode == "train")
        images = add_noise(self.images, self.noise, self.generator)
        with generators_kept(self.images.device):
            losses: list[float] = torch.stack(self._stage_losses(images)).tolist()
        self.network.train()
        return losses

    def skip_score_pass(self) -> None:
        """Draw the noise of a scoring pass and leave it at that: whether there is one changes nothing that follows."""
        add_noise(self.images, self.noise, self.generator)

    def _stage_losses(self, images: Tensor) -> list[Tensor]:
        with torch.autocast(images.device.type, torch.bfloat16, enabled=self.options.precision == "bfloat16"):
            outputs = self.network(images)
        return [
            functional.mse_loss(output.to(target.dtype) if output.dtype is torch.bfloat16 else output, target)
            for output, target in zip(outputs, self.targets, strict=True)
        ]

    def _evaluation(self, train_losses: Sequence[float], stage_losses: Sequence[Sequence[float]]) -> Evaluation:
        scores = [
            sum(weight * loss for weight, loss in zip(self.score_weights, losses, strict=True) if weight)
            for losses in stage_losses
        ]
        curves = {"train_loss": tuple(train_losses), "score_loss": tuple(scores)}
        for index, curve in zip(self.options.stages, zip(*stage_losses, strict=True), strict=True):
            curves[f"score_loss_stage{index + 1}"] = curve
        last = scores[-self.options.readout_average :]
        return Evaluation(sum(last) / len(last), curves)


def add_noise(inputs: Tensor, noise: Noise, generator: torch.Generator) -> Tensor:
    """Return inputs with noise that is drawn on the CPU; without noise, the inputs themselves."""
    if noise.level == 0:
        return inputs
    if noise.kind == "gaussian":
        values = torch.randn(inputs.shape, generator=generator)
    else:
        values = 2.0 * torch.rand(inputs.shape, generator=generator) - 1.0
    return inputs + noise.level * values.to(inputs.device)


def generators_kept(device: torch.device) -> AbstractContextManager[None]:
    """Return a context after which the global generators are as before.

    What dropout draws in a scoring pass is then not missing in the steps that follow, as in a pass that is left out.
    """
    kept: AbstractContextManager[None] = torch.random.fork_rng(devices=[device] if device.type == "cuda" else [])
    return kept


def train_and_score(
    train_step: Callable[[], Tensor],
    score_pass: Callable[[], Sequence[float]] | None,
    skip_score_pass: Callable[[], None],
    iterations: int,
    score_interval: int,
    score_passes: int,
) -> tuple[list[list[float]], list[Sequence[float]]]:
    """Take training steps; after every ``score_interval`` of them and after the last is a place for a scoring pass.

    Args:
        train_step: Returns the losses before the step, a vector on the device.
        score_pass: Returns the losses that make a score; None for no such passes.
        skip_score_pass: Called in place of a pass that is left out.
        iterations: Number of steps.
        score_interval: Steps between two places.
        score_passes: Passes are made in so many of the places, the last ones.

    Returns:
        The losses of each step, and the losses of each scoring pass. The latter may be infinite, which NaN is there as
        well: at first, running statistics of batch normalisation are not those of the network.

    Raises:
        DivergedError: The loss of a step is not finite.
    """
    train_losses: list[list[float]] = []
    score_losses: list[Sequence[float]] = []
    pending: list[Tensor] = []
    places = [step for step in range(1, iterations + 1) if step % score_interval == 0 or step == iterations]
    scored, skipped = set(places[-score_passes:]), set(places[:-score_passes])
    for step in range(1, iterations + 1):
        pending.append(train_step())
        if step in scored or step % READ_INTERVAL == 0 or step == iterations:
            # Losses stay on the device between these steps: reading one makes the device wait.
            train_losses += torch.stack(pending).tolist()
            pending.clear()
            _check_finite(train_losses)
        if score_pass is None:
            continue
        if step in skipped:
            skip_score_pass()
        if step in scored:
            score_losses.append([math.inf if math.isnan(loss) else loss for loss in score_pass()])
    return train_losses, score_losses


def _check_finite(steps: Sequence[Sequence[float]]) -> None:
    for step, losses in enumerate(steps, start=1):
        for loss in losses:
            if not math.isfinite(loss):
                raise DivergedError(f"the loss became {loss} at iteration {step}")
