"""Runs, searches and task searches that are killed as a whole, all processes at once, and continued."""

from __future__ import annotations

import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
from nasbench_toolkit.core.domain import JobCost
from nasbench_toolkit.core.errors import NasbenchError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.results.contents import Results
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.core.search.history import SearchHistory, Step
from nasbench_toolkit.core.search.storage import read_search

# Evolution proposes from the scores it has, so that any step lost, doubled or told in another order shows in the rest.
SESSIONS = {
    "run": ("run", "-e", "gennas-combo:iterations=20", "-e", "synflow", "-e", "random", "-n", "30"),
    "search": ("search", "-e", "gennas-combo:iterations=20", "-n", "60", "--parallel", "2"),
    "task-search": ("task-search", "-e", "gennas:iterations=5,batch_size=8", "-n", "8", "-l", "labelled.csv"),
}  # fmt: skip

SPACE = "nasbench201-tiny"

SECONDS_A_SESSION = 600


def killed_sessions(name: str, folder: Path, rng: random.Random, kills: int) -> Iterator[tuple[str, str]]:
    """Kill and continue one session so often; what is there after each kill must be part of an uninterrupted one's.

    Yields:
        When it was killed, and what was wrong, an empty text if nothing was. The end of the last one is compared too.
    """
    write_labels(folder)
    whole, killed = folder / "whole.out", folder / "killed.out"
    started = time.monotonic()
    finish(start(name, folder, whole))
    seconds = time.monotonic() - started
    reference, done = contents(name, whole), 0
    for number in range(kills):
        # Every second one comes while files are made and workers start.
        delay = rng.uniform(0, 0.3 * seconds) if number % 2 else rng.uniform(0.2, 0.9) * seconds / 2
        process = start(name, folder, killed)
        time.sleep(delay)
        os.killpg(process.pid, signal.SIGKILL)
        process.wait()
        problem, reached = progress(name, killed, reference)
        if not problem and reached < done:
            problem = f"{done} were done before, {reached} after it"
        done = max(done, reached)
        yield f"after {delay:.2f} s with {reached} done", problem
    finish(start(name, folder, killed))
    same = contents(name, killed) == reference
    yield "continued to the end", "" if same else "its file differs from that of an uninterrupted one"


def start(name: str, folder: Path, output: Path, **environment: str) -> subprocess.Popen[bytes]:
    """Start or continue a session in a process group of its own."""
    return subprocess.Popen(
        [sys.executable, "-m", "nasbench_toolkit", *SESSIONS[name], "-j", "2", "-o", str(output), "--resume"],
        cwd=folder,
        env=os.environ | environment,
        stdout=subprocess.DEVNULL,
        stderr=subprocess.DEVNULL,
        start_new_session=True,
    )


def finish(process: subprocess.Popen[bytes]) -> None:
    """Wait for a session. Raises RuntimeError if it fails."""
    if process.wait(SECONDS_A_SESSION):
        raise RuntimeError(f"{process.args} ended with {process.returncode}")


def write_labels(folder: Path) -> None:
    """Write the labelled architectures of a task search."""
    space = installed_plugins().search_space(SPACE).info.create()
    lines = [f"{arch_id},{number}" for number, arch_id in enumerate(space.sample(6, np.random.default_rng(0)))]
    (folder / "labelled.csv").write_text("\n".join(["architecture,accuracy", *lines]) + "\n")


def progress(name: str, path: Path, reference: Mapping[str, Any]) -> tuple[str, int]:
    """Return what is wrong with what a killed session left, and how much of it is done."""
    if not path.exists() and not history(path).exists():
        return "", 0
    try:
        found = contents(name, path)
    except NasbenchError as error:
        return str(error), 0
    wrong = [key for key, value in found.items() if value != reference.get(key)]
    return (f"it has other {wrong[:3]}" if wrong else ""), len(found)


def contents(name: str, path: Path) -> dict[str, Any]:
    """Return all that was computed, without times: each part under a name of its own."""
    if name == "task-search":
        return _tasks(path)
    return _records(read_results(path)) if name == "run" else _steps(read_search(path))


def history(path: Path) -> Path:
    """Return the history of a task search."""
    return path.with_name(f"{path.name}.history")


def _records(results: Results) -> dict[str, Any]:
    return {
        f"{part.header.label} of {arch_id}": repr(replace(record, cost=JobCost()))
        for part in results.evaluators
        for arch_id, record, done in zip(results.arch_ids, part.records, part.records.done, strict=True)
        if done
    }


def _steps(search: SearchHistory) -> dict[str, Any]:
    return {f"step {number}": repr(_without_time(step)) for number, step in enumerate(search.steps)}


def _without_time(step: Step) -> Step:
    return replace(step, record=replace(step.record, cost=JobCost()))


def _tasks(path: Path) -> dict[str, Any]:
    """Return the lines of a history; the last one may have been cut."""
    lines = history(path).read_bytes().splitlines(keepends=True) if history(path).exists() else []
    read: dict[str, Any] = {}
    for number, line in enumerate(line for line in lines[1:] if line.endswith(b"\n")):
        entry = json.loads(line.partition(b" ")[2] if not line.startswith(b"{") else line)
        entry.pop("cost", None)
        read[f"line {number}"] = repr(entry)
    return read
