"""The files of NDS as released: one JSON list of records, or for trainings with many seeds a list for each network.

Accuracies are 100 less the errors of the record, in percent: of the last epoch, of the best one (a metric by itself),
and of early epochs, on the test set. They are those of one training each.
"""

from __future__ import annotations

import json
from array import array
from collections import defaultdict
from collections.abc import Iterator, Mapping
from pathlib import Path
from typing import Any

import numpy as np

from ...core.errors import DataError
from ...core.interfaces import Progress
from ..tables.raw import RawTable
from .json_stream import CutShortError, JsonStream, open_json

HOME = "https://github.com/facebookresearch/nds"

CIFAR, IMAGENET = "cifar10", "imagenet"
VARIED_SUFFIX = "-lr-wd"
RERUNS_SUFFIX = "-reruns"

_VARIED_FIELDS = ("base_lr", "wd")

_MAX_WRONG = 1000
_MAX_RECORDS = 1_000_000  # the largest file has some 25,000
_MAX_NET_CHARACTERS = 20_000
_MAX_EPOCHS = 1000
_MAX_COUNT = 2.0**53

# All of the first epochs, in which networks differ most, and every tenth one.
_FIRST_EPOCHS = 10
_LATER_EPOCHS = 10


def read_nds_json(path: Path, progress: Progress) -> RawTable:
    """Return one row for each record of a finished training; its string is the JSON of the record's `net`.

    The data set is ImageNet's where the file's name ends in `_in`, as released, else CIFAR-10. Trainings whose learning
    rate or weight decay varies belong to a data set of their own, `cifar10-lr-wd` or `imagenet-lr-wd`, and so do those
    of few networks that were trained many times, `cifar10-reruns`.

    Args:
        path: The file, `.json` or `.json.gz`.
        progress: Called with bytes read and bytes in all.

    Raises:
        DataError: It is no such file, or has no record that can be used. Single records that cannot are named in the
            table's `problems`.
    """
    rows = _Rows()
    with open_json(path, progress) as stream:
        try:
            rows.are_reruns = stream.peek() == "{"
            for place, record in _records(stream):
                rows.add(place, record)
        except CutShortError as error:
            rows.problems.append(f"record {rows.seen + 1:,}: {error}")
        except UnicodeDecodeError:
            raise
        except ValueError as error:
            raise DataError(
                f"'{path}', record {rows.seen + 1:,}: {error}. This is no file of NDS: get it again from {HOME}."
            ) from error
    return rows.finish(path)


def _records(stream: JsonStream) -> Iterator[tuple[str, Any]]:
    """Yield each record with its place, such as `record 7`."""
    if stream.peek() == "{":
        yield from _groups(stream)
    else:
        for number, record in enumerate(stream.elements(), start=1):
            yield f"record {number:,}", record
    stream.end()


def _groups(stream: JsonStream) -> Iterator[tuple[str, Any]]:
    stream.take("{")
    if stream.peek() != "}":
        yield from _group(stream)
        while stream.peek() == ",":
            stream.take(",")
            yield from _group(stream)
    stream.take("}")


def _group(stream: JsonStream) -> Iterator[tuple[str, Any]]:
    name = stream.value()
    if not isinstance(name, str):
        raise ValueError(f"{name!r:.40} stands where the name of a group is expected")
    stream.take(":")
    for number, record in enumerate(stream.elements(), start=1):
        yield f"record {number:,} of '{name:.20}'", record


