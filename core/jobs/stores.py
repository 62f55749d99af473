"""Where the jobs of a run keep what they share and what would take long to make again, beside the results file."""

from __future__ import annotations

import os
import shutil
from pathlib import Path

from ..errors import ResultsFileError
from ..results.whole_files import target_of


def store_of(results: Path, *, keep: bool) -> Path:
    """Return the folder, ``results.h5.shared``; evaluators that keep something make it.

    Args:
        results: The results file.
        keep: Whether to leave what a run of that name has kept before; see :func:`refuse_foreign_store`.
    """
    store = _folder(results)
    if not keep and store.is_dir() and not store.is_symlink():
        shutil.rmtree(store, ignore_errors=True)
    return store


def refuse_foreign_store(results: Path) -> None:
    """Refuse to make a results file beside a folder that may be the user's; that of an earlier file goes with it.

    Args:
        results: The results file, before it is made.

    Raises:
        ResultsFileError: There is such a folder, or something else of its name, and no results file.
    """
    store = _folder(results)
    if os.path.lexists(store) and not target_of(results).exists():
        raise ResultsFileError(
            f"'{store}' exists, where jobs would keep what they share. Remove it if a run has left it, or choose "
            "another --output."
        )


def _folder(results: Path) -> Path:
    target = target_of(results).absolute()
    return target.with_name(f"{target.name}.shared")
