"""Give crafted HDF5 files to the commands that read them: each is refused, or read as it was meant, and nothing leaks.

A results file goes through ``inspect``, ``report``, ``merge`` and ``run --resume``, a stored table through ``data
verify`` and ``run``. A command survives if it ends in time with exit code 2 and a message that names the file, or with
exit code 0; with little memory; with no text of another file in its output or in what it wrote, and no escape sequence;
and leaves the file as it was. A ``run --resume`` may bring a file that it reads up to date.

Usage: python experiments/robustness/crafted_files.py [--only KIND] [--seconds 60] [--megabytes 2500]
"""

from __future__ import annotations

import argparse
import contextlib
import hashlib
import importlib
import json
import os
import re
import sys
import tempfile
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from types import MappingProxyType

from nasbench_toolkit.core.cli import main as run_command
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.experiments import official_files
from nasbench_toolkit.experiments.robustness.crafted_kinds import KINDS, SECRET, Subject, make_secrets
from nasbench_toolkit.experiments.robustness.trial import DONE, Trial, attempt

RESULTS, TABLE = "crafted.h5", "home/nasbench201/table.h5"
RUN = ("run", "--space", "nasbench201", "-e", "params", "-e", "random", "-n", "4", "--in-process", "-o")

COMMANDS: Mapping[str, Sequence[Sequence[str]]] = MappingProxyType(
    {
        "results file": (
            ("inspect", "--failures", RESULTS),
            ("report", RESULTS),
            ("merge", RESULTS, "-o", "written.h5"),
            (*RUN, RESULTS, "--resume"),
        ),
        "stored table": (("data", "verify", "nasbench201"), (*RUN, "written.h5", "--metric", "test_accuracy")),
    }
)

IMPORTED = ("core.jobs.run", "core.jobs.in_process", "core.results.merge", "core.data.data_home", "reports.correlation")

# What leads on in a terminal, or turns the direction of what follows.
_STEERING = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f\u202a-\u202e\u2066-\u2069]")


@dataclass(frozen=True)
class Outcome:
    """How a command ended.

    Attributes:
        trial: Time and memory.
        problem: What it did that it must not do, empty if nothing.
        refused: Whether it refused the file.
    """

    trial: Trial
    problem: str
    refused: bool


