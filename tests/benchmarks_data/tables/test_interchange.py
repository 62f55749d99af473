import gzip
import random
import sys

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.tables import interchange, interchange_columns
from nasbench_toolkit.benchmarks_data.tables.interchange import read_interchange
from nasbench_toolkit.core.errors import DataError

HEADER = "index,module_hash,architecture,trainable_parameters,cifar10/test_accuracy@108,status"


@pytest.mark.parametrize("name", ["table.csv", "table.csv.gz", "TABLE.CSV.GZ"])
def test_read_csv_columns(write_csv, no_progress, name) -> None:
    path = write_csv(HEADER, '0,aa,"x,y",12,92.5,OK', "1,bb,z,7,,failed", name=name.lower())
    path = path.rename(path.with_name(name))
    raw = read_interchange(path, no_progress)
    assert raw.architectures == ["x,y", "z"]
    assert list(raw.columns) == ["network/parameters", "cifar10/test_accuracy@108"]
    np.testing.assert_array_equal(raw.columns["network/parameters"], [12.0, 7.0])
    np.testing.assert_array_equal(raw.columns["cifar10/test_accuracy@108"], [92.5, np.nan])
    assert raw.checks["module_hash"] == ["aa", "bb"]
    np.testing.assert_array_equal(raw.checks["trainable_parameters"], [12, 7])
    assert raw.notes == ("Ignored the columns index, status.",)


def test_read_csv_names_lines_of_the_file(write_csv, no_progress) -> None:
    path = write_csv("architecture,cifar10/accuracy", '"x', 'y",1', "", "z,2")
    raw = read_interchange(path, no_progress)
    assert [raw.row_name(row) for row in range(2)] == ["line 3", "line 5"]


def test_read_csv_without_trainable_parameters_in_a_row_has_no_check(write_csv, no_progress) -> None:
    path = write_csv("architecture,trainable_parameters,cifar10/accuracy", "x,,5", "y,3,5")
    assert read_interchange(path, no_progress).checks == {}


def test_read_csv_num_parameters_is_a_metric_only(write_csv, no_progress) -> None:
    raw = read_interchange(write_csv("architecture,num_parameters,ptb/test_loss", "x,9,5"), no_progress)
    assert list(raw.columns) == ["network/parameters", "ptb/test_loss"]
    assert raw.checks == {}


def test_read_csv_with_byte_order_mark(write_csv, no_progress) -> None:
    path = write_csv("\ufeffarchitecture,cifar10/accuracy", "x,5")
    assert read_interchange(path, no_progress).architectures == ["x"]


def test_read_csv_tells_progress_to_the_end(write_csv) -> None:
    told = []
    path = write_csv("architecture,cifar10/accuracy", *(f"{i},5" for i in range(40_000)), name="table.csv.gz")
    read_interchange(path, lambda done, total: told.append((done, total)))
    assert told[-1] == (path.stat().st_size, path.stat().st_size)
    assert len(told) == 3 and told == sorted(told)


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        ([], "has no column 'architecture'. It has none"),
        (["arch,cifar10/accuracy", "x,5"], "no column 'architecture'. Did you mean 'arch'"),
        (["architecture,accuracy", "x,5"], "no column with results. Name such columns 'dataset/metric@epochs'"),
        (["architecture,a/loss,a/loss", "x,5,5"], "two columns for 'a/loss'"),
        (
            ["architecture,num_parameters,network/parameters", "x,5,5"],
            "two columns for 'network/parameters'",
        ),
        (["architecture,a/loss", "x,5", "y"], "line 3: 1 cells, expected 2 as in the first line"),
        (["architecture,a/loss", "x,nan"], "line 2: 'nan' in column 'a/loss' is not a finite number"),
        (["architecture,a/loss", "x,5", "y,-inf"], "line 3: '-inf' in column"),
        (["architecture,a/loss", "x,1e999"], "line 2: '1e999' in column"),
        (["architecture,a/loss", "x,1_0"], "line 2: '1_0' in column"),
        (["architecture,a/loss", "x,five"], "line 2: 'five' in column 'a/loss'.*leave the cell empty"),
        (["architecture,trainable_parameters,a/loss", "x,many,5"], "'many' in column 'trainable_parameters'"),
        (["architecture,a/loss", '"x,5'], "line 2: unexpected end of data"),
        (["architecture,a/loss", f"{'x' * 200_000},5"], "line 2: field larger than field limit"),
    ],
)
def test_read_csv_refuses(write_csv, no_progress, lines, message) -> None:
    with pytest.raises(DataError, match=f"table.csv.*{message}"):
        read_interchange(write_csv(*lines), no_progress)


def test_read_csv_refuses_a_truncated_gzip(write_csv, no_progress) -> None:
    path = write_csv("architecture,a/loss", *(f"{random.random()},5" for _ in range(1000)), name="table.csv.gz")
    path.write_bytes(path.read_bytes()[:-100])
    with pytest.raises(DataError, match="table.csv.gz' cannot be read.*cut off or damaged"):
        read_interchange(path, no_progress)


def test_read_csv_refuses_a_file_that_is_no_gzip(tmp_path, no_progress) -> None:
    path = tmp_path / "table.csv.gz"
    path.write_text("architecture,a/loss\n")
    with pytest.raises(DataError, match="Not a gzipped file"):
        read_interchange(path, no_progress)


