"""The history of a task search on disk: every proposal and every record, safe before the next step.

One checksummed line each, after a first one that says which search it is. A resumed search runs its strategy again from
the beginning, answers from the stored records, and checks that the strategy proposes what it proposed then. Records of
a task are stored in the order of the architectures, so that which ones count does not depend on the number of workers.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

from ..domain import Record, Status
from ..errors import ResultsFileError
from ..results.journal import RECORD, JournalLine, record_from_json, record_to_json
from ..results.lines import LockedLines, decode_lines
from ..results.whole_files import check_target
from ..results.writer import check_same_images
from .plan import TaskSearchOptions, TaskSearchPlan

FORMAT = "nasbench task search"
FORMAT_VERSION = 1


class TaskHistory:
    """The proposals and records of a search, on disk as soon as they are known.

    Attributes:
        path: The file.
        records: What the networks of each proposal, by its number from 0, got so far.
        stored: Number of proposals that the file had already.
    """

    def __init__(self, plan: TaskSearchPlan, lines: LockedLines, environment: Mapping[str, Any]) -> None:
        self.path = lines.path
        self.records: list[list[Record]] = []
        self._plan = plan
        self._lines = lines
        self._proposals: list[str] = []
        self._asked = 0
        self._batches: dict[str, str] = {}
        if not self._read():
            header = {"format": FORMAT, "format_version": FORMAT_VERSION, "search": plan.described()}
            lines.append_line(header | {"environment": dict(environment)})
        self.stored = len(self._proposals)

    @classmethod
    @contextmanager
    def open(
        cls, plan: TaskSearchPlan, options: TaskSearchOptions, environment: Mapping[str, Any]
    ) -> Iterator[TaskHistory]:
        """Start a history, or continue it with ``options.resume``; another process cannot write it meanwhile.

        Raises:
            ResultsFileError: The file is damaged, was made by another search or has more tasks than the plan; or it or
                the task exists, and is neither to be continued nor replaced.
            ResultsWriteError: The disk is full.
        """
        check_target(options.output)
        lines = LockedLines(options.history, options.output.name)
        try:
            if options.overwrite:
                lines.truncate()
                options.output.unlink(missing_ok=True)
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
        number, self._asked = self._asked, self._asked + 1
        if number == len(self._proposals):
            self._lines.append_line({"task": number, "design": design})
            self._proposals.append(design)
            self.records.append([])
        elif design != self._proposals[number]:
            raise self.of_another_version(f"proposal {number + 1} is another task now")
        return number

    def add(self, number: int, record: Record) -> None:
        """Store what the next network of a proposal got.

        Raises:
            ResultsFileError: It saw other images than the file's earlier records.
            ResultsWriteError: The disk is full or gone.
        """
        check_same_images(self.path, self._batches, record)
        self._lines.append_line(record_to_json((number, len(self.records[number])), record))
        self.records[number].append(record)

    def end(self) -> None:
        """Check that no stored proposal is left when the strategy has none any more.

        Raises:
            ResultsFileError: There are some.
        """
        if self._asked < len(self._proposals):
            raise self.of_another_version(f"it made {len(self._proposals)} proposals then and {self._asked} now")

    def of_another_version(self, difference: str) -> ResultsFileError:
        """Return the error that says that the file's search went another way."""
        return ResultsFileError(
            f"'{self.path}' was made by another version of the search strategy, the space of tasks or the evaluator: "
            f"{difference}. Bring back that version, or choose another --output."
        )

    def _read(self) -> bool:
        """Take over what the file holds. Returns False if it holds nothing."""
        content = self.path.read_bytes()
        if not content:
            return False
        entries = decode_lines(self.path, content)
        self._check_header(entries[0] if entries else {})
        for line, entry in enumerate(entries[1:], start=2):
            if "task" in entry:
                self._take_proposal(line, entry)
            else:
                self._take_record(line, entry)
        if len(self._proposals) > self._plan.evaluations:
            raise ResultsFileError(
                f"'{self.path}' has {len(self._proposals)} tasks already, {self._plan.evaluations} were asked for. Ask "
                "for at least as many, or choose another --output."
            )
        # What comes next must not be glued to a line that a kill cut short.
        self._lines.truncate(content.rfind(b"\n") + 1)
        return True

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

    def _take_proposal(self, line: int, entry: Mapping[str, Any]) -> None:
        design = entry.get("design")
        if entry["task"] != len(self._proposals) or not isinstance(design, str):
            raise self._damaged(line, f"it should be proposal {len(self._proposals) + 1}")
        self._proposals.append(design)
        self.records.append([])

    def _take_record(self, line: int, entry: Mapping[str, Any]) -> None:
        (number, network), record = JournalLine(self.path, line, RECORD, entry).decode(record_from_json)
        if not 0 <= number < len(self._proposals):
            raise self._damaged(line, f"there is no proposal {number + 1}")
        known = self.records[number]
        if network != len(known) or network >= len(self._plan.judge.labelled.arch_ids):
            raise self._damaged(line, f"architecture {network + 1} is not the next one of proposal {number + 1}")
        if record.status is Status.PENDING:
            raise self._damaged(line, "a record of a job that has not ended")
        check_same_images(self.path, self._batches, record)
        known.append(record)

    def _damaged(self, line: int, problem: str) -> ResultsFileError:
        return ResultsFileError(f"'{self.path}' has no valid entry at line {line}: {problem}. It was left as it is.")


def _is_short(value: object) -> bool:
    return isinstance(value, str | int | float)


def _refuse_existing(options: TaskSearchOptions, lines: LockedLines) -> None:
    remedy = "replace it with --overwrite, or choose another --output"
    if options.output.exists() and lines.is_empty:
        raise ResultsFileError(
            f"'{options.output}' exists without the history of its search, so nothing can be continued: {remedy}."
        )
    if options.output.exists() or not lines.is_empty:
        existing = options.output if options.output.exists() else options.history
        raise ResultsFileError(f"'{existing}' exists. Continue its search with --resume, {remedy}.")
