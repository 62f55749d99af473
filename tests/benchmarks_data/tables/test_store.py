import gzip
import subprocess
import sys
from dataclasses import replace

import h5py
import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.tables import store_writer
from nasbench_toolkit.benchmarks_data.tables.metrics import parse_metric_key
from nasbench_toolkit.benchmarks_data.tables.store import StoredTable
from nasbench_toolkit.core.errors import DataError

ACCURACY = parse_metric_key("cifar10/test_accuracy@12", "mean of isomorphic cells")
LATENCY = parse_metric_key("hardware/fpga_latency", "mean of isomorphic cells")


def contents(path):
    """Read all of a table."""
    table = StoredTable.open(path)
    table.verify()
    ids = table.arch_ids
    values = [str(table.values(metric, ids)) for metric in table.metrics]
    return table.metrics, ids, values, table.num_rows, table.data_source, table.imported_from


def test_table_holds_what_was_written(small_table_path, small_rows) -> None:
    table = StoredTable.open(small_table_path)
    assert table.metrics == (ACCURACY, LATENCY)
    assert table.arch_ids == small_rows.arch_ids
    assert (len(table), table.num_rows) == (5, 6)
    assert (table.data_source, table.imported_from) == ("letters", "letters.csv")
    np.testing.assert_array_equal(table.values(ACCURACY, table.arch_ids), small_rows.columns[ACCURACY.key])
    table.verify()


def test_table_values_are_nan_for_unknown_architectures(small_table_path) -> None:
    values = StoredTable.open(small_table_path).values(LATENCY, ["zz", "ba", "", "a", "aa", "é", "a" * 500])
    np.testing.assert_array_equal(values, [np.nan, 3.0, np.nan, 1.0, np.nan, 5.0, np.nan])


def test_table_values_of_no_architecture(small_table_path) -> None:
    assert StoredTable.open(small_table_path).values(LATENCY, []) == []


def test_table_lists_all_values_and_keeps_them(small_table_path) -> None:
    table = StoredTable.open(small_table_path)
    values = table.all_values(LATENCY)
    np.testing.assert_array_equal(values, table.values(LATENCY, table.arch_ids))
    values[:] = 0.0
    assert table.values(LATENCY, ["a"]) == [1.0]
    with pytest.raises(DataError, match="no metric 'cifar10/test_loss'"):
        table.all_values(parse_metric_key("cifar10/test_loss"))


def test_table_values_refuse_an_unknown_metric(small_table_path) -> None:
    with pytest.raises(DataError, match="no metric 'cifar10/test_loss'. It has cifar10/test_accuracy@12, hardware"):
        StoredTable.open(small_table_path).values(parse_metric_key("cifar10/test_loss"), ["a"])


def test_table_has_the_noise_ceilings_that_its_file_gave(tmp_path, small_table_path, small_rows) -> None:
    assert StoredTable.open(small_table_path).noise_ceiling(ACCURACY) is None
    path = tmp_path / "runs.h5"
    rows = replace(small_rows, noise_ceilings={ACCURACY.key: 0.875})
    store_writer.write_table(path, rows, data_source="letters", imported_from="letters.csv")
    table = StoredTable.open(path)
    assert (table.noise_ceiling(ACCURACY), table.noise_ceiling(LATENCY)) == (0.875, None)


@pytest.mark.parametrize("ceiling", [1.5, np.nan, "high"])
def test_table_refuses_a_noise_ceiling_that_is_none(small_table_path, ceiling) -> None:
    with h5py.File(small_table_path, "r+") as file:
        file["columns/0"].attrs["noise_ceiling"] = ceiling
    with pytest.raises(DataError, match="noise ceiling that is no number from 0 to 1"):
        StoredTable.open(small_table_path)


def test_table_reads_columns_when_asked(small_table_path) -> None:
    table = StoredTable.open(small_table_path)
    before = table.values(LATENCY, ["a"])
    with h5py.File(small_table_path, "r+") as file:
        del file["columns/0"]
    assert table.values(LATENCY, ["a"]) == before
    with pytest.raises(DataError, match="table.h5' is damaged"):
        table.values(ACCURACY, ["a"])


def test_table_does_not_import_torch_or_pandas() -> None:
    program = (
        "import sys, nasbench_toolkit.benchmarks_data.tables.source;"
        "print([name for name in ('torch', 'pandas', 'pyarrow', 'scipy') if name in sys.modules])"
    )
    assert subprocess.check_output([sys.executable, "-c", program], text=True).strip() == "[]"


