"""The nouns of the field as small frozen records: metrics, statuses, job keys, evaluations and records."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from enum import StrEnum


class Direction(StrEnum):
    """Which end of a scale is the good one."""

    MAXIMIZE = "maximize"
    MINIMIZE = "minimize"

    @property
    def sign(self) -> float:
        """Factor that turns a value so that higher is better: 1.0 or -1.0."""
        return 1.0 if self is Direction.MAXIMIZE else -1.0


class Status(StrEnum):
    """How a job ended. Only ``OK`` carries a score; every other status ranks last and is counted."""

    OK = "ok"
    DIVERGED = "diverged"
    DEGENERATE = "degenerate"
    FAILED = "failed"
    OUT_OF_MEMORY = "oom"
    TIMEOUT = "timeout"
    CRASHED = "crashed"
    PENDING = "pending"


@dataclass(frozen=True)
class Metric:
    """What a ground truth measured; costs such as a latency are metrics too.

    ``key`` is its name on the command line and in files, such as ``cifar10/test_accuracy@200`` or
    ``hardware/edgegpu_latency``.

    Attributes:
        dataset: Data set, or what else was measured, such as ``hardware``.
        split: Part of the data set, or the device; empty if the quantity needs none.
        quantity: What was measured, such as ``accuracy``.
        epochs: Epochs of training, None if the quantity has none or they are not known.
        direction: Which end of the scale is the good one.
        unit: Unit of the values.
        reduction: How several measurements became one value, in words; empty if there was one.
    """

    dataset: str
    split: str
    quantity: str
    epochs: int | None
    direction: Direction
    unit: str
    reduction: str = ""

    @property
    def name(self) -> str:
        """Return ``split_quantity``, the key without data set and epochs."""
        return "_".join(part for part in (self.split, self.quantity) if part)

    @property
    def key(self) -> str:
        """Return ``dataset/split_quantity@epochs``."""
        return f"{self.dataset}/{self.name}" + ("" if self.epochs is None else f"@{self.epochs}")


@dataclass(frozen=True)
class JobKey:
    """Everything that a score may depend on; two jobs with the same key have the same score, bit for bit.

    Attributes:
        space: Name of the search space.
        dataset: Name of the data set that the evaluator sees.
        arch_id: Canonical string of the architecture.
        evaluator: Name of the evaluator.
        settings_hash: Hash of the evaluator's version and effective settings.
        seed: The run's seed, chosen by the user.
    """

    space: str
    dataset: str
    arch_id: str
    evaluator: str
    settings_hash: str
    seed: int

    @property
    def common_seed_parts(self) -> tuple[str | int, ...]:
        """What seeds are derived from that all evaluators of an architecture have in common."""
        return (self.seed, self.space, self.dataset, self.arch_id)

    @property
    def own_seed_parts(self) -> tuple[str | int, ...]:
        """What seeds are derived from that are the evaluator's own, whatever its settings."""
        return (*self.common_seed_parts, self.evaluator)


@dataclass(frozen=True)
class Evaluation:
    """What an evaluator returns: a finite score and, optionally, named curves such as a loss per iteration.

    Numbers may be Python's, NumPy's or tensors without dimensions, curves sequences, arrays or tensors of numbers; see
    :mod:`.checked_evaluation`.
    """

    score: float
    curves: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass(frozen=True)
class JobCost:
    """What one job costs, what it shares with others counted to each: as if it were alone.

    Attributes:
        build: Wall-clock seconds of building networks.
        transfer: Wall-clock seconds of moving data to the device.
        compute: Wall-clock seconds of all the rest.
        processor: Seconds on processors, all threads together: the cost where others use the machine too. 0 where they
            are not known, since the worker was ended, or say little, since a GPU computed.
        saved: How many of ``processor``, or of all where that is 0, another job spent on what this one shares with it.
        peak_memory: Bytes by which memory rose, at most: resident memory of the worker, or what torch allocated on a
            CUDA device. 0 where it is not known.
    """

    build: float = 0.0
    transfer: float = 0.0
    compute: float = 0.0
    processor: float = 0.0
    saved: float = 0.0
    peak_memory: int = 0

    @property
    def seconds(self) -> float:
        """Return the wall-clock seconds."""
        return self.build + self.transfer + self.compute

    def __add__(self, other: JobCost) -> JobCost:
        return JobCost(
            self.build + other.build,
            self.transfer + other.transfer,
            self.compute + other.compute,
            self.processor + other.processor,
            self.saved + other.saved,
            max(self.peak_memory, other.peak_memory),
        )


@dataclass(frozen=True)
class Record:
    """The outcome of one job.

    Attributes:
        status: How it ended.
        score: NaN unless ``status`` is ``OK``.
        message: Why there is no score.
        cost: What it took.
        curves: Named curves of the evaluator.
        batches: The batches of inputs it saw: digest by description, such as ``16 images, augmented``.
        traceback: Where the evaluator failed, for whoever mends it; empty unless it failed.
    """

    status: Status
    score: float
    message: str = ""
    cost: JobCost = JobCost()
    curves: Mapping[str, tuple[float, ...]] = field(default_factory=dict)
    batches: Mapping[str, str] = field(default_factory=dict)
    traceback: str = ""
