import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.tables.metrics import QUANTITIES, parse_metric_key
from nasbench_toolkit.core.domain import Direction, Metric
from nasbench_toolkit.core.errors import DataError

MAXIMIZE, MINIMIZE = Direction.MAXIMIZE, Direction.MINIMIZE


@pytest.mark.parametrize(
    ("key", "metric"),
    [
        ("cifar10/test_accuracy@108", Metric("cifar10", "test", "accuracy", 108, MAXIMIZE, "percent")),
        ("cifar10/accuracy", Metric("cifar10", "", "accuracy", None, MAXIMIZE, "percent")),
        (
            "imagenet16-120/validation_accuracy@12",
            Metric("imagenet16-120", "validation", "accuracy", 12, MAXIMIZE, "percent"),
        ),
        ("wikitext-2/validation_loss@3", Metric("wikitext-2", "validation", "loss", 3, MINIMIZE, "nats")),
        ("mnist/test_cross_entropy@3", Metric("mnist", "test", "cross_entropy", 3, MINIMIZE, "nats")),
        ("hardware/edgegpu_latency", Metric("hardware", "edgegpu", "latency", None, MINIMIZE, "ms")),
        ("hardware/eyeriss_energy", Metric("hardware", "eyeriss", "energy", None, MINIMIZE, "mJ")),
        (
            "hardware/eyeriss_arithmetic_intensity",
            Metric("hardware", "eyeriss", "arithmetic_intensity", None, MAXIMIZE, "ops/byte"),
        ),
        ("cifar10/training_seconds@36", Metric("cifar10", "", "training_seconds", 36, MINIMIZE, "seconds")),
        ("network/parameters", Metric("network", "", "parameters", None, MINIMIZE, "scalars")),
        ("network/macs", Metric("network", "", "macs", None, MINIMIZE, "multiply-adds")),
        ("network/flops", Metric("network", "", "flops", None, MINIMIZE, "operations")),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_parse_metric_key_knows(key: str, metric: Metric) -> None:
    assert parse_metric_key(key) == metric
    assert metric.key == key


def test_parse_metric_key_keeps_the_reduction() -> None:
    assert parse_metric_key("cifar10/test_accuracy", "mean of 3 runs").reduction == "mean of 3 runs"


@pytest.mark.parametrize(
    ("key", "message"),
    [
        ("accuracy", "expected 'dataset/split_quantity@epochs' in lower case"),
        ("ImageNet16-120/test_accuracy", "in lower case"),
        ("cifar10/test_accuracy@0", "Bad metric"),
        ("cifar10/test_accuracy@", "Bad metric"),
        ("cifar10/test_accuracy@1e3", "Bad metric"),
        ("cifar10/", "Bad metric"),
        ("a/b/accuracy", "Bad metric"),
        ("cifar10/test_acuracy", "Did you mean 'accuracy'.*Known are accuracy, loss"),
        ("cifar10/beauty", "Known are accuracy, loss, cross_entropy"),
        ("cifar10/holdout_accuracy", "got 'holdout' before the quantity, expected one of test, validation, train"),
        ("network/gpu_parameters", "got 'gpu' before the quantity, expected nothing"),
    ],
)
def test_parse_metric_key_refuses(key: str, message: str) -> None:
    with pytest.raises(DataError, match=message):
        parse_metric_key(key)


def test_quantity_impossible_leaves_missing_values() -> None:
    values = np.array([0.0, 100.0, np.nan, -0.1, 100.1, np.inf])
    assert QUANTITIES["accuracy"].impossible(values).tolist() == [False, False, False, True, True, True]
    assert QUANTITIES["loss"].impossible(values).tolist() == [False, False, False, True, False, True]