def main() -> None:
    """Craft, give and report; exit code 1 if a command did what it must not do."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--only", default="", help="kinds that contain this")
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--megabytes", type=float, default=2500.0)
    args = parser.parse_args()
    # What commands import, so that their children need not.
    for name in ("torch", *(f"nasbench_toolkit.{module}" for module in IMPORTED)):
        importlib.import_module(name)
    installed_plugins()
    failures = 0
    for what in COMMANDS:
        with tempfile.TemporaryDirectory() as folder, contextlib.chdir(folder):
            bench = Bench(what, Path(folder), args.seconds, args.megabytes)
            outcomes = {kind: bench.try_kind(kind) for kind in KINDS if args.only in kind}
            failures += summarize(what, outcomes)
    sys.exit(bool(failures))


def summarize(what: str, outcomes: Mapping[str, Sequence[Outcome]]) -> int:
    """Print how it went, and return how many kinds did not survive."""
    every = [outcome for each in outcomes.values() for outcome in each]
    survived = sum(not any(outcome.problem for outcome in each) for each in outcomes.values())
    read = [kind for kind, each in outcomes.items() if not any(outcome.refused for outcome in each)]
    slowest, largest = (max(getattr(outcome.trial, name) for outcome in every) for name in ("seconds", "megabytes"))
    print(f"{what}: read: {'; '.join(read)}")
    print(
        f"{what}: {survived}/{len(outcomes)} kinds survived, {len(every)} commands, slowest {slowest:.1f} s, "
        f"largest {largest:.0f} MB",
        flush=True,
    )
    return len(outcomes) - survived


class Bench:
    """A folder with an intact file, and the commands that read it."""

    def __init__(self, what: str, folder: Path, seconds: float, megabytes: float) -> None:
        self._what = what
        self._folder = folder
        self._seconds, self._megabytes = seconds, megabytes
        self._beside = folder / "beside"
        self._beside.mkdir()
        os.environ["NASBENCH_DATA"] = str(folder / "home")
        make_secrets(self._beside)
        self.path = folder / (RESULTS if what == "results file" else TABLE)
        make_intact = _make_results if what == "results file" else _make_table
        _expect_done(attempt(make_intact, 600))
        self._intact = self.path.read_bytes()
        for command in COMMANDS[what]:
            _expect_done(attempt(partial(_run, command), 600))
        self._clean()

    def try_kind(self, kind: str) -> list[Outcome]:
        """Craft a file and give it to each command."""
        self.path.write_bytes(self._intact)
        _expect_done(attempt(partial(_craft, kind, self._subject()), 600))
        content = self.path.read_bytes()
        outcomes = []
        for command in COMMANDS[self._what]:
            self.path.write_bytes(content)
            if self._what == "stored table":
                _seal(self.path)
            trial = attempt(partial(_run, command), self._seconds)
            outcomes.append(self._judged(command, content, trial))
            self._clean()
        for command, outcome in zip(COMMANDS[self._what], outcomes, strict=True):
            if outcome.problem:
                print(f"{self._what}, {kind}, {command[0]}: {outcome.problem}: {outcome.trial.text[:600]}", flush=True)
        return outcomes

    def _subject(self) -> Subject:
        if self._what == "results file":
            parts = ("evaluators/params", "evaluators/params/score", "architectures", ("evaluators/params", "settings"))
        else:
            parts = ("columns", "columns/0", "architectures", ("columns/0", "key"))
        return Subject(self.path, *parts, self._beside)

    def _judged(self, command: Sequence[str], content: bytes, trial: Trial) -> Outcome:
        if trial.outcome != DONE:
            return Outcome(trial, trial.outcome, refused=False)
        code, output = json.loads(trial.text)
        written = self._folder / "written.h5"
        problems = {
            f"exit code {code}": code not in ((0, 1, 2) if "verify" in command else (0, 2)),
            "does not name the file": code == 2 and self.path.name not in output,
            "a traceback": "Traceback" in output,
            "an escape sequence": _STEERING.search(output) is not None,
            "a leak": any(
                SECRET.encode() in each for each in (output.encode(), _content(written), _content(self.path))
            ),
            "numbers of another file": "4711.47" in output,
            "changed the file": self.path.read_bytes() != content and not ("--resume" in command and code == 0),
            f"{trial.megabytes:.0f} MB": trial.megabytes > self._megabytes,
        }
        return Outcome(trial, ", ".join(problem for problem, is_one in problems.items() if is_one), refused=code != 0)

    def _clean(self) -> None:
        for path in (self._folder / "written.h5", *self._folder.glob("*.journal")):
            path.unlink(missing_ok=True)


def _content(path: Path) -> bytes:
    return path.read_bytes() if path.exists() else b""


def _make_results() -> str:
    return _run((*RUN, RESULTS))


def _make_table() -> str:
    names = [official_files.nasbench201_architecture(index) for index in range(4000, 4006)]
    rows = [f"{name},{90 + number / 8}" for number, name in enumerate(names)]
    Path("t.csv").write_text("\n".join(["architecture,cifar10/test_accuracy@200", *rows]) + "\n")
    return _run(("data", "import", "nasbench201", "t.csv"))


def _seal(table: Path) -> None:
    """Give the manifest the digest of a table, as a stranger would who gives away both."""
    path = table.with_name("manifest.json")
    manifest = json.loads(path.read_text())
    content = table.read_bytes()
    manifest["files"][0] |= {"size_bytes": len(content), "sha256": hashlib.sha256(content).hexdigest()}
    path.write_text(json.dumps(manifest))


def _craft(kind: str, subject: Subject) -> str:
    KINDS[kind](subject)
    return '[0, ""]'


def _run(command: Sequence[str]) -> str:
    """Run a command in this process; return its exit code and all that it printed."""
    with tempfile.TemporaryFile() as output:
        for descriptor in (1, 2):
            os.dup2(output.fileno(), descriptor)
        code = _exit_code(command)
        output.seek(0)
        return json.dumps([code, output.read().decode(errors="backslashreplace")])


def _exit_code(command: Sequence[str]) -> object:
    sys.argv = ["nasbench", *command]
    try:
        run_command(list(command))
    except SystemExit as ended:
        return ended.code or 0
    finally:
        sys.stdout.flush()
        sys.stderr.flush()
    return 0


def _expect_done(trial: Trial) -> None:
    if trial.outcome != DONE or json.loads(trial.text)[0] != 0:
        sys.exit(f"an intact file cannot be made or read: {trial.outcome}: {trial.text[:2000]}")


if __name__ == "__main__":
    main()
