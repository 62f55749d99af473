from collections.abc import Mapping
from dataclasses import replace
from typing import ClassVar

import numpy as np
import pandas as pd
import pytest
from nasbench_toolkit.benchmarks_data.tables.earlier import add_earlier
from nasbench_toolkit.benchmarks_data.tables.identifiers import IDENTIFIERS_NAME, read_identifiers
from nasbench_toolkit.benchmarks_data.tables.raw import RawTable
from nasbench_toolkit.benchmarks_data.tables.source import DIRECTORY, Reader, TableSource, without_marker
from nasbench_toolkit.benchmarks_data.tables.store import TABLE_NAME, StoredTable
from nasbench_toolkit.benchmarks_data.tables.store_writer import write_table
from nasbench_toolkit.core.descriptions import DataSourceInfo
from nasbench_toolkit.core.errors import DataError, InvalidArchitectureError


def read_directory(path, progress):
    return RawTable(["x"], {"a/loss": np.array([1.0])}, "mean of the runs", notes=("Read a directory.",))


class LetterSource(TableSource):
    """Architectures are single letters; capital and small letters are isomorphic."""

    readers: ClassVar[Mapping[str, Reader]] = {
        **TableSource.readers,
        DIRECTORY: read_directory,
        ".pickle.pbz2": read_directory,
    }
    num_architectures = 26

    def canonicalize_many(self, texts):
        for text in texts:
            if len(text) != 1 or not text.isalpha():
                raise InvalidArchitectureError(f"'{text}' is no letter; allowed are A to Z.")
        return [text.lower() for text in texts]

    def check_rows(self, path, raw, arch_ids):
        for row, count in enumerate(raw.checks.get("trainable_parameters", ())):
            if count != ord(arch_ids[row]):
                raise DataError(f"'{path}', {raw.row_name(row)}: trainable_parameters is {count}.")


@pytest.fixture
def source():
    info = DataSourceInfo(
        name="letters",
        summary="Letters.",
        source="the alphabet",
        factory=LetterSource,
        accepts="Takes tables of letters.",
    )
    return info.create()


@pytest.fixture
def folder(tmp_path):
    folder = tmp_path / "stored"
    folder.mkdir()
    return folder


def test_import_stores_canonical_rows(source, folder, write_csv, no_progress) -> None:
    path = write_csv("architecture,a/loss,size", "B,3,x", "a,1,x", "b,5,x")
    summary = source.import_from(path, folder, no_progress)
    assert (summary.items, summary.unit) == (2, "architectures")
    assert summary.notes == (
        "Ignored the columns size.",
        "3 rows became 2: the values of isomorphic cells were averaged.",
        "'table.csv' has 2 of the 26 architectures of the search space.",
    )
    table = StoredTable.open(folder / TABLE_NAME)
    assert table.values(table.metrics[0], ["a", "b", "B"])[:2] == [1.0, 4.0]
    assert table.metrics[0].reduction == "mean of isomorphic cells"
    assert (table.data_source, table.imported_from, table.num_rows) == ("letters", "table.csv", 3)
    assert [file.name for file in folder.iterdir()] == [TABLE_NAME]


def test_import_of_a_complete_table_has_no_notes(source, folder, write_csv, no_progress) -> None:
    path = write_csv("architecture,a/loss", *(f"{chr(97 + i)},{i}" for i in range(26)))
    assert source.import_from(path, folder, no_progress).notes == ()


def test_import_chooses_the_reader_of_directories(source, folder, tmp_path, no_progress) -> None:
    (tmp_path / "unpacked").mkdir()
    assert source.import_from(tmp_path / "unpacked", folder, no_progress).notes[0] == "Read a directory."
    assert StoredTable.open(folder / TABLE_NAME).metrics[0].reduction == "mean of the runs"


def test_import_chooses_the_reader_by_the_longest_ending(source, folder, tmp_path, no_progress) -> None:
    path = tmp_path / "letters.PICKLE.pbz2"
    path.touch()
    assert source.import_from(path, folder, no_progress).items == 1


def test_import_tells_rising_progress_to_the_end(source, folder, write_csv) -> None:
    shares = []
    path = write_csv("architecture,a/loss", "a,1", "b,2")
    source.import_from(path, folder, lambda done, total: shares.append(done / total))
    assert shares == sorted(shares)
    assert shares[-1] == 1.0


