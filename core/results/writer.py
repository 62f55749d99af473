"""The only code that writes results files."""

from __future__ import annotations

import json
import os
import time
from abc import ABC, abstractmethod
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from pathlib import Path
from types import TracebackType
from typing import Any, Self

import h5py
import numpy as np

from ..domain import Record, Status
from ..errors import ResultsFileError, ResultsWriteError
from ..plan import JobIndex, Plan
from .contents import PENDING, EvaluatorResults, Results, as_text
from .journal import Journal
from .layout import (
    FORMAT,
    FORMAT_VERSION,
    HDF5_VERSIONS,
    NO_EPOCHS,
    SECONDS_PARTS,
    group_name,
    journal_path,
)
from .reader import read_results

# The HDF5 file is rewritten at most this often, and at most a tenth of the time is spent on it.
CHECKPOINT_SECONDS = 30.0
CHECKPOINT_COST_FACTOR = 10.0


class JournaledWriter(ABC):
    """Writes records as they come: to the journal at once, to the HDF5 file now and then and at the end.

    Must implement ``results``, which the constructor calls; may implement ``_write``.

    Attributes:
        path: The results file.
        records: Every record that the file has, old and new, by the positions of evaluator and architecture.
    """

    def __init__(self, path: Path, records: dict[JobIndex, Record], journal: Journal) -> None:
        self.path = path
        self.records = records
        self._journal = journal
        self._batches: dict[int, dict[str, str]] = {}
        for (evaluator, _), record in records.items():
            self._batches.setdefault(evaluator, {}).update(record.batches)
        self.checkpoint()

    @abstractmethod
    def results(self) -> Results:
        """Return what the file holds."""

    def _write(self) -> None:
        write_results(self.path, self.results())

    def add(self, position: JobIndex, record: Record) -> None:
        """Store one record on disk; now and then the HDF5 file is brought up to date as well.

        Raises:
            ResultsFileError: The record's images are not those of the file's earlier records.
            ResultsWriteError: The disk is full or gone.
        """
        check_same_images(self.path, self._batches.setdefault(position[0], {}), record)
        self._journal.append(position, record)
        self.records[position] = record
        due = max(CHECKPOINT_SECONDS, CHECKPOINT_COST_FACTOR * self._checkpoint_cost)
        if time.monotonic() - self._last_checkpoint > due:
            self.checkpoint()

    def checkpoint(self) -> None:
        """Bring the HDF5 file up to date and empty the journal."""
        start = time.monotonic()
        self._write()
        self._journal.clear()
        self._last_checkpoint = time.monotonic()
        self._checkpoint_cost = self._last_checkpoint - start

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        """Bring the HDF5 file up to date and remove the journal; keep the journal where that fails."""
        saved = False
        try:
            self.checkpoint()
            saved = True
        finally:
            self._journal.close(remove=saved)


class ResultsWriter(JournaledWriter):
    """Writes a run's results; the positions of its records are those in the plan."""

    def __init__(
        self,
        path: Path,
        plan: Plan,
        environment: Mapping[str, Any],
        records: dict[JobIndex, Record],
        journal: Journal,
    ) -> None:
        self._plan = plan
        self._environment = environment
        super().__init__(path, records, journal)

    @classmethod
    def create(cls, path: Path, plan: Plan, environment: Mapping[str, Any], *, overwrite: bool) -> ResultsWriter:
        """Start a new file.

        Raises:
            ResultsFileError: The file exists and ``overwrite`` is false, or the place is not writable.
            ResultsWriteError: The disk is full.
        """
        with locked_journal(path, plan.plan_id) as journal:
            if not overwrite:
                refuse_existing(path, journal)
            return cls(path, plan, environment, {}, journal)

    @classmethod
    def resume(cls, path: Path, plan: Plan, environment: Mapping[str, Any]) -> ResultsWriter:
        """Continue a file, or start it if it does not exist.

        Raises:
            ResultsFileError: The file is damaged or was made by another plan.
            ResultsWriteError: The disk is full.
        """
        # Nothing is read before the lock is held: a run that is just ending may still add to the file.
        with locked_journal(path, plan.plan_id) as journal:
            if not path.exists():
                refuse_existing(path, journal)
                return cls(path, plan, environment, {}, journal)
            stored = read_results(path)
            _check_same_plan(path, stored, plan)
            return cls(path, plan, stored.environment, finished_records(stored), journal)

    def results(self) -> Results:
        """Return what the file holds."""
        parts = tuple(
            EvaluatorResults(
                spec.header,
                tuple(self.records.get((i, j), PENDING) for j in range(len(self._plan.arch_ids))),
            )
            for i, spec in enumerate(self._plan.evaluators)
        )
        plan = self._plan
        return Results(plan.header, plan.arch_ids, plan.ground_truth, parts, self._environment, plan.aggregates)


