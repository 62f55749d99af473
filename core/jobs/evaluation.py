"""Runs one job: seeds, evaluates, times, and turns whatever goes wrong into a status."""

from __future__ import annotations

import math
import time
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from ..context import EvaluationContext, WorkerCache
from ..domain import JobKey, Record, Status
from ..errors import EvaluationError
from ..interfaces import Dataset, Evaluator, SearchSpace
from ..seeding import derive_seed, seeded_global_rng

if TYPE_CHECKING:
    import torch

    from ..descriptions import DatasetInfo

# What torch says, in a plain RuntimeError, when the CPU allocator gets no memory.
CPU_OUT_OF_MEMORY_MARKS = ("can't allocate memory", "not enough memory", "Cannot allocate memory")


@dataclass
class JobRunner:
    """Runs jobs of one search space and data set on one device.

    Attributes:
        space: The search space.
        dataset_info: Description of the data set.
        dataset: Its images.
        device: Where to compute.
        cache: Values shared by the jobs of this runner.
    """

    space: SearchSpace
    dataset_info: DatasetInfo
    dataset: Dataset
    device: torch.device
    cache: WorkerCache = field(default_factory=lambda: WorkerCache({}))

    def run(self, key: JobKey, evaluator: Evaluator[Any]) -> Record:
        """Run one job; the result depends on ``key`` and the evaluator only, and global generators are restored."""
        context = EvaluationContext(key, self.space, self.dataset_info, self.dataset, self.device, self.cache)
        start = time.perf_counter()
        status, score, message, curves = Status.OK, math.nan, "", {}
        try:
            with seeded_global_rng(derive_seed("global", *key.own_seed_parts)):
                evaluation = evaluator.evaluate(context)
            score, curves = evaluation.score, dict(evaluation.curves)
        except EvaluationError as error:
            status, message = Status(error.status), str(error)
        except Exception as error:
            status = Status.OUT_OF_MEMORY if _is_out_of_memory(error) else Status.FAILED
            message = f"{type(error).__name__}: {error}"
        seconds = context.seconds(time.perf_counter() - start)
        return Record(status, score, message, seconds, curves, context.batches)


def _is_out_of_memory(error: Exception) -> bool:
    import torch

    if isinstance(error, MemoryError | torch.OutOfMemoryError):
        return True
    return isinstance(error, RuntimeError) and any(mark in str(error) for mark in CPU_OUT_OF_MEMORY_MARKS)
