"""Whether evaluators differ: paired comparisons on the same architectures, corrected for their number."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations
from statistics import fmean

import numpy as np

from ..core.domain import Metric
from ..core.errors import UsageError, closest_matches
from ..core.plan import PlanHeader
from ..core.planning.aggregation import AggregateSpec
from ..core.results.contents import Results
from ..core.results.records import Floats
from ..core.statistics.differences import Difference, holm, paired_difference
from ..core.statistics.failures import FailurePolicy
from ..core.statistics.resampling import Resampling
from ..core.statistics.seeds import difference_over_seeds
from .contenders import Contender, find_contenders
from .select import Selection, select


@dataclass(frozen=True)
class ComparisonRow:
    """Two evaluators on the architectures that count for both.

    Attributes:
        first: Label of one.
        second: Label of the other.
        first_rho: Spearman's rho of the first on these architectures, the mean over run seeds; None where undefined.
        second_rho: Likewise of the second.
        difference: The first less the second.
        corrected_p: Its p after Holm's correction for all comparisons of the table, None where undefined.
        n: Number of architectures.
    """

    first: str
    second: str
    first_rho: float | None
    second_rho: float | None
    difference: Difference
    corrected_p: float | None
    n: int


@dataclass(frozen=True)
class ComparisonTable:
    """Comparisons of evaluators of one run.

    Attributes:
        plan: Names and seeds of the run.
        metric: What the ground truth measured.
        failure_policy: What became of failed jobs.
        resampling: The resamples.
        best: Label of the evaluator that all others were compared with; empty where the user named the evaluators.
        rows: In the order of the file, or in that of the names.
    """

    plan: PlanHeader
    metric: Metric
    failure_policy: FailurePolicy
    resampling: Resampling
    best: str
    rows: tuple[ComparisonRow, ...]


def compare_evaluators(
    results: Results,
    names: Sequence[str] = (),
    metric_key: str | None = None,
    failures: str = FailurePolicy.WORST,
    aggregates: Sequence[AggregateSpec] = (),
) -> ComparisonTable:
    """Compare evaluators and aggregates in pairs.

    Args:
        results: Contents of a results file.
        names: Labels of two or more, each of which is compared with each; none to compare all with the best.
        metric_key: As in :func:`correlation_table`.
        failures: What becomes of architectures whose job failed, a value of `FailurePolicy`.
        aggregates: Aggregates that may be compared.

    Raises:
        UsageError: There is no ground truth, no such metric or evaluator, fewer than two to compare, or none that is
            the best.
    """
    selection, policy, resampling = select(results, metric_key), FailurePolicy(failures), Resampling()
    if selection.truth is None or selection.column is None:
        raise UsageError("Evaluators are compared by how well they rank a ground truth, and these results have none.")
    contenders = find_contenders(selection, aggregates, policy)
    pairs, best = list(combinations(_named(contenders, names), 2)), ""
    if not names:
        first = _best(contenders, selection.truth)
        pairs, best = [(first, other) for other in contenders if other is not first], first.label
    if not pairs:
        raise UsageError(f"A comparison takes two evaluators, and there is only '{contenders[0].label}'.")
    differences = [_compare(*pair, selection, resampling) for pair in pairs]
    corrected = holm([difference.p for _, _, difference, _ in differences])
    return ComparisonTable(
        plan=results.plan,
        metric=selection.column.metric,
        failure_policy=policy,
        resampling=resampling,
        best=best,
        rows=tuple(
            ComparisonRow(one.label, other.label, one_rho, other_rho, difference, p, n)
            for (one, other), (one_rho, other_rho, difference, n), p in zip(pairs, differences, corrected, strict=True)
        ),
    )


def _named(contenders: Sequence[Contender], names: Sequence[str]) -> list[Contender]:
    by_label = {contender.label: contender for contender in contenders}
    for name in names:
        if name not in by_label:
            raise UsageError(
                f"These results have no evaluator '{name}'. {closest_matches(name, list(by_label))}They have: "
                f"{', '.join(by_label)}."
            )
    if len(names) == 1 or len(set(names)) < len(names):
        raise UsageError("Name two or more different evaluators to compare, or none to compare all with the best.")
    return [by_label[name] for name in names]


def _best(contenders: Sequence[Contender], truth: Floats) -> Contender:
    """Return the contender with the highest correlation, the mean over seeds.

    Raises:
        UsageError: None has one.
    """
    means = [(_mean(contender.values(truth, contender.rows)), contender) for contender in contenders]
    known = [(mean, contender) for mean, contender in means if mean is not None]
    if not known:
        raise UsageError(
            "No evaluator is the best here, since none has a correlation: that takes two architectures or more, and "
            "scores that differ. 'nasbench report' without --compare says what each evaluator lacks."
        )
    return max(known, key=lambda each: each[0])[1]


def _mean(values: Sequence[float | None]) -> float | None:
    known = [value for value in values if value is not None]
    return fmean(known) if len(known) == len(values) else None


def _compare(
    first: Contender, second: Contender, selection: Selection, resampling: Resampling
) -> tuple[float | None, float | None, Difference, int]:
    truth, rows = selection.truth, first.rows & second.rows
    assert truth is not None
    n, values = int(rows.sum()), [each.values(truth, rows) for each in (first, second)]
    means = [_mean(each) for each in values]
    if means[0] is None or means[1] is None:
        return means[0], means[1], Difference(), n
    moved = [each.resampled(truth, rows, resampling) for each in (first, second)]
    if moved[0] is None or moved[1] is None:
        return means[0], means[1], Difference(means[0] - means[1]), n
    if len(selection.seeds) == 1:
        difference = paired_difference((means[0], means[1]), (moved[0][0], moved[1][0]), n)
    else:
        known = [np.array(each, dtype=np.float64) for each in values]
        difference = difference_over_seeds((known[0], known[1]), (moved[0], moved[1]), n)
    return means[0], means[1], difference, n
