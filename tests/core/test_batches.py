import hashlib
import struct

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.batches import Batch, batch_digest, draw_batch, split_parts
from nasbench_toolkit.core.descriptions import DatasetInfo
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.core.interfaces import Dataset
from nasbench_toolkit.plugins.datasets import MNIST

INFO = DatasetInfo(
    name="ramps",
    summary="Images that say who they are.",
    source="the tests",
    factory="nowhere:Nothing",
    input_shape=(1, 4, 4),
    mean=(0.25,),
    std=(0.5,),
)
MIRRORLESS = DatasetInfo(**{**vars(INFO), "horizontal_flip": False})


class Ramps(Dataset):
    """Image i has the value i / 100 in its left column and 0 elsewhere; its label is i."""

    def labels(self):
        return np.arange(40)

    def inputs(self, positions):
        images = np.zeros((len(positions), 1, 4, 4), np.float32)
        images[:, 0, :, 0] = positions[:, None] / 100
        return images


class RampsWithTests(Ramps):
    """The same, with three images to test on."""

    def held_out(self):
        class Part(Ramps):
            def labels(self):
                return np.array([1, 2, 3])

        return Part()


def test_split_parts_takes_the_test_images_there_are():
    training, held_out = split_parts(INFO, RampsWithTests(), seed=0)
    assert training.labels.tolist() == list(range(40))
    assert held_out.labels.tolist() == [1, 2, 3]
    assert training.inputs[:, 0, 0, 0].tolist() == pytest.approx([i / 100 for i in range(40)])
    assert held_out.inputs.dtype == torch.float32


def test_split_parts_holds_out_a_fifth_where_there_are_none():
    training, held_out = split_parts(INFO, Ramps(), seed=0)
    assert (len(training.labels), len(held_out.labels)) == (32, 8)
    assert sorted(training.labels.tolist() + held_out.labels.tolist()) == list(range(40))
    assert torch.equal(held_out.labels, split_parts(INFO, Ramps(), seed=0)[1].labels)
    assert not torch.equal(held_out.labels, split_parts(INFO, Ramps(), seed=1)[1].labels)
    assert held_out.inputs[:, 0, 0, 0].tolist() == pytest.approx([i / 100 for i in held_out.labels.tolist()])


def test_split_parts_of_too_few_images():
    class Four(Ramps):
        def labels(self):
            return np.arange(4)

    with pytest.raises(EvaluationError, match="there are 4 images in all: too few to split"):
        split_parts(INFO, Four(), seed=0)


def draw(size=8, seed=1, resolution=None, augment=False, info=INFO):
    return draw_batch(info, Ramps(), size, seed, resolution, augment)


def test_draw_batch_depends_on_size_and_seed_only() -> None:
    assert torch.equal(draw().inputs, draw().inputs)
    assert not torch.equal(draw(seed=1).labels, draw(seed=2).labels)


def test_draw_batch_images_are_distinct_normalised_and_keep_their_labels() -> None:
    batch = draw(size=40)
    assert sorted(batch.labels.tolist()) == list(range(40))
    expected = (batch.labels / 100 - 0.25) / 0.5
    torch.testing.assert_close(batch.inputs[:, 0, 2, 0], expected.float())
    assert batch.inputs.dtype == torch.float32


def test_draw_batch_mirrors_about_half_if_asked_and_allowed() -> None:
    plain, mirrored = draw(size=40), draw(size=40, augment=True)
    assert torch.equal(plain.labels, mirrored.labels)
    flipped = [not torch.equal(one, other) for one, other in zip(plain.inputs[1:], mirrored.inputs[1:], strict=True)]
    assert 8 <= sum(flipped) <= 32
    for one, other, was_flipped in zip(plain.inputs[1:], mirrored.inputs[1:], flipped, strict=True):
        assert torch.equal(other, one.flip(-1) if was_flipped else one)
    assert torch.equal(draw(size=40, augment=True, info=MIRRORLESS).inputs, plain.inputs)


def test_draw_batch_mirrors_with_probability_one_half() -> None:
    # Images that are mirrored are not black on the right, but for image 0 of each batch, which is black all over.
    mirrored = [draw(size=40, seed=seed, augment=True).inputs[:, 0, 0, 3] != -0.5 for seed in range(40)]
    share = torch.stack(mirrored).float().mean().item() * 40 / 39
    # The standard deviation of the share of 1,560 images is .013.
    assert share == pytest.approx(0.5, abs=0.06)


def test_draw_batch_resizes_by_nearest_neighbour() -> None:
    small, large = draw(), draw(resolution=8)
    assert torch.equal(large.inputs, small.inputs.repeat_interleave(2, -1).repeat_interleave(2, -2))


def test_draw_batch_larger_than_the_data_set() -> None:
    with pytest.raises(EvaluationError, match="needs a batch of 41 images and the dataset 'ramps' has 40"):
        draw(size=41)


def test_draw_batch_asks_for_the_images_of_the_batch_only() -> None:
    asked = []

    class Recorded(Ramps):
        def inputs(self, positions):
            asked.append(positions.tolist())
            return super().inputs(positions)

    batch = draw_batch(INFO, Recorded(), 8, 1, None, False)
    assert asked == [batch.labels.tolist()]


@pytest.mark.parametrize(
    ("size", "seed", "resolution", "digest"),
    [(16, 123456789, None, "5826338747dc9df9"), (64, 7, 24, "eac4a425b8b6361a")],
)
def test_draw_batch_is_what_it_always_was(size, seed, resolution, digest) -> None:
    # Stored scores depend on these very bits.
    assert batch_digest(draw_batch(MNIST, MNIST.create(), size, seed, resolution, True)) == digest


def test_batch_digest_equals_an_independent_one() -> None:
    batch = Batch(torch.tensor([[[[1.5, -2.0]]]]), torch.tensor([3]))
    packed = struct.pack("<5q2f", 4, 1, 1, 1, 2, 1.5, -2.0) + struct.pack("<2qq", 1, 1, 3)
    assert batch_digest(batch) == hashlib.sha256(packed).hexdigest()[:16]


def test_batch_digest_tells_batches_apart() -> None:
    images, labels = torch.zeros(2, 1, 2, 2), torch.zeros(2, dtype=torch.int64)
    digests = {
        batch_digest(Batch(*pair))
        for pair in (
            (images, labels),
            (images + 1e-7, labels),
            (images, labels + 1),
            (images.reshape(2, 1, 1, 4), labels),
            (images.reshape(2, 1, 4, 1), labels),
        )
    }
    assert len(digests) == 5


def test_batch_digest_depends_on_values_not_on_strides() -> None:
    images, labels = torch.arange(32.0).reshape(2, 1, 4, 4), torch.arange(2)
    turned = images.transpose(2, 3).contiguous().transpose(2, 3)
    assert batch_digest(Batch(turned, labels)) == batch_digest(Batch(images, labels))
