"""A run, fixed before anything is computed: which architectures meet which evaluators, with which seed."""

from __future__ import annotations

import hashlib
import json
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from .descriptions import DatasetInfo
from .domain import Direction, JobKey, Metric
from .settings import Settings

PROPOSED_BY = "proposed by"
"""How the sampling of a search begins, in words: its architectures are no random sample."""

JobIndex = tuple[int, int]
"""A job's place in its plan: positions of column and architecture. A column is an evaluator with one run seed."""


def seeds_in_words(seeds: Sequence[int]) -> str:
    """Write run seeds for people: ``seed 0``, ``seeds 0 to 3`` or ``seeds 0, 5 and 7``."""
    if len(seeds) == 1:
        return f"seed {seeds[0]}"
    if len(seeds) > 2 and list(seeds) == list(range(seeds[0], seeds[0] + len(seeds))):
        return f"seeds {seeds[0]} to {seeds[-1]}"
    return f"seeds {', '.join(map(str, seeds[:-1]))} and {seeds[-1]}"


@dataclass(frozen=True)
class EvaluatorHeader:
    """An evaluator as a results file describes it.

    Attributes:
        label: Name, followed by the settings that the user chose, as in ``gennas-combo:preset=paper``; unique in a
            plan.
        name: Name of the evaluator.
        direction: Which end of its scale is the good one.
        version: Version of the evaluator's definition.
        settings: Effective settings by name.
        settings_hash: Hash of version and effective settings.
        distribution: Distribution and version that provide it, as in ``nasbench-toolkit 0.1.0``.
    """

    label: str
    name: str
    direction: Direction
    version: int
    settings: Mapping[str, Any]
    settings_hash: str
    distribution: str

    @property
    def identity(self) -> tuple[str, str]:
        """What makes two evaluators the same one, whatever they are called."""
        return self.name, self.settings_hash


@dataclass(frozen=True)
class EvaluatorSpec:
    """An evaluator of a plan: how a results file describes it, and the settings to create it with."""

    header: EvaluatorHeader
    settings: Settings


@dataclass(frozen=True)
class PlanHeader:
    """A plan as a results file describes it.

    Attributes:
        space: Name of the search space.
        dataset: Name of the data set that evaluators see.
        seed: The run's seed, with which the architectures were chosen.
        sampling: How the architectures were chosen, in words.
        space_version: Distribution and version of the space, as in ``nasbench-toolkit 0.1.0``.
        dataset_version: Likewise of the data set; empty for the user's own images.
        further_seeds: Other seeds with which every evaluator scores the same architectures.
    """

    space: str
    dataset: str
    seed: int
    sampling: str
    space_version: str = ""
    dataset_version: str = ""
    further_seeds: tuple[int, ...] = ()

    @property
    def seeds(self) -> tuple[int, ...]:
        """All run seeds, all different."""
        return (self.seed, *self.further_seeds)


def with_seed(label: str, seed: int, plan: PlanHeader) -> str:
    """Return an evaluator's label, with its run seed where the plan has several."""
    return f"{label}, seed {seed}" if plan.further_seeds else label


@dataclass(frozen=True)
class GroundTruthColumn:
    """Trained performance of the plan's architectures.

    Attributes:
        metric: What was measured.
        values: One for each architecture, NaN where there is none.
        noise_ceiling: Rank correlation between two independent makings of the values, None if not known.
        source: Where the values come from.
    """

    metric: Metric
    values: tuple[float, ...]
    noise_ceiling: float | None
    source: str


@dataclass(frozen=True)
class Plan:
    """Architectures crossed with evaluators.

    Attributes:
        header: Names and seed.
        arch_ids: Canonical strings, distinct, in the order of sampling.
        evaluators: In the order of the command line, labels distinct.
        ground_truth: Columns of the space's table, the default metric first; empty if there is no table.
        images: The user's own image set, None if the data set is an installed one.
        aggregates: Labels of the aggregates that a report is to show; their components are among the evaluators.
    """

    header: PlanHeader
    arch_ids: tuple[str, ...]
    evaluators: tuple[EvaluatorSpec, ...]
    ground_truth: tuple[GroundTruthColumn, ...]
    images: DatasetInfo | None = None
    aggregates: tuple[str, ...] = ()

    @property
    def plan_id(self) -> str:
        """Hash of all that decides the scores; files of one plan can be merged and resumed."""
        return plan_id(self.header, self.arch_ids, tuple(spec.header for spec in self.evaluators))

    @property
    def columns(self) -> tuple[tuple[EvaluatorSpec, int], ...]:
        """Every evaluator with every run seed, the seeds of one evaluator together."""
        return tuple((spec, seed) for spec in self.evaluators for seed in self.header.seeds)


def make_job_key(space: str, dataset: str, seed: int, spec: EvaluatorSpec, arch_id: str) -> JobKey:
    """Return the key of the job of any evaluator and architecture, also of ones that no plan lists."""
    header = spec.header
    return JobKey(
        space=space,
        dataset=dataset,
        arch_id=arch_id,
        evaluator=header.name,
        settings_hash=header.settings_hash,
        seed=seed,
    )


def plan_id(header: PlanHeader, arch_ids: tuple[str, ...], evaluators: tuple[EvaluatorHeader, ...]) -> str:
    """Hash a plan's names, seed, architectures and evaluators to 16 hexadecimal digits.

    How the architectures were chosen and what evaluators are called do not count; versions do.

    Args:
        header: The names and seeds.
        arch_ids: The architectures.
        evaluators: Each once, whatever the number of seeds.
    """
    plan = asdict(header) | {"sampling": ""}
    described = [(*evaluator.identity, evaluator.distribution) for evaluator in evaluators]
    text = json.dumps([plan, arch_ids, described], sort_keys=True)
    return hashlib.sha256(text.encode()).hexdigest()[:16]


def version_differences(
    old: PlanHeader,
    new: PlanHeader,
    old_evaluators: Iterable[EvaluatorHeader],
    new_evaluators: Iterable[EvaluatorHeader],
) -> list[tuple[str, str, str]]:
    """Return name, old and new version of all whose versions differ, of evaluators only of those with one label."""
    versions = [
        (f"version of the space '{new.space}'", old.space_version, new.space_version),
        (f"version of the dataset '{new.dataset}'", old.dataset_version, new.dataset_version),
    ]
    before = {header.label: header for header in old_evaluators}
    versions += [
        (f"version of '{header.label}'", _version(before[header.label]), _version(header))
        for header in new_evaluators
        if header.label in before
    ]
    return [(name, first, second) for name, first, second in versions if first != second]


def _version(header: EvaluatorHeader) -> str:
    return f"{header.distribution}, definition {header.version}"
