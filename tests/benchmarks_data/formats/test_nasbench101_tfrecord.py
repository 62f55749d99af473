import base64
import csv
import gzip
import json
from pathlib import Path

import numpy as np
import pytest
import scipy.stats
from nasbench_toolkit.benchmarks_data.formats.nasbench101_tfrecord import EPOCHS, read_nasbench101_tfrecord
from nasbench_toolkit.benchmarks_data.tables.merge import merge_rows
from nasbench_toolkit.core.data.data_home import import_data
from nasbench_toolkit.core.errors import DataError
from nasbench_toolkit.experiments.official_files import model_metrics, nasbench101_record, tfrecord
from nasbench_toolkit.plugins.search_spaces.data_sources import NASBENCH101_SOURCE

KEY = "cifar10/test_accuracy@108"
DATA = Path(__file__).parents[3] / "../shared/data/nasbench101-budgets"
reads_shared_data = pytest.mark.skipif(not DATA.is_dir(), reason="reads genuine TFRecord files in ../shared/data")

# Published examples (NAS-Bench-101's README and test of its hash): hash, matrix, operations, parameters, BITS:OPS.
SMALL = ("043721b9c7fe8c5fad811d47d83132ec", "0100", "input,output", 882_570, "1:")
LARGE = (
    "28cfc7874f6d200472e1a9dcd8650aa0",
    "0111010000000100000010000100000000100000010000000",
    "input,conv1x1-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,maxpool3x3,output",
    2_694_282,
    "111010000010001100011:conv1x1-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,maxpool3x3",
)


def training(cell, epochs, test_accuracy, *, seconds=100.0, **changes):
    """Return one record of a cell, whose half-way values must not come through."""
    module_hash, adjacency, operations, parameters, _ = cell
    end = (changes.get("last_epoch", float(epochs)), seconds, 0.99, 0.9, test_accuracy)
    evaluations = [(0.0, 0.0, 0.1, 0.1, 0.1), (epochs / 2, 50.0, 0.5, 0.5, 0.5), end]
    metrics = model_metrics(evaluations[: changes.get("num_evaluations", 3)], changes.get("parameters", parameters))
    return nasbench101_record(
        changes.get("module_hash", module_hash),
        epochs,
        changes.get("adjacency", adjacency),
        changes.get("operations", operations),
        metrics=metrics,
    )


def write(path, records):
    path.write_bytes(b"".join(map(tfrecord, records)))
    return path


def read(path):
    return read_nasbench101_tfrecord(path, lambda done, total: None)


def test_full_file_gives_means_of_the_runs_in_percent(tmp_path) -> None:
    accuracies = {(cell[0], epochs): [0.5 + epochs / 1000, 0.6, 0.7] for cell in (SMALL, LARGE) for epochs in EPOCHS}
    records = [
        training(cell, epochs, accuracies[cell[0], epochs][run], seconds=10.0 * run)
        for run in range(3)
        for epochs in reversed(EPOCHS)
        for cell in (LARGE, SMALL)
    ]
    table = read(write(tmp_path / "nasbench_full.tfrecord", records))
    assert table.architectures == [LARGE[4], SMALL[4]]
    assert table.checks["module_hash"] == [LARGE[0], SMALL[0]]
    np.testing.assert_array_equal(table.checks["trainable_parameters"], [2_694_282, 882_570])
    np.testing.assert_array_equal(table.columns["network/parameters"], [2_694_282, 882_570])
    assert len(table.columns) == 17
    for epochs in EPOCHS:
        expected = 100 * sum(accuracies[LARGE[0], epochs]) / 3
        np.testing.assert_allclose(table.columns[f"cifar10/test_accuracy@{epochs}"], expected, rtol=1e-12)
        np.testing.assert_allclose(table.columns[f"cifar10/validation_accuracy@{epochs}"], 90.0, rtol=1e-12)
        np.testing.assert_allclose(table.columns[f"cifar10/train_accuracy@{epochs}"], 99.0, rtol=1e-12)
        np.testing.assert_allclose(table.columns[f"cifar10/training_seconds@{epochs}"], 10.0, rtol=1e-12)
    assert table.reduction == "mean of the runs"
    assert table.notes == ()
    assert SMALL[0] in table.row_name(1)


