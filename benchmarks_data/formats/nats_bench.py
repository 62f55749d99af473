"""NATS-Bench, topology search space, as published: ``NATS-tss-v1_0-3ffb9.pickle.pbz2`` or its ``-simple`` folder.

The folder holds ``meta.pickle.pbz2`` (the list of architectures) and ``000000.pickle.pbz2`` and so on, one file an
architecture; the single file holds all of it. Each is a pickle compressed by bzip2.
"""

from __future__ import annotations

import bz2
import re
import time
from pathlib import Path
from types import MappingProxyType

from ...core.errors import DataError
from ...core.interfaces import Progress
from ..tables.raw import RawTable
from .measured_file import open_measured
from .nasbench201_results import HOME, ResultsReader
from .pickles import load_plain

PACKED_SUFFIX = ".pickle.pbz2"
_EPOCHS_BY_KEY = MappingProxyType({"200": 200, "12": 12})
_SIZE_SPACE_KEY = "90"  # trained for 90 epochs, which no topology was
_SIZE_SPACE = re.compile(r"\d+(?::\d+){4}")


def read_nats_bench(path: Path, progress: Progress) -> RawTable:
    """Return the mean over the runs of each architecture at the end of its training of 200 and of 12 epochs.

    Args:
        path: The packed file or the folder.
        progress: Called with what is read and what there is in all, bytes or files.

    Raises:
        DataError: It is damaged, not this benchmark (also the size search space), or holds anything but plain data.
    """
    if "-sss-" in path.name:
        raise _size_space(path)
    reader = ResultsReader(path.name, _EPOCHS_BY_KEY)
    return _read_folder(path, reader, progress) if path.is_dir() else _read_file(path, reader, progress)


def _read_file(path: Path, reader: ResultsReader, progress: Progress) -> RawTable:
    def reduce(container: dict[object, object]) -> object:
        if isinstance(container.get(_SIZE_SPACE_KEY), dict):
            raise _size_space(path)
        return reader.reduce(container)

    with open_measured(path, progress) as packed, bz2.BZ2File(packed) as file:
        content = load_plain(file, file_bytes=path.stat().st_size, reduce=reduce, name=path.name)
    if not isinstance(content, dict) or not isinstance(content.get("arch2infos"), dict):
        raise reader.refusal("it has no results by architecture ('arch2infos')")
    _refuse_size_space(path, content.get("meta_archs"))
    return reader.table(content.get("meta_archs"), content["arch2infos"])


def _read_folder(path: Path, reader: ResultsReader, progress: Progress) -> RawTable:
    meta = _load(path / f"meta{PACKED_SUFFIX}")
    architectures = meta.get("meta_archs") if isinstance(meta, dict) else None
    _refuse_size_space(path, architectures)
    files = sorted(file for file in path.glob(f"*{PACKED_SUFFIX}") if _index(file) is not None)
    rows: dict[int, object] = {}
    next_report = 0.0
    for done, file in enumerate(files):
        if time.monotonic() >= next_report:
            progress(done, len(files))
            next_report = time.monotonic() + 0.05
        index = _index(file)
        assert index is not None
        if index in rows:
            raise reader.refusal(f"it has two files for architecture {index}")
        rows[index] = reader.row(_load(file))
    return reader.table(architectures, rows)


def _load(path: Path) -> object:
    if not path.is_file():
        raise DataError(f"'{path.parent.name}' has no '{path.name}': unpack the '-simple' archive of {HOME} whole.")
    with path.open("rb") as packed, bz2.BZ2File(packed) as file:
        return load_plain(file, file_bytes=path.stat().st_size, name=path.name)


def _index(file: Path) -> int | None:
    stem = file.name.removesuffix(PACKED_SUFFIX)
    return int(stem) if stem.isascii() and stem.isdigit() and len(stem) <= 6 else None


def _refuse_size_space(path: Path, architectures: object) -> None:
    if isinstance(architectures, list) and architectures and _SIZE_SPACE.fullmatch(str(architectures[0])):
        raise _size_space(path)


def _size_space(path: Path) -> DataError:
    return DataError(
        f"'{path.name}' is NATS-Bench's size search space ('sss'). Only its topology search space, NATS-tss, has the "
        f"architectures of NAS-Bench-201: get that from {HOME}."
    )
