"""Learning curves in a pickle, taken in one step each.

Nearly all bytes of a benchmark's pickle are dicts from an epoch, or from a text such as ``x-valid@11``, to a float.
Interpreting these opcode by opcode takes minutes; here a regular expression, which repeats whole opcodes only, finds
how far such a dict goes, and NumPy takes it apart.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from functools import lru_cache

import numpy as np

from .byte_stream import ByteStream
from .pickle_memo import Memo

_MAX_ITEMS = 1000  # Python writes at most so many items at once (pickle._Pickler._BATCHSIZE)
_FLOAT = ("float_opcode", "V1"), ("value", ">f8")
_Layout = tuple[re.Pattern[bytes], np.dtype[np.void]]


def take_run(stream: ByteStream, memo: Memo) -> list[object]:
    """Return key, float, key, float ... as far as these follow each other in one shape; empty if they do not."""
    first = stream.peek()
    match first:
        case 0x4B | 0x68 | 0x6A:
            return _take_numbered(stream, memo, first)
        case 0x58 | 0x8C:
            return _take_texts(stream, memo, first)
    return []


def _take_numbered(stream: ByteStream, memo: Memo, opcode: int) -> list[object]:
    """Take items whose key is an epoch (BININT1) or a text stored before (BINGET, LONG_BINGET)."""
    pattern, layout = _numbered_layout(opcode)
    raw = stream.take(len(stream.ahead_match(pattern)))
    if not raw:
        return []
    items = np.frombuffer(raw, dtype=layout)
    numbers = items["key"].tolist()
    keys = numbers if opcode == 0x4B else memo.get_many(numbers)
    return _interleaved(keys, items["value"].tolist())


def _take_texts(stream: ByteStream, memo: Memo, opcode: int) -> list[object]:
    """Take items whose key is a text that is stored under the next number of the memo."""
    header = stream.ahead(2)
    length = header[1] if len(header) == 2 else 0
    header_width = 5 if opcode == 0x58 else 2
    for store in (b"r", b"\x94", b"q"):
        pattern, layout = _text_layout(opcode, length, store)
        raw = stream.ahead_match(pattern)
        if not raw:
            continue
        items = np.frombuffer(raw, dtype=layout)
        first = memo.count if store == b"\x94" else int(items["index"][0])
        consecutive = store == b"\x94" or items["index"].tolist() == list(range(first, first + len(items)))
        text = raw.decode("latin-1")
        starts = range(header_width, len(raw), layout.itemsize)
        keys = tuple([text[start : start + length] for start in starts])
        if not consecutive or not memo.put_texts(first, keys):
            return []
        stream.take(len(raw))
        return _interleaved(keys, items["value"].tolist())
    return []


def _interleaved(keys: Sequence[object], values: list[object]) -> list[object]:
    run: list[object] = [None] * (2 * len(values))
    run[::2] = keys
    run[1::2] = values
    return run


@lru_cache(maxsize=8)
def _numbered_layout(opcode: int) -> _Layout:
    width = 4 if opcode == 0x6A else 1
    pattern = re.compile(b"(?s:%s.{%d}G.{8}){2,%d}" % (re.escape(bytes([opcode])), width, _MAX_ITEMS))
    return pattern, np.dtype([("opcode", "V1"), ("key", f"<u{width}"), *_FLOAT])


@lru_cache(maxsize=1024)
def _text_layout(opcode: int, length: int, store: bytes) -> _Layout:
    """Return what matches items with keys of one length: printable, so that NumPy keeps them as they are."""
    header = bytes([opcode, length]) + (b"\0\0\0" if opcode == 0x58 else b"")
    width = {b"q": 1, b"r": 4, b"\x94": 0}[store]
    shape = b"(?s:%s[ -~]{%d}%s.{%d}G.{8}){2,%d}"
    pattern = re.compile(shape % (re.escape(header), length, re.escape(store), width, _MAX_ITEMS))
    index = [("index", f"<u{width}")] if width else []
    return pattern, np.dtype([("header", f"V{len(header)}"), ("key", f"S{length}"), ("store", "V1"), *index, *_FLOAT])
