"""The contract of data sets."""

from __future__ import annotations

from typing import ClassVar

import numpy as np
import numpy.typing as npt

from ..capabilities import Images, Tokens
from ..plugin_manager import installed_plugins

# Enough for a mean that is off by a hundredth to show, few enough for a set of millions.
MOST_INPUTS = 5000


class DatasetContract:
    """What a data set promises.

    Attributes:
        dataset: Name of the data set.
    """

    dataset: ClassVar[str]

    def test_inputs_and_labels_are_what_the_description_says(self) -> None:
        """Shape, type, range, labels, mean and standard deviation agree with the description."""
        info = installed_plugins().dataset(self.dataset).info
        dataset = info.create()
        labels = dataset.labels()
        assert labels.dtype == np.int64
        assert set(np.unique(labels).tolist()) <= set(range(info.num_classes))
        assert labels.ndim > 1 or len(np.unique(labels)) == info.num_classes
        inputs = dataset.inputs(_spread_positions(len(labels)))
        assert inputs.shape == (min(len(labels), MOST_INPUTS), *info.input_shape)
        assert inputs.dtype == (np.int64 if info.discrete else np.float32)
        if info.mean:
            others = (0, *range(2, inputs.ndim))
            np.testing.assert_allclose(inputs.mean(axis=others), info.mean, atol=0.02)
            np.testing.assert_allclose(inputs.std(axis=others), info.std, atol=0.02)
        if Images in info.provides:
            assert inputs.min() >= 0.0
            assert inputs.max() <= 1.0

    def test_labels_of_tokens_are_the_tokens_that_follow(self) -> None:
        """Each piece of a text is followed by the next one, and its labels are its tokens, one further."""
        info = installed_plugins().dataset(self.dataset).info
        if Tokens not in info.provides:
            return
        dataset = info.create()
        labels = dataset.labels()
        text = dataset.inputs(np.arange(len(labels))).flatten()
        assert np.array_equal(text[1:], labels.flatten()[:-1])

    def test_inputs_depend_on_their_position_only(self) -> None:
        """Another instance, asked for inputs in another order and by ones, gives the same bits."""
        info = installed_plugins().dataset(self.dataset).info
        first, second = info.create(), info.create()
        assert np.array_equal(first.labels(), second.labels())
        positions = _spread_positions(len(first.labels()))[:16]
        inputs = first.inputs(positions)
        assert np.array_equal(inputs[::-1], second.inputs(positions[::-1]))
        assert all(np.array_equal(inputs[i : i + 1], second.inputs(positions[i : i + 1])) for i in range(len(inputs)))


def _spread_positions(count: int) -> npt.NDArray[np.int64]:
    """Return at most :data:`MOST_INPUTS` positions, evenly spread over ``count`` inputs."""
    return np.linspace(0, count - 1, min(count, MOST_INPUTS)).astype(np.int64)
