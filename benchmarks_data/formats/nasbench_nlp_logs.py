"""NAS-Bench-NLP's training logs as published: a zip archive with one JSON file a training.

The loss of a network is that of its best epoch, on the test set as on the validation set, each by itself, as the
authors' own analysis and the tables made from it have it.
"""

from __future__ import annotations

import json
import math
import sys
import time
from collections import Counter
from collections.abc import Mapping
from pathlib import Path, PurePosixPath

import numpy as np

from ...core.errors import DataError
from ...core.interfaces import Progress
from ..tables.raw import RawTable
from .archives import Archive, open_archive

HOME = "https://github.com/fmsnew/nas-bench-nlp-release"
DATASETS = ("wikitext-2", "ptb")
EARLY_EPOCHS = 3  # GenNAS compares with the loss after three epochs (Li et al., 2021, table 5)

_QUANTITIES = ("test_loss", "validation_loss", f"validation_loss@{EARLY_EPOCHS}")
_FINISHED = "OK"
_MAX_PARAMETERS = 1 << 53  # beyond it, a float does not hold every whole number
_MAX_LOG_BYTES = 1 << 20  # the longest published log has about 6,000
_MAX_TOTAL_BYTES = 1 << 30


def read_nasbench_nlp_logs(path: Path, progress: Progress) -> RawTable:
    """Return one row for each finished training: losses in nats and the number of parameters.

    Recipes that were trained several times have several rows.

    Args:
        path: The ``.zip`` archive.
        progress: Called with the logs read and the logs in all.

    Raises:
        DataError: The archive is damaged or not safe to read, or a log is not one of NAS-Bench-NLP.
    """
    rows = _Rows(path)
    with open_archive(path, max_member_bytes=_MAX_LOG_BYTES, max_total_bytes=_MAX_TOTAL_BYTES) as archive:
        logs = [name for name in archive.sizes if _is_log(name)]
        next_report = 0.0
        for done, name in enumerate(logs):
            if time.monotonic() >= next_report:
                progress(done, len(logs))
                next_report = time.monotonic() + 0.05
            rows.add(name, _load(archive, name, rows))
    return rows.finish()


def _is_log(name: str) -> bool:
    file_name = PurePosixPath(name).name
    return file_name.startswith("log_stats_model_") and file_name.endswith(".json")


def _load(archive: Archive, name: str, rows: _Rows) -> Mapping[str, object]:
    try:
        log = json.loads(archive.read(name))
    except (ValueError, RecursionError) as error:
        raise rows.refusal(name, f"it is not JSON ({error})") from error
    if not isinstance(log, dict):
        raise rows.refusal(name, "it is not a JSON object")
    return log


class _Rows:
    """Rows of the table, log by log."""

    def __init__(self, path: Path) -> None:
        self._archive = path.name
        self._names: list[str] = []
        self._recipes: list[str] = []
        self._numbers: list[str] = []
        self._values: dict[str, list[float]] = {
            **{f"{dataset}/{quantity}": [] for dataset in DATASETS for quantity in _QUANTITIES},
            "network/parameters": [],
        }
        self._unfinished: Counter[str] = Counter()

    def refusal(self, name: str, problem: str) -> DataError:
        """Return the error to raise for a log."""
        return DataError(
            f"'{self._archive}', member '{name}': {problem}. This is no training log as published: get the logs again "
            f"from {HOME}."
        )

    def add(self, name: str, log: Mapping[str, object]) -> None:
        """Add one log.

        Raises:
            DataError: It is not one of NAS-Bench-NLP.
        """
        status = log.get("status")
        if status != _FINISHED:
            self._unfinished[f"{status!s:.40}"] += 1
            return
        recipe, parameters = log.get("recepie"), log.get("num_params")
        if not isinstance(recipe, str) or type(parameters) is not int or not 0 <= parameters <= _MAX_PARAMETERS:
            raise self.refusal(name, "it has no recipe ('recepie') or no number of parameters ('num_params')")
        dataset = self._dataset(name, log.get("data"))
        test, validation = self._losses(name, log, "test_losses"), self._losses(name, log, "val_losses")
        row = dict.fromkeys(self._values, math.nan)
        row["network/parameters"] = float(parameters)
        row[f"{dataset}/test_loss"] = min(test)
        row[f"{dataset}/validation_loss"] = min(validation)
        if len(validation) >= EARLY_EPOCHS:
            row[f"{dataset}/validation_loss@{EARLY_EPOCHS}"] = validation[EARLY_EPOCHS - 1]
        self._names.append(name)
        self._recipes.append(recipe)
        self._numbers.append(str(log.get("recepie_id")))
        for key, value in row.items():
            self._values[key].append(value)

    def finish(self) -> RawTable:
        """Return the table.

        Raises:
            DataError: There is no finished training.
        """
        if not self._recipes:
            raise DataError(
                f"'{self._archive}' has no log of a finished training ('log_stats_model_*.json' with status "
                f"'{_FINISHED}'): get the logs from {HOME}."
            )
        columns = {key: np.array(values) for key, values in self._values.items()}
        return RawTable(
            architectures=self._recipes,
            columns={key: column for key, column in columns.items() if not np.isnan(column).all()},
            notes=self._notes(),
            row_name=lambda row: f"member '{self._names[row]}'",
            identifiers=self._numbers,
        )

    def _dataset(self, name: str, data: object) -> str:
        dataset = PurePosixPath(str(data)).name
        if dataset not in DATASETS:
            raise self.refusal(name, f"its data set '{data!s:.60}' is neither of {', '.join(DATASETS)}")
        return dataset

    def _losses(self, name: str, log: Mapping[str, object], key: str) -> list[float]:
        losses = log.get(key)
        if not isinstance(losses, list) or not losses:
            raise self.refusal(name, f"it has no losses ('{key}')")
        for epoch, loss in enumerate(losses, 1):
            if type(loss) not in (int, float) or not abs(loss) <= sys.float_info.max:
                raise self.refusal(name, f"'{key}' of epoch {epoch} is {loss!s:.40}, not a finite number")
        return [float(loss) for loss in losses]

    def _notes(self) -> tuple[str, ...]:
        if not self._unfinished:
            return ()
        counts = ", ".join(f"{count:,} with status '{status}'" for status, count in sorted(self._unfinished.items()))
        return (f"Trainings that did not finish are left out: {counts}.",)
