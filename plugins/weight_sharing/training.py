"""The training of shared weights that all strategies have in common.

Source: Dong & Yang's scripts of NAS-Bench-201 (ICLR 2020). SGD with Nesterov momentum 0.9 and decay of all weights,
mean cross-entropy, the learning rate constant within an epoch, an incomplete last batch kept. The gradient of the
weights alone is clipped; their scripts of DARTS and GDAS clip that of the architecture parameters with it, left from
the step before, which changes little.
"""

from __future__ import annotations

import math
from abc import abstractmethod
from collections.abc import Mapping
from typing import Any, TypeVar

import torch
from torch import Tensor
from torch.nn import functional

from ...core.errors import DivergedError
from ...core.supernets import Choice, DecisionRule, SinglePath, SupernetNorm
from ...core.weight_sharing import SupernetContext, WeightSharingStrategy
from .generators import Generators
from .images import Batch, ImageStreams
from .schedules import learning_rate_at
from .settings import WeightSharingSettings

MOMENTUM = 0.9

SettingsT = TypeVar("SettingsT", bound=WeightSharingSettings)


class SupernetTraining(WeightSharingStrategy[SettingsT]):
    """Trains the weights of a supernet; a subclass says what runs, and how an architecture is derived.

    Must implement ``_step`` and ``derive``; extends ``state`` and ``load_state`` where it has a state of its own.

    Attributes:
        epoch: Number of epochs that have been trained.
        images: Batches.
        generators: Where all random numbers come from.
    """

    def __init__(self, context: SupernetContext, settings: SettingsT) -> None:
        super().__init__(context, settings)
        norm = SupernetNorm(tracked=settings.batch_norm == "running", plain_last=settings.last_batch_norm == "plain")
        self.supernet = context.supernet(norm)
        if context.device.type == "cpu":
            # Measured to save time with so few channels.
            self.supernet.to(memory_format=torch.channels_last)  # type: ignore[call-overload]
        self.generators = Generators(context)
        self.images = ImageStreams(context, settings, self.generators)
        self.weights = list(self.supernet.parameters())
        self.optimizer = torch.optim.SGD(
            self.weights,
            lr=settings.learning_rate,
            momentum=MOMENTUM,
            weight_decay=settings.weight_decay,
            nesterov=True,
            foreach=True,
        )
        self.epoch = 0

    def train_epoch(self) -> Mapping[str, float]:
        """Train on all images for weights; see the base class."""
        rate = self._learning_rate()
        self.optimizer.param_groups[0]["lr"] = rate
        self.supernet.train()
        losses: dict[str, list[Tensor]] = {}
        for batch in self.images.weight_batches():
            for name, loss in self._step(batch).items():
                losses.setdefault(name, []).append(loss)
        # Losses stay on the device until the epoch ends: reading one makes the device wait.
        means = {name: float(torch.stack(values).double().mean()) for name, values in losses.items()}
        for name, mean in means.items():
            if not math.isfinite(mean):
                raise DivergedError(f"the {name.replace('_', ' ')} became {mean}")
        self.epoch += 1
        return means | {"learning_rate": rate}

    @abstractmethod
    def _step(self, batch: Batch) -> Mapping[str, Tensor]:
        """Take one step with a batch of images for weights; return detached losses by name."""

    def _learning_rate(self) -> float:
        settings = self.settings
        return learning_rate_at(self.epoch, self._period, settings.learning_rate, settings.final_learning_rate)

    @property
    def _period(self) -> int:
        """Epochs of the half cosine of the learning rate."""
        return self.settings.epochs

    def train_weights(self, batch: Batch, rule: DecisionRule) -> Tensor:
        """Take one step of the weights, and return the detached loss."""
        loss = self.loss(batch, rule)
        # Zeros, not missing gradients: weights that are not used now, but were once, go on by momentum and decay.
        self.optimizer.zero_grad(set_to_none=self.settings.unsampled == "freeze")
        loss.backward()  # type: ignore[no-untyped-call]
        if self.settings.clip:
            torch.nn.utils.clip_grad_norm_(self.weights, self.settings.clip)
        self.optimizer.step()
        return loss.detach()

    def loss(self, batch: Batch, rule: DecisionRule) -> Tensor:
        """Return the mean cross-entropy of a batch."""
        images, labels = batch
        return functional.cross_entropy(self.supernet(images, rule), labels)

    @torch.no_grad()
    def accuracy(self, choice: Choice, *batches: Batch) -> float:
        """Return the accuracy of an architecture under shared weights, in percent, in evaluation mode."""
        self.supernet.eval()
        hits, count = 0, 0
        for images, labels in batches:
            hits += int((self.supernet(images, SinglePath(choice)).argmax(dim=1) == labels).sum())
            count += len(labels)
        return 100.0 * hits / count

    def state(self) -> dict[str, Any]:
        """See the base class."""
        return {
            "epoch": self.epoch,
            "supernet": self.supernet.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "has_gradient": [weight.grad is not None for weight in self.weights],
            "images": self.images.state(),
            "generators": self.generators.state(),
        }

    def load_state(self, state: Mapping[str, Any]) -> None:
        """See the base class."""
        self.epoch = state["epoch"]
        self.supernet.load_state_dict(state["supernet"])
        self.optimizer.load_state_dict(state["optimizer"])
        for weight, has_gradient in zip(self.weights, state["has_gradient"], strict=True):
            weight.grad = torch.zeros_like(weight) if has_gradient else None
        self.images.load_state(state["images"])
        self.generators.load_state(state["generators"])
