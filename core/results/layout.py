"""Layout of a results file (HDF5), version 1; ``docs/results-file.md`` describes it for readers."""

from __future__ import annotations

from pathlib import Path

FORMAT = "nasbench-results"
FORMAT_VERSION = 1
JOURNAL_FORMAT = "nasbench-journal"

SECONDS_PARTS = ("build", "transfer", "compute")

# Stands for the epochs of a metric that has none.
NO_EPOCHS = -1

# HDF5 1.10's file format: the oldest that checksums its own structure, so that damage is noticed.
HDF5_VERSIONS = ("v110", "v110")


def journal_path(path: Path) -> Path:
    """Return the journal that belongs to a results file; it exists only while a run is unfinished."""
    return path.with_name(path.name + ".journal")


def group_name(label: str) -> str:
    """Return the HDF5 group of an evaluator's label or a metric's key: ``/`` would start a sub-group."""
    return label.replace("/", "_")
