"""The data set without inputs."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from ...core.interfaces import Dataset


class Nothing(Dataset):
    """No inputs at all."""

    def labels(self) -> npt.NDArray[np.int64]:
        """Return no label."""
        return np.zeros(0, np.int64)

    def inputs(self, positions: npt.NDArray[np.int64]) -> npt.NDArray[np.float32]:
        """Return no input, since there is no position."""
        return np.zeros(len(positions), np.float32)
