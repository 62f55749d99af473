"""Tables of NAS-Bench-201 cells: the official file, NATS-Bench's topology part, and the interchange form."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar

from ....benchmarks_data.tables.raw import RawTable
from ....benchmarks_data.tables.source import DIRECTORY, Reader, TableSource, without_marker
from ....core.interfaces import Progress
from .identity import NUM_NETWORKS, canonical_arch_str
from .other_spellings import parse_cell

EDGE_TPU_LATENCY = "hardware/edgetpu_latency"


def _read_pth(path: Path, progress: Progress) -> RawTable:
    from ....benchmarks_data.formats.nasbench201_pth import read_nasbench201_pth

    return read_nasbench201_pth(path, progress)


def _read_nats_bench(path: Path, progress: Progress) -> RawTable:
    from ....benchmarks_data.formats.nats_bench import read_nats_bench

    return read_nats_bench(path, progress)


class Nasbench201Source(TableSource):
    """Stores one row for each of the 5,260 networks, the mean of its cells.

    The benchmark trained all 15,625 cells, also those that are the same network (`identity` says when): their
    trainings are independent, so that their mean is the better measurement.
    """

    readers: ClassVar[Mapping[str, Reader]] = {
        **TableSource.readers,
        ".pth": _read_pth,
        ".pickle.pbz2": _read_nats_bench,
        DIRECTORY: _read_nats_bench,
    }
    num_architectures = NUM_NETWORKS
    what_is_merged = "cells that are the same network"

    def canonicalize_many(self, texts: Sequence[str]) -> list[str]:
        """Return the canonical string of each cell.

        Raises:
            InvalidArchitectureError: One is no NAS-Bench-201 cell.
        """
        return [canonical_arch_str(parse_cell(text)) for text in texts]

    def prepare(self, raw: RawTable) -> RawTable:
        """Take HW-NAS-Bench's mark of a missing Edge TPU latency, -1, as not measured."""
        return without_marker(raw, EDGE_TPU_LATENCY, -1.0, "HW-NAS-Bench has no measurement there")
