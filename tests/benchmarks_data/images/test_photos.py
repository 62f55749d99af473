import importlib.util
import socket
from importlib.machinery import ModuleSpec
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.images import photos
from nasbench_toolkit.benchmarks_data.images.photos import PHOTOS, load_photos
from nasbench_toolkit.core.errors import DataError


@pytest.fixture
def fresh():
    """Forget loaded photographs, before and after."""
    load_photos.cache_clear()
    yield
    load_photos.cache_clear()


def test_load_photos_shapes_and_range():
    images, labels = load_photos()
    assert images.shape == (1000, 3, 32, 32)
    assert (images.dtype, labels.dtype) == (np.float32, np.int64)
    assert images.min() >= 0.0
    assert images.max() <= 1.0
    assert np.array_equal(np.bincount(labels), np.full(10, 100))


def test_load_photos_are_distinct_with_contrast():
    images, _ = load_photos()
    assert len(np.unique(images.reshape(1000, -1), axis=0)) == 1000
    assert images.std(axis=(2, 3)).mean(axis=1).min() >= photos.MIN_CONTRAST


def test_load_photos_same_every_time_and_read_only(fresh):
    first, _ = load_photos()
    load_photos.cache_clear()
    second, _ = load_photos()
    assert np.array_equal(first, second)
    assert load_photos()[0] is second
    with pytest.raises(ValueError, match="read-only"):
        second[0] = 0.0


def test_load_photos_without_network(fresh, monkeypatch):
    def refuse(*args, **kwargs):
        raise AssertionError("the loader opened a socket")

    monkeypatch.setattr(socket, "socket", refuse)
    assert len(load_photos()[0]) == 1000


@pytest.mark.parametrize("label", [pytest.param(0, id="png"), pytest.param(8, id="jpeg")])
def test_load_photos_equal_an_independent_cutting(label):
    skimage_io = pytest.importorskip("skimage.io", reason="the oracle reads with scikit-image")
    transform = pytest.importorskip("skimage.transform", reason="the oracle averages with scikit-image")
    photo = PHOTOS[label]
    package = importlib.util.find_spec(photo.package).submodule_search_locations[0]
    pixels = skimage_io.imread(Path(package) / photo.path) / 255.0
    rng = np.random.Generator(np.random.PCG64([photos.PATCH_SEED, label]))
    expected = []
    while len(expected) < 100:
        factor = rng.integers(1, 9)
        top, left = (rng.integers(0, pixels.shape[axis] - 32 * factor + 1) for axis in (0, 1))
        square = pixels[top : top + 32 * factor, left : left + 32 * factor]
        patch = np.moveaxis(transform.downscale_local_mean(square, (factor, factor, 1)), 2, 0)
        if np.mean([channel.std() for channel in patch]) >= 0.02:
            expected.append(patch)
    images, labels = load_photos()
    np.testing.assert_allclose(images[labels == label], expected, atol=1e-6)


def test_load_photos_missing_package(fresh, monkeypatch):
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: None)
    with pytest.raises(DataError, match=r"'astronaut' comes with the package scikit-image.*pip install scikit-image"):
        load_photos()


def test_load_photos_missing_file(fresh, monkeypatch, tmp_path):
    spec = ModuleSpec("skimage", None, origin=str(tmp_path / "__init__.py"))
    monkeypatch.setattr(importlib.util, "find_spec", lambda name: spec)
    with pytest.raises(DataError, match=r"'astronaut' is missing: expected '.*astronaut.png'. Reinstall scikit-image"):
        load_photos()