@contextmanager
def locked_journal(path: Path, plan_id: str) -> Iterator[Journal]:
    """Give the journal of a file to its writer; where that fails, leave the place as it was found."""
    check_target(path)
    journal = Journal(journal_path(path), plan_id)
    try:
        yield journal
    except BaseException:
        journal.abandon()
        raise


def refuse_existing(path: Path, journal: Journal) -> None:
    """Check that nothing is at ``path`` that a new file would replace. Raises ResultsFileError if something is."""
    if path.exists():
        raise ResultsFileError(
            f"'{path}' exists. Continue it with --resume, replace it with --overwrite, or choose another --output."
        )
    if not journal.is_empty:
        raise ResultsFileError(
            f"'{journal.path}' is left from a run whose results file is gone. Bring that file back, discard the "
            "records with --overwrite, or choose another --output."
        )


def write_results(path: Path, results: Results, write_more: Callable[[h5py.File], None] = lambda _: None) -> None:
    """Write a results file whole: beside the old one first, then in its place.

    Args:
        path: Where.
        results: What.
        write_more: Called with the new file, to write what it holds besides.

    Raises:
        ResultsWriteError: It cannot be written; what was at ``path`` is as it was.
    """
    write_whole(path, _file_image(results, write_more))


def write_whole(
    path: Path,
    content: bytes,
    remedy: str = "What was computed is kept; make room and run the same command with --resume.",
) -> None:
    """Write a file beside the old one first, then in its place: whoever reads it finds one or the other, whole.

    Args:
        path: Where to.
        content: All of it.
        remedy: What to do where it cannot be written.

    Raises:
        ResultsWriteError: It cannot be written; what was at ``path`` is as it was.
    """
    temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
    try:
        with temporary.open("wb") as file:
            file.write(content)
            file.flush()
            os.fsync(file.fileno())
        temporary.replace(path)
    except OSError as error:
        raise ResultsWriteError(f"Cannot write '{path}': {error.strerror}. {remedy}") from error
    finally:
        temporary.unlink(missing_ok=True)


def _file_image(results: Results, write_more: Callable[[h5py.File], None]) -> bytes:
    """Return the bytes of the file; made in memory, because HDF5 crashes when a disk fills up under it."""
    with h5py.File("image", "w", driver="core", backing_store=False, libver=HDF5_VERSIONS) as file:
        _write_file(file, results)
        write_more(file)
        file.flush()
        image: bytes = file.id.get_file_image()
    return image


def _write_file(file: h5py.File, results: Results) -> None:
    file.attrs["format"] = FORMAT
    file.attrs["format_version"] = FORMAT_VERSION
    file.attrs["plan_id"] = results.plan_id
    file.attrs["texts_digest"] = results.texts_digest
    if results.search_id is not None:
        file.attrs["search_id"] = results.search_id
    plan = file.create_group("plan")
    plan.attrs.update(
        space=results.plan.space,
        dataset=results.plan.dataset,
        seed=results.plan.seed,
        sampling=results.plan.sampling,
        aggregates=json.dumps(results.aggregates),
    )
    file.create_group("environment").attrs.update({name: as_text(value) for name, value in results.environment.items()})
    write_texts(file, "architectures", results.arch_ids)
    _write_ground_truth(file.create_group("ground_truth"), results)
    evaluators = file.create_group("evaluators")
    for position, part in enumerate(results.evaluators):
        _write_evaluator(evaluators.create_group(group_name(part.header.label)), position, part)


def _write_ground_truth(group: h5py.Group, results: Results) -> None:
    for position, column in enumerate(results.ground_truth):
        metric = column.metric
        dataset = write_numbers(group, group_name(metric.key), np.asarray(column.values, float))
        dataset.attrs.update(
            key=metric.key, position=position, dataset=metric.dataset, split=metric.split, quantity=metric.quantity,
            epochs=NO_EPOCHS if metric.epochs is None else metric.epochs, direction=str(metric.direction),
            unit=metric.unit, reduction=metric.reduction, source=column.source,
            noise_ceiling=float("nan") if column.noise_ceiling is None else column.noise_ceiling,
        )  # fmt: skip


