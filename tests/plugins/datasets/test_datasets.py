import numpy as np
import pytest
from nasbench_toolkit.plugins.datasets import MNIST, PHOTOS, nasbench_datasets

INFOS = [pytest.param(info, id=info.name) for info in nasbench_datasets()]


def test_datasets_names():
    assert [info.name for info in nasbench_datasets()] == ["photos", "mnist"]


@pytest.mark.parametrize("info", INFOS)
def test_dataset_matches_its_description(info):
    images, labels = info.create().load()
    assert images.shape[1:] == info.image_shape
    assert images.dtype == np.float32
    assert 0.0 <= images.min() < images.max() <= 1.0
    assert set(labels.tolist()) == set(range(info.num_classes))
    assert len(images) == len(labels)


@pytest.mark.parametrize("info", INFOS)
def test_dataset_normalisation_constants(info):
    images, _ = info.create().load()
    # JPEG decoders may differ by a grey level here and there.
    np.testing.assert_allclose(info.mean, images.mean(axis=(0, 2, 3), dtype=np.float64), atol=3e-4)
    np.testing.assert_allclose(info.std, images.std(axis=(0, 2, 3), dtype=np.float64), atol=3e-4)


def test_datasets_mirror_photographs_but_not_digits():
    assert PHOTOS.horizontal_flip
    assert not MNIST.horizontal_flip


@pytest.mark.parametrize("info", INFOS)
def test_dataset_states_its_licence(info):
    assert "CC" in info.licence
