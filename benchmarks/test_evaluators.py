"""Processor seconds that an evaluator takes for one architecture, network included, on one thread.

Each round builds everything anew but the batch of images and targets, which all architectures of a run share.
"""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.descriptions import EvaluatorInfo, SearchSpaceInfo
from nasbench_toolkit.core.domain import JobKey, Record, Status
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.core.jobs.evaluation import JobRunner
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings, settings_hash
from nasbench_toolkit.core.testing.context import dataset_at_hand

ROUNDS = 2
SAMPLING_SEED = 1


def pytest_generate_tests(metafunc: pytest.Metafunc) -> None:
    """Make a benchmark of each evaluator and space that fit."""
    if "evaluator" not in metafunc.fixturenames:
        return
    chosen, names = (str(metafunc.config.getoption(option)) for option in ("--evaluators", "--spaces"))
    plugins = installed_plugins()
    spaces = [plugins.search_space(name).info for name in names.split(",")]
    evaluators = [plugins.evaluator(name).info for name in chosen.split(",") if name]
    # Those with a searchable setting need a task of the user's.
    evaluators = evaluators or [
        provided.info for provided in plugins.evaluators().values() if provided.info.searchable is None
    ]
    pairs = [(space, info) for space in spaces for info in evaluators if info.needs <= space.provides]
    metafunc.parametrize(("space", "evaluator"), pairs, ids=[f"{info.name}-{space.name}" for space, info in pairs])


@pytest.mark.benchmark(group="evaluators: processor seconds an architecture", timer=time.process_time)
def test_evaluator(benchmark: Any, space: SearchSpaceInfo, evaluator: EvaluatorInfo) -> None:
    """Score one architecture."""
    runner, key = _runner(space, evaluator)
    made = evaluator.create(parse_settings(evaluator.name, evaluator.settings, {}))

    def forget_passes() -> None:
        runner.passes.clear()

    record: Record = benchmark.pedantic(lambda: runner.run(key, made), setup=forget_passes, rounds=ROUNDS)
    if record.status is not Status.OK:
        pytest.skip(record.message)


def _runner(space: SearchSpaceInfo, evaluator: EvaluatorInfo) -> tuple[JobRunner, JobKey]:
    torch.set_num_threads(1)
    made = space.create()
    try:
        dataset = dataset_at_hand(space)
    except DataError as error:
        pytest.skip(str(error))
    arch_id = made.sample(1, np.random.default_rng(SAMPLING_SEED))[0]
    hashed = settings_hash(evaluator.version, parse_settings(evaluator.name, evaluator.settings, {}))
    key = JobKey(space.name, dataset.name, arch_id, evaluator.name, hashed, 0)
    return JobRunner(made, dataset, dataset.create(), torch.device("cpu")), key
