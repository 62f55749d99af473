"""Reads what ``torch.save`` wrote as tensors, numbers and texts alone: nothing in it is executed."""

from __future__ import annotations

import warnings
import zipfile
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import torch


def load_dictionary(path: Path, device: torch.device | str) -> dict[Any, Any]:
    """Return the dictionary that a file holds.

    Args:
        path: The file, which may hold anything.
        device: Where its tensors are to live.

    Raises:
        OSError: The file cannot be read.
        ValueError: It is damaged, or holds something else.
    """
    import torch

    try:
        _check_sums(path)
        with warnings.catch_warnings(action="ignore"):
            content = torch.load(path, map_location=device, weights_only=True)
    except OSError:
        raise
    except Exception as error:
        # Damage shows as whatever error the code that reads the file happens to run into.
        raise ValueError((str(error).splitlines() or [type(error).__name__])[0]) from error
    if not isinstance(content, dict):
        raise ValueError(f"it holds a {type(content).__name__}")
    return content


def _check_sums(path: Path) -> None:
    """Compare the checksums of the archive that ``torch.save`` writes, which ``torch.load`` does not look at."""
    with zipfile.ZipFile(path) as archive:
        if (damaged := archive.testzip()) is not None:
            raise ValueError(f"the checksum of '{damaged}' is wrong")
