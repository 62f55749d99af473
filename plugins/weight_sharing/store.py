"""Keeps the training of a supernet in a folder that the workers of a run share: one trains, the others wait for it."""

from __future__ import annotations

import contextlib
import fcntl
import io
import os
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any

import torch

from ...core.plain_tensors import load_dictionary


class SupernetStore:
    """The states of one training, of which the last is kept.

    A state that cannot be read, or a folder that cannot be written, costs time and nothing else.

    Args:
        folder: Where to keep it, None to keep nothing.
        name: What is equal for equal trainings.
        device: Where its tensors are to live.
    """

    def __init__(self, folder: Path | None, name: str, device: torch.device) -> None:
        self._folder = folder
        self._name = name
        self._device = device

    @contextmanager
    def locked(self) -> Iterator[None]:
        """Keep other workers from training the same supernet; a process that ends releases the lock."""
        with contextlib.ExitStack() as stack:
            if self._folder is not None:
                with contextlib.suppress(OSError):
                    self._folder.mkdir(exist_ok=True)
                    lock = stack.enter_context((self._folder / f"{self._name}.lock").open("w"))
                    fcntl.flock(lock, fcntl.LOCK_EX)
            yield

    def load(self) -> Mapping[str, Any] | None:
        """Return the last state, None if there is none. Nothing in it is executed."""
        path = self._path
        if path is None or not path.exists():
            return None
        try:
            return load_dictionary(path, self._device)
        except (OSError, ValueError):
            return None

    def save(self, state: Mapping[str, Any]) -> None:
        """Keep a state in the place of the last one."""
        path = self._path
        if path is None:
            return
        temporary = path.with_name(f".{path.name}.{os.getpid()}.tmp")
        content = io.BytesIO()
        torch.save(dict(state), content)
        with contextlib.suppress(OSError):
            try:
                temporary.write_bytes(content.getvalue())
                temporary.replace(path)
            finally:
                # On a full disk it would take the room that the results need.
                temporary.unlink(missing_ok=True)

    @property
    def _path(self) -> Path | None:
        return None if self._folder is None else self._folder / f"{self._name}.supernet"
