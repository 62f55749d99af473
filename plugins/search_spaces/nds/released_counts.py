"""Compares what released records count with what networks built here have."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ....benchmarks_data.formats.nds_json import CIFAR, IMAGENET, VARIED_SUFFIX
from ....benchmarks_data.tables.raw import RawTable
from ....core.errors import InvalidArchitectureError
from ....core.interfaces import SearchSpace
from .image_sets import CIFAR_IMAGES, IMAGENET_IMAGES

RECORDS_COMPARED = 12
"""Records, evenly spread, whose networks are built; one takes a tenth of a second."""


COUNTED_DATASETS = {CIFAR: CIFAR_IMAGES, IMAGENET: IMAGENET_IMAGES}
COUNTED_NETWORKS = {CIFAR: "benchmark", IMAGENET: "imagenet"}


@dataclass(frozen=True)
class _Compared:
    """A record's counts."""

    place: str
    arch_id: str
    parameters: int
    flops: float

    def ours(self, space: SearchSpace, dataset: str) -> tuple[int, int]:
        from .counts import count

        return count(space, self.arch_id, COUNTED_DATASETS[dataset], COUNTED_NETWORKS[dataset])


def compare_counts(raw: RawTable, space: SearchSpace) -> RawTable:
    """Build the networks of some records, compare their counts, and say in a note what came out.

    Records whose networks are of the other data set's form than the file's name says are taken for that data set's.
    """
    records = list(_records_with_counts(raw, space))
    if not records:
        return replace(
            raw, notes=(*raw.notes, "No record says how many parameters it has: they could not be compared.")
        )
    named = _dataset(raw)
    found = _found_dataset(records[0], space, named)
    notes = _notes(records, space, found)
    if found != named:
        notes = [f"The networks are those for {found}, whatever the file's name says, and so are the metrics.", *notes]
    columns = {key.replace(named, found, 1): values for key, values in raw.columns.items()}
    return replace(raw, columns=columns, notes=(*raw.notes, *notes))


def _dataset(raw: RawTable) -> str:
    return next(iter(raw.columns)).partition("/")[0].removesuffix(VARIED_SUFFIX)


def _found_dataset(record: _Compared, space: SearchSpace, named: str) -> str:
    """Return the data set for whose networks the counts are right, the named one if neither is."""
    others = [name for name in COUNTED_DATASETS if name != named]
    return next(
        (name for name in (named, *others) if record.ours(space, name)[0] == record.parameters),
        named,
    )


def _records_with_counts(raw: RawTable, space: SearchSpace) -> Iterator[_Compared]:
    """Yield some records that say how many parameters they have; wrong ones are refused elsewhere."""
    columns = {key.partition("/")[2]: values for key, values in raw.columns.items()}
    if "parameters" not in columns:
        return
    flops = columns.get("flops", np.full(len(raw.architectures), np.nan))
    counted = np.flatnonzero(~np.isnan(columns["parameters"]))
    for row in counted[np.unique(np.linspace(0, len(counted) - 1, RECORDS_COMPARED).astype(int))].tolist():
        try:
            arch_id = space.canonicalize(raw.architectures[row])
        except InvalidArchitectureError:
            continue
        yield _Compared(raw.row_name(row), arch_id, int(columns["parameters"][row]), float(flops[row]))


def _notes(records: Sequence[_Compared], space: SearchSpace, dataset: str) -> list[str]:
    counted = [record.ours(space, dataset) for record in records]
    pairs = list(zip(records, counted, strict=True))
    different = [(record, ours) for record, (ours, _) in pairs if ours != record.parameters]
    if different:
        record, ours = different[0]
        notes = [
            f"Of {len(records)} records whose networks were built, {len(different)} state other parameters than these "
            f"have, such as {record.place}: {record.parameters:,}, and {ours:,} here."
        ]
    else:
        notes = [f"The parameters of {len(records)} records were compared with those of the networks here: all equal."]
    above = [100 * (record.flops / macs - 1) for record, (_, macs) in pairs if not np.isnan(record.flops)]
    if above:
        notes.append(
            f"Their flops are {min(above):.1f} to {max(above):.1f} % above the multiply-adds of the networks here, "
            "since the benchmark counts batch normalisation and pooling too."
        )
    return notes
