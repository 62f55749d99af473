"""Files of strangers: each is read as it was meant, or refused by a message that names it; nothing leaks or hangs."""

import os
import signal
import threading
from pathlib import Path

import h5py
import numpy as np
import pytest
from nasbench_toolkit.core.errors import NasbenchError, ResultsFileError
from nasbench_toolkit.core.hdf5 import reading
from nasbench_toolkit.core.hdf5.reading import DamagedFileError, read_hdf5
from nasbench_toolkit.core.regular_files import OpenElsewhereError, SpecialFileError
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.experiments.robustness.crafted_kinds import KINDS, SECRET, Subject, make_secrets
from nasbench_toolkit.experiments.robustness.small_files import (
    use_results,
    use_table,
    write_small_results,
    write_small_table,
)

CASES = Path(__file__).parents[3] / "../shared/cases"

# Those that take seconds to craft; experiments/robustness/crafted_files.py has them too.
LARGE = {"groups: 101,000", "chunks: gzip of 400 MB", "descriptions: 11,000"}

# What is read, because it changes nothing that is ours.
READ_AS_THEY_WERE = {
    "type: big-endian",
    "descriptions: one of its owner",
    "descriptions: scales of axes",
    "file: a block of its user before it",
    "file: the oldest layout",
    "file: the newest layout",
    "file: pages",
    "file: with more behind it",
    "file: with more before it",
}
READ_AS_OTHER_VALUES = {"type: short floats"}
OF_OTHERS_IN_RESULTS = {"names: escapes", "names: equal but for the form of Unicode"}
IN_TABLES = {"element: not there", "texts: NUL within", "values: not a number"}


@pytest.fixture(scope="module")
def beside(tmp_path_factory):
    folder = tmp_path_factory.mktemp("beside")
    make_secrets(folder)
    return folder


@pytest.fixture(scope="module")
def intact_results(tmp_path_factory):
    path = tmp_path_factory.mktemp("results") / "crafted.h5"
    write_small_results(path)
    return path.read_bytes(), use_results(path)


@pytest.fixture(scope="module")
def intact_table(tmp_path_factory):
    path = tmp_path_factory.mktemp("table") / "crafted.h5"
    write_small_table(path)
    return path.read_bytes(), use_table(path)


@pytest.fixture
def craft(tmp_path, beside):
    """Craft a file of a kind; return it and its bytes."""

    def make(kind, content, *parts):
        path = tmp_path / "crafted.h5"
        path.write_bytes(content)
        KINDS[kind](Subject(path, *parts, beside))
        return path, path.read_bytes()

    return make


def check(path, content, use, expected, *, same, other) -> None:
    """Check that a file is read as expected, or refused by a message that names it."""
    if same or other:
        used = use(path)
        assert (used == expected) is same
        assert SECRET not in used
    else:
        with pytest.raises(NasbenchError, match=r"crafted\.h5' (is|would|has)") as caught:
            use(path)
        assert SECRET not in str(caught.value)
        assert len(str(caught.value)) < 1000
    assert path.read_bytes() == content


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in LARGE])
def test_crafted_results_file_is_read_as_it_was_or_refused(craft, intact_results, kind) -> None:
    group = "evaluators/width"
    path, content = craft(kind, intact_results[0], group, f"{group}/score", "architectures", (group, "settings"))
    same = kind in READ_AS_THEY_WERE | OF_OTHERS_IN_RESULTS
    check(path, content, use_results, intact_results[1], same=same, other=kind in READ_AS_OTHER_VALUES)


@pytest.mark.parametrize("kind", [kind for kind in KINDS if kind not in LARGE])
def test_crafted_table_is_read_as_it_was_or_refused(craft, intact_table, kind) -> None:
    path, content = craft(kind, intact_table[0], "columns", "columns/0", "architectures", ("columns/0", "key"))
    other = kind in READ_AS_OTHER_VALUES | IN_TABLES
    check(path, content, use_table, intact_table[1], same=kind in READ_AS_THEY_WERE, other=other)


