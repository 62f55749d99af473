"""What a command makes of odd arguments, signals, and streams that are closed, full, or read by nobody any more."""

import os
import re
import signal
import subprocess
import sys
import time

import pytest
from nasbench_toolkit.core.seeding import MAX_SEED

PROGRAM = [sys.executable, "-m", "nasbench_toolkit"]
LISTING = "evaluators"


def run(command, tmp_path, **options):
    return subprocess.run(
        command, cwd=tmp_path, capture_output=True, timeout=120, shell=isinstance(command, str), **options
    )


def shell(text, tmp_path, **options):
    program = " ".join(PROGRAM)
    return run(["bash", "-c", text.replace("nasbench", program)], tmp_path, **options)


@pytest.mark.parametrize("output_format", ["table", "csv", "json", "latex", "markdown"])
@pytest.mark.parametrize("unbuffered", ["", "1"])
def test_a_reader_that_stops_reading_is_no_fault(tmp_path, output_format, unbuffered) -> None:
    # The reader is gone before anything is written.
    environment = os.environ | {"PYTHONUNBUFFERED": unbuffered}
    text = f"nasbench {LISTING} -f {output_format} | exec 0<&-; exit ${{PIPESTATUS[0]}}"
    done = shell(text, tmp_path, env=environment)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.mark.parametrize("args", ["--help", "run --help", "--version", "data list"])
def test_help_that_nobody_reads_is_no_fault(tmp_path, args) -> None:
    done = shell(f"nasbench {args} | exec 0<&-; exit ${{PIPESTATUS[0]}}", tmp_path)
    assert (done.returncode, done.stderr) == (141, b"")


@pytest.fixture
def full_device(tmp_path):
    path = tmp_path / "full"
    try:
        os.mknod(path, 0o020666, os.makedev(1, 7))
        path.open("wb").close()
    except PermissionError:
        pytest.skip("only root can make a device file, where the file system has them")
    return path


@pytest.mark.parametrize("args", [LISTING, "--help", "data path", f"{LISTING} -f json"])
def test_output_that_cannot_be_written_is_said(tmp_path, full_device, args) -> None:
    done = shell(f"nasbench {args} > {full_device}", tmp_path)
    assert done.returncode == 1
    assert done.stderr == b"Error: Cannot write the output: No space left on device.\n"


@pytest.mark.parametrize("closed", ["0<&-", ">&-", "2>&-", "0<&- >&-", "0<&- >&- 2>&-"])
def test_closed_streams_change_nothing(tmp_path, closed) -> None:
    done = shell(f"nasbench run -e params -n 2 -j 1 -o r.h5 {closed}", tmp_path)
    assert (done.returncode, b"Traceback" in done.stderr) == (0, False)
    inspected = shell("nasbench inspect r.h5 -f json", tmp_path)
    assert (inspected.returncode, b'"ok": 2' in inspected.stdout) == (0, True)


@pytest.mark.parametrize("milliseconds", [0, 2, 5, 10, 20, 40, 80, 160, 320, 640, 1000])
def test_ctrl_c_while_the_program_starts_ends_it_quietly(tmp_path, milliseconds) -> None:
    # Waits for our first line, before which the interpreter itself answers; then for some part of the imports.
    program = "import nasbench_toolkit.command as c; print(flush=True); c.main()"
    process = subprocess.Popen(
        [sys.executable, "-c", program, "run", "-n", "50", "-e", "params", "-o", "r.h5"], cwd=tmp_path,
        stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True,
        preexec_fn=lambda: signal.signal(signal.SIGINT, signal.SIG_DFL),
    )  # fmt: skip
    assert process.stdout is not None
    process.stdout.readline()
    time.sleep(milliseconds / 1000)
    process.send_signal(signal.SIGINT)
    _, errors = process.communicate(timeout=60)
    assert process.returncode == 130
    assert "Traceback" not in errors
    assert "fault of nasbench" not in errors


TOO_LONG = "a" * 300
RUN = ["run", "--space", "toy", "-e", "toy-width", "-n", "2", "-o", "r.h5"]
SEARCH = ["search", "--space", "toy", "-e", "toy-width", "-n", "2", "-o", "r.h5"]


