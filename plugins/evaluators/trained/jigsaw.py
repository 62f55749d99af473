"""``jig``: tell in which order the four quarters of an image were put.

Source: Liu et al., ECCV 2020 (CIFAR-10 version); the task is that of Noroozi, Favaro: Unsupervised Learning of Visual
Representations by Solving Jigsaw Puzzles, ECCV 2016. Score: test accuracy after epoch K of the full schedule, in
percent; higher is better.

The image is cut into 2x2 patches. From each, a tile of 0.76 of its side is cut at a random offset and normalised to
mean 0 and standard deviation 1 over all its values. The tile of patch p is put into slot perm[p], where perm is one of
the 24 permutations, drawn at random; its index in lexicographic order is the class. Every tile goes through the same
network; the features that it pools are pooled and concatenated slot by slot, and a linear layer gives 24 outputs.
Augmentation: mirroring where the data set allows it; a colour image becomes grey with probability 0.3. Offsets and
permutations are random in the test as well. No labels are used.

Deviations from the released code:

- Tiles have a side that is a multiple of 4, rounded down: 12 at 32x32 as in the code, 4 at 16x16 pixels, where its 6
  does not fit networks that halve the resolution twice.
- A tile of one colour becomes 0; the code divides by 0.

The training, and how it deviates further, is in ``training``.
"""

from __future__ import annotations

from dataclasses import dataclass
from itertools import permutations

import torch
from torch import Tensor, nn

from ....core.context import EvaluationContext
from ....core.descriptions import DatasetInfo
from .augmentation import flip, normalize
from .heads import PooledFeatures, seeded_head
from .settings import ManyViewsSettings
from .training import Task, TrainedEvaluator

GRID = 2
SLOTS = GRID * GRID
PERMUTATIONS = tuple(permutations(range(SLOTS)))
TILE_SHARE = 0.76
GREY_PROBABILITY = 0.3
LUMINANCE = (0.2125, 0.7154, 0.0721)
"""Share of red, green and blue in grey (ITU-R BT.709, as rounded in scikit-image, which the released code uses)."""

# Below one grey level in a single pixel of a tile, which is what keeps a flat tile from being divided by 0.
_SMALLEST_STD = 1e-5


def tile_side(side: int) -> int:
    """Return height or width of the tiles of an image with this height or width."""
    return int(side // GRID * TILE_SHARE) // 4 * 4


@dataclass(frozen=True)
class Jigsaw(Task):
    """Tell the permutation of an image's tiles."""

    dataset: DatasetInfo

    def training_batch(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the tiles of mirrored and sometimes grey images, and their permutations."""
        if self.dataset.horizontal_flip:
            images = flip(images, generator)
        return shuffle_tiles(normalize(grey_at_random(images, generator), self.dataset), generator)

    def test_batch(self, images: Tensor, labels: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
        """Return the tiles of the images, and their permutations."""
        return shuffle_tiles(normalize(images, self.dataset), generator)


def grey_at_random(images: Tensor, generator: torch.Generator) -> Tensor:
    """Make each colour image grey with probability 0.3; leave images of other than three channels."""
    chosen = torch.rand(len(images), generator=generator) < GREY_PROBABILITY
    if images.shape[1] != len(LUMINANCE):
        return images
    grey = (images * images.new_tensor(LUMINANCE).view(-1, 1, 1)).sum(dim=1, keepdim=True)
    return torch.where(chosen.to(images.device).view(-1, 1, 1, 1), grey, images)


def shuffle_tiles(images: Tensor, generator: torch.Generator) -> tuple[Tensor, Tensor]:
    """Cut images into tiles and put them in random order.

    Args:
        images: Shape ``(batch, channels, height, width)``.
        generator: On the CPU.

    Returns:
        Normalised tiles by slot, shape ``(batch, 4, channels, tile_height, tile_width)``; and the index of the
        permutation, shape ``(batch,)``.
    """
    count, _, height, width = images.shape
    classes = torch.randint(len(PERMUTATIONS), (count,), generator=generator)
    # The inverse permutation: slot perm[p] holds patch p, so slot s holds the p whose perm[p] is s.
    patches = torch.tensor(PERMUTATIONS).argsort(dim=1)[classes]
    rows = _draw_span(patches // GRID, height, generator)
    columns = _draw_span(patches % GRID, width, generator)
    index = (torch.arange(count)[:, None, None, None], rows[:, :, :, None], columns[:, :, None, :])
    tiles = images.permute(0, 2, 3, 1)[tuple(part.to(images.device) for part in index)]
    return _standardize(tiles).permute(0, 1, 4, 2, 3), classes.to(images.device)


def _draw_span(patches: Tensor, side: int, generator: torch.Generator) -> Tensor:
    """Return which rows, or columns, each tile takes, shape ``(*patches.shape, tile_side)``."""
    patch, tile = side // GRID, tile_side(side)
    offsets = torch.randint(patch - tile + 1, patches.shape, generator=generator)
    return (patches * patch + offsets)[..., None] + torch.arange(tile)


def _standardize(tiles: Tensor) -> Tensor:
    """Give each tile mean 0 and standard deviation 1 over its last three axes."""
    std, mean = torch.std_mean(tiles, dim=(2, 3, 4), correction=0, keepdim=True)
    return (tiles - mean) / std.clamp(min=_SMALLEST_STD)


class JigsawNetwork(nn.Module):
    """Features shared by all tiles, and a linear layer on their pooled values."""

    def __init__(self, features: nn.Module, head: nn.Linear) -> None:
        super().__init__()
        self.features = features
        self.head = head

    def forward(self, tiles: Tensor) -> Tensor:
        """Map tiles ``(batch, 4, channels, height, width)`` to logits ``(batch, 24)``."""
        pooled = self.features(tiles.flatten(0, 1)).mean(dim=(2, 3))
        logits: Tensor = self.head(pooled.reshape(len(tiles), -1))
        return logits


class Jig(TrainedEvaluator[ManyViewsSettings]):
    """Accuracy in telling permutations of tiles."""

    def _task(self, dataset: DatasetInfo) -> Task:
        return Jigsaw(dataset)

    def _network(self, context: EvaluationContext) -> nn.Module:
        channels, height, width = context.dataset.input_shape
        tile_shape = (channels, tile_side(height), tile_side(width))
        backbone = context.network(self.settings.network, input_shape=tile_shape)
        features = PooledFeatures(backbone, tile_shape)
        inputs = SLOTS * features.channels
        return JigsawNetwork(features, seeded_head(context, lambda: nn.Linear(inputs, len(PERMUTATIONS))))
