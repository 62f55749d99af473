"""The table of trained recurrent cells, and the best loss that is known."""

from __future__ import annotations

from ....benchmarks_data.tables.store import StoredTable
from ....core.domain import Metric

OPTIMA = {"ptb/test_loss": 4.36}
"""The LSTM's log-perplexity, from which the GenNAS paper measures regret (Li et al., NeurIPS 2021, section 4.4)."""


class RecurrentCellTable(StoredTable):
    """A stored table of NAS-Bench-NLP."""

    def optimum(self, metric: Metric) -> float | None:
        """Return the best loss that is published for a text, None if none is."""
        return OPTIMA.get(metric.key)
