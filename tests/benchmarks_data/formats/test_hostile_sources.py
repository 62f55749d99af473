"""A short run of ``experiments/robustness/hostile_sources.py``: pickles and archives are refused within bounds."""

import resource
from pathlib import Path

import pytest
from nasbench_toolkit.experiments.robustness.hostile_sources import hostile_files, survived, try_file
from nasbench_toolkit.experiments.robustness.trial import REFUSED

# Those that are made and refused in a second; the experiment has the others.
QUICK = (
    "pickle.pbz2: one number, stored ten million times",
    "pickle.pbz2: different texts, each stored",
    "pickle: tuples of twice the same",
    "pickle: keys of twice the same",
    "labels: lists of twice the same",
    "labels: tuples of twice the same",
    "pickle.pbz2: lists of twice the same",
    "pickle.pbz2: bytes that are not there",
    "pickle.pbz2: a text that is not there",
    "pickle.pbz2: bytes of a gigabyte that are not there",
    "pickle: an integer of a gigabyte",
    "pickle: copies of a text in another encoding",
    "pickle: copies of a list as a set",
    "pickle: an array of an impossible shape",
    "pickle: a type with an endless name",
    "pickle: numbers that share a hash, as keys",
    "pickle.pbz2: records that fill an older list",
    "pickle.pbz2: records that replace what was stored",
    "tar: a dictionary of 1 GB",
    "tar: a long name of 4 GB",
    "tar: long names before long names",
    "tar: attributes before attributes",
    "tar: sparse of a petabyte",
    "tar: a size below zero",
    "tar: a folder with a size below zero",
    "tar: an unknown kind with a size below zero",
    "tar: a size beyond all",
    "tar: a link to a file of the reader",
    "zip: 150,000 members",
    "zip: names of 60 kB",
    "zip: a zip of a zip of a zip",
    "zip: a log of brackets",
    "npz: images that are not there",
    "npz: a header of brackets",
)
FILES = {file.kind: file for file in hostile_files()}
MEGABYTES = 400


def megabytes_of_this_process() -> float:
    """Return the most memory that this process ever held: children begin with it."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1000


@pytest.mark.parametrize("kind", QUICK)
def test_hostile_file_is_refused_within_bounds(kind, tmp_path: Path, data_directory) -> None:
    before = megabytes_of_this_process()
    trial = try_file(FILES[kind], tmp_path, 60)
    assert trial.outcome == REFUSED, trial.text
    assert survived(trial, before + MEGABYTES)
    assert len(trial.text) < 1000
    assert not list(data_directory.iterdir())
