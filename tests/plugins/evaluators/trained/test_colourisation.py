import numpy as np
import torch
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.plugins.evaluators.trained import EVALUATORS
from nasbench_toolkit.plugins.evaluators.trained.colourisation import (
    CENTRES,
    Colourisation,
    ColourNetwork,
    nearest_centres,
    split_colours,
)
from nasbench_toolkit.plugins.search_spaces import NASBENCH201
from scipy.spatial import cKDTree
from skimage.color import rgb2lab
from torch import nn


def generator(seed=0):
    return torch.Generator().manual_seed(seed)


def test_there_are_313_sorted_centres():
    assert len(CENTRES) == len(set(CENTRES)) == 313
    assert list(CENTRES) == sorted(CENTRES)
    assert CENTRES[0] == (-90, 50)
    assert CENTRES[-1] == (100, 0)


def test_nearest_centres_equals_search_among_all():
    points = np.random.default_rng(0).uniform(-115, 115, (20, 500, 2))
    distances, _ = cKDTree(CENTRES).query(points)
    found = np.array(CENTRES)[nearest_centres(points)]
    np.testing.assert_allclose(np.linalg.norm(found - points, axis=-1), distances, rtol=1e-12)


def test_split_colours_of_known_colours():
    # sRGB in D65: white is (100, 0, 0), red (53.24, 80.09, 67.20), blue (32.30, 79.19, -107.86).
    colours = torch.tensor([[1.0, 1, 1], [1, 0, 0], [0, 0, 1]])
    lightness, classes = split_colours(colours[:, :, None, None])
    np.testing.assert_allclose(lightness.flatten(), [1.0, 0.5324, 0.3230], atol=1e-3)
    assert [CENTRES[index] for index in classes.flatten()] == [(0, 0), (80, 70), (80, -110)]


def test_split_colours_equals_scikit_image():
    images = torch.rand(3, 3, 8, 8)
    lightness, classes = split_colours(images)
    lab = rgb2lab(images.permute(0, 2, 3, 1).double().numpy())
    np.testing.assert_allclose(lightness[:, 0], lab[..., 0] / 100, rtol=1e-6)
    np.testing.assert_array_equal(classes, cKDTree(CENTRES).query(lab[..., 1:])[1])


def test_batches_are_normalised_and_mirrored_together(stripes):
    images, labels = split_colours(torch.rand(400, 3, 4, 4))
    task = Colourisation(stripes)
    plain, targets = task.test_batch(images, labels, generator())
    targets = targets.view(labels.shape)
    # Means 0.3, deviations 0.2, 0.25 and 0.3.
    torch.testing.assert_close(plain, (images - 0.3) / 0.25)
    assert targets.dtype == torch.int64
    mirrored, mirrored_targets = task.training_batch(images, labels, generator())
    changed = (mirrored != plain).any(dim=(1, 2, 3))
    assert 150 < changed.sum() < 250
    mirrored_targets = mirrored_targets.view(labels.shape)
    assert torch.equal(mirrored[changed], plain[changed].flip(-1))
    assert torch.equal(mirrored_targets[changed], targets[changed].flip(-1))
    assert torch.equal(mirrored_targets[~changed], targets[~changed])


class Corners(nn.Module):
    def forward(self, images):
        return torch.tensor([[[[0.0, 3.0], [6.0, 9.0]]]])


def test_network_enlarges_with_aligned_corners():
    head = nn.Conv2d(1, 1, 1, bias=False)
    head.weight.data.fill_(1.0)
    logits = ColourNetwork(Corners(), head)(torch.zeros(1, 1, 4, 4))
    expected = torch.arange(4.0)[None, :] + 2 * torch.arange(4.0)[:, None]
    torch.testing.assert_close(logits, expected.reshape(16, 1))


def test_col_counts_pixels(score):
    record = score("col", epochs=2, batch_size=16, test_images=4)
    assert record.status is Status.OK, record.message
    assert (record.score * 4 * 256 / 100).is_integer()
    assert record.curves["train_loss"][0] < 10


def test_col_of_grey_images_is_refused(grey_stripes, stripes):
    col = next(info for info in EVALUATORS if info.name == "col")
    assert col.reason_unsupported(NASBENCH201, stripes) is None
    assert "'grey' have 1 channels" in col.reason_unsupported(NASBENCH201, grey_stripes)
