"""What the main process tells its workers; :mod:`.replies` is what they answer."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..checked_evaluation import MAX_CURVE_POINTS
from ..descriptions import DatasetInfo
from ..domain import JobKey
from ..plan import EvaluatorSpec, JobIndex, Plan, make_job_key
from ..results.validity import most_curve_points


@dataclass(frozen=True)
class WorkerSetup:
    """What a worker needs to know before its first job, whatever its device.

    Attributes:
        space: Name of the search space.
        dataset: Name of the data set that evaluators see.
        images: The user's own image set, None if the data set is an installed one.
        seed: The run seed of jobs that name none.
        threads: Math threads of a worker.
        evaluators: Made when a worker starts, and kept. Jobs may name others, which are made when they are needed.
        max_points: How many points of a curve can be stored.
        space_version: Distribution and version of the search space, for machines that may have another one.
        dataset_version: Likewise of the data set; empty for the user's own images.
        store: Folder for what the jobs share and would take long to make again, None if nothing is to be kept.
    """

    space: str
    dataset: str
    images: DatasetInfo | None
    seed: int
    threads: int = 1
    evaluators: tuple[EvaluatorSpec, ...] = ()
    max_points: int = MAX_CURVE_POINTS
    space_version: str = ""
    dataset_version: str = ""
    store: Path | None = None

    @classmethod
    def of(cls, plan: Plan, threads: int, store: Path | None = None) -> WorkerSetup:
        """Return what the workers of a run need to know."""
        header = plan.header
        max_points = most_curve_points(len(plan.arch_ids))
        return cls(
            header.space,
            header.dataset,
            plan.images,
            header.seed,
            threads,
            plan.evaluators,
            max_points,
            header.space_version,
            header.dataset_version,
            store,
        )

    @property
    def distributions(self) -> tuple[str, ...]:
        """Distributions and versions that the jobs need."""
        named = {self.space_version, self.dataset_version, *(spec.header.distribution for spec in self.evaluators)}
        return tuple(sorted(named - {""}))

    def job_key(self, job: Job) -> JobKey:
        """Return all that a job's score may depend on."""
        seed = self.seed if job.seed is None else job.seed
        return make_job_key(self.space, self.dataset, seed, job.evaluator, job.arch_id)


@dataclass(frozen=True)
class Job:
    """One evaluator that is to score one architecture.

    Attributes:
        index: What the caller calls it; its record comes back with it.
        evaluator: The evaluator.
        arch_id: Canonical string of the architecture.
        seed: The run seed, None for that of the setup.
    """

    index: JobIndex
    evaluator: EvaluatorSpec
    arch_id: str
    seed: int | None = None
