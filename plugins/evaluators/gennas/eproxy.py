"""``eproxy``: the loss of a short regression behind an untrained convolution.

Source: Li, Li, Hao, Li, Xiong, Chen, "Extensible Proxy for Efficient NAS", 2022, arXiv 2210.09459; authors' code:
github.com/leeyeehoo/GenNAS-Zero.
Formula: sum over branches i of mean((barrier_i(head_i(features_i)) - target_i)^2) / 2^i, in the forward pass of the
tenth training step; branch 0 is the last stage, and by default the only one.
Direction: lower is better.

The architecture without its classifier is trained with its heads by SGD (learning rate 1.2, momentum 0.9, decay 4e-5
of weights) on one batch of 16 images, mirrored and cropped at random once for the run, in training mode throughout,
on the unweighted sum of the branches' losses. The barrier is not trained. Heads have 3x3 kernels and 512 channels,
barriers 64 channels. One branch and these sizes are those of the authors' configuration for NAS-Bench-101.

Deviations from the authors' code:

- Its targets are tensor files of which only the names are known to us. They are regenerated: ``net`` by the random
  network of the code's own generator class on the run's images, ``wave_h`` as two-dimensional sines of the GenNAS
  band H10, new for each image.
- The same configuration for all spaces. Theirs for NAS-Bench-201 has three branches, 128 channels and 1x1 heads.
- The same network for all spaces, ``benchmark``. The code takes that of NAS-Bench-101, but on NAS-Bench-201 cells as in
  the GenNAS code (``network=gennas``).
- Batch, crop, target and initial weights have their own generators, seeded from the run or the job; images are those of
  the run's data set at 32x32 pixels, normalised by its mean and standard deviation.
- Multiply-adds, where they take part (``mac_weight``), are those of convolutions and linear layers alone.
- A network whose last stage does not depend on the image has no score (status ``degenerate``): its loss, that of the
  best constant, can be better than that of a network that learns, after ten steps.
"""

from __future__ import annotations

import math

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.capabilities import StagedNetwork, require
from ....core.context import EvaluationContext
from ....core.domain import Evaluation
from ....core.errors import DegenerateError, DivergedError
from ....core.interfaces import Evaluator
from ..checkpoints import checkpoints_ignored
from ..layer_parameters import trainable_parameters
from ..macs import count_macs
from ..memory_layout import order_channels_last
from ..probing import network_mode
from .eproxy_network import EproxyNetwork, draw_target, random_crop
from .momentum_descent import MomentumDescent
from .regression_network import parameter_groups, probe_stages
from .settings import EproxySettings

_RESOLUTION = 32
"""Height and width of the images."""

_PADDING = 4
"""Width of the black frame that the random crop reaches into."""


class Eproxy(Evaluator[EproxySettings]):
    """Scores an architecture by the loss of a regression behind an untrained convolution."""

    def _evaluate(self, context: EvaluationContext) -> Evaluation:
        settings = self.settings
        images = _augmented_images(context, settings.batch_size)
        targets = context.shared("eproxy targets", lambda generator: _draw_targets(images, settings, generator))
        # Networks may be built for one size only.
        shape = (context.dataset.input_shape[0], _RESOLUTION, _RESOLUTION)
        backbone = context.network(settings.network, input_shape=shape)
        check_path(backbone, images)
        whole = context.dataset.input_shape
        macs = count_macs(context.network(settings.network), whole) if settings.mac_weight else 0
        network = EproxyNetwork(
            backbone,
            probe_stages(backbone, images)[::-1][: settings.branches],
            settings.head_channels,
            settings.target_channels,
            context.generator("heads"),
        ).to(context.device)
        if order_channels_last(network, images):
            images = images.contiguous(memory_format=torch.channels_last)
        return train(network, images, targets, settings, macs)


@torch.no_grad()
def check_path(backbone: nn.Module, images: Tensor) -> None:
    """Refuse a network whose features say nothing of its images.

    Args:
        backbone: A :class:`StagedNetwork`; modes and statistics are left as found.
        images: A batch of which two images are used.

    Raises:
        DegenerateError: The last stage's features are the same for both.
    """
    with network_mode(backbone, training=False):
        first, second = require(backbone, StagedNetwork).forward_stages(images[:2])[-1]
    if torch.equal(first, second):
        raise DegenerateError("the last stage's features do not depend on the image: the network has no path to them")


def _augmented_images(context: EvaluationContext, size: int) -> Tensor:
    images = context.batch(size, resolution=_RESOLUTION, augment=True).inputs
    offsets = context.shared(
        "eproxy crop", lambda generator: torch.randint(2 * _PADDING + 1, (size, 2), generator=generator)
    )
    mean, std = torch.tensor(context.dataset.mean), torch.tensor(context.dataset.std)
    return random_crop(images, (-mean / std).to(images), offsets, _PADDING)


def _draw_targets(images: Tensor, settings: EproxySettings, generator: torch.Generator) -> list[Tensor]:
    """Draw the target of each branch from CPU images, so that it is the same on every device."""
    on_cpu = images.cpu()
    return [
        draw_target(on_cpu, settings.target_channels, generator).to(images.device) for _ in range(settings.branches)
    ]


def train(
    network: EproxyNetwork, images: Tensor, targets: list[Tensor], settings: EproxySettings, macs: int = 0
) -> Evaluation:
    """Train a network in place.

    Args:
        network: Backbone, heads and barriers, on the device of ``images``.
        images: Normalised, shape (batch, colours, height, width).
        targets: One for each branch, shape (batch, target_channels, 8, 8).
        settings: Optimiser and number of steps.
        macs: Multiply-adds of the architecture, needed where ``mac_weight`` is not 0.

    Returns:
        The score, and the curves ``train_loss``, the loss of each step before it, and ``score_loss``, the weighted
        loss that is the score if training ends with this step.

    Raises:
        DivergedError: A loss is not finite.
        EvaluationError: The network trains otherwise than its function tells.
    """
    found = trainable_parameters(network, tuple(images.shape[1:]), "backbone.")
    optimizer = MomentumDescent(
        parameter_groups(network.trained_parameters(), found, settings.weight_decay),
        settings.learning_rate,
        settings.momentum,
    )
    network.train()
    branch_losses = []
    for _ in range(settings.iterations):
        with checkpoints_ignored():
            outputs = network(images)
        losses = [functional.mse_loss(output, target) for output, target in zip(outputs, targets, strict=True)]
        optimizer.zero_grad()
        torch.stack(losses).sum().backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        branch_losses.append(torch.stack(losses).detach())
    return _evaluation(torch.stack(branch_losses).double().cpu(), settings, macs)


def _evaluation(branch_losses: Tensor, settings: EproxySettings, macs: int) -> Evaluation:
    """Weigh the losses, shape (iterations, branches)."""
    factor = 1.0 - settings.mac_weight * macs / settings.max_macs if settings.max_macs else 1.0
    weights = 0.5 ** torch.arange(branch_losses.shape[1], dtype=torch.float64)
    train_losses = branch_losses.sum(dim=1).tolist()
    scores = (factor * (branch_losses @ weights)).tolist()
    for step, loss in enumerate(train_losses, start=1):
        if not math.isfinite(loss):
            raise DivergedError(f"the loss became {loss} at iteration {step}")
    return Evaluation(scores[-1], {"train_loss": tuple(train_losses), "score_loss": tuple(scores)})
