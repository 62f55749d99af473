import math
from types import SimpleNamespace

import numpy as np
import pytest
from nasbench_toolkit.benchmarks.gennas_against_plain import Series, format_ratios, format_scores
from nasbench_toolkit.benchmarks.intervals import interval, ratio_of_sums
from nasbench_toolkit.benchmarks.processes import Usage
from nasbench_toolkit.core.domain import Direction, Metric
from nasbench_toolkit.core.plan import GroundTruthColumn

LOSSES = [2.0, 3.0, 1.0, 5.0, 4.0, 2.5]


@pytest.fixture
def plan():
    metric = Metric("cifar10", "test", "accuracy", 108, Direction.MAXIMIZE, "percent")
    column = GroundTruthColumn(metric, tuple(-loss for loss in LOSSES), None, "here")
    evaluator = SimpleNamespace(header=SimpleNamespace(direction=Direction.MINIMIZE))
    return SimpleNamespace(evaluators=[evaluator], ground_truth=[column])


def series(name, seconds, processor, wall, scores=LOSSES):
    made = Series(name)
    made.add(Usage(processor, wall, 0), list(scores), [seconds] * len(scores))
    return made


def test_ratios_are_of_sums_and_say_how_sure_they_are() -> None:
    plain, one, two = (
        series("plain", 6.0, 40.0, 50.0), series("ours, one worker", 2.0, 16.0, 20.0), series("", 2.0, 16.0, 10.0)
    )  # fmt: skip
    jobs, clock = format_ratios(plain, one, two)
    assert jobs == "plain / ours, one worker, processor seconds: jobs 3.00 [3.00, 3.00], whole runs 2.50"
    assert clock.startswith(
        "plain / evaluator, clock: one worker 2.50, two workers 5.00; one worker / two workers 2.00"
    )


def test_scores_are_turned_and_those_that_are_missing_left_out(plan) -> None:
    known, missing = series("", 1.0, 1.0, 1.0), series("", 1.0, 1.0, 1.0, [math.nan, *LOSSES[1:]])
    same, rho, agreement = format_scores(plan, known, missing, missing)
    assert same == "scores with one and two workers are equal to the last bit"
    assert rho.startswith("rho with cifar10/test_accuracy@108: evaluator 1.000 [1.000, 1.000], plain 1.000")
    assert rho.endswith("difference 0.000 [0.000, 0.000]")
    assert agreement.endswith("5 of 6 architectures")
    assert (
        format_scores(plan, known, known, missing)[0] == "scores with one and two workers are NOT equal to the last bit"
    )


def test_interval_holds_the_middle_of_the_resamples() -> None:
    first, second = np.array([1.0, 3.0] * 20), np.ones(40)
    low, high = interval(ratio_of_sums, first, second)
    # The mean of forty values that are 1 or 3 has a standard error of .16.
    assert low == pytest.approx(2 - 1.96 * 0.158, abs=0.06)
    assert high == pytest.approx(2 + 1.96 * 0.158, abs=0.06)
