from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.tables.checks import check_columns
from nasbench_toolkit.benchmarks_data.tables.raw import RawTable
from nasbench_toolkit.core.errors import DataError

PATH = Path("table.csv")


def table(**columns: list[float]) -> RawTable:
    arrays = {name.replace("__", "/"): np.array(values, float) for name, values in columns.items()}
    rows = len(next(iter(arrays.values())))
    return RawTable([str(row) for row in range(rows)], arrays, row_name=lambda row: f"line {row + 2}")


def test_check_columns_puts_test_results_of_long_trainings_first() -> None:
    keys = ["network/parameters", "a/train_accuracy@12", "a/test_accuracy@12", "a/test_accuracy@200", "b/loss"]
    raw = RawTable(["x"], {key: np.array([50.0]) for key in keys})
    assert list(check_columns(PATH, raw).columns) == [
        "a/test_accuracy@200",
        "a/test_accuracy@12",
        "a/train_accuracy@12",
        "network/parameters",
        "b/loss",
    ]


def test_check_columns_leaves_out_an_empty_column() -> None:
    checked = check_columns(PATH, table(a__loss=[1, 2], b__loss=[np.nan, np.nan]))
    assert list(checked.columns) == ["a/loss"]
    assert checked.notes == ("Left out, because they have no value: b/loss.",)


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"a__accuracy": [0.91, 0.5, np.nan]}, "at most 0.91.*looks like a fraction.*Multiply the column by 100"),
        ({"a__accuracy": [50, 100.5]}, "line 3: a/accuracy is 100.5, expected a finite number in percent.*at most 100"),
        ({"a__accuracy": [-1, 50]}, "line 2: a/accuracy is -1"),
        ({"a__loss": [1, np.inf]}, "line 3: a/loss is inf"),
        ({"a__loss": [1, -0.5]}, "line 3: a/loss is -0.5, expected a finite number in nats, at least 0"),
        ({"hardware__gpu_latency": [-1]}, "line 2: hardware/gpu_latency is -1, expected a finite number in ms"),
        ({"network__parameters": [7, 7.5]}, "line 3: network/parameters is 7.5, expected a whole number"),
        ({"network__parameters": [1e300]}, "line 2: network/parameters is 1e\\+300"),
        ({"a__beauty": [1]}, "Unknown quantity in the metric 'a/beauty'.*Rename or remove the column"),
        ({"a__loss": [np.nan]}, "has no result at all"),
        ({"a__loss": []}, "has no rows"),
    ],
)
def test_check_columns_refuses(columns, message) -> None:
    with pytest.raises(DataError, match=f"'table.csv'.*{message}"):
        check_columns(PATH, table(**columns))
