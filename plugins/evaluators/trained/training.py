"""The training that ``cls``, ``rot``, ``col``, ``jig`` and ``econas`` share.

Source: Liu, Dollar, He, Girshick, Yuille, Xie: Are Labels Necessary for Neural Architecture Search?, ECCV 2020,
appendix, and its released code. SGD with Nesterov momentum 0.9 and weight decay on all parameters; the learning rate
falls along half a cosine over ``max_epochs``, constant within an epoch, however early the score is read. Loss: mean
cross-entropy. An incomplete last batch of an epoch is left out. Before each test, the running statistics of batch
normalisation are replaced by precise ones of 1,024 training images, averaged over batches.

Score: test accuracy of the task in percent after epoch ``epochs``; higher is better. Initial weights are the network's
own. Float32; accuracies are counted exactly.

Deviations from the released code:

- Weights, order, augmentation and batch-norm batches have generators of their own, which depend on no setting: the
  curve of a run with fewer ``epochs`` begins that of a longer one, bit for bit.
- Initial weights are the space's own, those that every evaluator gets; the code starts from PyTorch's defaults.
- Random choices of the test (tiles and permutations of ``jig``) are the same after every epoch and for every
  architecture; the code draws new ones each time.
- A batch has at most as many images as there are, and test batches have the size of training batches.
- A loss or output that is not finite ends the job as diverged; the code raises an error.
"""

from __future__ import annotations

import math
from abc import ABC, abstractmethod
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TypeVar

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.batches import Batch
from ....core.context import EvaluationContext
from ....core.descriptions import DatasetInfo
from ....core.domain import Evaluation
from ....core.errors import DivergedError, EvaluationError
from ....core.interfaces import Evaluator
from ....core.seeding import torch_generator
from ..checkpoints import checkpoints_ignored
from ..layer_parameters import trainable_parameters
from ..memory_layout import IMAGE_DIMENSIONS, order_channels_last
from ..probing import require_logits
from .batch_norm import set_precise_statistics
from .settings import TrainingSettings

MOMENTUM = 0.9
PRECISE_IMAGES = 1024
"""Training images for the statistics of batch normalisation (released configuration)."""

SettingsT = TypeVar("SettingsT", bound=TrainingSettings)


