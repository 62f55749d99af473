"""How well an evaluator would have ranked architectures had it stopped earlier: a correlation for each curve point."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass

import numpy as np

from ..core.domain import Metric
from ..core.errors import UsageError
from ..core.plan import PlanHeader
from ..core.results.contents import EvaluatorResults, Results
from ..core.results.records import Floats, Mask, Records
from ..core.statistics.estimates import Estimate, estimate_rho
from ..core.statistics.failures import FailurePolicy, apply_failure_policy
from ..core.statistics.resampling import Resampling
from .select import choose_metric


@dataclass(frozen=True)
class CurvePoint:
    """One evaluator, stopped at one point of its curve, against the ground truth.

    Attributes:
        evaluator: Label of the evaluator.
        curve: Name of the curve whose last value is the score.
        point: Position in the curve, from 1.
        rho: Spearman's rho of the values at this point; undefined if they are all equal.
        mean: Mean of the values, as they are.
        n: Architectures that entered the correlation.
    """

    evaluator: str
    curve: str
    point: int
    rho: Estimate
    mean: float
    n: int


@dataclass(frozen=True)
class CurveTable:
    """Correlations along the curves of a results file.

    Attributes:
        plan: Names and seed of the run.
        metric: What the ground truth measured.
        failure_policy: What became of failed jobs.
        points: Evaluators in the order of the file, points in their order.
    """

    plan: PlanHeader
    metric: Metric
    failure_policy: FailurePolicy
    points: tuple[CurvePoint, ...]


def curve_table(results: Results, metric_key: str | None = None, failures: str = FailurePolicy.WORST) -> CurveTable:
    """Correlate every point of every curve that ends in its evaluator's score with the ground truth.

    Args:
        results: Contents of a results file.
        metric_key: Such as `cifar10/test_accuracy@200`; None takes the first metric of the file.
        failures: What becomes of architectures whose job failed, a value of `FailurePolicy`.

    Raises:
        UsageError: The file has no ground truth, not this metric, or no evaluator with such a curve.
    """
    column = choose_metric(results, metric_key)
    if column is None:
        raise UsageError("Curves are compared with a ground truth, and these results have none.")
    truth = column.metric.direction.sign * np.asarray(column.values, dtype=np.float64)
    policy = FailurePolicy(failures)
    points = tuple(
        point for part in results.evaluators for point in _points(results.name_of(part), part, truth, policy)
    )
    if not points:
        labels = ", ".join(header.label for header in results.headers)
        raise UsageError(
            f"No evaluator of these results ({labels}) has a curve that ends in its score. Evaluators that train, such "
            "as cls@ep5 or gennas-combo:score_passes=10, record one."
        )
    return CurveTable(results.plan, column.metric, policy, points)


def score_curve(scored: Records) -> str | None:
    """Return the name of the curve with more than one point whose last value is the score of every record, or None.

    Args:
        scored: Records that are all ok.
    """
    for name, curves in scored.curves.items():
        lengths = scored.curve_lengths(name)
        if not lengths.size or lengths[0] < 2 or not lengths.all():
            continue
        if (np.take_along_axis(curves, lengths[:, None] - 1, axis=1)[:, 0] == scored.scores).all():
            return name
    return None


def _points(label: str, part: EvaluatorResults, truth: Floats, policy: FailurePolicy) -> Iterator[CurvePoint]:
    compared = ~np.isnan(truth) & part.records.done
    records, compared_truth = part.records.take(compared), truth[compared]
    scored = records.take(records.ok)
    name = score_curve(scored)
    if name is None:
        return
    points = range(scored.curve_lengths(name).min())
    values = [scored.curves[name][:, point] for point in points]
    samples = [_sample(part, records, at_point, policy) for at_point in values]
    # A failed job has no score at any point, so that all points are of the same architectures.
    estimates = estimate_rho([scores for scores, _ in samples], compared_truth[samples[0][1]], Resampling())
    for point, at_point, rho, (scores, _) in zip(points, values, estimates, samples, strict=True):
        yield CurvePoint(label, name, point + 1, rho, float(at_point.mean()), len(scores))


def _sample(part: EvaluatorResults, records: Records, values: Floats, policy: FailurePolicy) -> tuple[Floats, Mask]:
    oriented = np.full(len(records), np.nan)
    oriented[records.ok] = part.header.direction.sign * values
    return apply_failure_policy(oriented, records.ok, policy)
