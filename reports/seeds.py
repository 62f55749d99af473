"""What the run seeds of every evaluator say together."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np

from ..core.planning.aggregation import AggregateSpec
from ..core.results.records import Floats
from ..core.statistics.estimates import Estimate, estimate_rho
from ..core.statistics.failures import FailurePolicy
from ..core.statistics.resampling import Resampling
from ..core.statistics.seeds import SeedSpread, spread_over_seeds
from .contenders import Contender, find_contenders
from .select import Selection


@dataclass(frozen=True)
class SeedsRow:
    """An evaluator or aggregate over its run seeds, on the architectures that count with every one of them.

    Attributes:
        label: Its label.
        spread: Of Spearman's rho over the seeds, None where it is undefined with one.
        of_mean: Spearman's rho of the mean score over the seeds; its interval is over architectures. Of an architecture
            that fails with some seeds it is the mean over the others. Undefined for an aggregate.
        n: Architectures that entered the spread.
        failures: Jobs without a score, over all seeds.
        note: Why the spread is undefined, empty if it is not.
    """

    label: str
    spread: SeedSpread | None
    of_mean: Estimate
    n: int
    failures: int
    note: str


def seed_rows(
    selection: Selection, aggregates: Sequence[AggregateSpec], policy: FailurePolicy, resampling: Resampling
) -> tuple[SeedsRow, ...]:
    """Describe every evaluator and aggregate over its seeds; nothing without a ground truth, or for one seed.

    Raises:
        UsageError: The results lack a component of an aggregate.
    """
    if selection.truth is None or len(selection.seeds) < 2:
        return ()
    contenders = find_contenders(selection, aggregates, policy)
    return tuple(_over_seeds(contender, selection, policy, resampling) for contender in contenders)


def _over_seeds(contender: Contender, selection: Selection, policy: FailurePolicy, resampling: Resampling) -> SeedsRow:
    truth, rows = selection.truth, contender.rows
    assert truth is not None
    values = contender.values(truth, rows)
    undefined = [seed for seed, value in zip(selection.seeds, values, strict=True) if value is None]
    return SeedsRow(
        label=contender.label,
        spread=spread_of(contender, truth, resampling),
        of_mean=Estimate() if contender.made else _of_mean_score(contender, selection, policy, resampling),
        n=int(rows.sum()),
        failures=sum(sum(part.failures.values()) for part in contender.parts),
        note=f"undefined with seed {undefined[0]}" if undefined else "",
    )


def spread_of(contender: Contender, truth: Floats, resampling: Resampling) -> SeedSpread | None:
    """Return the spread of Spearman's rho over the architectures that count with every seed.

    Args:
        contender: With two or more seeds.
        truth: Higher is better, shape `(architectures,)`.
        resampling: Draws the resamples.

    Returns:
        None where rho is undefined with a seed.
    """
    rows = contender.rows
    known = [value for value in contender.values(truth, rows) if value is not None]
    if len(known) < len(contender.parts):
        return None
    resampled = contender.resampled(truth, rows, resampling)
    if resampled is None:
        resampled = np.full((len(known), resampling.resamples), np.nan)
    return spread_over_seeds(np.array(known, dtype=np.float64), resampled, int(rows.sum()))


def _of_mean_score(
    contender: Contender, selection: Selection, policy: FailurePolicy, resampling: Resampling
) -> Estimate:
    assert selection.truth is not None
    scores = np.stack([part.scores for part in contender.parts])
    done = np.logical_and.reduce([part.done for part in contender.parts])
    ok = done & np.isfinite(scores).any(axis=0)
    mean = np.full(done.shape, np.nan)
    mean[ok] = np.nanmean(scores[:, ok], axis=0)
    rows = ok if policy is FailurePolicy.OMIT else done
    ranked = np.where(ok, mean, -np.inf)[rows]
    return estimate_rho([ranked], selection.truth[rows], resampling)[0]
