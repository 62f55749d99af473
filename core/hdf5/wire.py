"""How the reading process and the one that asks it talk: JSON with its length before it, and raw arrays."""

from __future__ import annotations

import json
import socket
import struct
from typing import Any

import numpy as np
import numpy.typing as npt

_LENGTH = struct.Struct("<Q")

MAX_FRAME_BYTES = 2**31


def send_frame(connection: socket.socket, content: dict[str, Any]) -> None:
    """Send an object."""
    encoded = json.dumps(content).encode()
    connection.sendall(_LENGTH.pack(len(encoded)) + encoded)


def receive_frame(connection: socket.socket) -> dict[str, Any]:
    """Return the next object. Raises EOFError if the other side is gone."""
    head = bytearray(_LENGTH.size)
    receive_into(connection, head)
    (length,) = _LENGTH.unpack(head)
    if length > MAX_FRAME_BYTES:
        raise EOFError("a frame that no side sends")
    encoded = bytearray(length)
    receive_into(connection, encoded)
    content: dict[str, Any] = json.loads(encoded)
    return content


def receive_into(connection: socket.socket, buffer: bytearray | memoryview) -> None:
    """Fill a buffer. Raises EOFError if the other side is gone."""
    view, received = memoryview(buffer), 0
    while received < len(view):
        count = connection.recv_into(view[received:])
        if not count:
            raise EOFError("the other side is gone")
        received += count


def bytes_of(values: npt.NDArray[Any]) -> memoryview:
    """Return the memory of an array that is not empty."""
    return memoryview(values.reshape(-1).view(np.uint8).data)
