"""Cut the journals of an unfinished run, search and task search at every offset: only the line that is cut is lost.

A kill can end a journal at any byte. Each cut one is read, and must give exactly what its whole lines say; some are
resumed, and must then hold what uninterrupted work holds, but for times.

Usage: python experiments/robustness/journal_cuts.py [--samples 6] [--resumed 12] [--step 1]
"""

from __future__ import annotations

import argparse
import json
import shutil
import sys
import tempfile
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Sequence
from dataclasses import replace
from pathlib import Path
from typing import Any

from nasbench_toolkit.core.asktell.options import SearchOptions
from nasbench_toolkit.core.domain import Record, Seconds
from nasbench_toolkit.core.jobs.run import RunOptions, run_plan
from nasbench_toolkit.core.planning.requests import RunRequest, make_plan
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.results.journal import journal_path
from nasbench_toolkit.core.results.store import read_results
from nasbench_toolkit.core.search.loop import run_search
from nasbench_toolkit.core.search.planning import SearchRequest, make_search_plans
from nasbench_toolkit.core.search.storage import read_search, read_stored_search
from nasbench_toolkit.core.task_search.history import TaskHistory, history_path
from nasbench_toolkit.core.task_search.loop import run_task_search
from nasbench_toolkit.core.task_search.planning import TaskSearchRequest, make_task_search_plan
from nasbench_toolkit.experiments.official_files import nasbench201_architecture
from nasbench_toolkit.experiments.robustness.kills import comparable, comparable_history

SPACE = "nasbench201"


class Work(ABC):
    """Something with a journal that can be interrupted.

    Attributes:
        output: Its output.
        journal: Its journal.
        whole: What it holds at the end, without times.
        lines: The longest content of the journal.
    """

    name: str
    has_file_before_journal = True

    def __init__(self, folder: Path, samples: int) -> None:
        self.samples = samples
        self.output = folder / "output"
        self.journal = self.journal_of(self.output)
        self._start = folder / "start"
        self.plan = self.make_plan(folder)
        self.lines = b""
        self.whole = self.finish(self._keep)

    def _keep(self, *_: object) -> None:
        """Keep a copy of output and journal as they are now: what a kill would leave."""
        content = self.journal.read_bytes()
        if len(content) > len(self.lines):
            self.lines = content
            if self.has_file_before_journal:
                shutil.copy(self.output, self._start)

    def cut(self, offset: int) -> None:
        """Bring back what a kill left, with the journal cut at an offset."""
        self.output.unlink(missing_ok=True)
        if self._start.exists():
            shutil.copy(self._start, self.output)
        self.journal.write_bytes(self.lines[:offset])

    def expected(self, offset: int) -> list[str]:
        """Return what the whole lines before an offset say, but for the first, which is a header."""
        lines = self.lines[:offset].split(b"\n")[1:-1]
        return [text for line in lines if (text := shown(json.loads(line.partition(b" ")[2])))]

    @abstractmethod
    def journal_of(self, output: Path) -> Path:
        """Return the journal of an output."""

    @abstractmethod
    def make_plan(self, folder: Path) -> Any:
        """Make a plan."""

    @abstractmethod
    def finish(self, on_step: Callable[..., None] = lambda *_: None) -> str:
        """Do what is left; return what the output holds then, without times."""

    @abstractmethod
    def read(self) -> list[str]:
        """Return all that is known, in the order of the journal and as :func:`shown`."""


def shown(entry: dict[str, Any]) -> str:
    """Return what a journal's line says as text, empty for an architecture: without its proposal it is forgotten."""
    if entry.get("kind") == "record":
        return f"{tuple(entry['job'])} {entry['status']} {entry['score']}"
    return f"task {entry['task']}" if "task" in entry else str(entry.get("text", ""))


def shown_record(evaluator: int, arch: int, record: Record) -> str:
    """Return what the line of a record says as text."""
    return f"{evaluator, arch} {record.status} {record.score}"


class Run(Work):
    """A run."""

    name = "run"

    def journal_of(self, output: Path) -> Path:
        """See the base class."""
        return journal_path(output)

    def make_plan(self, folder: Path) -> Any:
        """See the base class."""
        return make_plan(RunRequest(SPACE, ("params", "random"), samples=self.samples), installed_plugins())

    def finish(self, on_step: Callable[..., None] = lambda *_: None) -> str:
        """See the base class."""
        options = RunOptions(self.output, ("cpu",), resume=True, in_process=True)
        run_plan(self.plan, options, on_step, on_step)
        return comparable(read_results(self.output))

    def read(self) -> list[str]:
        """See the base class."""
        parts = read_results(self.output).evaluators
        return [
            shown_record(number, arch, record)
            for arch in range(len(parts[0].records))
            for number, part in enumerate(parts)
            for record in [part.records[arch]]
            if record.status != "pending"
        ]