@pytest.mark.parametrize(
    ("lines", "message"),
    [
        (["architecture,a/loss", "a,1", "?,2"], "line 3: '\\?' is no letter; allowed are A to Z.*table of 'letters'"),
        (["architecture,a/accuracy", "12,0.9"], "line 2: '12' is no letter"),
        (["architecture,a/loss", "a,1", "a,2"], "line 2 and line 3: the architecture 'a' has two values"),
        (["architecture,a/accuracy", "a,0.9"], "looks like a fraction"),
        (["architecture,a/loss"], "has no rows"),
        (["architecture,trainable_parameters,a/loss", "a,97,1", "B,97,1"], "line 3: trainable_parameters is 97"),
    ],
    ids=["unknown architecture", "table of another space", "disagreeing rows", "fraction", "empty", "wrong parameters"],
)
def test_import_refuses_and_writes_nothing(source, folder, write_csv, no_progress, lines, message) -> None:
    with pytest.raises(DataError, match=f"table.csv.*{message}"):
        source.import_from(write_csv(*lines), folder, no_progress)
    assert list(folder.iterdir()) == []


def test_import_names_a_bad_row_in_a_later_block(source, folder, write_csv, no_progress) -> None:
    lines = [f"{chr(97 + i % 26)},1" for i in range(20_000)]
    path = write_csv("architecture,a/loss", *lines, "12,1", name="table.csv.gz")
    with pytest.raises(DataError, match="table.csv.gz', line 20,002: '12' is no letter"):
        source.import_from(path, folder, no_progress)


def test_import_refuses_an_unknown_kind_of_file(source, folder, tmp_path, no_progress) -> None:
    path = tmp_path / "letters.xlsx"
    path.touch()
    message = "tables of 'letters' end in '.csv', '.csv.gz', '.parquet', a directory, '.pickle.pbz2'. Takes tables of"
    with pytest.raises(DataError, match=message):
        source.import_from(path, folder, no_progress)


def test_verify_counts_the_architectures(source, folder, write_csv, no_progress) -> None:
    source.import_from(write_csv("architecture,a/loss", "a,1", "b,2"), folder, no_progress)
    assert source.verify(folder, no_progress).items == 2


def test_verify_refuses_a_damaged_table(source, folder, write_csv, no_progress) -> None:
    source.import_from(write_csv("architecture,a/loss", "a,1", "b,2"), folder, no_progress)
    (folder / TABLE_NAME).write_bytes(b"damaged")
    with pytest.raises(DataError, match="damaged or not a stored table"):
        source.verify(folder, no_progress)


def test_verify_refuses_the_table_of_another_source(source, small_table_path, no_progress) -> None:
    other = DataSourceInfo(name="digits", summary="Digits.", source="0 to 9", factory=LetterSource).create()
    with pytest.raises(DataError, match="is a table of 'letters', expected 'digits'"):
        other.verify(small_table_path.parent, no_progress)


def test_without_marker_makes_values_missing() -> None:
    raw = RawTable(["x", "y"], {"hardware/tpu_latency": np.array([-1.0, 2.0])})
    cleaned = without_marker(raw, "hardware/tpu_latency", -1.0, "it did not run")
    np.testing.assert_array_equal(cleaned.columns["hardware/tpu_latency"], [np.nan, 2.0])
    assert cleaned.notes == ("hardware/tpu_latency is -1 in 1 rows: it did not run; stored as not measured.",)
    assert raw.columns["hardware/tpu_latency"][0] == -1.0


@pytest.mark.parametrize("key", ["hardware/tpu_latency", "hardware/other_latency"], ids=["no marks", "no such column"])
def test_without_marker_leaves_other_tables_alone(key) -> None:
    raw = RawTable(["x"], {"hardware/tpu_latency": np.array([2.0])})
    assert without_marker(raw, key, -1.0, "it did not run") is raw


