"""What commands do where the output is no file, or a file is held by another program."""

import fcntl
import os
import stat

import h5py
import pytest

RUN = ("run", "--space", "toy", "-e", "toy-width", "-n", 3, "--in-process")
SEARCH = ("search", "--space", "toy", "-e", "toy-width", "-s", "random-search", "-n", 3)


@pytest.fixture
def results(nasbench):
    ran = nasbench(*RUN, "-o", "r.h5")
    assert ran.returncode == 0, ran.stderr
    return "r.h5"


def make_special(path, kind) -> None:
    if kind == "a pipe":
        os.mkfifo(path)
        return
    try:
        os.mknod(path, 0o666 | stat.S_IFCHR, os.makedev(1, 3))  # a copy of /dev/null
    except PermissionError:
        pytest.skip("only root can make a device file")


@pytest.mark.parametrize("kind", ["a pipe", "a device"])
@pytest.mark.parametrize(
    "command",
    [
        [*RUN, "-o"],
        [*RUN, "--overwrite", "-o"],
        [*RUN, "--resume", "-o"],
        [*SEARCH, "-o"],
        [*SEARCH, "--overwrite", "-o"],
        [*SEARCH, "--resume", "-o"],
        ["merge", "r.h5", "-o"],
        ["draw", "--space", "nasbench201", "0", "-o"],
    ],
    ids=lambda command: (
        " ".join(part for part in map(str, command) if part in ("run", "search", "merge", "draw"))
        + "".join(part for part in map(str, command) if part in ("--overwrite", "--resume"))
    ),
)
def test_output_to_what_is_no_file_is_refused_and_leaves_it(nasbench, results, tmp_path, command, kind) -> None:
    special = tmp_path / "special.svg"
    make_special(special, kind)
    mode = special.lstat().st_mode
    done = nasbench(*command, special.name)
    assert done.returncode == 2
    assert "special.svg' is " + kind in done.stderr
    assert special.lstat().st_mode == mode
    assert sorted(path.name for path in tmp_path.iterdir()) == ["r.h5", "special.svg"]


@pytest.mark.parametrize("command", [["inspect"], ["report"], ["merge", "-o", "m.h5"], [*RUN, "--resume", "-o"]])
def test_a_file_that_another_program_writes_is_open_elsewhere_not_damaged(nasbench, results, tmp_path, command) -> None:
    content = (tmp_path / results).read_bytes()
    with h5py.File(tmp_path / results, "r+"):
        done = nasbench(*command, results)
    assert done.returncode == 2
    assert "r.h5' is open in another program, which may be writing it. Close it there, or wait" in done.stderr
    assert "damaged" not in done.stderr
    assert (tmp_path / results).read_bytes() == content
    assert [path.name for path in tmp_path.iterdir()] == ["r.h5"]
    assert nasbench(*command, results).returncode == 0


@pytest.mark.parametrize("command", [["inspect"], ["report"], ["merge", "-o", "m.h5"]])
def test_a_file_that_another_program_reads_is_read(nasbench, results, tmp_path, command) -> None:
    with h5py.File(tmp_path / results):
        assert nasbench(*command, results).returncode == 0


def test_a_run_whose_journal_another_process_holds_waits_its_turn(nasbench, results, tmp_path) -> None:
    with (tmp_path / "r.h5.journal").open("wb") as journal:
        fcntl.flock(journal, fcntl.LOCK_EX)
        done = nasbench(*RUN, "--resume", "-o", results)
    assert done.returncode == 2
    assert "Another run is writing 'r.h5' now. Wait for it" in done.stderr


def test_a_table_that_another_program_writes_is_open_elsewhere_not_damaged(nasbench, tmp_path, data_directory) -> None:
    (tmp_path / "t.csv").write_text(
        "architecture,cifar10/test_accuracy@200\n"
        "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_3x3~1|nor_conv_3x3~2|,93\n"
    )
    assert nasbench("data", "import", "nasbench201", "t.csv").returncode == 0
    table = data_directory / "nasbench201" / "table.h5"
    run = ("run", "--space", "nasbench201", "-e", "params", "-n", 2, "--in-process", "-o", "s.h5")
    with h5py.File(table, "r+"):
        done = nasbench(*run)
        verified = nasbench("data", "verify", "nasbench201")
    assert done.returncode == 2
    assert "table.h5' is open in another program" in done.stderr
    assert "damaged" not in done.stderr
    assert verified.returncode == 1
    assert "nasbench201 IN USE" in " ".join(verified.stdout.split())
    assert "is open in another program" in " ".join(verified.stdout.split())
    assert nasbench("data", "verify", "nasbench201").returncode == 0
    assert not (tmp_path / "s.h5").exists()


@pytest.mark.parametrize(
    "command", [("run", "-e", "toy-width"), ("search", "-e", "toy-width", "-s", "random-search")], ids=["run", "search"]
)
def test_a_folder_of_the_name_that_jobs_share_is_left(nasbench, tmp_path, command) -> None:
    precious = tmp_path / "r.h5.shared" / "thesis.txt"
    precious.parent.mkdir()
    precious.write_text("years of work")
    for options in ((), ("--overwrite",), ("--resume",)):
        refused = nasbench(*command, "--space", "toy", "-n", 3, "-o", "r.h5", *options)
        assert refused.returncode == 2
        assert "r.h5.shared' exists, where jobs would keep what they share. Remove it if a run has left it" in " ".join(
            refused.stderr.split()
        )
    assert precious.read_text() == "years of work"
    assert not (tmp_path / "r.h5").exists()
    # Beside a results file it is that file's.
    precious.unlink()
    precious.parent.rmdir()
    assert nasbench(*command, "--space", "toy", "-n", 3, "-o", "r.h5").returncode == 0
    precious.parent.mkdir()
    assert nasbench(*command, "--space", "toy", "-n", 3, "-o", "r.h5", "--overwrite").returncode == 0
    assert not precious.parent.exists()