def test_only108_file_has_no_other_schedules(tmp_path) -> None:
    table = read(write(tmp_path / "only108.tfrecord", [training(SMALL, 108, 0.9) for _ in range(3)]))
    assert {key.partition("@")[2] for key in table.columns} == {"108", ""}
    assert table.notes == ("The file has no trainings of 4, 12, 36 epochs; 'nasbench_full.tfrecord' has all.",)


def test_missing_runs_are_noted_and_missing_schedules_are_nan(tmp_path) -> None:
    records = [*(training(SMALL, 108, 0.9) for _ in range(3)), *(training(LARGE, 36, 0.8) for _ in range(2))]
    table = read(write(tmp_path / "cut.tfrecord", records))
    np.testing.assert_array_equal(table.columns["cifar10/test_accuracy@108"], [90.0, np.nan])
    assert "2 cells have other than 3 runs of a schedule" in table.notes[1]


def test_many_cells_need_no_capacity_known_before(tmp_path) -> None:
    # More than the 1,024 cells for which there is room at first.
    cells = [(f"{number:032x}", *SMALL[1:]) for number in range(1500)]
    records = [training(cell, 108, number / 1500) for number, cell in enumerate(cells)]
    table = read(write(tmp_path / "many.tfrecord", records))
    np.testing.assert_allclose(table.columns["cifar10/test_accuracy@108"], np.arange(1500) / 15, rtol=1e-12)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"test_accuracy": 94.1}, "expected an accuracy between 0 and 1, got 94.1"),
        ({"test_accuracy": float("nan")}, "expected an accuracy between 0 and 1, got nan"),
        ({"seconds": float("inf")}, "expected a training time in seconds, got inf"),
        ({"epochs": 54}, "a schedule of 54 epochs; the benchmark has 4, 12, 36, 108"),
        ({"last_epoch": 54.0}, "its last evaluation is after 54 epochs, its schedule has 108"),
        ({"num_evaluations": 2}, "its metrics cannot be read"),
        ({"module_hash": "abc"}, "the hash 'abc' is not one of 32 hexadecimal digits"),
        ({"adjacency": "011"}, "expected a square matrix of at most 7 vertices, got '011'"),
        ({"adjacency": "0" * 64}, "expected a square matrix of at most 7 vertices"),
        ({"adjacency": "0110"}, "an edge that goes backwards"),
        ({"adjacency": "0x00"}, "expected a square matrix"),
        ({"operations": "input,conv1x1-bn-relu,output"}, "expected 2 operations from 'input' to 'output'"),
        ({"adjacency": "010001000", "operations": "input,maxpool3x3,output"}, "differs from that of an earlier record"),
        ({"parameters": 5}, "differs from that of an earlier record"),
    ],
)
def test_wrong_record_is_refused_with_its_number(tmp_path, changes, message) -> None:
    values = {"epochs": 108, "test_accuracy": 0.9, **changes}
    path = write(tmp_path / "a.tfrecord", [training(SMALL, 108, 0.9), training(SMALL, **values)])
    with pytest.raises(DataError, match=rf"'a.tfrecord', record 2: .*{message}.*nasbench_full.tfrecord"):
        read(path)


@pytest.mark.parametrize(
    ("record", "message"),
    [
        (b"\xff\xfe", "invalid start byte"),
        (b"not json", "Expecting value"),
        (b"[" * 100_000, "recursion|nested"),
        (b"[" + b"1" * 5000 + b"]", "Exceeds the limit"),
        (json.dumps({"a": 1}).encode(), "expected a list of hash"),
        (json.dumps(["a", 108, "0100", "input,output"]).encode(), "expected a list of hash"),
        (json.dumps(["a", "108", "0100", "input,output", ""]).encode(), "expected a list of hash"),
        (json.dumps([SMALL[0], 108, "0100", "input,output", "%%%"]).encode(), "its metrics cannot be read"),
        (json.dumps([SMALL[0], 108, "0100", "input,output", ""]).encode(), "its metrics cannot be read"),
    ],
)
def test_older_or_other_file_is_refused(tmp_path, record, message) -> None:
    with pytest.raises(DataError, match=rf"'a.tfrecord', record 1: .*({message})"):
        read(write(tmp_path / "a.tfrecord", [record]))


