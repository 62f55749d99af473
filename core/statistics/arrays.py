"""Kinds of arrays, and what two sides of a comparison must be."""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

Floats = NDArray[np.float64]
Ints = NDArray[np.intp]
Mask = NDArray[np.bool_]


def checked_pair(scores: ArrayLike, truth: ArrayLike) -> tuple[Floats, Floats]:
    """Return two sides as arrays of shape `(n,)`.

    Raises:
        ValueError: If the sides differ in shape, are not one-dimensional or contain NaN.
    """
    first, second = np.asarray(scores, dtype=np.float64), np.asarray(truth, dtype=np.float64)
    if first.ndim != 1 or first.shape != second.shape:
        raise ValueError(f"Expected two sides of shape (n,), got {first.shape} and {second.shape}.")
    if np.isnan(first).any() or np.isnan(second).any():
        raise ValueError("Expected no NaN; apply the failure policy and drop unknown ground truth first.")
    return first, second


def is_constant(values: Floats) -> bool:
    """Whether all values are equal, as those of none or one are."""
    return values.size == 0 or bool((values == values[0]).all())
