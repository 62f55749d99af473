"""Workers that are killed while the main process goes on, and main processes that are killed while workers go on."""

from __future__ import annotations

import contextlib
import os
import random
import signal
import subprocess
import sys
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

from nasbench_toolkit.experiments.robustness.killed_sessions import contents, finish, start
from nasbench_toolkit.experiments.robustness.plugin_folder import make_plugin_folder
from nasbench_toolkit.experiments.robustness.ways_to_linger import MARK, WAYS

MODULE = "nasbench_toolkit.experiments.robustness.ways_to_linger"

TOKEN = "NASBENCH_EXPERIMENT"
"""Name of the environment variable that all processes of a command inherit."""

SECONDS_TO_BEGIN = 60
SECONDS_TO_END = 5.0
SHARES_BETWEEN_KILLS = (0.12, 0.25)
"""Of an undisturbed session: so long that no job is killed twice, which would be an outcome of its own."""


def killed_workers(name: str, folder: Path, rng: random.Random, kills: int) -> Iterator[tuple[str, str]]:
    """Kill workers of one session, one after the other, and compare its end with that of an undisturbed one.

    Yields:
        What was killed and whether the session went on, and at last whether its file is that of an undisturbed one.
    """
    whole, disturbed = folder / "whole.out", folder / "disturbed.out"
    started = time.monotonic()
    finish(start(name, folder, whole))
    seconds, done = time.monotonic() - started, 0
    while done < kills:
        process = start(name, folder, disturbed)
        while process.poll() is None and done < kills:
            time.sleep(rng.uniform(*SHARES_BETWEEN_KILLS) * seconds)
            workers = _workers(process.pid)
            if workers and process.poll() is None:
                worker = rng.choice(workers)
                with contextlib.suppress(ProcessLookupError):
                    os.kill(worker, signal.SIGKILL)
                done += 1
                time.sleep(0.2)
                yield f"worker {worker}", "" if process.poll() in (None, 0) else "the session ended"
        finish(process)
        same = contents(name, disturbed) == contents(name, whole)
        yield "its end", "" if same else "its file differs from that of an undisturbed one"
        disturbed.unlink()


def killed_parents(folder: Path, rng: random.Random, kills: int) -> Iterator[tuple[str, str]]:
    """Kill the main process while an evaluator does all to outlive it, once for each way and each command.

    Yields:
        The way, and what is left a few seconds later.
    """
    plugin = make_plugin_folder(folder / "plugin", "lingering", MODULE)
    for command in (("run", "-n", "4"), ("search", "-n", "4", "--parallel", "2", "-s", "random-search")):
        for way in WAYS:
            yield f"{command[0]} with {way}", _problem_of_parent(way, command, folder, plugin)


def _problem_of_parent(way: str, command: tuple[str, ...], folder: Path, plugin: Path) -> str:
    token, mark = uuid.uuid4().hex, folder / f"{command[0]}-{way}"
    process = subprocess.Popen(
        [sys.executable, "-m", "nasbench_toolkit", *command, "-e", way, "-j", "2", "-o", f"{mark}.h5"],
        env=os.environ | {"PYTHONPATH": str(plugin), TOKEN: token, MARK: str(mark)},
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )
    deadline = time.monotonic() + SECONDS_TO_BEGIN
    while not mark.exists() and time.monotonic() < deadline:
        time.sleep(0.05)
    time.sleep(0.3)
    others = len(processes_with(token)) - 1
    process.kill()
    process.wait()
    deadline = time.monotonic() + SECONDS_TO_END
    while processes_with(token) and time.monotonic() < deadline:
        time.sleep(0.05)
    left = processes_with(token)
    for number in left:
        with contextlib.suppress(ProcessLookupError):
            os.kill(number, signal.SIGKILL)
    if not mark.exists() or others < 1:
        return "the evaluator never began"
    return f"{len(left)} of {others} other processes are left" if left else ""


def processes_with(token: str) -> list[int]:
    """Return the processes that inherited a token, without those that have ended and that nobody waited for."""
    found = []
    for folder in Path("/proc").iterdir():
        with contextlib.suppress(OSError):
            if folder.name.isdigit() and f"{TOKEN}={token}".encode() in (folder / "environ").read_bytes():
                found.append(int(folder.name))
    return found


def _workers(main: int) -> list[int]:
    """Return the processes that were forked from the server that the main process started."""
    servers = [child for child in _children(main) if b"forkserver" in _command_line(child)]
    return [worker for server in servers for worker in _children(server)]


def _children(process: int) -> list[int]:
    with contextlib.suppress(OSError):
        return list(map(int, Path(f"/proc/{process}/task/{process}/children").read_text().split()))
    return []


def _command_line(process: int) -> bytes:
    with contextlib.suppress(OSError):
        return Path(f"/proc/{process}/cmdline").read_bytes()
    return b""