class _Rows:
    """Rows of the table, record by record."""

    def __init__(self) -> None:
        self.problems: list[str] = []
        self.seen = 0
        self.are_reruns = False
        self._places: list[str] = []
        self._nets: list[str] = []
        self._values: dict[str, array[float]] = defaultdict(lambda: array("d"))
        self._recipes: dict[str, set[float]] = {field: set() for field in _VARIED_FIELDS}
        self._unfinished = 0

    def add(self, place: str, record: Any) -> None:
        """Add one record, or say why it cannot be used.

        Raises:
            ValueError: There are too many, or too many that cannot be used.
        """
        self.seen += 1
        if self.seen > _MAX_RECORDS:
            raise ValueError(f"there are more than {_MAX_RECORDS:,} records")
        try:
            self._add(place, record)
        except _RecordError as error:
            self.problems.append(f"{place}: {error}")
            if len(self.problems) > _MAX_WRONG:
                raise ValueError(f"more than {_MAX_WRONG:,} records are wrong, the first in this way: "
                                 f"{self.problems[0]}") from error  # fmt: skip

    def _add(self, place: str, record: Any) -> None:
        if not isinstance(record, dict):
            raise _RecordError(f"it is {record!r:.40}, expected an object")
        net = record.get("net")
        if not isinstance(net, dict):
            raise _RecordError("'net' is missing")
        text = json.dumps(net)
        if len(text) > _MAX_NET_CHARACTERS:
            raise _RecordError(f"'net' has {len(text):,} characters, more than any network's")
        recipe = record.get("optim", {})
        if not isinstance(recipe, dict):
            raise _RecordError(f"'optim' is {recipe!r:.40}, expected an object")
        errors = _errors(record)
        last = _last_epoch(recipe, len(errors))
        varied = _varied(recipe)
        values = {"test_best_accuracy": 100.0 - _best(record, errors), **_counts(record)}
        if len(errors) < last:
            self._unfinished += 1
            return
        values |= {f"test_accuracy@{epoch}": 100.0 - errors[epoch - 1] for epoch in _stored_epochs(last)}
        for field, value in varied.items():
            self._recipes[field].add(value)
        for name, value in values.items():
            self._pad(self._values[name]).append(value)
        self._places.append(place)
        self._nets.append(text)

    def finish(self, path: Path) -> RawTable:
        """Return the table.

        Raises:
            DataError: No record can be used.
        """
        if not self._nets:
            first = f" The first problem: {self.problems[0]}." if self.problems else ""
            raise DataError(f"'{path}' has no record of a finished training.{first} Get the file again from {HOME}.")
        varies = any(len(values) > 1 for values in self._recipes.values())
        dataset = dataset_of(path) + RERUNS_SUFFIX * self.are_reruns + VARIED_SUFFIX * varies
        notes: tuple[str, ...] = ()
        if self._unfinished:
            notes = (f"Trainings that ended before their last epoch are left out: {self._unfinished:,}.",)
        places = tuple(self._places)
        return RawTable(
            architectures=self._nets,
            columns={f"{dataset}/{name}": np.array(self._pad(values)) for name, values in self._values.items()},
            notes=notes,
            row_name=lambda row: places[row],
            problems=tuple(self.problems),
            percent_is_certain=True,
            datasets_are_guessed=True,
        )

    def _pad(self, values: array[float]) -> array[float]:
        """Add NaN for the records so far that do not have the value."""
        values.extend([np.nan] * (len(self._nets) - len(values)))
        return values


def images_of(dataset: str) -> str:
    """Return the data set on whose images the networks of one were trained."""
    return dataset.removesuffix(VARIED_SUFFIX).removesuffix(RERUNS_SUFFIX)


def dataset_of(path: Path) -> str:
    """Return the data set that a file's name stands for."""
    name = path.name.lower().removesuffix(".gz").removesuffix(".json")
    return IMAGENET if name.endswith("_in") else CIFAR


class _RecordError(Exception):
    """A record that cannot be used; the message names the field."""


def _errors(record: Mapping[str, Any]) -> list[float]:
    """Return the test errors in percent, one an epoch."""
    errors = record.get("test_ep_top1")
    if not isinstance(errors, list) or not errors:
        raise _RecordError("'test_ep_top1' has no test error, so that there is no accuracy")
    if len(errors) > _MAX_EPOCHS:
        raise _RecordError(f"'test_ep_top1' has {len(errors):,} epochs")
    for epoch, error in enumerate(errors, start=1):
        _check_percent(error, f"'test_ep_top1' of epoch {epoch}")
    return [float(error) for error in errors]


def _last_epoch(recipe: Mapping[str, Any], epochs: int) -> int:
    last = recipe.get("max_ep", epochs)
    if type(last) is not int or not 1 <= last <= _MAX_EPOCHS:
        raise _RecordError(f"'optim.max_ep' is {last!r:.40}, expected a number of epochs")
    if epochs > last:
        raise _RecordError(f"'test_ep_top1' has {epochs} epochs, more than the {last} of 'optim.max_ep'")
    return last


def _varied(recipe: Mapping[str, Any]) -> dict[str, float]:
    """Return what a record says of the settings that vary in some files."""
    found = {field: recipe[field] for field in _VARIED_FIELDS if field in recipe}
    for field, value in found.items():
        if type(value) not in (int, float) or not 0 <= value <= _MAX_COUNT:
            raise _RecordError(f"'optim.{field}' is {value!r:.40}, expected a number of at least 0")
    return {field: float(value) for field, value in found.items()}


def _best(record: Mapping[str, Any], errors: list[float]) -> float:
    """Return the smallest error, which the training code noted whenever it tested."""
    best = record.get("min_test_top1")
    if best is None:
        return min(errors)
    _check_percent(best, "'min_test_top1'")
    return float(best)


def _check_percent(value: Any, what: str) -> None:
    if type(value) not in (int, float) or not 0 <= value <= 100:
        raise _RecordError(f"{what} is {value!r:.40}, expected an error in percent, 0 to 100")


def _counts(record: Mapping[str, Any]) -> dict[str, float]:
    counts = {}
    for field, quantity in (("params", "parameters"), ("flops", "flops")):
        if field not in record:
            continue
        value = record[field]
        if type(value) is not int or not 0 < value <= _MAX_COUNT:
            raise _RecordError(f"'{field}' is {value!r:.40}, expected a whole number above 0")
        counts[quantity] = float(value)
    return counts


def _stored_epochs(last: int) -> list[int]:
    return [
        epoch for epoch in range(1, last + 1) if epoch <= _FIRST_EPOCHS or epoch % _LATER_EPOCHS == 0 or epoch == last
    ]
