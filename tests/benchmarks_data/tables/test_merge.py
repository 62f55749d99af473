from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from nasbench_toolkit.benchmarks_data.tables.merge import merge_rows
from nasbench_toolkit.benchmarks_data.tables.raw import RawTable
from nasbench_toolkit.core.errors import DataError

PATH = Path("table.csv")


def merge(architectures, losses, reduction="", repeats_are_runs=False):
    """Merge a table whose canonical strings are the lower-case ones."""
    raw = RawTable(architectures, {"a/loss": np.array(losses, float)}, reduction, row_name=lambda row: f"line {row}")
    arch_ids = [text.lower() for text in architectures]
    return merge_rows(PATH, raw, arch_ids, "isomorphic cells", repeats_are_runs=repeats_are_runs)


def test_merge_rows_sorts() -> None:
    rows = merge(["c", "a", "b"], [3, 1, 2], "mean of the runs")
    assert rows.arch_ids == ["a", "b", "c"]
    assert rows.columns["a/loss"].tolist() == [1.0, 2.0, 3.0]
    assert rows.rows_merged.tolist() == [1, 1, 1]
    assert (rows.reduction, rows.notes) == ("mean of the runs", ())


def test_merge_rows_takes_the_mean_of_what_isomorphic_rows_have() -> None:
    rows = merge(["AB", "c", "ab", "Ab", "D", "d"], [1, 7, 4, np.nan, np.nan, np.nan])
    assert rows.arch_ids == ["ab", "c", "d"]
    np.testing.assert_array_equal(rows.columns["a/loss"], [2.5, 7.0, np.nan])
    assert rows.rows_merged.tolist() == [3, 1, 2]
    assert rows.reduction == "mean of isomorphic cells"
    assert rows.notes == ("6 rows became 3: the values of isomorphic cells were averaged.",)


def test_merge_rows_takes_the_parameters_of_the_canonical_spelling() -> None:
    counts = {"network/parameters": np.array([9.0, 5.0, 7.0, 8.0, np.nan, 6.0])}
    architectures = ["A", "a", "B", "b", "c", "C"]
    raw = RawTable(architectures, counts | {"network/flops": np.array([1.0, 3.0, 1.0, 3.0, 1.0, 3.0])})
    rows = merge_rows(PATH, raw, [*"aabbcc"], "isomorphic cells", repeats_are_runs=False)
    assert rows.columns["network/parameters"].tolist() == [5.0, 8.0, 6.0]
    assert rows.columns["network/flops"].tolist() == [3.0, 3.0, 1.0]


def test_merge_rows_takes_the_mean_of_parameters_without_the_canonical_spelling() -> None:
    raw = RawTable(["A", "Aa"], {"network/parameters": np.array([9.0, 5.0])})
    rows = merge_rows(PATH, raw, ["a", "a"], "isomorphic cells", repeats_are_runs=False)
    assert rows.columns["network/parameters"].tolist() == [7.0]


def test_merge_rows_says_that_runs_and_cells_were_averaged() -> None:
    assert merge(["A", "a"], [1, 2], "mean of the runs").reduction == "mean of the runs and of isomorphic cells"


def test_merge_rows_counts_an_equal_repeat_once() -> None:
    rows = merge(["ab", "AB", "ab", "ab"], [1, 4, 1, 1])
    assert rows.columns["a/loss"].tolist() == [2.5]
    assert rows.notes[0] == "Rows that repeat another one, and count once: 2."
    assert merge(["a", "a", "b"], [1, 1, 2]).reduction == ""


@pytest.mark.parametrize("second", [2.0, np.nan], ids=["another value", "no value"])
def test_merge_rows_refuses_repeats_that_disagree(second) -> None:
    with pytest.raises(DataError, match="'table.csv', line 0 and line 2: the architecture 'x' has two values of a/los"):
        merge(["x", "X", "x"], [1, 1, second])


def test_merge_rows_takes_repeats_as_runs_where_the_benchmark_does() -> None:
    rows = merge(["x", "x", "x"], [1, 2, np.nan], repeats_are_runs=True)
    assert rows.columns["a/loss"].tolist() == [1.5]
    assert rows.rows_merged.tolist() == [3]


def test_merge_rows_knows_the_noise_ceiling_where_runs_are_listed() -> None:
    rng = np.random.default_rng(0)
    names = [f"a{row}" for row in range(200)]
    runs = rng.normal(size=(200, 1)) + 0.5 * rng.normal(size=(200, 2))
    raw = RawTable(names, {"a/loss": runs.mean(axis=1)}, runs={"a/loss": runs})
    rows = merge_rows(PATH, raw, names, "isomorphic cells", repeats_are_runs=False)
    rho = scipy.stats.spearmanr(runs[:, 0], runs[:, 1]).statistic
    assert rows.noise_ceilings == {"a/loss": pytest.approx(2 * rho / (1 + rho), abs=0.005)}
    assert rows.notes == (f"Noise ceiling of a/loss, from repeated runs: {rows.noise_ceilings['a/loss']:.2f}.",)
    # The same runs as rows of their own, in a benchmark that lists them so.
    listed = RawTable([*names, *names], {"a/loss": runs.T.ravel(), "network/parameters": np.arange(400.0)})
    each = merge_rows(PATH, listed, [*names, *names], "trainings", repeats_are_runs=True)
    assert each.noise_ceilings == {"a/loss": pytest.approx(rows.noise_ceilings["a/loss"], abs=0.005)}
    assert merge(["a", "b"], [1, 2], repeats_are_runs=True).noise_ceilings == {}
