import gzip
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.benchmarks_data.tables.merge import TableRows
from nasbench_toolkit.benchmarks_data.tables.store_writer import write_table


@pytest.fixture
def no_progress():
    return lambda done, total: None


@pytest.fixture
def write_csv(tmp_path):
    """Write lines as a CSV file, compressed if its name says so."""

    def write(*lines: str, name: str = "table.csv") -> Path:
        path = tmp_path / name
        content = "".join(f"{line}\n" for line in lines).encode()
        path.write_bytes(gzip.compress(content) if name.endswith(".gz") else content)
        return path

    return write


@pytest.fixture
def small_rows():
    """A table of five architectures, one of them merged from two rows, with a value that is missing."""
    return TableRows(
        arch_ids=["a", "b", "ba", "c", "é"],
        columns={
            "cifar10/test_accuracy@12": np.array([10.5, 99.25, np.nan, 0.0, 100.0]),
            "hardware/fpga_latency": np.array([1.0, 2.0, 3.0, 4.0, 5.0]),
        },
        rows_merged=np.array([1, 2, 1, 1, 1], np.int32),
        reduction="mean of isomorphic cells",
    )


@pytest.fixture
def small_table_path(tmp_path, small_rows):
    path = tmp_path / "table.h5"
    write_table(path, small_rows, data_source="letters", imported_from="letters.csv")
    return path