def test_read_csv_refuses_other_encodings(tmp_path, no_progress) -> None:
    path = tmp_path / "table.csv"
    path.write_bytes("architecture,a/loss\né,5\n".encode("latin-1"))
    with pytest.raises(DataError, match="not text in UTF-8"):
        read_interchange(path, no_progress)


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"architecture,a/loss\n" + b"x,5\n" * 100_000, "unpacks to more than 100,000 characters"),
        (b"x" * 3_000_000, "line 1: longer than 1,000,000 characters"),
    ],
    ids=["many lines", "one line"],
)
def test_read_csv_refuses_a_gzip_bomb(tmp_path, no_progress, monkeypatch, content, message) -> None:
    monkeypatch.setattr(interchange, "MAX_UNPACKED_CHARACTERS", 100_000)
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(content))
    with pytest.raises(DataError, match=message):
        read_interchange(path, no_progress)


def test_read_csv_refuses_empty_lines_without_an_end(tmp_path, no_progress, monkeypatch) -> None:
    monkeypatch.setattr(interchange, "_MAX_LINES", 1000)
    path = tmp_path / "table.csv.gz"
    path.write_bytes(gzip.compress(b"architecture,a/loss\nx,5\n" + b"\n" * 1000))
    with pytest.raises(DataError, match="has more than 1,000 lines, which is more than any table has"):
        read_interchange(path, no_progress)


@pytest.mark.parametrize(("limit", "value"), [("MAX_ROWS", 10), ("MAX_VALUES", 20)])
def test_read_csv_refuses_too_many_rows(write_csv, no_progress, monkeypatch, limit, value) -> None:
    monkeypatch.setattr(interchange_columns, limit, value)
    lines = ["architecture,a/loss,b/loss", *["x,5,5"] * 10]
    assert len(read_interchange(write_csv(*lines), no_progress).architectures) == 10
    with pytest.raises(DataError, match="has more than 10 rows"):
        read_interchange(write_csv(*lines, "x,5,5"), no_progress)


@pytest.fixture
def write_parquet(tmp_path):
    pyarrow = pytest.importorskip("pyarrow", reason="Parquet needs the optional pyarrow")
    from pyarrow import parquet

    def write(columns):
        path = tmp_path / "table.parquet"
        parquet.write_table(pyarrow.table(columns), path)
        return path

    return write


def test_read_parquet_columns(write_parquet, no_progress) -> None:
    path = write_parquet(
        {
            "index": [0, 1],
            "architecture": ["x", "y"],
            "module_hash": ["aa", "bb"],
            "trainable_parameters": [12, 7],
            "cifar10/test_accuracy@108": [92.5, None],
        }
    )
    raw = read_interchange(path, no_progress)
    assert raw.architectures == ["x", "y"]
    np.testing.assert_array_equal(raw.columns["cifar10/test_accuracy@108"], [92.5, np.nan])
    np.testing.assert_array_equal(raw.checks["trainable_parameters"], [12, 7])
    assert raw.checks["module_hash"] == ["aa", "bb"]
    assert raw.notes == ("Ignored the columns index.",)
    assert raw.row_name(1) == "row 2"


@pytest.mark.parametrize(
    ("columns", "message"),
    [
        ({"arch": ["x"], "a/loss": [1.0]}, "no column 'architecture'"),
        ({"architecture": ["x", None], "a/loss": [1.0, 2.0]}, "row 2: column 'architecture' has None, expected text"),
        ({"architecture": [1], "a/loss": [1.0]}, "row 1: column 'architecture' has 1, expected text"),
        ({"architecture": ["x"], "a/loss": ["1.0"]}, "row 1: column 'a/loss' has '1.0', expected a number"),
        ({"architecture": ["x"], "a/loss": [True]}, "row 1: column 'a/loss' has True, expected a number"),
        ({"architecture": ["x"], "a/loss": [float("nan")]}, "row 1: 'nan' in column 'a/loss'.*make it null"),
        ({"architecture": ["x"], "a/loss": [float("inf")]}, "row 1: 'inf' in column 'a/loss'"),
    ],
)
def test_read_parquet_refuses(write_parquet, no_progress, columns, message) -> None:
    with pytest.raises(DataError, match=f"table.parquet.*{message}"):
        read_interchange(write_parquet(columns), no_progress)


def test_read_parquet_refuses_too_many_rows(write_parquet, no_progress, monkeypatch) -> None:
    monkeypatch.setattr(interchange_columns, "MAX_ROWS", 10)
    path = write_parquet({"architecture": ["x"] * 11, "a/loss": [1.0] * 11})
    with pytest.raises(DataError, match="claims 11 rows"):
        read_interchange(path, no_progress)


def test_read_parquet_refuses_another_file(tmp_path, no_progress) -> None:
    pytest.importorskip("pyarrow", reason="Parquet needs the optional pyarrow")
    path = tmp_path / "table.parquet"
    path.write_text("architecture,a/loss\nx,5\n")
    with pytest.raises(DataError, match="cannot be read as Parquet"):
        read_interchange(path, no_progress)


def test_read_parquet_without_pyarrow_says_how_to_get_it(tmp_path, no_progress, monkeypatch) -> None:
    monkeypatch.setitem(sys.modules, "pyarrow", None)
    with pytest.raises(DataError, match=r"pip install nasbench-toolkit\[parquet\]"):
        read_interchange(tmp_path / "table.parquet", no_progress)


@pytest.mark.parametrize(("delimiter", "name"), [(";", "semicolons"), ("\t", "tabs"), ("|", "vertical bars")])
@pytest.mark.parametrize("quote", ["", '"'])
def test_read_csv_names_another_delimiter(write_csv, no_progress, delimiter, name, quote) -> None:
    header = delimiter.join(f"{quote}{column}{quote}" for column in ("architecture", "cifar10/accuracy"))
    path = write_csv(header, f'"x,y"{delimiter}5')
    with pytest.raises(DataError, match=rf"its columns are separated by {name} \(.*\), expected commas. Convert it"):
        read_interchange(path, no_progress)
