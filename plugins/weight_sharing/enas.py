"""``enas``: efficient search by sharing parameters.

Sources: Pham, Guan, Zoph, Le & Dean, ICML 2018; as run for NAS-Bench-201 (Dong & Yang, ICLR 2020, released code). An
epoch trains weights on paths that the controller samples, then the controller by the accuracy of what it samples, each
sample judged by one batch. The answer is the most accurate of 100 samples, each judged by one batch.

In the released code of NAS-Bench-201 the learning rate falls and rises again every ten epochs (``period``), and images
that architectures are judged by are changed as for training (``reward_images``).

Deviation: the selection after the last epoch is the answer, where the scripts select once more after it, among 100
samples instead of 10.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from typing import Any

import torch
from torch import Tensor

from ...core.seeding import seeded_global_rng
from ...core.supernets import Choice, SinglePath
from ...core.weight_sharing import SupernetContext
from .controller import Controller
from .images import Batch
from .reinforcement import Reinforcement
from .selection import SelectingTraining
from .settings import EnasSettings


class Enas(SelectingTraining[EnasSettings]):
    """Trains paths that a controller samples, and the controller by their accuracy, in turns."""

    def __init__(self, context: SupernetContext, settings: EnasSettings) -> None:
        super().__init__(context, settings)
        with seeded_global_rng(context.generator("initial weights of the controller").initial_seed()):
            self.controller = Controller([len(names) for names in self.supernet.options]).to(context.device)
        self.reinforcement = Reinforcement(self.controller, settings)

    @property
    def _period(self) -> int:
        return self.settings.period or self.settings.epochs

    def train_epoch(self) -> Mapping[str, float]:
        """Train the weights, then the controller; see the base class."""
        figures = super().train_epoch()
        learned = self.reinforcement.train(
            lambda sample: self.accuracy(sample.choice, self._judging_batch()) / 100.0,
            self.generators["samples to learn from"],
        )
        return {**figures, **learned}

    def _step(self, batch: Batch) -> Mapping[str, Tensor]:
        return {"train_loss": self.train_weights(batch, SinglePath(next(self._sampled("paths"))))}

    def _judging_batch(self) -> Batch:
        return self.images.selection_batch(augmented=self.settings.reward_images == "augmented")

    def _candidates(self) -> Iterator[Choice]:
        return self._sampled("candidates")

    def _sampled(self, purpose: str) -> Iterator[Choice]:
        while True:
            with torch.no_grad():
                choice = self.controller.sample(self.generators[purpose]).choice
            yield choice

    def state(self) -> dict[str, Any]:
        """See the base class."""
        return super().state() | {"reinforcement": self.reinforcement.state()}

    def load_state(self, state: Mapping[str, Any]) -> None:
        """See the base class."""
        super().load_state(state)
        self.reinforcement.load_state(state["reinforcement"])
