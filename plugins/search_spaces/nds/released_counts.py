"""Compares what released records count with what networks built here have."""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, replace

import numpy as np

from ....benchmarks_data.formats.nds_json import CIFAR, IMAGENET, images_of
from ....benchmarks_data.tables.raw import RawTable
from ....core.errors import InvalidArchitectureError
from ....core.interfaces import SearchSpace
from .image_sets import CIFAR_IMAGES, IMAGENET_IMAGES

RECORDS_COMPARED = 12
"""Records, evenly spread, whose networks are built; one takes a tenth of a second."""


COUNTED_IMAGES = {CIFAR: CIFAR_IMAGES, IMAGENET: IMAGENET_IMAGES}
COUNTED_NETWORKS = {CIFAR: "benchmark", IMAGENET: "imagenet"}


_Counts = tuple[int, int]
"""Parameters and multiply-adds."""


@dataclass(frozen=True)
class _Compared:
    """A record's counts."""

    place: str
    arch_id: str
    parameters: int
    flops: float

    def ours(self, space: SearchSpace, images: str) -> _Counts:
        from .counts import count

        return count(space, self.arch_id, COUNTED_IMAGES[images], COUNTED_NETWORKS[images])


def compare_counts(raw: RawTable, space: SearchSpace) -> RawTable:
    """Build the networks of some records of each data set, compare their counts, and say in notes what came out.

    Where data sets were guessed, records whose networks are of the other one's form are taken for that data set's.
    """
    notes, names = list[str](), dict[str, str]()
    for dataset in dict.fromkeys(key.partition("/")[0] for key in raw.columns):
        records = list(_records_with_counts(raw, space, dataset))
        if not records:
            continue
        named = images_of(dataset)
        others = [images for images in COUNTED_IMAGES if images != named] if raw.datasets_are_guessed else []
        found, counts = _fitting(records, space, [named, *others])
        if found != named:
            names[dataset] = dataset.replace(named, found, 1)
            notes.append(f"The networks are those for {found}, whatever the file's name says, and so are the metrics.")
        notes += _notes(records, counts)
    if not notes:
        notes = ["No record says how many parameters it has: they could not be compared."]
    columns = {_renamed(key, names): values for key, values in raw.columns.items()}
    return replace(raw, columns=columns, notes=(*raw.notes, *notes))


def _renamed(key: str, names: Mapping[str, str]) -> str:
    dataset, _, quantity = key.partition("/")
    return f"{names.get(dataset, dataset)}/{quantity}"


def _fitting(records: Sequence[_Compared], space: SearchSpace, names: Sequence[str]) -> tuple[str, list[_Counts]]:
    """Return the images for whose networks most parameters are right, the first of equal ones, and what these have."""
    best, fitting = -1, (names[0], list[_Counts]())
    for images in names:
        counts = [record.ours(space, images) for record in records]
        right = sum(ours == record.parameters for record, (ours, _) in zip(records, counts, strict=True))
        if right > best:
            best, fitting = right, (images, counts)
        if right == len(records):
            break
    return fitting


def _records_with_counts(raw: RawTable, space: SearchSpace, dataset: str) -> Iterator[_Compared]:
    """Yield some records that say how many parameters a network for the data set has; wrong ones are refused elsewhere.

    None are yielded of a data set for which NDS has no networks.
    """
    parameters = raw.columns.get(f"{dataset}/parameters")
    if parameters is None or images_of(dataset) not in COUNTED_IMAGES:
        return
    flops = raw.columns.get(f"{dataset}/flops", np.full(len(raw.architectures), np.nan))
    counted = np.flatnonzero(~np.isnan(parameters))
    evenly_spread = np.linspace(0, len(counted) - 1, min(RECORDS_COMPARED, len(counted))).astype(int)
    for row in counted[evenly_spread].tolist():
        try:
            arch_id = space.canonicalize(raw.architectures[row])
        except InvalidArchitectureError:
            continue
        yield _Compared(raw.row_name(row), arch_id, int(parameters[row]), float(flops[row]))


def _notes(records: Sequence[_Compared], counts: Sequence[_Counts]) -> list[str]:
    pairs = list(zip(records, counts, strict=True))
    number = f"{len(records)} record{'s' * (len(records) > 1)}"
    different = [(record, ours) for record, (ours, _) in pairs if ours != record.parameters]
    if different:
        record, ours = different[0]
        notes = [
            f"Of {number} whose networks were built, {len(different)} state other parameters than these "
            f"have, such as {record.place}: {record.parameters:,}, and {ours:,} here."
        ]
    else:
        notes = [f"The parameters of {number} were compared with those of the networks here: all equal."]
    above = [100 * (record.flops / macs - 1) for record, (_, macs) in pairs if not np.isnan(record.flops)]
    if above:
        notes.append(
            f"Their flops are {min(above):.1f} to {max(above):.1f} % above the multiply-adds of the networks here, "
            "since the benchmark counts batch normalisation and pooling too."
        )
    return notes