def test_open_refuses_a_missing_file(tmp_path) -> None:
    with pytest.raises(DataError, match="There is no table '.*nothing.h5'"):
        StoredTable.open(tmp_path / "nothing.h5")


def test_open_refuses_what_is_not_hdf5(tmp_path) -> None:
    path = tmp_path / "table.h5"
    path.write_bytes(gzip.compress(b"something"))
    with pytest.raises(DataError, match="damaged or not a stored table.*import the table again"):
        StoredTable.open(path)


def edit(path, change) -> None:
    with h5py.File(path, "r+") as file:
        change(file)


def replace_array(file, name, values, key=None) -> None:
    del file[name]
    dataset = file.create_dataset(name, data=values)
    if key is not None:
        dataset.attrs["key"] = np.bytes_(key)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            lambda f: f.attrs.__setitem__("format", np.bytes_("other")),
            "its format is 'other', expected 'nasbench-table'",
        ),
        (lambda f: f.attrs.__delitem__("format"), "its format is 'unknown'"),
        (lambda f: f.attrs.__setitem__("format_version", 2), "has version 2 of the format.*Update nasbench-toolkit"),
        (lambda f: f.attrs.__setitem__("format_version", "x"), "damaged or not a stored table"),
        (
            lambda f: f.attrs.__setitem__("reduction", "text"),
            "got 'a text of variable length'",
        ),
        (lambda f: f.__delitem__("columns"), "damaged or not a stored table"),
        (lambda f: f.__delitem__("architectures"), "damaged or not a stored table"),
        (lambda f: [f["columns"].__delitem__(name) for name in "01"], "has no values"),
        (lambda f: f["columns"].move("0", "x"), "damaged or not a stored table"),
        (
            lambda f: f["columns/0"].attrs.__setitem__("key", np.bytes_("a/beauty")),
            "key 'a/beauty', which is no metric",
        ),
        (lambda f: replace_array(f, "architectures", np.array([b"b", b"a", b"c", b"d", b"e"])), "not in order"),
        (lambda f: replace_array(f, "architectures", np.array([b"a", b"a", b"c", b"d", b"e"])), "not in order"),
        (lambda f: replace_array(f, "architectures", np.arange(5)), "'/architectures' has shape"),
        (lambda f: replace_array(f, "rows_merged", np.zeros(5, int)), "a row was made from none"),
        (lambda f: replace_array(f, "columns/0", np.zeros(4), ACCURACY.key), "'/columns/0' has shape"),
        (lambda f: replace_array(f, "columns/0", np.full(5, 101.0), ACCURACY.key), "accuracy@12 is out of range"),
    ],
)
def test_verify_refuses(small_table_path, change, message) -> None:
    edit(small_table_path, change)
    with pytest.raises(DataError, match=message):
        contents(small_table_path)


def test_verify_refuses_an_array_that_claims_too_much(small_table_path) -> None:
    def claim(file) -> None:
        del file["architectures"]
        file.create_dataset("architectures", (5,), "S200000000", chunks=(1,), compression="gzip")

    edit(small_table_path, claim)
    with pytest.raises(DataError, match="'/architectures' would unpack to 1,000,000,000 bytes"):
        StoredTable.open(small_table_path).values(ACCURACY, ["a"])


def test_write_refuses_strings_that_no_benchmark_has(small_rows, tmp_path, monkeypatch) -> None:
    monkeypatch.setattr(store_writer, "MAX_ARRAY_BYTES", 9)
    with pytest.raises(DataError, match="has 5 architectures, one of them with a string of 2 bytes"):
        store_writer.write_table(tmp_path / "new.h5", small_rows, data_source="letters", imported_from="letters.csv")
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("part", range(20))
def test_damaged_byte_is_noticed_or_harmless(small_table_path, part) -> None:
    original = contents(small_table_path)
    image = bytearray(small_table_path.read_bytes())
    image[len(image) * part // 20] ^= 0xFF
    small_table_path.write_bytes(image)
    try:
        read = contents(small_table_path)
    except DataError as error:
        assert "table.h5" in str(error)
    else:
        assert read == original
    assert small_table_path.read_bytes() == image


@pytest.mark.parametrize("part", range(20))
def test_cut_off_file_is_noticed(small_table_path, part) -> None:
    image = small_table_path.read_bytes()
    small_table_path.write_bytes(image[: len(image) * part // 20])
    with pytest.raises(DataError, match="table.h5' is damaged or not a stored table"):
        contents(small_table_path)
