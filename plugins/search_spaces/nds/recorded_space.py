"""A search space of NDS with its released records, if they were imported. Importing this module imports no torch."""

from __future__ import annotations

import copy
import math
from abc import abstractmethod
from collections.abc import Sequence
from functools import cached_property
from typing import TYPE_CHECKING

from ....core.data.data_home import stored_folder
from ....core.domain import Metric
from ....core.interfaces import GroundTruth, SearchSpace
from ..other_records import draw_others

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

    from ....benchmarks_data.tables.store import StoredTable


class RecordedSpace(SearchSpace):
    """Architectures are drawn from the records where there are any, and else from the definition of the space."""

    _metric: Metric | None = None

    @property
    def size(self) -> int | None:
        """Number of records to sample from; without a table what the definition has, None if it is not known."""
        return self._defined_size() if self._records is None else len(self._records)

    @property
    def sampling(self) -> str:
        """How ``sample`` chooses, in words."""
        if self._records is None:
            return self._defined_sampling()
        return (
            f"uniform over the {self.size:,} architectures of the imported table with the metric, without replacement"
        )

    def compared_by(self, metric: Metric) -> SearchSpace:
        """Return the space whose samples are those architectures of the table that have this metric."""
        space = copy.copy(self)
        for cached in ("_records", "_record_scalars"):
            space.__dict__.pop(cached, None)
        space._metric = metric
        return space

    def ground_truth(self) -> GroundTruth | None:
        """Return the imported table, None if there is none."""
        return self._table

    def _sample(self, count: int, rng: np.random.Generator) -> list[str]:
        if self._records is None:
            return self._draw_defined(count, rng)
        return [self._records[index] for index in rng.choice(len(self._records), count, replace=False)]

    def _mutate(self, text: str, rng: np.random.Generator) -> str:
        """Mutate as the definition says; with records, take the nearest of some others, itself if there are none."""
        import numpy as np

        if self._records is None:
            return self._mutate_defined(text, rng)
        drawn = draw_others(self._records, self.canonicalize(text), rng)
        return self._nearest(text, np.array(drawn)) if drawn else text

    def neighbours(self, text: str) -> list[str] | None:
        """Return every architecture that has another value of one decision; None with records, of which few are any.

        Raises:
            InvalidArchitectureError: ``text`` is no architecture of this space.
        """
        return self._defined_neighbours(text) if self._records is None else None

    def assemble(self, options: Sequence[int]) -> str:
        """Return the architecture that takes these options of ``choices``; with records, the nearest of them.

        A search for the best record is to find one, whichever way its strategy proposes architectures.
        """
        text = self._assemble_defined(options)
        return text if self._records is None else self._nearest(text, slice(None))

    def _nearest(self, text: str, rows: npt.NDArray[np.int64] | slice) -> str:
        """Return the first of some records that differ from an architecture in the fewest scalars."""
        import numpy as np

        differences = (self._record_scalars[rows] != np.array(self._scalars(text))).sum(axis=1)
        records = self._records or []
        position: int = np.arange(len(records))[rows][differences.argmin()]
        return records[position]

    @abstractmethod
    def _defined_size(self) -> int | None:
        """Return the number of architectures that the definition has, None if it is not known."""

    @abstractmethod
    def _defined_sampling(self) -> str:
        """Return how architectures are drawn from the definition, in words."""

    @abstractmethod
    def _draw_defined(self, count: int, rng: np.random.Generator) -> list[str]:
        """Draw distinct architectures from the definition."""

    @abstractmethod
    def _mutate_defined(self, text: str, rng: np.random.Generator) -> str:
        """Return a random neighbour in the definition."""

    @abstractmethod
    def _defined_neighbours(self, text: str) -> list[str]:
        """Return every architecture that has another value of one decision."""

    @abstractmethod
    def _assemble_defined(self, options: Sequence[int]) -> str:
        """Return the architecture that takes these options of ``choices``."""

    @abstractmethod
    def _scalars(self, text: str) -> list[str]:
        """Return the scalars of an architecture's configuration by which GenNAS compares records, always as many."""

    @cached_property
    def _table(self) -> StoredTable | None:
        folder = None if self.info.requires is None else stored_folder(self.info.requires)
        if folder is None:
            return None
        from ....benchmarks_data.tables.store import TABLE_NAME, StoredTable

        return StoredTable.open(folder / TABLE_NAME)

    @cached_property
    def _records(self) -> list[str] | None:
        """Architectures of the table that have the metric by which they are compared; None without a table."""
        if self._table is None:
            return None
        arch_ids = self._table.arch_ids
        values = self._table.values(self._metric or self._table.metrics[0], arch_ids)
        return [arch_id for arch_id, value in zip(arch_ids, values, strict=True) if not math.isnan(value)]

    @cached_property
    def _record_scalars(self) -> npt.NDArray[np.str_]:
        """Scalars of the records, shape ``(records, scalars)``."""
        import numpy as np

        return np.array([self._scalars(record) for record in self._records or ()])
