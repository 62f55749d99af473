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
from .released_files import leave_out_other_sizes, name_unused_operations, refuse_file_of_another_space


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

    def check_file(self, path: Path) -> None:
        """Refuse a file that is released for another search space.

        Raises:
            DataError: It is one, by its name.
        """
        refuse_file_of_another_space(path, self.info.name)

    def prepare(self, raw: RawTable) -> RawTable:
        """Leave out records of a size of their own where a space has one, compare the counts of some with ours, say
        which operations none has.
        """
        fitting = leave_out_other_sizes(raw, self._space)
        return name_unused_operations(compare_counts(fitting, self._space), self._space)

    def earlier_table(self) -> StoredTable | None:
        """Return what was imported before; its results on other data sets are kept.

        Raises:
            DataError: It is damaged.
        """
        folder = stored_folder(self.info.name)
        return None if folder is None else StoredTable.open(folder / TABLE_NAME)
