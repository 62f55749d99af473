"""Score architectures with the plain definition of GenNAS, one after the other in this process.

Usage: python -m nasbench_toolkit.benchmarks.plain_run SPACE DATASET SEED FILE < architectures

Writes one line of JSON for each line of standard input to the file: architecture, score (null if it is not finite) and
processor seconds.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections.abc import Callable
from pathlib import Path

import torch

from ..core.capabilities import SequenceNetwork
from ..core.context import EvaluationContext, WorkerCache
from ..core.descriptions import SearchSpaceInfo
from ..core.domain import JobKey
from ..core.plugin_manager import installed_plugins
from ..core.seeding import derive_seed, seeded_global_rng
from .plain_gennas import plain_score
from .plain_recurrent_gennas import plain_recurrent_score

Score = Callable[[EvaluationContext], float]

DEFINITIONS: dict[str, Score] = {"gennas-combo": plain_score, "gennas-rnn-combo": plain_recurrent_score}
"""By the evaluator whose score they give."""


def reference_evaluator(space: SearchSpaceInfo) -> str:
    """Return the evaluator with a plain definition that fits a space."""
    return "gennas-rnn-combo" if SequenceNetwork in space.provides else "gennas-combo"


def main(space_name: str, dataset_name: str, seed: str, output: str) -> None:
    """Read architectures, write lines."""
    torch.set_num_threads(1)
    plugins = installed_plugins()
    space, dataset = plugins.search_space(space_name).info.create(), plugins.dataset(dataset_name).info
    images, cache = dataset.create(), WorkerCache({})
    evaluator = reference_evaluator(space.info)
    with Path(output).open("w") as file:
        for arch_id in sys.stdin.read().splitlines():
            key = JobKey(space.name, dataset.name, arch_id, evaluator, "", int(seed))
            start = time.process_time()
            context = EvaluationContext(key, space, dataset, images, torch.device("cpu"), cache)
            score = job_score(context)
            seconds = time.process_time() - start
            known = score if math.isfinite(score) else None
            print(json.dumps({"arch_id": arch_id, "score": known, "seconds": seconds}), file=file, flush=True)


def job_score(context: EvaluationContext) -> float:
    """Return the plain score of a job, with its draws from the global generators."""
    with seeded_global_rng(derive_seed("global", *context.key.own_seed_parts)):
        return DEFINITIONS[context.key.evaluator](context)


if __name__ == "__main__":
    main(*sys.argv[1:])
