"""Reads an HDF5 file of a stranger, by asking a process that may hang, crash or need too much memory instead of us.

The process is started with the first file and kept; one that died of a file, did not come to an end, or was ended by
others since, as worker processes end what is left of a job, is replaced.
"""

from __future__ import annotations

import atexit
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Collection
from pathlib import Path
from typing import Any

import numpy as np

from ..regular_files import check_unlocked, open_regular
from .stored import Attributes, StoredArray, StoredGroup, Unread, joined
from .wire import bytes_of, receive_frame, receive_into, send_frame

# For a file, and for each of its megabytes: a hundred times what reading takes.
CPU_SECONDS = 20.0
CPU_SECONDS_A_MEGABYTE = 0.5

# The processor may be busy with other work, and the disk be slow.
WALL_FACTOR = 6.0

_MODULE = f"{__package__}.reading_process"

# Our threads suffice; others would reserve memory that the process is not allowed.
_ENVIRONMENT = {
    "OPENBLAS_NUM_THREADS": "1",
    "OMP_NUM_THREADS": "1",
    "MKL_NUM_THREADS": "1",
    "HDF5_PLUGIN_PRELOAD": "::",
}


class DamagedFileError(ValueError):
    """A file that is no HDF5, is damaged, or leads to other files."""


def read_hdf5(path: Path, wanted: Collection[str] = ()) -> StoredGroup:
    """Return what a file holds.

    Args:
        path: The file.
        wanted: Paths in the file, without ``/`` at their start, whose arrays are read with all that is below them; of
            others there are shape and type.

    Raises:
        DamagedFileError: It is not what it should be; the message says why in words that fit into parentheses.
        OpenElsewhereError: Another program has it open for writing.
        SpecialFileError: It is a directory, a device, a pipe or a socket.
        OSError: It cannot be opened.
    """
    descriptor = open_regular(path)
    try:
        check_unlocked(path, descriptor)
        return _current_reader().read(path, descriptor, wanted)
    finally:
        os.close(descriptor)


class _Reader:
    """The process, and our end of the connection to it."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._connection, theirs = socket.socketpair()
        environment = os.environ | _ENVIRONMENT | {"PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
        with theirs:
            # -P: nothing is imported from the working directory, where the strangers' files may lie.
            self._process = subprocess.Popen(
                [sys.executable, "-P", "-m", _MODULE, str(theirs.fileno())],
                pass_fds=(theirs.fileno(),), env=environment,
                stdin=subprocess.DEVNULL, stdout=subprocess.DEVNULL, stderr=subprocess.DEVNULL,
            )  # fmt: skip

    def read(self, path: Path, descriptor: int, wanted: Collection[str]) -> StoredGroup:
        with self._lock:
            try:
                answer = self._exchange(path, descriptor, wanted)
            except BaseException:
                self.close()
                raise
        if isinstance(answer, str):
            raise DamagedFileError(answer)
        return answer

    def has_ended(self) -> bool:
        """Whether the process is gone."""
        return self._process.poll() is not None

    def close(self) -> None:
        """End the process."""
        _forget_reader(self)
        self._connection.close()
        self._process.kill()
        self._process.wait()

    def _exchange(self, path: Path, descriptor: int, wanted: Collection[str]) -> StoredGroup | str:
        """Return what the file holds, or why it is refused."""
        cpu_seconds = CPU_SECONDS + CPU_SECONDS_A_MEGABYTE * os.fstat(descriptor).st_size / 1e6
        self._connection.settimeout(WALL_FACTOR * cpu_seconds)
        try:
            socket.send_fds(self._connection, [b"\0"], [descriptor])
            send_frame(self._connection, {"wanted": list(wanted), "cpu_seconds": cpu_seconds})
            return self._receive(path)
        except TimeoutError as error:
            raise DamagedFileError("reading it does not come to an end") from error
        except (EOFError, ConnectionError) as error:
            raise DamagedFileError(self._why_ended()) from error

    def _receive(self, path: Path) -> StoredGroup | str:
        root = None
        while True:
            frame = receive_frame(self._connection)
            if "error" in frame:
                return str(frame["error"])
            if "end" in frame and root is not None:
                return root
            if root is None:
                root = StoredGroup(path, "/", _attributes(frame))
            else:
                self._add(root, frame)

    def _add(self, root: StoredGroup, frame: dict[str, Any]) -> None:
        *above, name = frame["path"].split("/")
        group = root
        for step in above:
            group = group.group(step)
        group.members[name] = self._element(root.file, frame)

    def _element(self, file: Path, frame: dict[str, Any]) -> StoredGroup | StoredArray:
        name, attrs = f"/{frame['path']}", _attributes(frame)
        if frame["shape"] is None:
            return StoredGroup(file, name, attrs)
        shape = tuple(frame["shape"])
        dtype = None if frame["dtype"] is None else np.dtype(frame["dtype"])
        values = None
        if not frame["unread"]:
            values = np.empty(shape, dtype)
            if values.size:
                receive_into(self._connection, bytes_of(values))
        return StoredArray(file, name, attrs, shape, dtype, values, frame["unread"])

    def _why_ended(self) -> str:
        code = self._process.wait()
        if code == -signal.SIGXCPU:
            return "reading it does not come to an end"
        if code < 0:
            return f"HDF5 ended with {signal.Signals(-code).name} when it read it"
        return f"the process that reads files ended with exit code {code}"


_reader: _Reader | None = None
_choosing = threading.Lock()


def _current_reader() -> _Reader:
    global _reader
    with _choosing:
        if _reader is not None and _reader.has_ended():
            _reader.close()
        if _reader is None:
            _reader = _Reader()
        return _reader


def _forget_reader(reader: _Reader) -> None:
    global _reader
    if _reader is reader:
        _reader = None


def _start_anew() -> None:
    """Leave the process to the parent from which this one was forked."""
    global _reader, _choosing
    _reader, _choosing = None, threading.Lock()


def end_reader() -> None:
    """End the reading process, if there is one."""
    if _reader is not None:
        _reader.close()


os.register_at_fork(after_in_child=_start_anew)
atexit.register(end_reader)


def _attributes(frame: dict[str, Any]) -> Attributes:
    attrs = frame["attrs"].items()
    return joined({name: Unread(value["unread"]) if isinstance(value, dict) else value for name, value in attrs})
