import pytest
import torch
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.core.settings import course_hash
from nasbench_toolkit.plugins.evaluators.trained.augmentation import flip_and_crop, normalize
from nasbench_toolkit.plugins.evaluators.trained.classification import Classification, Econas, reduced_side
from nasbench_toolkit.plugins.evaluators.trained.settings import EconasSettings, ManyViewsSettings, TrainingSettings
from torch.nn import functional


def generator():
    return torch.Generator().manual_seed(0)


def test_defaults_are_those_of_the_papers():
    cls, econas = TrainingSettings(), EconasSettings()
    assert (cls.epochs, cls.max_epochs, cls.batch_size, cls.learning_rate, cls.weight_decay) == (
        10,
        100,
        128,
        0.1,
        5e-4,
    )
    assert (econas.epochs, econas.max_epochs, econas.batch_size, econas.network) == (20, 40, 2048, "reduced")
    assert (econas.learning_rate, econas.weight_decay, econas.resolution_divisor) == (0.1, 5e-4, 4)
    views = ManyViewsSettings()
    assert (views.batch_size, views.learning_rate, views.max_epochs, views.weight_decay) == (32, 0.025, 100, 5e-4)


def test_epochs_only_say_where_a_training_stops():
    assert course_hash(1, TrainingSettings(epochs=3)) == course_hash(1, TrainingSettings())
    assert course_hash(1, TrainingSettings(max_epochs=50)) != course_hash(1, TrainingSettings())


def test_training_batch_is_normalised_mirrored_and_shifted(stripes):
    images, labels = torch.rand(6, 3, 16, 16), torch.arange(6)
    inputs, targets = Classification(stripes).training_batch(images, labels, generator())
    expected = flip_and_crop(normalize(images, stripes), generator(), mirror=True, padding=2)
    assert torch.equal(inputs, expected)
    assert torch.equal(targets, labels)


def test_test_batch_is_normalised_only(stripes):
    images, labels = torch.rand(6, 3, 16, 16), torch.arange(6)
    inputs, targets = Classification(stripes).test_batch(images, labels, generator())
    assert torch.equal(inputs, normalize(images, stripes))
    assert torch.equal(targets, labels)


@pytest.mark.parametrize(("side", "divisor", "expected"), [(32, 4, 8), (32, 2, 16), (16, 4, 4), (12, 4, 4), (28, 4, 8)])
def test_reduced_side(side, divisor, expected):
    assert reduced_side(side, divisor) == expected


def test_reduced_side_without_reduction():
    assert reduced_side(30, 1) == 30


def test_reduction_comes_after_augmentation(stripes):
    images, labels = torch.rand(6, 3, 16, 16), torch.arange(6)
    inputs, _ = Classification(stripes, (4, 4)).training_batch(images, labels, generator())
    augmented, _ = Classification(stripes).training_batch(images, labels, generator())
    expected = functional.interpolate(augmented, (4, 4), mode="bilinear", antialias=True)
    assert torch.equal(inputs, expected)


def test_reduction_keeps_a_constant_image(stripes):
    inputs, _ = Classification(stripes, (4, 4)).test_batch(torch.full((1, 3, 16, 16), 0.7), torch.zeros(1), generator())
    torch.testing.assert_close(inputs[0, :, 0, 0], (0.7 - torch.tensor(stripes.mean)) / torch.tensor(stripes.std))


def test_econas_trains_the_reduced_network_on_small_images(make_context):
    context, evaluator = make_context("econas", epochs=1)
    network = Econas(evaluator.settings)._network(context)
    assert network.stem[0].weight.shape[0] == 2
    evaluation = evaluator.evaluate(context)
    assert 0 <= evaluation.score <= 100


def test_econas_can_be_given_another_network(score):
    record = score("econas", epochs=1, network="benchmark", resolution_divisor=1)
    assert record.status is Status.OK, record.message


def test_grey_images_of_another_size_are_classified(score, grey_stripes):
    for evaluator in ("cls", "econas"):
        record = score(evaluator, dataset=grey_stripes, epochs=1)
        assert record.status is Status.OK, record.message


@pytest.mark.parametrize("evaluator", ["cls", "econas"])
def test_one_label_is_degenerate(score, evaluator):
    record = score(evaluator, epochs=1, test_images=1)
    assert record.status is Status.DEGENERATE
    assert "all 1 test images have the same label" in record.message
