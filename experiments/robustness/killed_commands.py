"""Imports and merges that are killed, and repeated."""

from __future__ import annotations

import itertools
import json
import os
import random
import signal
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from pathlib import Path

from nasbench_toolkit.core.errors import NasbenchError
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.experiments.robustness.killed_sessions import _records

SIGNALS = (signal.SIGKILL, signal.SIGTERM, signal.SIGHUP, signal.SIGINT)

OPS = ("none", "skip_connect", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3")
ROWS = 6000


def killed_imports(folder: Path, rng: random.Random, kills: int) -> Iterator[tuple[str, str]]:
    """Kill imports over an earlier one; the next one must succeed, and nothing else be left.

    Yields:
        How it was killed, and what was wrong.
    """
    tables = [_write_table(folder / f"table-{number}.csv", number) for number in range(2)]
    home = folder / "data"
    started = time.monotonic()
    _nasbench(folder, "data", "import", "nasbench201", str(tables[0])).check_returncode()
    seconds = time.monotonic() - started
    for number in range(kills):
        sent, delay = SIGNALS[number % len(SIGNALS)], rng.uniform(0.1, 1.05) * seconds
        process = _start(folder, "data", "import", "nasbench201", str(tables[1]))
        code = _kill_after(process, delay, sent)
        problem = _problem_of_import(folder, home, tables[0], code)
        yield f"{sent.name} after {delay:.2f} of {seconds:.2f} s, which ended with {code}", problem


def killed_merges(folder: Path, rng: random.Random, kills: int) -> Iterator[tuple[str, str]]:
    """Kill merges; the output must be absent or whole, and the shards as they were.

    Yields:
        How it was killed, and what was wrong.
    """
    shards = []
    for number in (1, 2):
        shards.append(f"shard-{number}.h5")
        args = ("-e", "params", "-e", "random", "-n", "1000", "--shard", f"{number}/2", "-o", shards[-1], "-j", "1")
        _nasbench(folder, "run", *args).check_returncode()
    before = [(folder / shard).read_bytes() for shard in shards]
    started = time.monotonic()
    _nasbench(folder, "merge", *shards, "-o", "whole.h5").check_returncode()
    seconds = time.monotonic() - started
    merged = folder / "merged.h5"
    for number in range(kills):
        sent, delay = SIGNALS[number % len(SIGNALS)], rng.uniform(0.1, 1.05) * seconds
        merged.unlink(missing_ok=True)
        _kill_after(_start(folder, "merge", *shards, "-o", "merged.h5"), delay, sent)
        left = "a file" if merged.exists() else "nothing"
        problem = _problem_of_merge(folder, shards, before, merged)
        yield f"{sent.name} after {delay:.2f} of {seconds:.2f} s, which left {left}", problem


def _problem_of_import(folder: Path, home: Path, table: Path, code: int) -> str:
    """Verify what is there, import again, and look at what is left."""
    verified = _nasbench(folder, "data", "verify", "-f", "json")
    if code == 0 and verified.returncode:
        return f"it ended well and left something damaged: {verified.stdout}"
    outcomes = [row["outcome"] for row in json.loads(verified.stdout or "[]")]
    if any(outcome != "intact" for outcome in outcomes):
        return f"it left something damaged: {verified.stdout}"
    again = _nasbench(folder, "data", "import", "nasbench201", str(table))
    if again.returncode:
        return f"the next one failed: {again.stderr}"
    left = sorted(path.name for path in home.iterdir() if path.name != "nasbench201" and not path.name.endswith("lock"))
    return f"the next one left {left}" if left else ""


def _problem_of_merge(folder: Path, shards: Sequence[str], before: Sequence[bytes], merged: Path) -> str:
    if [(folder / shard).read_bytes() for shard in shards] != before:
        return "the shards are changed"
    try:
        if merged.exists() and _records(read_results(merged)) != _records(read_results(folder / "whole.h5")):
            return "the merged file has other records"
    except NasbenchError as error:
        return str(error)
    again = _nasbench(folder, "merge", *shards, "-o", merged.name, "--overwrite")
    if again.returncode:
        return f"the next one failed: {again.stderr}"
    # A killed process cannot take its unfinished file away.
    left = [path.name for path in folder.iterdir() if path.name.endswith(".tmp")]
    for name in left:
        (folder / name).unlink()
    return f"it left {left}" if len(left) > 1 else ""


def _write_table(path: Path, seed: int) -> Path:
    """Write a table in the interchange form, of random numbers."""
    rng = random.Random(seed)
    cells = itertools.islice(itertools.product(OPS, repeat=6), 100, 100 + ROWS)
    rows = [
        f"|{a}~0|+|{b}~0|{c}~1|+|{d}~0|{e}~1|{f}~2|,{rng.uniform(10, 94):.2f}"
        for a, b, c, d, e, f in cells
    ]  # fmt: skip
    path.write_text("\n".join(["architecture,cifar10/test_accuracy@200", *rows]) + "\n")
    return path


def _kill_after(process: subprocess.Popen[str], delay: float, sent: signal.Signals) -> int:
    """Send a signal to a command and all that it started, and return how it ended."""
    try:
        return process.wait(delay)
    except subprocess.TimeoutExpired:
        os.killpg(process.pid, sent)
    return process.wait(60)


def _start(folder: Path, *args: str) -> subprocess.Popen[str]:
    return subprocess.Popen(
        [sys.executable, "-m", "nasbench_toolkit", *args], cwd=folder,
        env=os.environ | {"NASBENCH_DATA": str(folder / "data")},
        stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL, text=True, start_new_session=True,
        preexec_fn=_heed_interrupts,
    )  # fmt: skip


def _heed_interrupts() -> None:
    # A shell lets what it starts in the background ignore Ctrl-C.
    signal.signal(signal.SIGINT, signal.SIG_DFL)


def _nasbench(folder: Path, *args: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "nasbench_toolkit", *args],
        cwd=folder,
        env=os.environ | {"NASBENCH_DATA": str(folder / "data")},
        capture_output=True,
        text=True,
    )
