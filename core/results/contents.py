"""What a results file holds, in memory."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from ..domain import Record
from ..plan import EvaluatorHeader, GroundTruthColumn, JobIndex, PlanHeader, plan_id, with_seed
from .records import Records


@dataclass(frozen=True)
class EvaluatorResults:
    """What became of one evaluator's jobs with one run seed.

    Attributes:
        header: What the evaluator was.
        records: One for each architecture, in the plan's order; ``Status.PENDING`` where a job has not been done.
        seed: The run seed.
    """

    header: EvaluatorHeader
    records: Records
    seed: int

    @property
    def done(self) -> int:
        """Number of finished jobs, whatever their status."""
        return int(self.records.done.sum())

    @property
    def batches(self) -> Mapping[str, str]:
        """The batches of inputs that the jobs saw: digest by description."""
        return self.records.batches


@dataclass(frozen=True)
class NewArchitecture:
    """An architecture that joins results.

    Attributes:
        arch_id: Its canonical string.
        ground_truth: Its value in each column of the results, NaN where there is none.
    """

    arch_id: str
    ground_truth: tuple[float, ...]


@dataclass(frozen=True)
class Results:
    """A results file.

    Attributes:
        plan: Names and seed of the run.
        arch_ids: Canonical strings of the architectures.
        ground_truth: Columns of trained performance; may be empty.
        evaluators: Records by evaluator and run seed, in the plan's order, the seeds of one evaluator together.
        environment: Software, hardware and command line, as texts.
        aggregates: Labels of the aggregates that a report is to show.
    """

    plan: PlanHeader
    arch_ids: tuple[str, ...]
    ground_truth: tuple[GroundTruthColumn, ...]
    evaluators: tuple[EvaluatorResults, ...]
    environment: Mapping[str, Any]
    aggregates: tuple[str, ...] = ()

    @property
    def plan_id(self) -> str:
        """Hash of the plan, see :func:`plan_id`."""
        return plan_id(self.plan, self.arch_ids, self.headers)

    @property
    def headers(self) -> tuple[EvaluatorHeader, ...]:
        """Return the evaluators, each once."""
        return tuple(part.header for part in self.evaluators if part.seed == self.plan.seed)

    def name_of(self, part: EvaluatorResults) -> str:
        """Return the label of a part, with its seed where there are several."""
        return with_seed(part.header.label, part.seed, self.plan)

    def first(self, count: int) -> Results:
        """Return the results of the first ``count`` architectures."""
        columns = tuple(replace(column, values=column.values[:count]) for column in self.ground_truth)
        parts = tuple(replace(part, records=part.records[:count]) for part in self.evaluators)
        return replace(self, arch_ids=self.arch_ids[:count], ground_truth=columns, evaluators=parts)

    def with_records(self, records: Mapping[JobIndex, Record]) -> Results:
        """Return the results with some records replaced.

        Raises:
            IndexError: One is of an evaluator or architecture that is not there.
        """
        rows: list[dict[int, Record]] = [{} for _ in self.evaluators]
        for (evaluator, arch), record in records.items():
            if not (0 <= evaluator < len(rows) and 0 <= arch < len(self.arch_ids)):
                raise IndexError(f"there is no job {evaluator}, {arch}")
            rows[evaluator][arch] = record
        parts = [
            replace(part, records=part.records.updated(replaced))
            for part, replaced in zip(self.evaluators, rows, strict=True)
        ]
        return replace(self, evaluators=tuple(parts))

    def with_architectures(self, architectures: Sequence[NewArchitecture]) -> Results:
        """Return the results with further architectures, whose jobs are pending.

        Raises:
            ValueError: One is there already, or its ground truth has another number of values than there are columns.
        """
        if not architectures:
            return self
        if any(len(new.ground_truth) != len(self.ground_truth) for new in architectures):
            raise ValueError(f"an architecture without its {len(self.ground_truth)} values of ground truth")
        columns = tuple(
            replace(column, values=column.values + tuple(new.ground_truth[position] for new in architectures))
            for position, column in enumerate(self.ground_truth)
        )
        arch_ids = self.arch_ids + tuple(new.arch_id for new in architectures)
        if len(set(arch_ids)) < len(arch_ids):
            raise ValueError("an architecture is listed twice")
        parts = tuple(replace(part, records=part.records.extended(len(arch_ids))) for part in self.evaluators)
        return replace(self, arch_ids=arch_ids, ground_truth=columns, evaluators=parts)
