"""The history of a task search on disk: every proposal and every record, safe before the next step.

One checksummed line each, after a first one that says which search it is. Records are stored as they come, each with
the number of its architecture: which ones count is decided in the order of the architectures, when they are read too.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from ..asktell.options import SearchOptions
from ..asktell.replay import Replay
from ..domain import Record, Status
from ..errors import ResultsFileError
from ..results.journal import RECORD, JournalLine, record_from_json, record_to_json
from ..results.lines import LockedLines, decode_lines, encode_line, read_content
from ..results.plan_checks import check_same_arithmetic
from ..results.whole_files import check_target, target_of
from ..results.writer import check_same_inputs
from .plan import TaskSearchPlan

FORMAT = "nasbench task search"
FORMAT_VERSION = 2


def history_path(output: Path) -> Path:
    """Return the file of all that a search did, beside the task that it writes, or that a symbolic link leads to."""
    target = target_of(output)
    return target.with_name(f"{target.name}.history")


class TaskHistory:
    """The proposals and records of a search, on disk as soon as they are known.

    Attributes:
        path: The file.
        records: What the networks of each proposal, by its number from 0, got so far, each by its architecture's.
        replay: Checks that the strategy proposes what it proposed when the file was made.
    """

    def __init__(self, plan: TaskSearchPlan, lines: LockedLines, environment: Mapping[str, Any]) -> None:
        self.path = lines.path
        self.records: list[dict[int, Record]] = []
        self._plan = plan
        self._lines = lines
        self._batches: dict[str, str] = {}
        self._environment = environment
        proposals = self._read()
        if proposals is None:
            header = {"format": FORMAT, "format_version": FORMAT_VERSION, "search": plan.described()}
            lines.append_line(header | {"environment": dict(environment)})
        self.replay = Replay(self.path, [{"task": design} for design in proposals or ()])

    @classmethod
    @contextmanager
    def open(
        cls, plan: TaskSearchPlan, options: SearchOptions, environment: Mapping[str, Any]
    ) -> Iterator[TaskHistory]:
        """Start a history, or continue it with ``options.resume``; another process cannot write it meanwhile.

        Raises:
            ResultsFileError: The file is damaged, was made by another search or on another kind of device, or has more
                tasks than the plan; or it or the task exists, and is neither to be continued nor replaced.
            ResultsWriteError: The disk is full.
        """
        check_target(options.output)
        lines = LockedLines(history_path(options.output), options.output.name)
        try:
            if options.overwrite:
                lines.truncate()
                target_of(options.output).unlink(missing_ok=True)
            elif not options.resume or lines.is_empty:
                _refuse_existing(options, lines)
            yield cls(plan, lines, environment)
        finally:
            lines.abandon()

    def propose(self, design: str) -> int:
        """Store the strategy's next proposal, or check that it is the one that the file has.

        Returns:
            Its number.

        Raises:
            ResultsFileError: The file has another one.
            ResultsWriteError: The disk is full or gone.
        """
        number = self.replay.take({"task": design})
        if number >= self.replay.stored:
            self._lines.append_line({"task": number, "design": design})
            self.records.append({})
        return number

    def add(self, number: int, network: int, record: Record) -> None:
        """Store what a network of a proposal got.

        Raises:
            ResultsFileError: It saw other images than the file's earlier records.
            ResultsWriteError: The disk is full or gone.
        """
        check_same_inputs(self.path, self._batches, record)
        self._lines.append_line(record_to_json((number, network), record))
        self.records[number][network] = record

    def _read(self) -> list[str] | None:
        """Take over the records of the file and return its proposals, None if it holds nothing."""
        content = read_content(self.path)
        if not content:
            return None
        if _is_cut_header(content):
            self._lines.truncate()
            return None
        proposals: list[str] = []
        entries = decode_lines(self.path, content)
        header = entries[0] if entries else {}
        self._check_header(header)
        made_in = header.get("environment")
        check_same_arithmetic(self.path, made_in if isinstance(made_in, dict) else {}, self._environment)
        for line, entry in enumerate(entries[1:], start=2):
            if "task" in entry:
                proposals.append(self._take_proposal(line, entry))
            else:
                self._take_record(line, entry)
        if len(proposals) > self._plan.evaluations:
            raise ResultsFileError(
                f"'{self.path}' has {len(proposals)} tasks already, {self._plan.evaluations} were asked for. Ask "
                "for at least as many, or choose another --output."
            )
        # What comes next must not be glued to a line that a kill cut short.
        self._lines.truncate(content.rfind(b"\n") + 1)
        return proposals

    def _check_header(self, entry: Mapping[str, Any]) -> None:
        if entry.get("format") != FORMAT or entry.get("format_version") != FORMAT_VERSION:
            raise ResultsFileError(
                f"'{self.path}' is no history of a task search of this version of nasbench. It was left as it is; "
                "choose another --output."
            )
        stored, wanted = entry.get("search"), self._plan.described()
        if stored == wanted:
            return
        old = stored if isinstance(stored, dict) else {}
        names = [name for name, value in wanted.items() if old.get(name) != value] or ["fields of another version"]
        shown = [
            f"{name} ({old.get(name)} in the file, {wanted[name]} now)" if _is_short(wanted.get(name)) else name
            for name in names
        ]
        raise ResultsFileError(
            f"'{self.path}' was made by another task search; it differs in: {', '.join(shown)}. Repeat the command "
            "that made it, or choose another --output."
        )

    def _take_proposal(self, line: int, entry: Mapping[str, Any]) -> str:
        design = entry.get("design")
        if entry["task"] != len(self.records) or not isinstance(design, str):
            raise self._damaged(line, f"it should be proposal {len(self.records) + 1}")
        self.records.append({})
        return design

    def _take_record(self, line: int, entry: Mapping[str, Any]) -> None:
        (number, network), record = JournalLine(self.path, line, RECORD, entry).decode(record_from_json)
        if not 0 <= number < len(self.records):
            raise self._damaged(line, f"there is no proposal {number + 1}")
        known = self.records[number]
        if not 0 <= network < len(self._plan.fitness.labelled.arch_ids):
            raise self._damaged(line, f"there is no architecture {network + 1}")
        if network in known:
            raise self._damaged(line, f"proposal {number + 1} has architecture {network + 1} already")
        if record.status is Status.PENDING:
            raise self._damaged(line, "a record of a job that has not ended")
        check_same_inputs(self.path, self._batches, record)
        known[network] = record

    def _damaged(self, line: int, problem: str) -> ResultsFileError:
        return ResultsFileError(f"'{self.path}' has no valid entry at line {line}: {problem}. It was left as it is.")


def _is_cut_header(content: bytes) -> bool:
    """Return whether this is all that a kill left of a first line."""
    checksum, _, text = content.partition(b" ")
    start = encode_line({"format": FORMAT}).partition(b" ")[2].removesuffix(b"}\n")
    is_start = text.startswith(start) or start.startswith(text)
    return b"\n" not in content and re.fullmatch(rb"[0-9a-f]{1,8}", checksum) is not None and is_start


def _is_short(value: object) -> bool:
    return isinstance(value, str | int | float)


def _refuse_existing(options: SearchOptions, lines: LockedLines) -> None:
    remedy = "replace it with --overwrite, or choose another --output"
    if options.output.exists() and lines.is_empty:
        raise ResultsFileError(
            f"'{options.output}' exists without the history of its search, so nothing can be continued: {remedy}."
        )
    if options.output.exists() or not lines.is_empty:
        existing = options.output if options.output.exists() else lines.path
        raise ResultsFileError(f"'{existing}' exists. Continue its search with --resume, {remedy}.")
