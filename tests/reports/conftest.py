import math

import pytest
from nasbench_toolkit.core.domain import Direction, JobCost, Metric, Record, Status
from nasbench_toolkit.core.plan import EvaluatorHeader, GroundTruthColumn, PlanHeader
from nasbench_toolkit.core.results.contents import EvaluatorResults, Results
from nasbench_toolkit.core.results.records import Records

LOSS = Metric("mnist", "test", "cross_entropy", 3, Direction.MINIMIZE, "nats")
ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")


def record(outcome):
    """A number is the score of an ok job that took as many seconds; a status has none."""
    if isinstance(outcome, Status):
        return Record(outcome, math.nan)
    return Record(Status.OK, float(outcome), cost=JobCost(build=0.25, compute=abs(outcome), peak_memory=2**20))


@pytest.fixture
def evaluator():
    """Make the results of one evaluator from scores and statuses."""

    def make(label, *outcomes, direction=Direction.MAXIMIZE, seed=0):
        name = label.partition(":")[0]
        header = EvaluatorHeader(label, name, direction, 1, {}, "0" * 16, "nasbench-toolkit 0.1.0")
        return EvaluatorResults(header, Records.of(map(record, outcomes)), seed)

    return make


@pytest.fixture
def results():
    """Make results from evaluators and ground truth by metric."""

    def make(*evaluators, truth=None, noise_ceiling=0.91):
        columns = tuple(
            GroundTruthColumn(metric, tuple(map(float, values)), noise_ceiling, "our own training")
            for metric, values in (truth or {}).items()
        )
        arch_ids = tuple(f"arch-{position}" for position in range(len(evaluators[0].records)))
        first, *others = dict.fromkeys(part.seed for part in evaluators)
        plan = PlanHeader("nasbench201-tiny", "mnist", first, "uniform", further_seeds=tuple(others))
        return Results(plan, arch_ids, columns, evaluators, {})

    return make


@pytest.fixture
def small_results(results, evaluator):
    """Twelve architectures, one of them without ground truth; four evaluators with a bit of everything."""
    failed, pending = Status.DIVERGED, Status.PENDING
    return results(
        evaluator("jacob_cov", 8, 7, 6, 4, 5, 3, 3, 1, 9, 10, 2, 11),
        evaluator(
            "gennas-combo:preset=paper", 1, failed, 2, 4, 3, Status.OUT_OF_MEMORY, 6, 7, 1.5, 0.5, 8, 5,
            direction=Direction.MINIMIZE,
        ),
        evaluator("flat_100%&#", *[2] * 12),
        evaluator("late", 1, 2, 3, 4, 5, *[pending] * 7),
        truth={
            LOSS: [0.1, 0.2, 0.3, 0.4, 0.5, 0.6, 0.7, math.nan, 0.05, 0.01, 0.65, 0.9],
            ACCURACY: [9, 8, 7, 6, 5, 4, 3, 2, 10, 11, 1, 0],
        },
    )  # fmt: skip
