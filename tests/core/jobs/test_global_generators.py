"""What evaluators draw from global generators is decided by the job, as all else is."""

import dataclasses
import random

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.domain import JobKey
from nasbench_toolkit.core.interfaces import Evaluator
from nasbench_toolkit.core.jobs.evaluation import JobRunner
from nasbench_toolkit.core.settings import Settings

KEY = JobKey("toy", "noise", "width-3", "drawing", "0123", 0)
SOURCES = {
    "torch": lambda: float(torch.rand((), dtype=torch.float64)),
    "numpy": lambda: float(np.random.rand()),
    "python": random.random,
}


class Drawing(Evaluator[Settings]):
    def __init__(self, draw):
        super().__init__(Settings())
        self.draw = draw

    def _evaluate(self, context):
        return self.draw()


@pytest.fixture
def score(toy_plugins):
    dataset, space = toy_plugins.dataset("noise").info, toy_plugins.search_space("toy").info.create()
    runner = JobRunner(space, dataset, dataset.create(), torch.device("cpu"))

    def run(source, **changes):
        record = runner.run(dataclasses.replace(KEY, **changes), Drawing(SOURCES[source]))
        assert record.message == ""
        return record.score

    return run


@pytest.mark.parametrize("source", SOURCES)
def test_draws_depend_on_all_of_the_job_but_its_settings(score, source) -> None:
    first = score(source)
    for changes in (
        {"seed": 1}, {"arch_id": "width-11"}, {"evaluator": "other"}, {"space": "other"}, {"dataset": "other"},
    ):  # fmt: skip
        assert score(source, **changes) != first, changes
    # Settings are compared on the same draws, whatever ran in between.
    assert score(source, settings_hash="4567") == score(source) == first
