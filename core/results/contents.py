"""What a results file holds, as records in memory."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any

from ..domain import Record, Status
from ..plan import EvaluatorHeader, GroundTruthColumn, PlanHeader, plan_id

PENDING = Record(Status.PENDING, float("nan"))


@dataclass(frozen=True)
class EvaluatorResults:
    """The records of one evaluator.

    Attributes:
        header: What the evaluator was.
        records: One for each architecture, in the plan's order; ``Status.PENDING`` where a job has not been done.
    """

    header: EvaluatorHeader
    records: tuple[Record, ...]

    @property
    def done(self) -> int:
        """Number of finished jobs, whatever their status."""
        return sum(record.status is not Status.PENDING for record in self.records)

    @property
    def batches(self) -> dict[str, str]:
        """The batches of images that the jobs saw: digest by description."""
        return {name: digest for record in self.records for name, digest in record.batches.items()}


@dataclass(frozen=True)
class Results:
    """A results file.

    Attributes:
        plan: Names and seed of the run.
        arch_ids: Canonical strings of the architectures.
        ground_truth: Columns of trained performance; may be empty.
        evaluators: Records by evaluator, in the plan's order.
        environment: Software, hardware and command line, as texts.
        aggregates: Labels of the aggregates that a report is to show.
        search_id: Of the search that proposed the architectures, see ``SearchHeader``; None for a run.
    """

    plan: PlanHeader
    arch_ids: tuple[str, ...]
    ground_truth: tuple[GroundTruthColumn, ...]
    evaluators: tuple[EvaluatorResults, ...]
    environment: Mapping[str, Any]
    aggregates: tuple[str, ...] = ()
    search_id: str | None = None

    @property
    def plan_id(self) -> str:
        """Hash of the plan, see :func:`plan_id`."""
        return plan_id(self.plan, self.arch_ids, tuple(part.header for part in self.evaluators))

    @property
    def texts_digest(self) -> str:
        """SHA-256 of all that the file says in attributes, which HDF5 gives no checksum of their own."""
        said: list[Any] = [
            asdict(self.plan),
            [[asdict(column.metric), column.noise_ceiling, column.source] for column in self.ground_truth],
            [[asdict(part.header), part.batches] for part in self.evaluators],
            {name: as_text(value) for name, value in self.environment.items()},
        ]
        if self.aggregates:  # files are older than aggregates
            said.append(self.aggregates)
        if self.search_id is not None:
            said.append({"search_id": self.search_id})
        return hashlib.sha256(json.dumps(said, sort_keys=True).encode()).hexdigest()


def as_text(value: Any) -> str:
    """Return a value of the environment as it is stored."""
    return value if isinstance(value, str) else json.dumps(value)
