"""Runs one job: seeds, evaluates, times, and turns whatever goes wrong into a status."""

from __future__ import annotations

import math
import traceback
from contextlib import AbstractContextManager, nullcontext
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

from ..checked_evaluation import MAX_CURVE_POINTS, checked_evaluation
from ..context import EvaluationContext, WorkerCache
from ..domain import JobCost, JobKey, Record, Status
from ..errors import EvaluationError, InvalidEvaluationError
from ..interfaces import Dataset, Evaluator, SearchSpace
from ..loading.faults import CPU_OUT_OF_MEMORY_MARKS
from ..memory import MemoryMeter
from ..plain_text import printable, printable_lines, shortened
from ..seeding import derive_seed, seed_global_rng, seeded_global_rng
from ..shared_passes import SharedPasses

if TYPE_CHECKING:
    import torch

    from ..descriptions import DatasetInfo

# What is kept of what an exception says, and of where it was raised.
MAX_MESSAGE_LENGTH = 4_000
MAX_TRACEBACK_LENGTH = 8_000

# What an evaluator may say of an architecture; the other statuses are the engine's own.
STATUSES_OF_EVALUATORS = frozenset({Status.FAILED, Status.DIVERGED, Status.DEGENERATE, Status.OUT_OF_MEMORY})

# Of these one wants to know where they were raised.
EXPLAINED_STATUSES = frozenset({Status.FAILED, Status.OUT_OF_MEMORY})

# Giving freed memory back takes about a millisecond, and a job that took less has not freed much.
SECONDS_WORTH_GIVING_BACK = 0.1


@dataclass
class JobRunner:
    """Runs jobs of one search space and data set on one device.

    Attributes:
        space: The search space.
        dataset_info: Description of the data set.
        dataset: Its images.
        device: Where to compute.
        cache: Values shared by the jobs of this runner.
        max_points: How many points of a curve can be stored.
        passed_on: Exceptions that are none of the evaluator's, such as the user's Ctrl-C: they are raised.
        passes: Values shared by the jobs of one architecture.
        owns_process: Whether nothing but jobs, which are all seeded, uses the process's global generators: they are not
            restored then, which takes longer than anything else that the engine does for a job.
        store: As in :class:`EvaluationContext`.
    """

    space: SearchSpace
    dataset_info: DatasetInfo
    dataset: Dataset
    device: torch.device
    cache: WorkerCache = field(default_factory=lambda: WorkerCache({}))
    max_points: int = MAX_CURVE_POINTS
    passed_on: tuple[type[BaseException], ...] = ()
    passes: SharedPasses = field(default_factory=SharedPasses)
    owns_process: bool = False
    store: Path | None = None

    def __post_init__(self) -> None:
        self._memory = MemoryMeter(self.device)

    def run(self, key: JobKey, evaluator: Evaluator[Any]) -> Record:
        """Run one job; the result depends on ``key`` and the evaluator only.

        Global generators are restored, unless the jobs own the process.

        Nothing of what the record holds is of a type that the evaluator chose.
        """
        record = self._run(key, evaluator)
        if record.status is Status.OUT_OF_MEMORY and len(self.passes):
            # What is kept for other evaluators must not cost this one its score.
            self.passes.clear()
            record = self._run(key, evaluator)
        if record.cost.seconds > SECONDS_WORTH_GIVING_BACK:
            self._memory.give_back_unused()
        return record

    def _run(self, key: JobKey, evaluator: Evaluator[Any]) -> Record:
        context = EvaluationContext(
            key, self.space, self.dataset_info, self.dataset, self.device, self.cache, self.passes, self._memory,
            store=self.store,
        )  # fmt: skip
        status, score, message, trace, curves = Status.OK, math.nan, "", "", {}
        try:
            with self._seeded(derive_seed("global", *key.own_seed_parts)):
                evaluation = checked_evaluation(evaluator.evaluate(context), self.max_points)
            cost = context.cost()
            score, curves = evaluation.score, {name: tuple(curve) for name, curve in evaluation.curves.items()}
        except self.passed_on:
            raise
        except BaseException as error:
            status, message, trace = explain_failure(error, key.evaluator)
            cost = _cost_if_known(context)
        self.cache.forget_changed()
        context.finish()
        return Record(status, score, message, cost, curves, context.batches, trace)

    def _seeded(self, seed: int) -> AbstractContextManager[None]:
        if not self.owns_process:
            return seeded_global_rng(seed)
        seed_global_rng(seed)
        return nullcontext()


def explain_failure(error: BaseException, evaluator: str) -> tuple[Status, str, str]:
    """Return status, message and traceback of what an evaluator raised, bounded and printable.

    Args:
        error: What it raised.
        evaluator: Its name, which the message contains where the evaluator is to blame.
    """
    status = _status_of(error)
    message = printable(shortened(_text_of(error, evaluator), MAX_MESSAGE_LENGTH))
    if status not in EXPLAINED_STATUSES:
        return status, message, ""
    return status, message, printable_lines(shortened(_trace_of(error), MAX_TRACEBACK_LENGTH))


def _cost_if_known(context: EvaluationContext) -> JobCost:
    """Return what a job spent; nothing where its CUDA device no longer tells."""
    try:
        return context.cost()
    except RuntimeError:
        return JobCost()


def _status_of(error: BaseException) -> Status:
    if _is_out_of_memory(error):
        return Status.OUT_OF_MEMORY
    given = error.status if isinstance(error, EvaluationError) else None
    known = [status for status in STATUSES_OF_EVALUATORS if type(given) in (str, Status) and status == given]
    return known[0] if known else Status.FAILED


def _text_of(error: BaseException, evaluator: str) -> str:
    try:
        # A plain copy: a text may be of a class of the evaluator's own.
        said = "".join(str(error))
    except BaseException as second:
        return f"{evaluator}: {type(error).__name__} (its text cannot be made: {type(second).__name__})"
    if isinstance(error, InvalidEvaluationError):
        return f"the evaluator '{evaluator}' returned what cannot be stored: {said}"
    return said if isinstance(error, EvaluationError) else f"{type(error).__name__}: {said}"


def _trace_of(error: BaseException) -> str:
    try:
        if error.__traceback__ is not None:
            error.__traceback__ = error.__traceback__.tb_next  # the first line of it is the engine's
        return "".join(traceback.format_exception(error))
    except BaseException as second:
        return f"(its traceback cannot be made: {type(second).__name__})"


def _is_out_of_memory(error: BaseException) -> bool:
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    if not isinstance(error, RuntimeError) or isinstance(error, EvaluationError):
        return False
    said = error.args[0] if error.args else ""
    return isinstance(said, str) and any(mark in said for mark in CPU_OUT_OF_MEMORY_MARKS)
