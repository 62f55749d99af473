"""The data set of spaces whose networks take no images."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...core.interfaces import Dataset


class Nothing(Dataset):
    """No images at all."""

    def labels(self) -> npt.NDArray[np.int64]:
        """Return no label."""
        return np.zeros(0, np.int64)

    def images(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return no image, since there is no position."""
        return np.zeros((len(positions), 0, 0, 0), np.float32)
