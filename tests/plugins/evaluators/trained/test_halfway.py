import dataclasses
import math

import pytest
from nasbench_toolkit.core.capabilities import GroundTruthTable, Network
from nasbench_toolkit.core.descriptions import SearchSpaceInfo
from nasbench_toolkit.core.domain import Direction, Metric, Status
from nasbench_toolkit.core.interfaces import GroundTruth, SearchSpace
from nasbench_toolkit.plugins.datasets import MNIST
from nasbench_toolkit.plugins.evaluators.trained import EVALUATORS
from nasbench_toolkit.plugins.evaluators.trained.halfway import shorter_trainings
from nasbench_toolkit.plugins.search_spaces import NASBENCH201_TINY

HALFWAY = next(info for info in EVALUATORS if info.name == "halfway")


def accuracy(dataset, split, epochs):
    return Metric(dataset, split, "accuracy", epochs, Direction.MAXIMIZE, "percent")


LOSS = Metric("stripes", "test", "loss", 12, Direction.MINIMIZE, "nats")
METRICS = (
    accuracy("cifar10", "test", 108),
    accuracy("cifar10", "test", 4),
    accuracy("cifar10", "validation", 36),
    LOSS,
    accuracy("stripes", "test", 200),
    accuracy("stripes", "test", 3),
    accuracy("stripes", "test", 12),
    accuracy("stripes", "validation", 50),
    accuracy("stripes", "test", None),
)


class Table(GroundTruth):
    metrics = METRICS

    def values(self, metric, arch_ids):
        values = {3: 30.0, 4: 40.0, 12: 60.0, 200: 90.0}
        return [math.nan if "none" in arch_id else values[metric.epochs] for arch_id in arch_ids]


class OneLength(Table):
    metrics = (LOSS, accuracy("stripes", "test", 200))


class Bare(SearchSpace):
    size = None

    def canonicalize(self, text):
        return text

    def _sample(self, count, rng):
        return ["a"]

    def _build_network(self, arch_id, dataset, variant):
        raise NotImplementedError


class Tabulated(Bare):
    table = Table

    def ground_truth(self):
        return self.table()


class TabulatedOnce(Tabulated):
    table = OneLength


def space(factory):
    return SearchSpaceInfo(
        name="tabulated", summary="A table.", source="here", factory=factory, provides=frozenset({GroundTruthTable})
    )


def test_shorter_trainings_of_the_same_data_set_and_split():
    assert [metric.epochs for metric in shorter_trainings(METRICS, "stripes")] == [3, 12]
    assert [metric.key for metric in shorter_trainings(METRICS, "other")] == ["cifar10/test_accuracy@4"]
    assert shorter_trainings((LOSS,), "stripes") == []


@pytest.mark.parametrize(
    ("named", "keys"),
    [
        (accuracy("cifar10", "test", 108), ["cifar10/test_accuracy@4"]),
        (accuracy("stripes", "test", 3), ["stripes/test_accuracy@3", "stripes/test_accuracy@12"]),
        (accuracy("stripes", "validation", 50), []),
        (LOSS, ["stripes/test_accuracy@3", "stripes/test_accuracy@12"]),
    ],
    ids=lambda value: value.key if isinstance(value, Metric) else None,
)
def test_shorter_trainings_of_a_metric_or_of_its_data_set(named, keys):
    assert [metric.key for metric in shorter_trainings(METRICS, "stripes", named)] == keys


def test_halfway_of_a_metric(score):
    assert score("halfway", arch_id="a", space=space(Tabulated), metric="cifar10/test_accuracy").score == 40.0
    record = score("halfway", arch_id="a", space=space(Tabulated), metric="validation_accuracy")
    assert record.status is Status.FAILED
    assert "after a shorter training than 'validation_accuracy'" in record.message


def test_halfway_is_the_longest_but_one(score):
    record = score("halfway", arch_id="a", space=space(Tabulated))
    assert (record.status, record.score) == (Status.OK, 60.0)


def test_halfway_after_given_epochs(score):
    assert score("halfway", arch_id="a", space=space(Tabulated), epochs=3).score == 30.0


@pytest.mark.parametrize("epochs", [5, 200])
def test_epochs_that_the_table_lacks(score, epochs):
    record = score("halfway", arch_id="a", space=space(Tabulated), epochs=epochs)
    assert record.status is Status.FAILED
    assert f"no accuracy after {epochs} epochs" in record.message
    assert "3, 12" in record.message


def test_architecture_that_the_table_lacks(score):
    record = score("halfway", arch_id="none", space=space(Tabulated))
    assert record.status is Status.FAILED
    assert "no 'stripes/test_accuracy@12'" in record.message


def test_space_without_shorter_training_is_refused(score, stripes):
    assert HALFWAY.reason_unsupported(space(Tabulated), stripes) is None
    assert "one length of training" in HALFWAY.reason_unsupported(space(TabulatedOnce), stripes)
    assert "one length of training" in HALFWAY.reason_unsupported(NASBENCH201_TINY, MNIST)
    assert "none at hand" in HALFWAY.reason_unsupported(space(Bare), stripes)
    assert score("halfway", space=space(TabulatedOnce)).status is Status.FAILED


def test_space_without_ground_truth_is_refused(stripes):
    bare = dataclasses.replace(space(Bare), provides=frozenset({Network}))
    assert "needs a table of trained performance" in HALFWAY.reason_unsupported(bare, stripes)
