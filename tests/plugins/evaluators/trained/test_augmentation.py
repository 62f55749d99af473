import pytest
import torch
from nasbench_toolkit.plugins.evaluators.trained.augmentation import crop_padding, flip, flip_and_crop, normalize


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_normalize_per_channel(stripes):
    images = torch.rand(2, 3, 4, 4)
    expected = torch.stack([(images[:, c] - stripes.mean[c]) / stripes.std[c] for c in range(3)], dim=1)
    torch.testing.assert_close(normalize(images, stripes), expected)


def test_crop_padding_is_an_eighth(stripes):
    assert crop_padding(stripes) == 2


def candidates(image, padding, mirror):
    """All that may come out: mirror, pad with zeros, cut at any offset but the last."""
    for flipped in (image, image.flip(-1)) if mirror else (image,):
        padded = torch.nn.functional.pad(flipped, (padding,) * 4)
        for y in range(2 * padding):
            for x in range(2 * padding):
                yield padded[:, y : y + image.shape[1], x : x + image.shape[2]]


@pytest.mark.parametrize("mirror", [True, False])
def test_flip_and_crop_gives_every_candidate_equally_often(mirror):
    image = torch.rand(3, 6, 8) + 0.1
    images = image.repeat(4000, 1, 1, 1)
    cut = flip_and_crop(images, generator(), mirror=mirror, padding=2)
    counts = [(cut == candidate).all(dim=(1, 2, 3)).sum().item() for candidate in candidates(image, 2, mirror)]
    assert sum(counts) == 4000
    expected = 4000 / len(counts)
    # Five standard deviations of a binomial count.
    assert all(abs(count - expected) < 5 * expected**0.5 for count in counts)


def test_flip_and_crop_without_padding_and_mirror_changes_nothing():
    images = torch.rand(5, 1, 4, 4)
    assert torch.equal(flip_and_crop(images, generator(), mirror=False, padding=0), images)


def test_flip_and_crop_is_channels_last_and_depends_on_the_generator_alone():
    images = torch.rand(5, 3, 4, 4)
    first, second, other = (flip_and_crop(images, generator(seed), mirror=True, padding=1) for seed in (1, 1, 2))
    assert first.is_contiguous(memory_format=torch.channels_last)
    assert torch.equal(first, second)
    assert not torch.equal(first, other)


def test_flip_mirrors_half_of_the_images():
    images = torch.arange(3.0).expand(1000, 1, 1, 3)
    mirrored = flip(images, generator())[:, 0, 0, 0] == 2
    assert 400 < mirrored.sum() < 600
    assert torch.equal(flip(images, generator())[mirrored], images[mirrored].flip(-1))
