import dataclasses

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.plugins.evaluators.trained import EVALUATORS
from nasbench_toolkit.plugins.evaluators.trained.augmentation import normalize
from nasbench_toolkit.plugins.evaluators.trained.jigsaw import (
    PERMUTATIONS,
    Jigsaw,
    JigsawNetwork,
    grey_at_random,
    shuffle_tiles,
    tile_side,
)
from nasbench_toolkit.plugins.search_spaces import NASBENCH201
from skimage.color import rgb2gray
from torch import nn


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_permutations_are_in_lexicographic_order():
    assert len(PERMUTATIONS) == 24
    assert PERMUTATIONS[0] == (0, 1, 2, 3)
    assert PERMUTATIONS[-1] == (3, 2, 1, 0)
    assert list(PERMUTATIONS) == sorted(PERMUTATIONS)


@pytest.mark.parametrize(("side", "tile"), [(32, 12), (16, 4), (12, 4), (28, 8)])
def test_tile_side(side, tile):
    assert tile_side(side) == tile


def standardized(tile):
    return (tile - tile.mean()) / tile.std(correction=0)


def test_shuffle_tiles_puts_the_tile_of_patch_p_into_slot_perm_p():
    images = torch.rand(30, 3, 32, 32)
    tiles, classes = shuffle_tiles(images, generator())
    assert tiles.shape == (30, 4, 3, 12, 12)
    for image, slots, number in zip(images, tiles, classes, strict=True):
        for patch, slot in enumerate(PERMUTATIONS[number]):
            region = image[:, patch // 2 * 16 :, patch % 2 * 16 :][:, :16, :16]
            windows = [standardized(region[:, y : y + 12, x : x + 12]) for y in range(5) for x in range(5)]
            assert sum(torch.allclose(slots[slot], window, atol=1e-4) for window in windows) == 1


def test_every_permutation_and_offset_comes_up():
    # The value of a pixel tells its place in its patch.
    places = torch.arange(16.0 * 16).reshape(1, 1, 16, 16)
    image = places.repeat(1, 1, 2, 2).expand(500, 1, 32, 32)
    _, classes = shuffle_tiles(image, generator())
    assert classes.unique().tolist() == list(range(24))
    # A standardised tile of a linear function hides its offset, so look at the draws through a square.
    tiles, _ = shuffle_tiles(image**2, generator())
    assert len({round(tile.min().item(), 4) for tile in tiles.flatten(0, 1)}) == 25


def test_flat_tile_becomes_zero():
    tiles, _ = shuffle_tiles(torch.full((2, 3, 32, 32), 0.3), generator())
    assert tiles.abs().max() < 0.2
    assert tiles.isfinite().all()


def test_grey_at_random_equals_scikit_image():
    images = torch.rand(1000, 3, 4, 4)
    changed = grey_at_random(images, generator())
    grey = (changed != images).any(dim=(1, 2, 3))
    assert 240 < grey.sum() < 360
    expected = rgb2gray(images[grey].permute(0, 2, 3, 1).numpy())
    for channel in range(3):
        np.testing.assert_allclose(changed[grey][:, channel].numpy(), expected, atol=1e-6)


def test_grey_images_stay():
    images = torch.rand(10, 1, 4, 4)
    assert torch.equal(grey_at_random(images, generator()), images)


def test_test_batch_has_no_augmentation_but_random_tiles(stripes):
    images = torch.rand(5, 3, 32, 32)
    inputs, targets = Jigsaw(stripes).test_batch(images, torch.zeros(5), generator())
    expected, classes = shuffle_tiles(normalize(images, stripes), generator())
    assert torch.equal(inputs, expected)
    assert torch.equal(targets, classes)
    training, _ = Jigsaw(stripes).training_batch(images, torch.zeros(5), generator())
    assert training.shape == inputs.shape


def test_network_concatenates_pooled_tiles_slot_by_slot():
    head = nn.Linear(8, 8, bias=False)
    head.weight.data = torch.eye(8)
    tiles = torch.rand(3, 4, 2, 6, 6)
    logits = JigsawNetwork(nn.Identity(), head)(tiles)
    torch.testing.assert_close(logits, tiles.mean(dim=(3, 4)).flatten(1))


def test_jig_scores_colour_and_grey_images(score, grey_stripes, stripes):
    for dataset in (stripes, grey_stripes):
        record = score("jig", dataset=dataset, epochs=1)
        assert record.status is Status.OK, record.message


def test_jig_of_small_images_is_refused(stripes):
    jig = next(info for info in EVALUATORS if info.name == "jig")
    assert jig.reason_unsupported(NASBENCH201, stripes) is None
    small = dataclasses.replace(stripes, input_shape=(3, 8, 8))
    assert "at least 12x12" in jig.reason_unsupported(NASBENCH201, small)
