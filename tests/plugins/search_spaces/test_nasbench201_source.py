"""Importing NAS-Bench-201: small tables made here, and the real one where it is at hand."""

import csv
import gzip
import math
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.core.data.data_home import import_data, verify_data
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.plugins.search_spaces import NASBENCH201
from nasbench_toolkit.plugins.search_spaces.data_sources import NASBENCH201_SOURCE
from nasbench_toolkit.plugins.search_spaces.nasbench201 import source
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import format_arch_str, parse_arch_str
from nasbench_toolkit.plugins.search_spaces.nasbench201.identity import canonical_arch_str, unique_arch_strs
from nasbench_toolkit.plugins.search_spaces.nasbench201.official import official_arch_str, official_arch_strs

TABLE = Path(__file__).parents[3] / "../shared/data/nasbench201/nasbench201.csv.gz"

CONVOLUTION = format_arch_str(["nor_conv_3x3"] * 6)
POOLING = format_arch_str(["avg_pool_3x3"] * 6)
# Node 1 is always zero, so what leads from it does not matter.
ONE_NETWORK = (
    format_arch_str(["none", "nor_conv_3x3", "nor_conv_3x3", "none", "none", "nor_conv_1x1"]),
    format_arch_str(["none", "nor_conv_3x3", "avg_pool_3x3", "none", "none", "nor_conv_1x1"]),
)


@pytest.fixture
def import_csv(tmp_path, monkeypatch):
    """Import lines as a table into a data directory of its own."""
    monkeypatch.setenv("NASBENCH_DATA", str(tmp_path / "home"))

    def run(*lines):
        path = tmp_path / "table.csv"
        path.write_text("".join(f"{line}\n" for line in lines))
        return import_data(NASBENCH201_SOURCE.create(), path, lambda done, total: None)

    return run


def test_source_merges_cells_that_are_one_network(import_csv) -> None:
    manifest = import_csv("architecture,cifar10/test_accuracy@200", f"{ONE_NETWORK[0]},90", f"{ONE_NETWORK[1]},92")
    assert manifest.items == 1
    assert manifest.notes == (
        "2 rows became 1: the values of cells that are the same network were averaged.",
        "'table.csv' has 1 of the 5,260 architectures of the search space.",
    )
    space = NASBENCH201.create()
    table = space.ground_truth()
    assert table.values(table.metrics[0], [space.canonicalize(cell) for cell in ONE_NETWORK]) == [91.0, 91.0]


def test_source_keeps_the_benchmarks_parameters_of_the_canonical_cell(import_csv) -> None:
    canonical = NASBENCH201.create().canonicalize(ONE_NETWORK[0])
    import_csv("architecture,network/parameters", f"{ONE_NETWORK[0]},90", f"{canonical},60", f"{ONE_NETWORK[1]},92")
    table = NASBENCH201.create().ground_truth()
    assert table.values(table.metrics[0], [canonical]) == [60.0]


def test_space_refuses_a_table_of_other_canonical_cells(import_csv, monkeypatch) -> None:
    # As it was imported when the canonical cell was the first of the benchmark's class.
    monkeypatch.setattr(source, "canonical_arch_str", official_arch_str)
    split = next(text for text in official_arch_strs() if canonical_arch_str(parse_arch_str(text)) != text)
    import_csv("architecture,cifar10/test_accuracy@200", f"{CONVOLUTION},90", f"{split},92")
    with pytest.raises(DataError, match=r"table.h5' has cells that are not canonical.*Import the table again\."):
        NASBENCH201.create().ground_truth()


def test_source_takes_minus_one_on_the_edge_tpu_as_missing(import_csv) -> None:
    manifest = import_csv("architecture,hardware/edgetpu_latency", f"{CONVOLUTION},-1.0", f"{POOLING},0.5")
    assert "hardware/edgetpu_latency is -1 in 1 rows: HW-NAS-Bench has no measurement there" in manifest.notes[0]
    table = NASBENCH201.create().ground_truth()
    np.testing.assert_array_equal(table.values(table.metrics[0], [CONVOLUTION, POOLING]), [math.nan, 0.5])


def test_source_refuses_a_negative_latency_elsewhere(import_csv) -> None:
    with pytest.raises(DataError, match="line 2: hardware/pixel3_latency is -1"):
        import_csv("architecture,hardware/pixel3_latency", f"{CONVOLUTION},-1.0")


def test_source_names_the_unknown_operation_and_what_is_allowed(import_csv) -> None:
    wrong = CONVOLUTION.replace("nor_conv_3x3~2", "conv_3x3~2")
    with pytest.raises(DataError, match="line 3: .*unknown operation 'conv_3x3'.*choose from none, skip_connect"):
        import_csv("architecture,a/loss", f"{POOLING},1", f"{wrong},1")


def test_space_without_import_has_no_ground_truth(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NASBENCH_DATA", str(tmp_path))
    assert NASBENCH201.create().ground_truth() is None


@pytest.mark.skipif(not TABLE.exists(), reason="reads NAS-Bench-201's whole table in ../shared/data")
def test_source_imports_the_whole_benchmark(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("NASBENCH_DATA", str(tmp_path))
    data_source = NASBENCH201_SOURCE.create()
    manifest = import_data(data_source, TABLE, lambda done, total: None)
    assert (manifest.items, verify_data(data_source, lambda done, total: None).items) == (5260, 5260)
    table = NASBENCH201.create().ground_truth()
    assert tuple(table.arch_ids) == tuple(sorted(unique_arch_strs()))
    assert table.num_rows == 15625
    assert table.metrics[0].key == "cifar10/test_accuracy@200"
    assert len(table.metrics) == 22

    with gzip.open(TABLE, "rt") as file:
        rows = list(csv.DictReader(file))
    cells = [parse_arch_str(row["architecture"]) for row in rows]
    assert [format_arch_str(cell) for cell in cells] == [row["architecture"] for row in rows]
    networks: dict[str, list[dict[str, str]]] = {}
    for cell, row in zip(cells, rows, strict=True):
        networks.setdefault(canonical_arch_str(cell), []).append(row)
    for metric in table.metrics:
        # The Edge TPU compiler's -1 is no latency, and a network counts with the mean of those that have one.
        measured = [
            [float(row[metric.key]) for row in members if float(row[metric.key]) != -1.0]
            for members in networks.values()
        ]
        expected = [sum(values) / len(values) if values else math.nan for values in measured]
        np.testing.assert_allclose(table.values(metric, list(networks)), expected, rtol=1e-12)


@pytest.mark.skipif(not TABLE.exists(), reason="reads NAS-Bench-201's whole table in ../shared/data")
@pytest.mark.parametrize(
    ("dataset", "best"),
    [("cifar10", 94.3733), ("cifar100", 73.5133), ("imagenet16-120", 47.3111)],
    ids=["cifar10", "cifar100", "imagenet16-120"],
)
def test_best_cell_of_the_benchmark_is_the_known_one(dataset, best) -> None:
    """Dong & Yang, ICLR 2020: the best test accuracies after 200 epochs, before cells are merged."""
    with gzip.open(TABLE, "rt") as file:
        accuracies = [float(row[f"{dataset}/test_accuracy@200"]) for row in csv.DictReader(file)]
    assert max(accuracies) == pytest.approx(best, abs=5e-5)