@pytest.mark.parametrize(
    ("args", "message"),
    [
        ([*RUN, "--seed", str(2**64)], f"is not in the range 0<=x<={MAX_SEED}"),
        ([*SEARCH, "--seed", str(MAX_SEED + 1)], f"is not in the range 0<=x<={MAX_SEED}"),
        ([*SEARCH, "--seed", str(MAX_SEED), "--seeds", "2"], f"A seed is a whole number from 0 to {MAX_SEED}"),
        (["task-search", "-l", "x.csv", "--seed", str(2**70)], f"is not in the range 0<=x<={MAX_SEED}"),
        (["data", "rebuild", "--seed", str(2**64)], f"is not in the range 0<=x<={MAX_SEED}"),
        ([*RUN, "--seed", "9" * 5000], "is not a valid integer"),
        ([*RUN, "--time-limit", "nan"], "is not in the range 0<x<=1000000"),
        ([*RUN, "--time-limit", "inf"], "is not in the range 0<x<=1000000"),
        ([*SEARCH, "--time-limit", "1e300"], "is not in the range 0<x<=1000000"),
        ([*SEARCH, "--max-params", "nan"], "Cannot read --max-params nan: 'nan' is no finite number"),
        ([*SEARCH, "--max", "params=inf"], "Cannot read --max params=inf: 'inf' is no finite number"),
        (["run", "--samples", str(10**30)], "is not in the range x<=10000000"),
        ([*RUN, "--workers", str(10**9)], "is not in the range x<=1024"),
        ([*RUN, "--threads", str(10**9)], "is not in the range 1<=x<=1024"),
        ([*SEARCH, "--parallel", str(10**9)], "is not in the range x<=1024"),
        (["search", "--evaluations", str(10**30)], "is not in the range x<=10000000"),
        ([*SEARCH, "--seeds", str(10**9)], "is not in the range 1<=x<=1024"),
        ([*RUN, "--shard", "1/" + "9" * 5000], "--shard must be I/K"),
        ([*RUN, "-e", "toy-width:seconds=inf"], "must be finite, got 'inf'"),
        ([*RUN, "-e", "gennas:iterations=" + "9" * 400], "must be from -9223372036854775807 to"),
        ([*RUN[:-1], TOO_LONG], "is too long a name for this file system"),
        ([*RUN[:-1], "a" * 250 + ".h5"], "is too long a name for this file system"),
        ([*RUN, "--architectures", TOO_LONG], "is too long a name for this file system"),
        (["inspect", TOO_LONG], "is too long a name for this file system"),
        (["report", TOO_LONG], "is too long a name for this file system"),
        (["data", "import", "nasbench201", TOO_LONG], "is too long a name for this file system"),
        (["run", "--task", TOO_LONG], "is too long a name for this file system"),
        (["run", "-e", f"gennas:task={TOO_LONG}"], "has a name that is too long for this file system"),
        (["task-search", "-l", TOO_LONG], "is too long a name for this file system"),
        (["run", "--images", TOO_LONG], "is too long a name for this file system"),
        (["inspect", "caf\udce9.h5"], r"Argument 2, 'caf\xe9.h5', is not UTF-8"),
        ([*RUN, "--space", "\udcff"], r"Argument 11, '\xff', is not UTF-8"),
    ],
    ids=lambda value: re.sub(r"\W+", "-", " ".join(value))[-60:] if isinstance(value, list) else "",
)
def test_odd_argument_is_one_message_and_exit_code_2(nasbench, tmp_path, args, message) -> None:
    done = nasbench(*args)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert len(done.stderr) < 7000
    assert not list(tmp_path.iterdir())


@pytest.mark.parametrize(
    ("command", "options"),
    [
        (["run", "-e", "params", "-o", "r.h5", "--architectures"], []),
        (["run", "-e", "params", "-o", "r.h5", "--task"], ["-e", "gennas"]),
        (["run", "-e", "params", "-o", "r.h5", "--images"], []),
        (["task-search", "--labelled"], []),
        (["data", "import", "nasbench201"], []),
        (["data", "import", "cifar10"], []),
    ],
    ids=["architectures", "task", "images", "labelled", "table", "images-import"],
)
@pytest.mark.parametrize("kind", ["pipe", "loop"])
def test_special_file_as_input_is_refused_before_it_is_opened(nasbench, tmp_path, command, options, kind) -> None:
    special = tmp_path / "special.csv"
    os.mkfifo(special) if kind == "pipe" else special.symlink_to("special.csv")
    done = nasbench(*command, "special.csv", *options)
    assert (done.returncode, done.stdout) == (2, "")
    assert {"pipe": "is a pipe (FIFO)", "loop": "is a symbolic link that leads back to itself"}[kind] in done.stderr


def test_largest_seed_is_stored_and_read(nasbench) -> None:
    assert nasbench(*RUN, "--seed", MAX_SEED).returncode == 0
    assert f'"seed": {MAX_SEED}' in nasbench("inspect", "r.h5", "-f", "json").stdout
