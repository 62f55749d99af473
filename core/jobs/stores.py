"""Where the jobs of a run keep what they share and what would take long to make again, beside the results file."""

from __future__ import annotations

import shutil
from pathlib import Path

from ..results.whole_files import target_of


def store_of(results: Path, *, keep: bool) -> Path:
    """Return the folder, ``results.h5.shared``; evaluators that keep something make it.

    Args:
        results: The results file.
        keep: Whether to leave what a run of that name has kept before.
    """
    target = target_of(results).absolute()
    store = target.with_name(f"{target.name}.shared")
    if not keep and store.is_dir() and not store.is_symlink():
        shutil.rmtree(store, ignore_errors=True)
    return store