class Search(Work):
    """A search."""

    name = "search"

    def journal_of(self, output: Path) -> Path:
        """See the base class."""
        return journal_path(output)

    def make_plan(self, folder: Path) -> Any:
        """See the base class."""
        strategy = "regularized-evolution:population_size=3,tournament_size=2"
        request = SearchRequest(SPACE, "params", strategy, evaluations=2 * self.samples)
        return make_search_plans(request, installed_plugins())[0]

    def finish(self, on_step: Callable[..., None] = lambda *_: None) -> str:
        """See the base class."""
        run_search(self.plan, SearchOptions(self.output, ("cpu",), resume=True), on_step)
        return comparable_history(read_search(self.output))

    def read(self) -> list[str]:
        """See the base class."""
        stored = read_stored_search(self.output)
        known = [proposal.text for proposal in stored.proposals]
        for number, part in enumerate(stored.results.evaluators):
            records = enumerate(part.records)
            known += [shown_record(number, arch, record) for arch, record in records if record.status != "pending"]
        return known


class TaskSearch(Work):
    """A task search."""

    name = "task search"
    has_file_before_journal = False  # the task is written when there is one

    def journal_of(self, output: Path) -> Path:
        """See the base class."""
        return history_path(output)

    def make_plan(self, folder: Path) -> Any:
        """See the base class."""
        labelled = folder / "labelled.csv"
        rows = [f"{nasbench201_architecture(index)},{index}" for index in range(3000, 15_000, 2400)]
        labelled.write_text("\n".join(["architecture,accuracy", *rows]) + "\n")
        request = TaskSearchRequest(SPACE, labelled, "gennas:iterations=2", "random-search", evaluations=self.samples)
        return make_task_search_plan(request, installed_plugins())

    def finish(self, on_step: Callable[..., None] = lambda *_: None) -> str:
        """See the base class."""
        outcomes = run_task_search(self.plan, SearchOptions(self.output, ("cpu",), resume=True), on_step)
        timeless = [
            replace(outcome, records=tuple(replace(record, seconds=Seconds()) for record in outcome.records))
            for outcome in outcomes
        ]
        return f"{timeless} {self.output.read_text()}"

    def read(self) -> list[str]:
        """See the base class."""
        options = SearchOptions(self.output, ("cpu",), resume=True)
        with TaskHistory.open(self.plan, options, {}) as history:
            known = [f"task {number}" for number in range(history.replay.stored)]
            for number, records in enumerate(history.records):
                known += [shown_record(number, arch, record) for arch, record in records.items()]
            return known


def main() -> None:
    """Cut, read, resume and count; exit code 1 if anything was lost, refused or wrong."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--samples", type=int, default=6, help="architectures of the run, tasks, half the evaluations")
    parser.add_argument("--resumed", type=int, default=12, help="offsets at which each is resumed")
    parser.add_argument("--step", type=int, default=1, help="bytes from one cut to the next")
    args = parser.parse_args()
    failures = 0
    for kind in (Run, Search, TaskSearch):
        with tempfile.TemporaryDirectory() as folder:
            work = kind(Path(folder), args.samples)
            failures += read_all(work, range(0, len(work.lines) + 1, args.step))
            count = len(work.lines) + 1
            failures += resume_some(work, [number * count // args.resumed for number in range(args.resumed)])
    sys.exit(bool(failures))


def read_all(work: Work, offsets: Sequence[int]) -> int:
    """Read what is left of a cut at each offset; print and return how many times it was not what it should be."""
    failures, slowest = 0, 0.0
    work.cut(0)
    at_start = work.read()
    for offset in offsets:
        work.cut(offset)
        start = time.monotonic()
        problem = reading_problem(work, at_start, offset)
        slowest = max(slowest, time.monotonic() - start)
        if problem:
            failures += 1
            print(f"{work.name}, cut at {offset}: {problem}", flush=True)
    survived = len(offsets) - failures
    print(f"{work.name}: {survived}/{len(offsets)} cuts of {len(work.lines):,} bytes read, slowest {slowest:.2f} s")
    return failures


def reading_problem(work: Work, at_start: Sequence[str], offset: int) -> str:
    """Say what is wrong with what is read of a cut journal, empty if nothing."""
    try:
        known = work.read()
    except Exception as error:
        return f"{type(error).__name__}: {error}"
    expected = sorted([*at_start, *work.expected(offset)])
    return "" if sorted(known) == expected else f"read {sorted(known)}, expected {expected}"


def resume_some(work: Work, offsets: Sequence[int]) -> int:
    """Resume cuts at some offsets; print and return how many times the end was another."""
    failures = 0
    for offset in offsets:
        work.cut(offset)
        try:
            problem = "" if work.finish() == work.whole else "the end is another"
        except Exception as error:
            problem = f"{type(error).__name__}: {error}"
        if problem:
            failures += 1
            print(f"{work.name}, resumed at {offset}: {problem}", flush=True)
    print(f"{work.name}: {len(offsets) - failures}/{len(offsets)} cuts resumed to the same end", flush=True)
    return failures


if __name__ == "__main__":
    main()
