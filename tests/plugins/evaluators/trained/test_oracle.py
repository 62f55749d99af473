import dataclasses
import math

import pytest
from nasbench_toolkit.core.capabilities import GroundTruthTable, Network
from nasbench_toolkit.core.descriptions import SearchSpaceInfo
from nasbench_toolkit.core.domain import Direction, Metric, Status
from nasbench_toolkit.core.interfaces import GroundTruth, SearchSpace
from nasbench_toolkit.plugins.datasets import MNIST
from nasbench_toolkit.plugins.evaluators.trained import EVALUATORS
from nasbench_toolkit.plugins.search_spaces import NASBENCH201_TINY

ORACLE = next(info for info in EVALUATORS if info.name == "oracle")
METRICS = (
    Metric("cifar10", "test", "accuracy", 200, Direction.MAXIMIZE, "percent"),
    Metric("stripes", "test", "loss", 12, Direction.MINIMIZE, "nats"),
    Metric("stripes", "validation", "accuracy", 12, Direction.MAXIMIZE, "percent"),
    Metric("hardware", "edgegpu", "latency", None, Direction.MINIMIZE, "ms"),
)


class Table(GroundTruth):
    metrics = METRICS

    def values(self, metric, arch_ids):
        value = 10.0 * (1 + METRICS.index(metric))
        return [math.nan if "none" in arch_id else value for arch_id in arch_ids]


class Bare(SearchSpace):
    size = None

    def canonicalize(self, text):
        return text

    def _sample(self, count, rng):
        return ["a"]

    def _build_network(self, arch_id, dataset, variant):
        raise NotImplementedError


class Tabulated(Bare):
    def ground_truth(self):
        return Table()


def space(factory):
    return SearchSpaceInfo(
        name="tabulated", summary="A table.", source="here", factory=factory, provides=frozenset({GroundTruthTable})
    )


@pytest.mark.parametrize(
    ("given", "score_of_it"),
    [
        ({}, -20.0),
        ({"metric": "test_loss"}, -20.0),
        ({"metric": "validation_accuracy"}, 30.0),
        ({"metric": "cifar10/test_accuracy@200"}, 10.0),
        ({"metric": "edgegpu_latency"}, -40.0),
    ],
    ids=str,
)
def test_oracle_is_the_tables_value_turned_so_that_higher_is_better(score, given, score_of_it):
    record = score("oracle", arch_id="a", space=space(Tabulated), **given)
    assert (record.status, record.score) == (Status.OK, score_of_it)


def test_architecture_that_the_table_lacks(score):
    record = score("oracle", arch_id="none", space=space(Tabulated))
    assert record.status is Status.FAILED
    assert "no 'stripes/test_loss@12'" in record.message


def test_metric_that_the_table_lacks(score):
    record = score("oracle", arch_id="a", space=space(Tabulated), metric="speed")
    assert record.status is Status.FAILED
    assert "Unknown metric 'speed'" in record.message


def test_space_without_a_table_is_refused(score, stripes):
    assert ORACLE.reason_unsupported(NASBENCH201_TINY, MNIST) is None
    assert "none at hand" in ORACLE.reason_unsupported(space(Bare), stripes)
    assert score("oracle", space=space(Bare)).status is Status.FAILED
    bare = dataclasses.replace(space(Bare), provides=frozenset({Network}))
    assert "needs a table of trained performance" in ORACLE.reason_unsupported(bare, stripes)
