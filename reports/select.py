"""Choose the metric of a results file and turn scores and ground truth so that higher is better."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from ..core.domain import Status
from ..core.errors import UsageError
from ..core.plan import EvaluatorHeader, GroundTruthColumn
from ..core.planning.metric_names import find_metric
from ..core.results.contents import EvaluatorResults, Results
from ..core.results.records import Floats, Mask, Records

FAILURE_STATUSES = tuple(status for status in Status if status not in (Status.OK, Status.PENDING))
"""The ways in which a job ends without a score, in the order of every report."""


@dataclass(frozen=True)
class EvaluatorSelection:
    """One evaluator's records with one run seed, over the architectures that are compared.

    Attributes:
        evaluator: What the evaluator was.
        seed: The run seed.
        scores: Higher is better, NaN unless the job is ok; shape `(architectures,)`.
        records: The records as they are stored.
    """

    evaluator: EvaluatorHeader
    seed: int
    scores: Floats
    records: Records

    @property
    def ok(self) -> Mask:
        """Whether there is a score; shape `(architectures,)`."""
        return self.records.ok

    @property
    def done(self) -> Mask:
        """Whether the job has ended, whatever its status; shape `(architectures,)`."""
        return self.records.done

    @property
    def failures(self) -> Mapping[Status, int]:
        """Number of jobs by status, for the statuses that occur other than ok and pending."""
        counts = self.records.count_by_status()
        return {status: counts[status] for status in FAILURE_STATUSES if status in counts}

    @property
    def ok_seconds(self) -> Floats:
        """Total wall-clock seconds of the ok jobs."""
        return self.records.total_seconds[self.ok]

    @property
    def ok_processor_seconds(self) -> Floats:
        """Processor seconds of the ok jobs that have them."""
        return _positive(self.records.processor_seconds[self.ok])

    @property
    def ok_peak_memory(self) -> Floats:
        """Bytes by which memory rose during the ok jobs for which that is known."""
        return _positive(self.records.peak_memory[self.ok])


def _positive(values: Floats) -> Floats:
    return values[values > 0]


@dataclass(frozen=True)
class Selection:
    """What a report compares: the architectures with a known ground truth, or all if the file has none.

    Attributes:
        column: The chosen metric with its values as stored, None if the file has no ground truth.
        truth: Higher is better, no NaN, shape `(architectures,)`; None if the file has no ground truth.
        num_without_truth: Architectures of the file left out because their ground truth is not known.
        evaluators: In the order of the file, the seeds of one evaluator together.
        seeds: The run seeds.
    """

    column: GroundTruthColumn | None
    truth: Floats | None
    num_without_truth: int
    evaluators: tuple[EvaluatorSelection, ...]
    seeds: tuple[int, ...]

    def of_seed(self, seed: int) -> tuple[EvaluatorSelection, ...]:
        """Return the evaluators with one run seed."""
        return tuple(part for part in self.evaluators if part.seed == seed)


def select(results: Results, metric_key: str | None = None) -> Selection:
    """Choose a metric and orient both sides.

    Args:
        results: Contents of a results file.
        metric_key: Such as `cifar10/test_accuracy@200` or `test_accuracy`; None takes the first metric of the file.

    Raises:
        UsageError: The file does not have this metric.
    """
    column = choose_metric(results, metric_key)
    if column is None:
        known, truth = np.ones(len(results.arch_ids), dtype=np.bool_), None
    else:
        values = column.metric.direction.sign * np.asarray(column.values, dtype=np.float64)
        known = ~np.isnan(values)
        truth = values[known]
    return Selection(
        column=column,
        truth=truth,
        num_without_truth=int((~known).sum()),
        evaluators=tuple(_select_evaluator(part, known) for part in results.evaluators),
        seeds=results.plan.seeds,
    )


def select_all(results: Results) -> Selection:
    """Turn the scores of all architectures so that higher is better, without any ground truth."""
    known = np.ones(len(results.arch_ids), dtype=np.bool_)
    parts = tuple(_select_evaluator(part, known) for part in results.evaluators)
    return Selection(None, None, 0, parts, results.plan.seeds)


def choose_metric(results: Results, metric_key: str | None) -> GroundTruthColumn | None:
    """Return the ground truth with this key or part of one, by default the first; None if the file has none.

    Raises:
        UsageError: The file does not have this metric, or several.
    """
    if metric_key is None:
        return next(iter(results.ground_truth), None)
    if not results.ground_truth:
        raise UsageError(
            f"Metric '{metric_key}' was asked for, but these results have no ground truth. "
            "Leave the metric out to see how the evaluators agree with each other."
        )
    metric = find_metric(metric_key, [column.metric for column in results.ground_truth], results.plan.dataset)
    return next(column for column in results.ground_truth if column.metric == metric)


def _select_evaluator(part: EvaluatorResults, known: Mask) -> EvaluatorSelection:
    records = part.records.take(known)
    return EvaluatorSelection(part.header, part.seed, oriented_scores(part.header, records), records)


def oriented_scores(evaluator: EvaluatorHeader, records: Records) -> Floats:
    """Return scores turned so that higher is better, NaN unless the job is ok; shape `(rows,)`."""
    return np.where(records.ok, evaluator.direction.sign * records.scores, np.nan)