def test_truncated_file_is_refused(tmp_path) -> None:
    path = write(tmp_path / "a.tfrecord", [training(SMALL, 108, 0.9), training(SMALL, 108, 0.9)])
    path.write_bytes(path.read_bytes()[:-1])
    with pytest.raises(DataError, match="damaged or cut off at record 2"):
        read(path)


def test_empty_file_is_refused(tmp_path) -> None:
    with pytest.raises(DataError, match=r"'a.tfrecord' is empty"):
        read(write(tmp_path / "a.tfrecord", []))


@pytest.mark.parametrize(
    "encode", [base64.encodebytes, lambda raw: base64.b64encode(raw)[:7] + b" \r\n*" + base64.b64encode(raw)[7:]]
)
def test_base64_of_the_metrics_may_be_broken_as_the_benchmarks_reader_accepts_it(tmp_path, encode) -> None:
    fields = json.loads(training(SMALL, 108, 0.9))
    fields[4] = encode(base64.b64decode(fields[4])).decode()
    table = read(write(tmp_path / "a.tfrecord", [json.dumps(fields).encode()]))
    np.testing.assert_allclose(table.columns["cifar10/test_accuracy@108"], [90.0], rtol=1e-12)


def published_rows(name):
    with gzip.open(DATA / name, "rt", newline="") as file:
        yield from csv.DictReader(file)


@reads_shared_data
def test_genuine_file_has_the_official_means() -> None:
    table = read(DATA / "energy_4V9E_quadrortx6000.tfrecord")
    expected = {row["module_hash"]: row for row in published_rows("nasbench101_4v_official_all_budgets.csv.gz")}
    hashes = table.checks["module_hash"]
    assert sorted(hashes) == sorted(expected)
    for row, module_hash in enumerate(hashes):
        published = expected[module_hash]
        assert table.architectures[row] == published["architecture"]
        assert table.checks["trainable_parameters"][row] == int(published["trainable_parameters"])
        keys = [key for key in published if key.startswith("cifar10/")]
        assert len(keys) == 12
        for key in keys:
            assert table.columns[key][row] == pytest.approx(float(published[key]), abs=6e-5), (module_hash, key)


@reads_shared_data
def test_genuine_file_with_repeats_gives_their_means() -> None:
    table = read(DATA / "energy_4V9E.tfrecord")
    runs: dict[str, list[dict[str, str]]] = {}
    for row in published_rows("ecnas_4v_retrained_3_runs.csv.gz"):
        runs.setdefault(row["module_hash"], []).append(row)
    hashes = table.checks["module_hash"]
    assert (sorted(hashes), {len(rows) for rows in runs.values()}) == (sorted(runs), {3})
    for row, module_hash in enumerate(hashes):
        assert table.architectures[row] == runs[module_hash][0]["architecture"]
        for key in (
            f"cifar10/{split}_accuracy@{epochs}" for split in ("train", "validation", "test") for epochs in EPOCHS
        ):
            mean = sum(float(run[key]) for run in runs[module_hash]) / 3
            assert table.columns[key][row] == pytest.approx(mean, abs=6e-5), (module_hash, key)
    check_ceilings(table, [[float(run[KEY]) for run in rows] for rows in runs.values()])


def check_ceilings(table, runs) -> None:
    """Compare the noise ceiling with the rank correlations between the three runs, stepped up."""
    merged = merge_rows(Path("t"), table, list(table.architectures), "cells", repeats_are_runs=False)
    by_run = np.array(runs).T
    rho = np.mean([scipy.stats.spearmanr(by_run[i], by_run[j]).statistic for i, j in ((0, 1), (0, 2), (1, 2))])
    assert merged.noise_ceilings[KEY] == pytest.approx(3 * rho / (1 + 2 * rho), abs=0.003)
    assert len(merged.noise_ceilings) == len(table.columns) - 1  # all but the number of parameters


@reads_shared_data
@pytest.mark.parametrize("name", ["energy_4V9E.tfrecord", "energy_4V9E_quadrortx6000.tfrecord"])
def test_genuine_file_is_imported_with_its_hashes_and_parameters_checked(name) -> None:
    assert import_data(NASBENCH101_SOURCE.create(), DATA / name, lambda done, total: None).items == 91
