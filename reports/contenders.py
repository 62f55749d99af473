"""Evaluators and aggregates with all their run seeds, over the architectures that count with every one."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.planning.aggregation import AggregateSpec
from ..core.results.records import Floats, Mask
from ..core.statistics.correlation import spearman_rho
from ..core.statistics.failures import FailurePolicy
from ..core.statistics.resampling import Resampling, resampled_rho
from .aggregates import AggregateSelection, select_aggregate
from .samples import Sample
from .select import EvaluatorSelection, Selection


@dataclass(frozen=True)
class Contender:
    """An evaluator, or an aggregate, with all its run seeds.

    Attributes:
        label: Its label.
        parts: Its records with each seed.
        samples: What enters a correlation with each seed.
        made: Of an aggregate: how it was made with each seed; empty for an evaluator.
    """

    label: str
    parts: tuple[EvaluatorSelection, ...]
    samples: tuple[Sample, ...]
    made: tuple[AggregateSelection, ...] = ()

    @property
    def rows(self) -> Mask:
        """Architectures that count with every seed, shape `(architectures,)`."""
        rows: Mask = np.logical_and.reduce([sample.rows for sample in self.samples])
        return rows

    def values(self, truth: Floats, rows: Mask) -> list[float | None]:
        """Return Spearman's rho with each seed over some of its architectures."""
        return [spearman_rho(sample.among(rows), truth[rows]) for sample in self.samples]

    def resampled(self, truth: Floats, rows: Mask, resampling: Resampling) -> Floats | None:
        """Return Spearman's rho with each seed in resamples of some of its architectures.

        Returns:
            Shape `(seeds, resamples)`; None for an aggregate of too many architectures.
        """
        if not self.made:
            return resampled_rho([sample.among(rows) for sample in self.samples], truth[rows], resampling)
        remade = [made.resampled(spearman_rho, truth, rows, resampling) for made in self.made]
        known = [row for row in remade if row is not None]
        return np.stack(known) if len(known) == len(remade) else None


def find_contenders(
    selection: Selection, aggregates: Sequence[AggregateSpec], policy: FailurePolicy
) -> list[Contender]:
    """Return the evaluators in the order of the file, then the aggregates.

    Raises:
        UsageError: The results lack a component of an aggregate.
    """
    by_label: dict[str, list[EvaluatorSelection]] = {}
    for part in selection.evaluators:
        by_label.setdefault(part.evaluator.label, []).append(part)
    contenders = [
        Contender(label, tuple(parts), tuple(Sample.of(part, policy) for part in parts))
        for label, parts in by_label.items()
    ]
    for spec in aggregates:
        made = tuple(select_aggregate(spec, selection, policy, seed) for seed in selection.seeds)
        parts = tuple(each.selection for each in made)
        samples = tuple(Sample.of(part, policy) for part in parts)
        contenders.append(Contender(spec.label, parts, samples, made))
    return contenders
