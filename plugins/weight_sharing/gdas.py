"""``gdas``: gradient-based search with a differentiable architecture sampler.

Sources: Dong & Yang, CVPR 2019; as run for NAS-Bench-201 (Dong & Yang, ICLR 2020, released code). Weights and
architecture parameters are trained in turns, weights first, each with a path of its own, sampled for the whole network;
the samples have the gradient of a softmax, whose temperature falls. The answer is the most probable operation of every
edge, none included.

What gradient the operations get that were not sampled is a setting: the released code adds to the output of an edge a
0 for each of them, which has one, the same for all four; the paper's formula has none.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor

from .gradients import GradientTraining
from .gumbel import sample
from .images import Batch
from .rules import Sampled
from .schedules import temperature_at
from .settings import GdasSettings


class Gdas(GradientTraining[GdasSettings]):
    """Trains sampled paths and the probabilities that they are sampled from in turns."""

    def train_epoch(self) -> Mapping[str, float]:
        """Train at the epoch's temperature; see the base class."""
        temperature = self._temperature
        return {**super().train_epoch(), "temperature": temperature}

    @property
    def _temperature(self) -> float:
        settings = self.settings
        return temperature_at(self.epoch, settings.epochs, settings.temperature, settings.final_temperature)

    def _step(self, batch: Batch) -> Mapping[str, Tensor]:
        path = self._sample()
        train_loss = self.train_weights(batch, Sampled(path.weights.detach(), path.choice, path.straight_through))
        other = self.images.architecture_batch(len(batch[1]))
        return {"train_loss": train_loss, "arch_loss": self.train_alphas(other, self._sample())}

    def _sample(self) -> Sampled:
        log_probabilities = self.alphas.log_probabilities()
        weights, choice = sample(log_probabilities, self._temperature, self.generators["paths"])
        return Sampled(weights, choice, self.settings.straight_through)
