import copy
import math

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.errors import DegenerateError
from nasbench_toolkit.plugins.evaluators.zero_cost.jacobian.epe_nas import EpeNas, epe_nas_score
from nasbench_toolkit.plugins.evaluators.zero_cost.settings import EpeNasSettings

K = 1e-5
LABELS = torch.tensor([3, 0, 0, 7, 3, 0, 7, 7, 1, 3, 0, 2, 2, 7, 0, 3])

# The gradient of half the sum of squares is the image itself: the two images of class 4 are correlated by 1/2 (mean 0,
# norm sqrt(2), inner product 1), and class 2 has one image. E_4 = 2 log(1 + k) + 2 log(1/2 + k), E_2 = log(1 + k).
IMAGES = torch.tensor([[1.0, -1.0, 0.0], [5.0, 0.0, 1.0], [1.0, 0.0, -1.0]])[:, None, None]
BATCH = Batch(IMAGES, torch.tensor([4, 2, 4]))

# Class 9 has the same image twice, correlated by 1.
MANY = Batch(torch.cat([IMAGES, IMAGES[:1], IMAGES[:1]]), torch.tensor([4, 2, 4, 9, 9]))
E_4 = 2 * math.log(1 + K) + 2 * math.log(0.5 + K)
E_2 = math.log(1 + K)


@pytest.fixture
def half_squares(apply_function):
    return apply_function(lambda images: images.flatten(1) ** 2 / 2)


@pytest.mark.parametrize(
    ("num_classes", "expected"),
    [
        pytest.param(10, abs(E_4) + abs(E_2), id="few"),
        pytest.param(100, abs(E_4) + abs(E_2), id="a-hundred"),
    ],
)
def test_epe_nas_score_by_hand(half_squares, num_classes, expected):
    assert epe_nas_score(half_squares, BATCH, num_classes) == pytest.approx(expected, rel=1e-12)


def test_epe_nas_score_of_many_classes_leaves_out_those_with_one_image(half_squares):
    # E_9 = 4 log(1 + k). Per image E_4 / 2 and E_9 / 2; the pair counts in both orders, and two classes are left.
    expected = 2 * abs(E_4 / 2 - 4 * math.log(1 + K) / 2) / 2
    assert epe_nas_score(half_squares, MANY, 101) == pytest.approx(expected, rel=1e-12)


def test_epe_nas_score_one_of_many_classes_left_is_degenerate(half_squares):
    with pytest.raises(DegenerateError, match="only one class has two of the 3 images"):
        epe_nas_score(half_squares, BATCH, 101)


def naive_epe_nas_score(network, images, labels, num_classes):
    """Do the same the plain way: class by class in NumPy."""
    network, images = copy.deepcopy(network).train(), images.clone().requires_grad_()
    logits = network(images)
    logits.backward(torch.ones_like(logits))
    gradients = images.grad.flatten(1).double().numpy()
    energies = {}
    for label in sorted(set(labels.tolist())):
        rows = gradients[labels.numpy() == label]
        if len(rows) == 1 and num_classes > 100:
            continue
        energy = np.log(np.abs(np.atleast_2d(np.corrcoef(rows))) + K).sum()
        energies[label] = energy / len(rows) if num_classes > 100 else energy
    if num_classes <= 100:
        return sum(abs(energy) for energy in energies.values())
    return sum(abs(a - b) for a in energies.values() for b in energies.values()) / len(energies)


@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
@pytest.mark.parametrize("num_classes", [10, 120])
def test_epe_nas_score_equals_naive(make_network, images, variant, num_classes):
    network, images = make_network(variant=variant).double(), images.double()
    expected = naive_epe_nas_score(network, images, LABELS, num_classes)
    assert epe_nas_score(network, Batch(images, LABELS), num_classes) == pytest.approx(expected, rel=1e-9)


def test_epe_nas_score_all_labels_different_is_degenerate(make_network, images):
    with pytest.raises(DegenerateError, match="no two of the 16 images have the same label"):
        epe_nas_score(make_network(), Batch(images, torch.arange(16)), 16)


def test_epe_nas_score_constant_row_is_degenerate(half_squares):
    with pytest.raises(DegenerateError, match="1 of 2 inputs are constant"):
        epe_nas_score(
            half_squares, Batch(torch.tensor([[2.0, 2.0], [1.0, 2.0]])[:, None, None], torch.zeros(2).long()), 10
        )


def test_epe_nas_score_leaves_network_untouched(make_network, images, assert_untouched):
    assert_untouched(make_network(), lambda network: epe_nas_score(network, Batch(images, LABELS), 10))


def test_epe_nas_of_a_job(make_context):
    context = make_context()
    expected = epe_nas_score(context.network("reduced"), context.batch(16), 10)
    assert EpeNas(EpeNasSettings(network="reduced", batch_size=16))._evaluate(make_context()) == expected


def test_epe_nas_of_a_job_with_one_label_is_degenerate(make_context, monkeypatch):
    context = make_context()
    batch = context.batch(4)
    monkeypatch.setattr(context, "batch", lambda size: Batch(batch.inputs, torch.zeros(4).long()))
    with pytest.raises(DegenerateError, match="all 4 images of the batch have the same label"):
        EpeNas(EpeNasSettings(batch_size=4))._evaluate(context)