@pytest.mark.skipif(not CASES.is_dir(), reason="reads files in ../shared/cases")
@pytest.mark.parametrize(
    ("name", "message"),
    [
        # Those that earlier versions wrote have texts of variable length, which are not read at all.
        ("damaged-one-bit/intact.h5", "not one that 'nasbench run' wrote"),
        ("damaged-one-bit/one-bit.h5", "not one that 'nasbench run' wrote"),
        ("external-storage/rawext_passwd.h5", "'/evaluators/segv/message' has its values in another file"),
        ("terminal-escapes/esc.h5", "not one that 'nasbench run' wrote"),
        ("virtual-dataset/vds_self.h5", "'/evaluators/params/score' is a virtual dataset"),
    ],
)
def test_file_that_hung_crashed_or_leaked_is_refused(name, message) -> None:
    with pytest.raises(ResultsFileError, match=message) as caught:
        read_results(CASES / name)
    assert "root:" not in str(caught.value)


@pytest.fixture
def written(tmp_path):
    path = tmp_path / "a.h5"
    with h5py.File(path, "w") as file:
        file["group/numbers"] = np.arange(3.0)
        file["other"] = np.arange(2.0)
        file["group"].attrs["count"] = 3
    return path


def test_what_is_wanted_is_read_and_the_rest_described(written) -> None:
    root = read_hdf5(written, ["group"])
    assert root.group("group").array("numbers").load().tolist() == [0.0, 1.0, 2.0]
    assert root.group("group").attrs == {"count": 3}
    assert root.array("other").shape == (2,)
    with pytest.raises(ValueError, match="'/other' was not asked for"):
        root.array("other").load()


def test_a_file_that_another_program_writes_is_open_elsewhere(written) -> None:
    with (
        h5py.File(written, "r+"),
        pytest.raises(OpenElsewhereError, match="is open in another program, which may be writing it"),
    ):
        read_hdf5(written)
    read_hdf5(written)


def test_a_file_that_another_program_reads_is_read(written) -> None:
    with h5py.File(written):
        assert read_hdf5(written).array("other").shape == (2,)


@pytest.mark.parametrize("kind", ["directory", "pipe", "missing"])
def test_what_is_no_file_is_not_opened(tmp_path, kind) -> None:
    path = tmp_path / "a.h5"
    if kind == "directory":
        path.mkdir()
    if kind == "pipe":
        os.mkfifo(path)
    with pytest.raises(FileNotFoundError if kind == "missing" else SpecialFileError):
        read_hdf5(path)


def test_reading_that_does_not_come_to_an_end_is_refused_and_the_next_file_read(written, monkeypatch) -> None:
    read_hdf5(written)
    monkeypatch.setattr(reading, "WALL_FACTOR", 0.02)
    reading._current_reader()._process.send_signal(signal.SIGSTOP)
    with pytest.raises(DamagedFileError, match="reading it does not come to an end"):
        read_hdf5(written)
    monkeypatch.undo()
    assert read_hdf5(written).array("other").shape == (2,)


def test_a_reading_process_that_dies_of_a_file_is_replaced(written) -> None:
    read_hdf5(written)
    process = reading._current_reader()._process
    process.send_signal(signal.SIGSTOP)
    end = threading.Timer(0.2, process.kill)
    end.start()
    with pytest.raises(DamagedFileError, match="HDF5 ended with SIGKILL when it read it"):
        read_hdf5(written)
    end.join()
    assert read_hdf5(written).array("other").shape == (2,)


@pytest.mark.parametrize("waited_for", [True, False])
def test_a_reading_process_that_others_ended_is_replaced(written, waited_for) -> None:
    read_hdf5(written)
    process = reading._current_reader()._process
    process.kill()
    # Either way it is gone: this leaves it to be waited for, or does that behind its back.
    os.waitid(os.P_PID, process.pid, os.WEXITED | (0 if waited_for else os.WNOWAIT))
    assert read_hdf5(written).array("other").shape == (2,)
    assert reading._current_reader()._process.pid != process.pid


def test_threads_read_one_after_the_other(written) -> None:
    shapes = []
    threads = [
        threading.Thread(target=lambda: shapes.append(read_hdf5(written).array("other").shape)) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert shapes == [(2,)] * 4
