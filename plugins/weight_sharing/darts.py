"""``darts``: differentiable architecture search, first and second order.

Sources: Liu, Simonyan & Yang, ICLR 2019; as run for NAS-Bench-201 (Dong & Yang, ICLR 2020, released code). Every edge
is the sum of all operations, none included, weighted by a softmax. Weights are trained on one part of the images,
architecture parameters on the other, in turns; the answer is the most probable operation of every edge, none included.

Which step comes first is a setting: the released code of NAS-Bench-201 trains weights first for the first order,
architecture parameters first for the second; DARTS itself the latter for both.
"""

from __future__ import annotations

from collections.abc import Mapping

from torch import Tensor
from torch.func import functional_call
from torch.nn import functional

from ...core.supernets import DecisionRule
from .gradients import GradientTraining
from .images import Batch
from .rules import Mixture
from .second_order import unrolled_gradient
from .settings import DartsSettings
from .training import MOMENTUM


class Darts(GradientTraining[DartsSettings]):
    """Trains a mixture of all operations and its weights in turns."""

    def _step(self, batch: Batch) -> Mapping[str, Tensor]:
        other = self.images.architecture_batch(len(batch[1]))
        if self.settings.steps == "weights-first":
            train_loss = self._train_weights(batch)
            return {"train_loss": train_loss, "arch_loss": self._train_alphas(batch, other)}
        arch_loss = self._train_alphas(batch, other)
        return {"train_loss": self._train_weights(batch), "arch_loss": arch_loss}

    def _train_weights(self, batch: Batch) -> Tensor:
        return self.train_weights(batch, Mixture(self.alphas.probabilities().detach()))

    def _train_alphas(self, batch: Batch, other: Batch) -> Tensor:
        if self.settings.order == "first":
            return self.train_alphas(other, Mixture(self.alphas.probabilities()))
        losses: list[Tensor] = []

        def validation_loss() -> Tensor:
            losses.append(self._loss_of_a_copy(other, Mixture(self.alphas.probabilities())))
            return losses[0]

        gradient = unrolled_gradient(
            lambda: self.loss(batch, Mixture(self.alphas.probabilities())),
            validation_loss,
            self.weights,
            self.alphas.values,
            learning_rate=self.optimizer.param_groups[0]["lr"],
            momentum=MOMENTUM,
            weight_decay=self.settings.weight_decay,
            buffers=[self.optimizer.state[weight].get("momentum_buffer") for weight in self.weights],
        )
        self.alphas.descend(gradient)
        return losses[0].detach()

    def _loss_of_a_copy(self, batch: Batch, rule: DecisionRule) -> Tensor:
        """Return the loss, leaving running statistics as they are: the authors' code takes this step on a copy."""
        images, labels = batch
        buffers = {name: buffer.clone() for name, buffer in self.supernet.named_buffers()}
        return functional.cross_entropy(functional_call(self.supernet, buffers, (images, rule)), labels)
