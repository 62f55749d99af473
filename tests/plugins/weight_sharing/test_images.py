import pytest
import torch
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.plugins.weight_sharing.generators import Generators
from nasbench_toolkit.plugins.weight_sharing.images import ImageStreams, normalize, shift_and_mirror


@pytest.fixture
def streams(context, settings):
    def make(seed=0, **given):
        made = context(seed)
        return ImageStreams(made, settings("rsps", **given), Generators(made))

    return make


def all_of(part):
    """Return the normalised images of a part in the order of their values, one a row."""
    return ((part.source.inputs[part.positions] - 0.5) / 0.25).flatten(1).unique(dim=0)


def test_parts_are_halves_of_each_class_and_the_same_for_every_seed(context) -> None:
    (weights, architectures), others = context(0).split(), context(1).split()
    assert (len(weights), len(architectures)) == (24, 24)
    labels = weights.source.labels
    assert labels[weights.positions].bincount().tolist() == labels[architectures.positions].bincount().tolist()
    assert not set(weights.positions.tolist()) & set(architectures.positions.tolist())
    assert [part.positions.tolist() for part in others] == [
        weights.positions.tolist(),
        architectures.positions.tolist(),
    ]


def test_held_out_images_choose_architectures_if_asked(context) -> None:
    weights, architectures = context().split("held-out")
    assert (len(weights), len(architectures)) == (48, 15)
    assert architectures.source is not weights.source


def test_too_few_images_cannot_be_split(context) -> None:
    with pytest.raises(EvaluationError, match="those of 'blobs' are too few: they would have 3 and 0"):
        context(images=3).split()


def test_an_epoch_has_every_image_for_weights_once(streams) -> None:
    made = streams(augment=False, batch_size=7)
    batches = list(made.weight_batches())
    assert [len(labels) for _, labels in batches] == [7, 7, 7, 3]
    (first, second) = (
        torch.cat([images for images, _ in each]).sum((1, 2, 3)) for each in (batches, made.weight_batches())
    )
    assert first.sort().values.tolist() == second.sort().values.tolist()
    assert first.tolist() != second.tolist()


def test_images_for_architectures_are_drawn_with_replacement(streams) -> None:
    made = streams(augment=False)
    images, _ = made.architecture_batch(400)
    # One of 24 is missing once in a million times.
    assert torch.equal(images.flatten(1).unique(dim=0), all_of(made.architectures))


@pytest.mark.parametrize("augmented", [False, True])
def test_images_to_judge_by_are_those_for_architectures(streams, augmented) -> None:
    made = streams(augment=False, selection_batch=24)
    images, _ = made.selection_batch(augmented=augmented)
    assert torch.equal(images.flatten(1).unique(dim=0), all_of(made.architectures))


def test_images_to_judge_by_come_once_then_in_a_new_order(streams) -> None:
    made = streams(selection_batch=10)
    batches = [made.selection_batch() for _ in range(6)]
    assert [len(labels) for _, labels in batches] == [10, 10, 4, 10, 10, 4]
    sums = [torch.cat([images for images, _ in batches[part]]).sum((1, 2, 3)) for part in (slice(3), slice(3, 6))]
    assert sums[0].sort().values.tolist() == sums[1].sort().values.tolist()


def test_noise_to_judge_by_is_always_the_same(streams) -> None:
    made = streams(noise=1.0, selection_batch=100)
    first, second = (
        images.sum((1, 2, 3)).sort().values.tolist() for images, _ in (made.selection_batch() for _ in "ab")
    )
    assert first == second
    plain = streams(selection_batch=100).selection_batch()[0].sum((1, 2, 3)).sort().values.tolist()
    assert first != plain


def test_the_stream_goes_on_from_a_state(streams) -> None:
    made, other = streams(noise=0.5), streams(noise=0.5)
    made.selection_batch(), made.architecture_batch(3), list(made.weight_batches())
    other.load_state(made.state())
    other._generators.load_state(made._generators.state())
    for draw in (lambda each: each.selection_batch(), lambda each: each.architecture_batch(5)):
        assert torch.equal(draw(made)[0], draw(other)[0])


def test_images_are_shifted_in_a_black_frame_and_mirrored(context) -> None:
    images = torch.zeros(400, 1, 8, 8)
    images[:, :, 2, 3] = 1.0
    moved = shift_and_mirror(images, torch.Generator().manual_seed(0), mirror=True, padding=1)
    places = {tuple(place.tolist()[2:]) for place in moved.nonzero()}
    # All offsets from -1 to 1, of the image and of its mirror image.
    assert places == {(row, column) for row in (1, 2, 3) for column in (2, 3, 4, 5)}
    assert normalize(torch.zeros(1, 1, 2, 2), context().dataset).unique().tolist() == [-2.0]
