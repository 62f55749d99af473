"""The contract of data sets."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..plugin_manager import installed_plugins

# Enough for a mean that is off by a hundredth to show, few enough for a set of millions.
MOST_IMAGES = 5000


class DatasetContract:
    """What a data set promises.

    Attributes:
        dataset: Name of the data set.
    """

    dataset: ClassVar[str]

    def test_images_and_labels_are_what_the_description_says(self) -> None:
        """Shape, type, range, labels, mean and standard deviation agree with the description."""
        info = installed_plugins().dataset(self.dataset).info
        dataset = info.create()
        labels = dataset.labels()
        assert labels.dtype == np.int64
        assert set(labels.tolist()) == set(range(info.num_classes))
        images = dataset.images(_spread_positions(len(labels)))
        assert images.shape == (min(len(labels), MOST_IMAGES), *info.image_shape)
        assert images.dtype == np.float32
        assert images.min() >= 0.0
        assert images.max() <= 1.0
        np.testing.assert_allclose(images.mean(axis=(0, 2, 3)), info.mean, atol=0.02)
        np.testing.assert_allclose(images.std(axis=(0, 2, 3)), info.std, atol=0.02)

    def test_images_depend_on_their_position_only(self) -> None:
        """Another instance, asked for images in another order and by ones, gives the same bits."""
        info = installed_plugins().dataset(self.dataset).info
        first, second = info.create(), info.create()
        assert np.array_equal(first.labels(), second.labels())
        positions = _spread_positions(len(first.labels()))[:16]
        images = first.images(positions)
        assert np.array_equal(images[::-1], second.images(positions[::-1]))
        assert all(np.array_equal(images[i : i + 1], second.images(positions[i : i + 1])) for i in range(len(images)))


def _spread_positions(count: int) -> npt.NDArray[np.int64]:
    """Return at most :data:`MOST_IMAGES` positions, evenly spread over ``count`` images."""
    return np.linspace(0, count - 1, min(count, MOST_IMAGES)).astype(np.int64)
