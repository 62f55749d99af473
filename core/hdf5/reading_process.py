"""The process that opens files of strangers: ``python -m ... DESCRIPTOR``, where the descriptor is that of a socket.

For each file that it is sent, as an open descriptor, it answers with the elements of the file, or with why it is
refused. It ends when the other side is gone.
"""

from __future__ import annotations

import os
import resource
import signal
import socket
import sys
from dataclasses import asdict
from typing import Any

import h5py

from .walk import Element, walk
from .wire import bytes_of, receive_frame, send_frame

# What h5py and the walk raise for a file that is not what it should be.
FILE_ERRORS = (OSError, ValueError, RuntimeError, KeyError, TypeError, AttributeError, IndexError, OverflowError)

# An array, its packed form and what is made of it on the way, of the largest size; beside them the libraries.
MEMORY_BYTES = 7 * 2**29


def main(descriptor: int) -> None:
    """Serve one request after the other."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)  # Ctrl-C is for the one who asks
    _limit(resource.RLIMIT_CORE, 0)
    _limit(resource.RLIMIT_AS, MEMORY_BYTES)
    connection = socket.socket(fileno=descriptor)
    while True:
        _, files, _, _ = socket.recv_fds(connection, 1, 1)
        if not files:
            return
        _serve(connection, files[0], receive_frame(connection))


def _serve(connection: socket.socket, descriptor: int, request: dict[str, Any]) -> None:
    used = resource.getrusage(resource.RUSAGE_SELF)
    _limit(resource.RLIMIT_CPU, int(used.ru_utime + used.ru_stime + request["cpu_seconds"]) + 1)
    try:
        with os.fdopen(descriptor, "rb", buffering=0) as opened, h5py.File(opened, "r") as file:
            for element in walk(file, request["wanted"]):
                _send(connection, element)
    except FILE_ERRORS as error:
        send_frame(connection, {"error": (str(error).splitlines() or [type(error).__name__])[0]})
    except MemoryError:
        send_frame(connection, {"error": "it needs more memory than any of our files"})
    else:
        send_frame(connection, {"end": True})


def _send(connection: socket.socket, element: Element) -> None:
    values, element.values = element.values, None
    send_frame(connection, asdict(element))
    if values is not None and values.size:
        connection.sendall(bytes_of(values))


def _limit(kind: int, value: int) -> None:
    _, highest = resource.getrlimit(kind)
    resource.setrlimit(kind, (value if highest == resource.RLIM_INFINITY else min(value, highest), highest))


if __name__ == "__main__":
    main(int(sys.argv[1]))