def _write_evaluator(group: h5py.Group, position: int, part: EvaluatorResults) -> None:
    header, records = part.header, part.records
    group.attrs.update(
        label=header.label, position=position, name=header.name, direction=str(header.direction),
        version=header.version, settings=json.dumps(header.settings, sort_keys=True),
        settings_hash=header.settings_hash, distribution=header.distribution,
        batches=json.dumps(part.batches, sort_keys=True),
    )  # fmt: skip
    write_numbers(group, "score", np.array([record.score for record in records]))
    write_texts(group, "status", [record.status for record in records])
    write_texts(group, "message", [record.message for record in records])
    for name in SECONDS_PARTS:
        write_numbers(group, f"seconds_{name}", np.array([getattr(record.seconds, name) for record in records]))
    curves = group.create_group("curves")
    for name in sorted({name for record in records for name in record.curves}):
        write_numbers(curves, name, _padded([record.curves.get(name, ()) for record in records]))


def write_numbers(group: h5py.Group, name: str, values: np.ndarray) -> h5py.Dataset:
    """Write an array of numbers, compressed and with a checksum; HDF5 allows neither for an empty one."""
    if not values.size:
        return group.create_dataset(name, data=values)
    return group.create_dataset(name, data=values, chunks=values.shape, compression="gzip", fletcher32=True)


def write_texts(group: h5py.Group, name: str, texts: Sequence[str]) -> None:
    """Write texts, of fixed length so that they are compressed and have a checksum."""
    encoded = [text.encode() for text in texts]
    dtype = h5py.string_dtype("utf-8", max([1, *map(len, encoded)]))
    write_numbers(group, name, np.array(encoded, dtype=dtype))


def _padded(curves: Sequence[Sequence[float]]) -> np.ndarray:
    padded = np.full((len(curves), max(1, *(len(curve) for curve in curves))), np.nan)
    for row, curve in zip(padded, curves, strict=True):
        row[: len(curve)] = curve
    return padded


def finished_records(results: Results) -> dict[JobIndex, Record]:
    """Return the records of jobs that have ended, by position."""
    return {
        (i, j): record
        for i, part in enumerate(results.evaluators)
        for j, record in enumerate(part.records)
        if record.status is not Status.PENDING
    }


def check_target(path: Path) -> None:
    """Check that a results file could be written at ``path``. Raises ResultsFileError if not."""
    if path.is_dir():
        raise ResultsFileError(f"'{path}' is a directory. Name a file, such as '{path / 'results.h5'}'.")
    if not path.parent.is_dir():
        raise ResultsFileError(f"The directory '{path.parent}' does not exist. Create it or choose another --output.")
    if not os.access(path.parent, os.W_OK):
        raise ResultsFileError(f"The directory '{path.parent}' is not writable. Choose another --output.")


def _check_same_plan(path: Path, stored: Results, plan: Plan) -> None:
    if stored.search_id is not None:
        raise ResultsFileError(
            f"'{path}' was made by 'nasbench search'. Continue it with the command that made it, or choose another "
            "--output."
        )
    if stored.plan_id == plan.plan_id:
        return
    differences = [
        f"{name} ({old} in the file, {new} now)"
        for name, old, new in (
            ("space", stored.plan.space, plan.header.space),
            ("dataset", stored.plan.dataset, plan.header.dataset),
            ("seed", stored.plan.seed, plan.header.seed),
            ("evaluators", _labels(stored), [spec.header.label for spec in plan.evaluators]),
            ("number of architectures", len(stored.arch_ids), len(plan.arch_ids)),
        )
        if old != new
    ]
    where = ", ".join(differences) or "settings or versions of evaluators, or the architectures themselves"
    raise ResultsFileError(
        f"'{path}' was made by another plan; it differs in: {where}. Repeat the command that made it, or choose "
        "another --output."
    )


def check_same_images(path: Path, known: dict[str, str], record: Record) -> None:
    """Check that a job saw the batches that earlier jobs of its evaluator saw, and remember its own.

    Raises:
        ResultsFileError: It did not.
    """
    for name, digest in record.batches.items():
        if known.setdefault(name, digest) != digest:
            raise ResultsFileError(
                f"The scores in '{path}' were made from other images: its batch of {name} has the digest "
                f"{known[name]}, now it has {digest}. Bring back the images of that run, or choose another --output."
            )


def _labels(results: Results) -> list[str]:
    return [part.header.label for part in results.evaluators]
