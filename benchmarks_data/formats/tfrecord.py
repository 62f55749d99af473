"""Records of a TFRecord file, with their checksums compared; TensorFlow is not needed.

A record is its length (8 bytes), a checksum of these 8 bytes (4 bytes), its data and a checksum of the data (4 bytes),
all little-endian. The checksum is CRC-32C, rotated and shifted ("masked") so that it does not look like one. Source:
TensorFlow's guide "TFRecord and tf.train.Example", section "TFRecords format details".
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from pathlib import Path
from typing import BinaryIO

import google_crc32c

from ...core.errors import DataError
from ...core.interfaces import Progress
from .measured_file import open_measured

_HEADER = struct.Struct("<QI")
_CHECKSUM = struct.Struct("<I")
_MASK = 0xA282EAD8
_MAX_RECORD_BYTES = 1 << 26  # a record of NAS-Bench-101 has about 400 bytes


def masked_checksum(data: bytes) -> int:
    """Return the checksum that a TFRecord file has for ``data``."""
    crc = int(google_crc32c.value(data))
    return ((crc >> 15 | crc << 17) + _MASK) & 0xFFFFFFFF


def read_records(path: Path, progress: Progress) -> Iterator[bytes]:
    """Yield the data of each record.

    Args:
        path: The file.
        progress: Called with the bytes read and the bytes in all.

    Raises:
        DataError: A record is damaged or cut off; the message says which.
    """
    with open_measured(path, progress) as file:
        number, offset = 1, 0
        while header := file.read(_HEADER.size):
            data = _read_record(file, header)
            if data is None:
                raise DataError(
                    f"'{path.name}' is damaged or cut off at record {number:,} (byte {offset:,}): its checksum is "
                    "wrong or its end is missing. It was not downloaded whole, or is no TFRecord file: get it again "
                    "from its official home."
                )
            yield data
            number += 1
            offset += len(header) + len(data) + _CHECKSUM.size


def _read_record(file: BinaryIO, header: bytes) -> bytes | None:
    """Return the data of the record that begins with ``header``, None if anything about it is wrong."""
    if len(header) != _HEADER.size:
        return None
    length, length_checksum = _HEADER.unpack(header)
    if masked_checksum(header[:8]) != length_checksum or length > _MAX_RECORD_BYTES:
        return None
    data = file.read(length)
    checksum = file.read(_CHECKSUM.size)
    if len(data) != length or checksum != _CHECKSUM.pack(masked_checksum(data)):
        return None
    return data