def test_rows_of_other_spaces_are_left_out_when_asked_for(source, folder, write_csv, no_progress) -> None:
    path = write_csv("architecture,a/loss", "a,1", "1,2", "b,3", "2,4", "3,5", "4,6")
    with pytest.raises(DataError, match="line 3: '1' is no letter.*'--skip-wrong' leaves out such rows"):
        source.import_from(path, folder, no_progress)
    summary = source.import_valid_from(path, folder, no_progress)
    assert summary.items == 2
    assert summary.notes[0] == (
        "Records that are wrong and were left out: 4. The first: line 3: '1' is no letter; allowed are A to Z; "
        "line 5: '2' is no letter; allowed are A to Z; line 6: '3' is no letter; allowed are A to Z."
    )
    table = StoredTable.open(folder / TABLE_NAME)
    assert table.values(table.metrics[0], ["a", "b"]) == [1.0, 3.0]


def test_checks_follow_the_rows_that_are_kept(source, folder, write_csv, no_progress) -> None:
    path = write_csv("architecture,trainable_parameters,a/loss", "1,0,2", "a,97,1", "b,99,3")
    with pytest.raises(DataError, match="line 4: trainable_parameters is 99"):
        source.import_valid_from(path, folder, no_progress)


def test_nothing_is_stored_if_no_row_is_right(source, folder, write_csv, no_progress) -> None:
    with pytest.raises(
        DataError, match="line 2: '1' is no letter; allowed are A to Z. 1 more record is wrong. Correct"
    ):
        source.import_valid_from(write_csv("architecture,a/loss", "1,1", "2,2"), folder, no_progress)
    assert list(folder.iterdir()) == []


def test_results_on_other_data_sets_are_kept_where_the_source_says_so(
    source, folder, write_csv, no_progress, tmp_path
) -> None:
    earlier = tmp_path / "earlier"
    earlier.mkdir()
    source.import_from(
        write_csv("architecture,a/test_loss@9,b/test_loss@5,a/loss", "a,1,7,1", "c,2,,1"), earlier, no_progress
    )
    source.earlier_table = lambda: StoredTable.open(earlier / TABLE_NAME)
    summary = source.import_from(write_csv("architecture,a/test_loss@5", "b,3", "a,4"), folder, no_progress)
    assert summary.items == 2
    assert "Kept from 'table.csv': results on b." in summary.notes
    table = StoredTable.open(folder / TABLE_NAME)
    # As long a training on both: by name. What only the replaced data set had is gone.
    assert [metric.key for metric in table.metrics] == ["a/test_loss@5", "b/test_loss@5"]
    assert table.arch_ids == ["a", "b"]
    assert table.all_values(table.metrics[0]).tolist() == [4.0, 3.0]
    np.testing.assert_array_equal(table.all_values(table.metrics[1]), [7.0, np.nan])
    assert table.num_rows == 2


@pytest.mark.parametrize("suffix", [".csv", ".parquet"])
def test_what_other_files_call_the_architectures_is_kept(source, tmp_path, suffix) -> None:
    """Of rows that are left out as well as of those that become one."""
    rows = {"recipe_id": [7, 8, 9, 10], "architecture": ["b", "??", "B", "a"], "a/loss": [1.0, 2.0, 1.0, 3.0]}
    table, folder = tmp_path / f"table{suffix}", tmp_path / "stored"
    frame = pd.DataFrame(rows)
    frame.to_csv(table, index=False) if suffix == ".csv" else frame.to_parquet(table, index=False)
    folder.mkdir()
    summary = source.import_valid_from(table, folder, lambda done, total: None)
    assert not any("Ignored" in note for note in summary.notes)
    assert read_identifiers(folder / IDENTIFIERS_NAME) == {"7": "b", "9": "b", "10": "a"}
    (folder / IDENTIFIERS_NAME).write_text("[1]")
    with pytest.raises(DataError, match="identifiers.json' is damaged: it is no JSON object of texts"):
        source.verify(folder, lambda done, total: None)


def test_noise_ceilings_of_other_data_sets_are_kept(small_rows, tmp_path) -> None:
    path = tmp_path / "earlier.h5"
    ceilings = {"cifar10/test_accuracy@12": 0.9, "hardware/fpga_latency": 0.5}
    write_table(path, replace(small_rows, noise_ceilings=ceilings), data_source="letters", imported_from="letters.csv")
    new = replace(
        small_rows,
        columns={"cifar10/test_accuracy@9": np.ones(5)},
        noise_ceilings={"cifar10/test_accuracy@9": 0.8},
    )
    together = add_earlier(new, StoredTable.open(path))
    assert together.noise_ceilings == {"cifar10/test_accuracy@9": 0.8, "hardware/fpga_latency": 0.5}
