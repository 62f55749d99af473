"""Ctrl-C where Python itself would swallow the exception."""

import signal
import subprocess
import sys
import time

import pytest
from nasbench_toolkit.core.cli.signals import HeededSignals
from nasbench_toolkit.core.jobs.executor import FORK_SERVER


def wait() -> None:
    deadline = time.monotonic() + 30
    while time.monotonic() < deadline:
        time.sleep(0.001)


@pytest.mark.parametrize("number", [signal.SIGINT, signal.SIGTERM])
def test_an_interrupt_that_is_swallowed_comes_again(capsys, number) -> None:
    class Finalised:
        def __del__(self) -> None:
            signal.raise_signal(number)

    # Who runs the tests in the background has SIGINT ignored, which stays as it is.
    former = signal.signal(number, signal.default_int_handler)
    try:
        with HeededSignals() as signals, pytest.raises(KeyboardInterrupt):
            Finalised()
            wait()
    finally:
        signal.signal(number, former)
    assert (signals.received, signals.exit_code) == (number, 128 + number)
    assert capsys.readouterr().err == ""


def test_other_errors_of_finalisers_are_shown_as_ever() -> None:
    seen = []

    class Faulty:
        def __del__(self) -> None:
            raise ValueError

    former, sys.unraisablehook = sys.unraisablehook, lambda unraisable: seen.append(unraisable.exc_type)
    try:
        expected = sys.unraisablehook
        with HeededSignals():
            Faulty()
        assert (seen, sys.unraisablehook) == ([ValueError], expected)
    finally:
        sys.unraisablehook = former


ASK_FOR_A_WORKER = f"""
import os, time
from multiprocessing import forkserver
forkserver.set_forkserver_preload(["{FORK_SERVER}"])
said, ours = forkserver.connect_to_new_process([])
os.write(ours, TEXT)
os.close(ours)
assert forkserver.read_signed(said) > 0
print(forkserver.read_signed(said))
"""


@pytest.mark.parametrize("text", [b"", b"\x80\x05\x95\x00\x10"])
def test_a_worker_that_was_half_asked_for_ends_quietly(tmp_path, text) -> None:
    done = subprocess.run(
        [sys.executable, "-c", ASK_FOR_A_WORKER.replace("TEXT", repr(text))], cwd=tmp_path, capture_output=True,
        text=True, timeout=60,
    )  # fmt: skip
    assert (done.stdout, done.stderr) == ("1\n", "")
