"""The checkpoint of a search that trains a supernet: what its strategy needs to go on, beside the results file.

It is loaded as tensors, numbers and texts alone: nothing in it is executed.
"""

from __future__ import annotations

import io
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from ..errors import ResultsFileError
from ..plain_tensors import load_dictionary
from ..results.whole_files import target_of, write_whole
from .trajectory import Trajectory, epoch_from_json, epoch_to_json

FORMAT = "nasbench-supernet-checkpoint"
FORMAT_VERSION = 1

KINDS = {"format": str, "format_version": int, "search_id": str, "epochs": list, "facts": dict, "state": dict}
"""What a checkpoint holds, by name."""


@dataclass(frozen=True)
class Checkpoint:
    """A search after some epochs.

    Attributes:
        trajectory: Those epochs.
        state: What the strategy's ``state`` returned after the last of them; empty before the first.
    """

    trajectory: Trajectory = field(default_factory=Trajectory)
    state: Mapping[str, Any] = field(default_factory=dict)


def checkpoint_path(path: Path) -> Path:
    """Return where the checkpoint of the search of a results file is."""
    target = target_of(path)
    return target.with_name(f"{target.name}.supernet")


def write_checkpoint(path: Path, search_id: str, checkpoint: Checkpoint) -> None:
    """Write a checkpoint in the place of the former one.

    Raises:
        ResultsWriteError: It cannot be written; the former one is as it was.
    """
    import torch

    trajectory = checkpoint.trajectory
    content = {
        "format": FORMAT,
        "format_version": FORMAT_VERSION,
        "search_id": search_id,
        "epochs": [epoch_to_json(number, epoch) for number, epoch in enumerate(trajectory.epochs)],
        "facts": dict(trajectory.facts),
        "state": dict(checkpoint.state),
    }
    buffer = io.BytesIO()
    torch.save(content, buffer)
    write_whole(path, buffer.getvalue())


def read_checkpoint(path: Path, search_id: str, device: str) -> Checkpoint:
    """Read a checkpoint, an empty one if there is none.

    Args:
        path: The file.
        search_id: The search that goes on.
        device: Where its tensors are to live.

    Raises:
        ResultsFileError: It is of another search, or damaged.
    """
    if not path.exists():
        return Checkpoint()
    try:
        owner, checkpoint = _decode(load_dictionary(path, device))
    except Exception as error:
        # Anything may be in its place, and entries of the wrong kind fail in their own ways.
        reason = (str(error).splitlines() or [type(error).__name__])[0]
        raise ResultsFileError(
            f"'{path}' is damaged or no checkpoint of a search ({reason:.200}). It was left as it is; remove it "
            "to train from the beginning."
        ) from error
    if owner != search_id:
        raise ResultsFileError(
            f"'{path}' is the checkpoint of another search. Repeat the command that made it, choose another --output, "
            "or remove it."
        )
    return checkpoint


def _decode(content: Mapping[str, Any]) -> tuple[str, Checkpoint]:
    """Return the search that a checkpoint is of, and what it holds. Raises any error if it is damaged."""
    wrong = [name for name, kind in KINDS.items() if not isinstance(content.get(name), kind)]
    if wrong:
        raise ValueError(f"it has no valid {wrong[0]}")
    if not all(isinstance(entry, dict) for entry in content["epochs"]):
        raise ValueError("it has no valid epochs")
    if (content["format"], content["format_version"]) != (FORMAT, FORMAT_VERSION):
        raise ValueError("it is of another version")
    epochs = tuple(epoch_from_json(entry)[1] for entry in content["epochs"])
    json.dumps(content["facts"])  # the results file keeps them as JSON
    return content["search_id"], Checkpoint(Trajectory(epochs, content["facts"]), content["state"])
