"""How the controller of ENAS learns from the accuracy of what it samples.

With accuracy, log-probability L and entropy H of a sample, the reward is r = accuracy + w H, and the loss
-L (r - b), averaged over the samples of a step. As in Dong & Yang's code of NAS-Bench-201:

- The baseline b is (nearly) the same for a whole epoch: 0.99 of the former epoch's value and 0.01 of the reward.
- The gradient goes through the H of the reward: with r = b on average, the loss then *lowers* the entropy.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import Any

import torch
from torch import Tensor

from .controller import Controller, ControllerSample
from .settings import EnasSettings

BETAS = (0.0, 0.999)


class Reinforcement:
    """Trains a controller by REINFORCE.

    Args:
        controller: Trained in place.
        settings: Steps, samples and variants.
    """

    def __init__(self, controller: Controller, settings: EnasSettings) -> None:
        self._controller = controller
        self._settings = settings
        self._optimizer = torch.optim.Adam(
            controller.parameters(),
            lr=settings.controller_learning_rate,
            betas=BETAS,
            eps=settings.controller_epsilon,
        )
        self.baseline: float | None = None

    def train(self, accuracy: Callable[[ControllerSample], float], generator: torch.Generator) -> dict[str, float]:
        """Train for one epoch.

        Args:
            accuracy: Gives the accuracy of a sample, from 0 to 1.
            generator: For the samples.

        Returns:
            Means of accuracy and entropy over all samples, and the baseline.
        """
        settings = self._settings
        accuracies, entropies, baselines = [], [], []
        self._controller.train()
        for _ in range(settings.controller_steps):
            self._optimizer.zero_grad()
            for _ in range(settings.controller_samples):
                sample = self._controller.sample(generator)
                accuracies.append(accuracy(sample))
                entropies.append(float(sample.entropy.detach()))
                loss, baseline = self.loss(sample, accuracies[-1])
                baselines.append(baseline)
                (loss / settings.controller_samples).backward()  # type: ignore[no-untyped-call]
            if settings.controller_clip:
                torch.nn.utils.clip_grad_norm_(self._controller.parameters(), settings.controller_clip)
            self._optimizer.step()
        count = len(accuracies)
        self.baseline = sum(baselines) / count if settings.baseline == "mean" else baselines[-1]
        return {
            "reward_accuracy": 100.0 * sum(accuracies) / count,
            "entropy": sum(entropies) / count,
            "baseline": self.baseline,
        }

    def loss(self, sample: ControllerSample, accuracy: float) -> tuple[Tensor, float]:
        """Return the loss of one sample, and the baseline that it was compared with."""
        settings = self._settings
        entropy = settings.entropy_weight * sample.entropy
        reward = accuracy + (entropy if settings.entropy == "released" else entropy.detach())
        if settings.entropy == "bonus":
            reward = torch.as_tensor(accuracy)
        value = float(reward.detach())
        baseline = accuracy if self.baseline is None else value + settings.baseline_decay * (self.baseline - value)
        if settings.baseline == "sample":
            self.baseline = baseline
        loss = -sample.log_probability * (reward - baseline)
        return (loss - entropy if settings.entropy == "bonus" else loss), baseline

    def state(self) -> dict[str, Any]:
        """Return what decides the further course."""
        return {
            "controller": self._controller.state_dict(),
            "optimizer": self._optimizer.state_dict(),
            "baseline": self.baseline,
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """Go on from what ``state`` returned."""
        self._controller.load_state_dict(state["controller"])
        self._optimizer.load_state_dict(state["optimizer"])
        self.baseline = state["baseline"]
