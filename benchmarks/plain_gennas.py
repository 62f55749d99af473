"""GenNAS for images, written as plainly as its definition: what the evaluator's speed is measured against.

Source: Li et al., NeurIPS 2021, arXiv 2108.01899, and the authors' code, whose choices count where both differ: task
``combo``, SGD with momentum .9 and learning rate .1, decay 4e-5 of weights with more than one dimension, stage weights
.25, .5 and 1 in training and score, one scoring pass after every ten steps, in evaluation mode. One process, PyTorch's
default memory layout, ``torch.optim.SGD``.

Networks are the search space's, and images and targets those of a run, so that its score is that of ``gennas-combo``
but for rounding; nothing else is shared with the evaluator.
"""

from __future__ import annotations

from collections.abc import Sequence

import torch
from torch import Tensor, nn
from torch.nn import functional

from ..core.capabilities import StagedNetwork, require
from ..core.context import EvaluationContext
from ..plugins.evaluators.gennas.published_tasks import COMBO
from ..plugins.evaluators.gennas.signals import stage_target

ITERATIONS = 100
SCORE_INTERVAL = 10
BATCH_SIZE = 16
RESOLUTION = 32
MAP_SIZE = 8
STAGE_WEIGHTS = (0.25, 0.5, 1.0)
LEARNING_RATE = 0.1
MOMENTUM = 0.9
WEIGHT_DECAY = 4e-5


class PlainNetwork(nn.Module):
    """A network without its classifier, and a head for each of its three stages."""

    def __init__(self, backbone: nn.Module, feature_channels: Sequence[int], target_channels: Sequence[int]) -> None:
        """Build the heads; initial weights come from torch's global generator."""
        super().__init__()
        self.backbone = backbone
        self.heads = nn.ModuleList(
            nn.Sequential(nn.BatchNorm2d(before), nn.Conv2d(before, after, 1))
            for before, after in zip(feature_channels, target_channels, strict=True)
        )

    def forward(self, images: Tensor) -> list[Tensor]:
        """Map images ``(batch, 3, 32, 32)`` to one ``(batch, channels, 8, 8)`` for each stage."""
        features = require(self.backbone, StagedNetwork).forward_stages(images)
        return [head(_reduced(feature)) for head, feature in zip(self.heads, features, strict=True)]


def plain_score(context: EvaluationContext, iterations: int = ITERATIONS) -> float:
    """Return the score of the context's architecture; lower is better.

    Args:
        context: A job of ``gennas-combo``.
        iterations: Training steps.
    """
    images = context.batch(BATCH_SIZE, resolution=RESOLUTION, augment=True).inputs
    targets = context.shared("gennas target", lambda generator: _draw_targets(images, generator))
    shape = (context.dataset.input_shape[0], RESOLUTION, RESOLUTION)
    backbone = context.network("gennas", input_shape=shape)
    with context.initial_weights("gennas heads"):
        network = PlainNetwork(backbone, _feature_channels(backbone, images), [t.shape[1] for t in targets])
    return _train(network, images, targets, iterations)


def _train(network: PlainNetwork, images: Tensor, targets: Sequence[Tensor], iterations: int) -> float:
    optimizer = torch.optim.SGD(_parameter_groups(network), lr=LEARNING_RATE, momentum=MOMENTUM)
    score = float("nan")
    for step in range(1, iterations + 1):
        network.train()
        loss = _loss(network(images), targets)
        optimizer.zero_grad()
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        if step % SCORE_INTERVAL == 0 or step == iterations:
            network.eval()
            with torch.no_grad():
                score = float(_loss(network(images), targets))
    return score


def _loss(outputs: Sequence[Tensor], targets: Sequence[Tensor]) -> Tensor:
    parts = zip(STAGE_WEIGHTS, outputs, targets, strict=True)
    losses = [weight * functional.mse_loss(output, target) for weight, output, target in parts]
    return torch.stack(losses).sum()


def _parameter_groups(network: nn.Module) -> list[dict[str, object]]:
    decayed = {name for name, value in network.named_parameters() if "weight" in name and value.dim() > 1}
    named = list(network.named_parameters())
    return [
        {"params": [value for name, value in named if name in decayed], "weight_decay": WEIGHT_DECAY},
        {"params": [value for name, value in named if name not in decayed], "weight_decay": 0.0},
    ]


def _draw_targets(images: Tensor, generator: torch.Generator) -> list[Tensor]:
    return [stage_target(stage, images, generator).contiguous() for stage in COMBO.stages]


@torch.no_grad()
def _feature_channels(backbone: nn.Module, images: Tensor) -> list[int]:
    backbone.eval()
    return [feature.shape[1] for feature in require(backbone, StagedNetwork).forward_stages(images[:2])]


def _reduced(features: Tensor) -> Tensor:
    if features.shape[-1] == MAP_SIZE:
        return features
    return functional.interpolate(features, size=(MAP_SIZE, MAP_SIZE), mode="nearest")