class Task(ABC):
    """What a network is trained for: makes its inputs and targets from images.

    Both methods take images in ``[0, 1]`` of shape ``(batch, channels, height, width)`` and their labels, on the device
    of the network, and a CPU generator as the only source of randomness. They return inputs for the network and class
    indices, one for each row of the network's output.
    """

    @abstractmethod
    def training_batch(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return augmented inputs and targets."""

    @abstractmethod
    def test_batch(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return inputs and targets without augmentation."""


@dataclass(frozen=True)
class Part:
    """Some images of a set, in a fixed order.

    Attributes:
        source: All images, on the CPU.
        positions: Which of them, shape ``(n,)``, int64.
    """

    source: Batch
    positions: Tensor

    def __len__(self) -> int:
        return len(self.positions)

    def batches(self, order: Tensor, size: int, device: torch.device) -> Iterator[tuple[Tensor, Tensor]]:
        """Yield images and labels on ``device``, ``size`` at a time, the last ones maybe fewer.

        Args:
            order: Indices into this part.
            size: Images in a batch.
            device: Where they are to go.
        """
        for chosen in torch.split(self.positions[order], size):
            yield self.source.inputs[chosen].to(device), self.source.labels[chosen].to(device)


class TrainedEvaluator(Evaluator[SettingsT]):
    """Scores an architecture by the test accuracy that its network reaches on a task.

    Must implement ``_task`` and ``_network``; may implement ``_prepare``.
    """

    @abstractmethod
    def _task(self, dataset: DatasetInfo) -> Task:
        """Return the task on the images of a data set."""

    @abstractmethod
    def _network(self, context: EvaluationContext) -> nn.Module:
        """Return the network with the task's head, on the device."""

    def _evaluate(self, context: EvaluationContext) -> Evaluation:
        training = Training(
            self._network(context),
            self._task(context.dataset),
            train=self._part(context, "training images", context.training_part(), self.settings.train_images),
            test=self._part(context, "test images", context.held_out_part(), self.settings.test_images),
            settings=self.settings,
            context=context,
        )
        return training.run()

    def _part(self, context: EvaluationContext, name: str, source: Batch, count: int | None) -> Part:
        return self._prepare(context, name, _draw_part(context, name, source, count))

    def _prepare(self, context: EvaluationContext, name: str, part: Part) -> Part:
        """Return the images as the task wants them; a task may do here what it need not do for every batch."""
        return part


def _draw_part(context: EvaluationContext, name: str, source: Batch, count: int | None) -> Part:
    """Draw ``count`` images, all of them if None; every architecture of the run gets the same, in the same order."""
    available = len(source.labels)
    if count is not None and count > available:
        raise EvaluationError(f"it was asked to use {count} {name} and there are {available}")
    order = context.shared(f"order of {name}", lambda generator: torch.randperm(available, generator=generator))
    return Part(source, order[:count])


class Training:
    """Trains one network for one task."""

    def __init__(
        self,
        network: nn.Module,
        task: Task,
        *,
        train: Part,
        test: Part,
        settings: TrainingSettings,
        context: EvaluationContext,
    ) -> None:
        """Set up the training.

        Args:
            network: Trained in place, on the context's device.
            task: Makes inputs and targets.
            train: Images to train on.
            test: Images to test on.
            settings: Schedule and optimiser.
            context: Gives the device and all random streams.
        """
        self.device = context.device
        self.network = network
        self.task = task
        self.train = train
        self.test = test
        self.settings = settings
        self.batch_size = min(settings.batch_size, len(train))
        self.order = context.generator("order")
        self.augmentation = context.generator("augmentation")
        self.statistics = context.generator("batch norm")
        self.test_seed = context.shared(
            "seed of test images", lambda generator: int(torch.randint(2**62, (), generator=generator))
        )
        self.optimizer = torch.optim.SGD(
            network.parameters(),
            lr=settings.learning_rate,
            momentum=MOMENTUM,
            weight_decay=settings.weight_decay,
            nesterov=True,
            foreach=True,
        )
        # Measured to save a quarter of the time of NAS-Bench-201 networks on a CPU.
        is_last = order_channels_last(network, torch.zeros(2, *self._input_shape(), device=self.device))
        self.layout = torch.channels_last if is_last else torch.contiguous_format

    def run(self) -> Evaluation:
        """Train for ``epochs`` of the schedule and test after each.

        Returns:
            The last test accuracy in percent, with the curves ``train_loss`` (mean over the epoch's steps, in nats) and
            ``test_accuracy`` (in percent), one point an epoch.

        Raises:
            DivergedError: A loss or an output is no longer finite.
            EvaluationError: The network trains otherwise than its function tells, or does not return a tensor.
        """
        trainable_parameters(self.network, self._input_shape())
        train_losses: list[float] = []
        accuracies: list[float] = []
        for epoch in range(self.settings.epochs):
            rate = learning_rate_at(epoch, self.settings.max_epochs, self.settings.learning_rate)
            loss = self.train_epoch(rate)
            if not math.isfinite(loss):
                raise DivergedError(f"the training loss became {loss} in epoch {epoch + 1}")
            train_losses.append(loss)
            self.refresh_batch_norm()
            accuracy = self.test_accuracy()
            if accuracy is None:
                raise DivergedError(f"the network's output is not finite after epoch {epoch + 1}")
            accuracies.append(accuracy)
        return Evaluation(accuracies[-1], {"train_loss": tuple(train_losses), "test_accuracy": tuple(accuracies)})

    def _input_shape(self) -> tuple[int, ...]:
        """Return the shape of one input; no random number is drawn that the training would have."""
        (images, labels), *_ = self.train.batches(torch.arange(1), 1, self.device)
        return self.task.training_batch(images, labels, torch_generator(0))[0].shape[1:]

    def train_epoch(self, learning_rate: float) -> float:
        """Take one step for each full batch of a new random order; return the mean loss."""
        self.optimizer.param_groups[0]["lr"] = learning_rate
        self.network.train()
        steps = len(self.train) // self.batch_size
        order = torch.randperm(len(self.train), generator=self.order)[: steps * self.batch_size]
        losses = [
            self._train_step(*self.task.training_batch(images, labels, self.augmentation))
            for images, labels in self.train.batches(order, self.batch_size, self.device)
        ]
        return float(torch.stack(losses).double().mean())

    def _train_step(self, inputs: Tensor, targets: Tensor) -> Tensor:
        with checkpoints_ignored():
            outputs = self._logits(inputs)
        loss = functional.cross_entropy(outputs, targets)
        self.optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.step()
        # Losses stay on the device until the epoch ends: reading one makes the device wait.
        return loss.detach()

    def _logits(self, inputs: Tensor) -> Tensor:
        return require_logits(self.network(self._laid_out(inputs)))

    def _laid_out(self, inputs: Tensor) -> Tensor:
        is_image = inputs.dim() == IMAGE_DIMENSIONS
        return inputs.contiguous(memory_format=self.layout if is_image else torch.contiguous_format)

    def refresh_batch_norm(self) -> None:
        """Give batch normalisation the statistics of augmented training images under the present weights."""
        batches = max(1, min(PRECISE_IMAGES, len(self.train)) // self.batch_size)
        order = torch.randperm(len(self.train), generator=self.statistics)[: batches * self.batch_size]
        inputs = (
            self._laid_out(self.task.training_batch(images, labels, self.statistics)[0])
            for images, labels in self.train.batches(order, self.batch_size, self.device)
        )
        set_precise_statistics(self.network, inputs)

    @torch.no_grad()
    def test_accuracy(self) -> float | None:
        """Return the share of targets hit in percent, None if an output is not finite."""
        self.network.eval()
        generator = torch_generator(self.test_seed)
        hits = torch.zeros((), dtype=torch.int64, device=self.device)
        finite = torch.ones((), dtype=torch.bool, device=self.device)
        count = 0
        for images, labels in self.test.batches(torch.arange(len(self.test)), self.batch_size, self.device):
            inputs, targets = self.task.test_batch(images, labels, generator)
            largest, predicted = self._logits(inputs).max(dim=1)
            hits += (predicted == targets).sum()
            finite &= largest.isfinite().all()
            count += targets.numel()
        return 100.0 * int(hits) / count if finite else None


def learning_rate_at(epoch: int, max_epochs: int, first: float) -> float:
    """Learning rate of an epoch counted from 0: half a cosine from ``first`` to 0 at ``max_epochs``."""
    return first * 0.5 * (1.0 + math.cos(math.pi * epoch / max_epochs))
