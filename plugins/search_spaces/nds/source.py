"""The released records of NDS as tables: of each search space those for CIFAR-10 and those for ImageNet."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from functools import cached_property
from pathlib import Path
from typing import ClassVar

from ....benchmarks_data.tables.raw import RawTable
from ....benchmarks_data.tables.source import Reader, TableSource
from ....benchmarks_data.tables.store import TABLE_NAME, StoredTable
from ....core.data.data_home import stored_folder
from ....core.interfaces import Progress, SearchSpace
from .descriptions import NDS_SPACES
from .released_counts import compare_counts
from .released_files import name_unused_operations, refuse_file_of_another_space, refuse_other_sizes


def _read_json(path: Path, progress: Progress) -> RawTable:
    from ....benchmarks_data.formats.nds_json import read_nds_json

    return read_nds_json(path, progress)


class NdsSource(TableSource):
    """Stores one row for each architecture; those that were trained several times have the mean.

    The release has a file for each data set: an import keeps what another file brought.
    """

    readers: ClassVar[Mapping[str, Reader]] = {**TableSource.readers, ".json": _read_json, ".json.gz": _read_json}
    what_is_merged = "repeated trainings"
    repeats_are_runs = True

    @cached_property
    def _space(self) -> SearchSpace:
        return next(info for info in NDS_SPACES if info.name == self.info.name).create()

    def canonicalize_many(self, texts: Sequence[str]) -> list[str]:
        """Return the canonical string of each architecture, which may be the JSON of a record's ``net``.

        Raises:
            InvalidArchitectureError: One is none of the search space.
        """
        return self._space.canonicalize_many(texts)

    def prepare(self, raw: RawTable) -> RawTable:
        """Compare the counts of some records with those of our networks; say which operations no record has."""
        return name_unused_operations(compare_counts(raw, self._space), self._space)

    def check_rows(self, path: Path, raw: RawTable, arch_ids: Sequence[str]) -> None:
        """Refuse a file that is released for another search space, and records of several sizes where there is one.

        Raises:
            DataError: It is one, or a record has another size than those before it.
        """
        refuse_file_of_another_space(path, self.info.name)
        refuse_other_sizes(path, raw, arch_ids, self._space)

    def earlier_table(self) -> StoredTable | None:
        """Return what was imported before; its results on other data sets are kept.

        Raises:
            DataError: It is damaged.
        """
        folder = stored_folder(self.info.name)
        return None if folder is None else StoredTable.open(folder / TABLE_NAME)
