"""Results as tidy pandas frames, for notebooks and scripts: one row an observation, one column a variable."""

from __future__ import annotations

import warnings
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
import pandas as pd

from ..core.documents.document import Document
from ..core.documents.rendering import Format, render
from ..core.errors import UsageError
from ..core.planning.aggregation import aggregates_to_show
from ..core.plugin_manager import installed_plugins
from ..core.results.contents import Results
from ..core.results.records import STATUSES, Floats
from ..core.statistics.failures import FailurePolicy
from .correlation import correlation_table
from .correlation_document import correlation_document


@dataclass(frozen=True)
class Report:
    """A report that a notebook shows as a table, and that turns into texts."""

    document: Document

    def __str__(self) -> str:
        """Return the table as a terminal shows it."""
        return render(self.document)

    def __repr__(self) -> str:
        """Return the same, so that an interactive session shows it."""
        return str(self)

    def _repr_markdown_(self) -> str:
        return self.to_markdown()

    def to_frame(self) -> pd.DataFrame:
        """Return its rows, every digit included."""
        return pd.DataFrame(list(self.document.records))

    def to_markdown(self) -> str:
        """Return a table for documents."""
        return render(self.document, Format.MARKDOWN)

    def to_latex(self) -> str:
        """Return a table for papers."""
        return render(self.document, Format.LATEX)


@dataclass(frozen=True)
class LoadedResults:
    """What a results file holds.

    Attributes:
        contents: The file's contents as columns.
    """

    contents: Results

    @property
    def scores(self) -> pd.DataFrame:
        """One row a job: ``architecture``, ``evaluator``, ``seed``, ``score``, ``direction``, ``status`` and costs.

        ``score`` is as the evaluator gave it, NaN unless ``status`` is ``ok``; ``direction`` says which end is the good
        one, and ``oriented`` is the score turned so that higher is better. ``seconds`` are by the clock,
        ``processor_seconds`` on processors, ``peak_memory`` in bytes; the latter two are NaN where they are not known.
        """
        parts = [
            pd.DataFrame(
                {
                    "architecture": self.contents.arch_ids,
                    "evaluator": part.header.label,
                    "seed": part.seed,
                    "score": part.records.scores,
                    "direction": str(part.header.direction),
                    "oriented": part.header.direction.sign * part.records.scores,
                    "status": [str(STATUSES[code]) for code in part.records.statuses],
                    "message": part.records.messages,
                    "seconds": part.records.total_seconds,
                    "processor_seconds": _positive(part.records.processor_seconds),
                    "peak_memory": _positive(part.records.peak_memory),
                }
            )
            for part in self.contents.evaluators
        ]
        return pd.concat(parts, ignore_index=True)

    @property
    def ground_truth(self) -> pd.DataFrame:
        """One row a value: ``architecture``, ``metric``, ``value``, ``direction``, ``unit`` and ``source``.

        A value that is not known is NaN.
        """
        parts = [
            pd.DataFrame(
                {
                    "architecture": self.contents.arch_ids,
                    "metric": column.metric.key,
                    "value": column.values,
                    "direction": str(column.metric.direction),
                    "unit": column.metric.unit,
                    "source": column.source,
                }
            )
            for column in self.contents.ground_truth
        ]
        columns = ["architecture", "metric", "value", "direction", "unit", "source"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    @property
    def curves(self) -> pd.DataFrame:
        """One row a point: ``architecture``, ``evaluator``, ``seed``, ``curve``, ``point`` (from 1) and ``value``."""
        parts = []
        for part in self.contents.evaluators:
            for name, values in part.records.curves.items():
                rows, points = np.nonzero(~np.isnan(values))
                architectures = np.array(self.contents.arch_ids, dtype=object)[rows]
                parts.append(
                    pd.DataFrame(
                        {
                            "architecture": architectures,
                            "evaluator": part.header.label,
                            "seed": part.seed,
                            "curve": name,
                            "point": points + 1,
                            "value": values[rows, points],
                        }
                    )
                )
        columns = ["architecture", "evaluator", "seed", "curve", "point", "value"]
        return pd.concat(parts, ignore_index=True) if parts else pd.DataFrame(columns=columns)

    def report(
        self, metric: str | None = None, *, failures: str = "worst", aggregates: str | Sequence[str] = ()
    ) -> Report:
        """Return the table that ``nasbench report`` prints.

        Args:
            metric: Ground truth to compare with, None for the file's first.
            failures: ``worst``: failed architectures share the worst rank; ``omit``: they are left out.
            aggregates: Such as ``vote`` or ``rank_sum:naswot+synflow``, one or several, beside those that the run asked
                for.

        Raises:
            UsageError: The results have no such metric or lack a component of an aggregate, or there is no such
                aggregate or treatment of failures.
        """
        if failures not in list(FailurePolicy):
            raise UsageError(f"failures must be one of {', '.join(FailurePolicy)}, got '{failures!s:.40}'.")
        contents, asked = self.contents, as_texts(aggregates)
        specs, left_out = aggregates_to_show(contents.aggregates, asked, contents.headers, installed_plugins())
        for note in left_out:
            warnings.warn(note, stacklevel=2)
        return Report(correlation_document(correlation_table(self.contents, metric, failures, specs)))


def as_texts(names: str | Sequence[str]) -> tuple[str, ...]:
    """Return names, of which one may be given as it is."""
    return (names,) if isinstance(names, str) else tuple(names)


def _positive(values: Floats) -> Floats:
    return np.where(values > 0, values, np.nan)
