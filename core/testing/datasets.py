"""The contract of data sets."""

from __future__ import annotations

from typing import Any, ClassVar

import numpy as np
import numpy.typing as npt

from ..capabilities import Images, Tokens
from ..interfaces import Dataset
from ..plugin_manager import installed_plugins
from .other_process import in_other_process

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
        """Another instance, asked for inputs in another order and by ones, gives the same bits, also those held out."""
        for first, second in zip(_parts(self.dataset), _parts(self.dataset), strict=True):
            assert np.array_equal(first.labels(), second.labels())
            positions = _some_positions(first)
            inputs = first.inputs(positions)
            assert np.array_equal(inputs[::-1], second.inputs(positions[::-1]))
            alone = [second.inputs(positions[i : i + 1]) for i in range(len(positions))]
            assert np.array_equal(inputs, np.concatenate(alone))

    def test_inputs_are_the_same_in_another_process(self) -> None:
        """A process of its own reads the same labels and inputs."""
        for here, there in zip(_read(self.dataset), in_other_process(_read, self.dataset), strict=True):
            assert np.array_equal(here, there)


def _parts(name: str) -> list[Dataset]:
    """Return a data set and, if it has one, its test part."""
    dataset = installed_plugins().dataset(name).info.create()
    held_out = dataset.held_out()
    return [dataset] if held_out is None else [dataset, held_out]


def _read(name: str) -> list[npt.NDArray[Any]]:
    """Return labels and some inputs of each part."""
    return [array for part in _parts(name) for array in (part.labels(), part.inputs(_some_positions(part)))]


def _some_positions(part: Dataset) -> npt.NDArray[np.int64]:
    count = len(part.labels())
    assert count, "there are no inputs"
    return _spread_positions(count)[:16]


def _spread_positions(count: int) -> npt.NDArray[np.int64]:
    """Return at most :data:`MOST_INPUTS` positions, evenly spread over ``count`` inputs."""
    return np.linspace(0, count - 1, min(count, MOST_INPUTS)).astype(np.int64)
