import pytest
from nasbench_toolkit import Direction, Metric
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.core.planning.metric_names import by_relevance, find_metric


def accuracy(dataset: str, split: str, epochs: int | None) -> Metric:
    return Metric(dataset, split, "accuracy", epochs, Direction.MAXIMIZE, "percent")


METRICS = (
    accuracy("cifar10", "test", 200),
    accuracy("cifar10", "test", 12),
    accuracy("cifar100", "test", 200),
    accuracy("cifar10-valid", "validation", 200),
    accuracy("cifar100", "validation", 200),
    Metric("hardware", "edgegpu", "latency", None, Direction.MINIMIZE, "ms"),
)


@pytest.mark.parametrize(
    ("text", "dataset", "key"),
    [
        ("cifar10/test_accuracy@12", "cifar100", "cifar10/test_accuracy@12"),
        ("cifar10/test_accuracy", "photos", "cifar10/test_accuracy@200"),
        ("test_accuracy", "cifar10", "cifar10/test_accuracy@200"),
        ("test_accuracy", "cifar100", "cifar100/test_accuracy@200"),
        ("test_accuracy@12", "photos", "cifar10/test_accuracy@12"),
        ("validation_accuracy", "cifar100", "cifar100/validation_accuracy@200"),
        ("edgegpu_latency", "cifar10", "hardware/edgegpu_latency"),
        ("hardware/edgegpu_latency", "cifar10", "hardware/edgegpu_latency"),
    ],
)
def test_find_metric_part_of_a_key(text: str, dataset: str, key: str) -> None:
    assert find_metric(text, METRICS, dataset).key == key


def test_find_metric_never_swaps_cifar10_for_cifar10_valid() -> None:
    expected = "could be cifar10-valid/validation_accuracy@200 or cifar100/validation_accuracy@200"
    with pytest.raises(UsageError, match=expected):
        find_metric("validation_accuracy", METRICS, "cifar10")


def test_find_metric_unknown_name_lists_what_there_is() -> None:
    with pytest.raises(UsageError, match=r"Did you mean 'cifar10/test_accuracy@12'.*hardware/edgegpu_latency"):
        find_metric("cifar10/test_acuracy@12", METRICS, "cifar10")


def test_by_relevance_puts_the_runs_dataset_first() -> None:
    assert by_relevance(METRICS, "cifar100")[0].key == "cifar100/test_accuracy@200"
    assert by_relevance(METRICS, "photos") == list(METRICS)


def test_metric_without_split_and_epochs_has_a_short_key() -> None:
    assert Metric("cifar10", "", "accuracy", None, Direction.MAXIMIZE, "percent").key == "cifar10/accuracy"
