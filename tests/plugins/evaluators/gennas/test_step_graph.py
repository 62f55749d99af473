"""Recorded training steps, with a recorder that stands in for a CUDA device."""

from contextlib import nullcontext

import pytest
import torch
from nasbench_toolkit.plugins.evaluators.gennas.step_graph import WARM_UP_STEPS, StepGraph


class Recorder:
    """Does what a graph does: the step's result is always in the same tensor."""

    def __init__(self, fails: bool = False) -> None:
        self.fails = fails
        self.recorded = 0
        self.replayed = 0

    def beside(self):
        return nullcontext()

    def record(self, step):
        self.recorded += 1
        if self.fails:
            raise RuntimeError("operation not permitted when stream is capturing")
        returned = torch.zeros(2)

        def replay() -> None:
            self.replayed += 1
            returned.copy_(step())

        return replay, returned


class Counter:
    """A step that counts."""

    def __init__(self) -> None:
        self.state = torch.zeros(2)

    def step(self):
        self.state += 1
        return self.state.clone()


@pytest.mark.parametrize("fails", [False, True])
def test_steps_are_the_same_with_and_without_a_graph(fails) -> None:
    recorder, counter = Recorder(fails), Counter()
    graph = StepGraph(counter.step, recorder)
    returned = [graph() for _ in range(8)]
    assert [values.tolist() for values in returned] == [[float(number)] * 2 for number in range(1, 9)]
    # Recording is tried once, and does not count as a step.
    assert recorder.recorded == 1
    assert recorder.replayed == (0 if fails else 8 - WARM_UP_STEPS)
    assert graph.recordable is not fails


def test_short_trainings_are_not_recorded() -> None:
    recorder = Recorder()
    graph = StepGraph(Counter().step, recorder)
    for _ in range(WARM_UP_STEPS):
        graph()
    assert recorder.recorded == 0
