"""Pickles of a few bytes or kilobytes that are made to take memory or time, for ``hostile_sources``."""

from __future__ import annotations

import bz2
import pickle
import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

MEGA = 1_000_000
PROTOCOL = b"\x80\x04"


def _unicode(text: bytes) -> bytes:
    return b"X" + struct.pack("<I", len(text)) + text


def _array(count: int) -> bytes:
    """Return a short array, and then the same array from its memo as often as asked."""
    dtype = b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tRq\x01"
    raw = b"B" + struct.pack("<I", MEGA) + bytes(MEGA) + b"q\x02"
    copy = b"cnumpy._core.numeric\n_frombuffer\n(h\x02h\x01" + b"J" + struct.pack("<i", MEGA) + b"\x85\x8c\x01CtR"
    return b"(" + dtype + raw + copy * count + b"t"


def _record(padding: bytes) -> bytes:
    """Return opcodes of a record that the reader of NATS-Bench lets go of, with something more in it."""
    results = {"arch_str": "a", "all_results": {}}
    inner = pickle.dumps({"200": results, "12": results}, 2)[2:-1]
    # The dict is filled anew with one more item.
    return inner[: inner.rindex(b"u")] + b"X\x01\x00\x00\x00p" + padding + b"u"


def _kept_by_records(keep: bytes, take: bytes, count: int) -> bytes:
    """Return records that are let go of, each of which gives something to a container that is older."""
    return b"(" + keep + _record(take) * count + b"t"


_MODULUS = (1 << 61) - 1  # of the hashes of integers
_MANY = b"(" + b"]" * 200_000

PICKLES: Mapping[str, Callable[[], bytes]] = MappingProxyType(
    {
        "numbers, each stored": lambda: b"(" + b"K\x01\x94" * (3 * MEGA) + b"t",
        "one number, stored ten million times": lambda: b"N" + b"\x94" * (10 * MEGA),
        "a list, stored ten million times": lambda: b"]" + b"\x94" * (10 * MEGA),
        "an empty tuple, stored under large numbers": lambda: (
            b")" + b"".join(b"r" + struct.pack("<I", number) for number in range(0, 1 << 31, 1 << 10))
        ),
        "different texts, each stored": lambda: (
            b"(" + b"".join(b"\x8c\x06%06d\x94" % number for number in range(MEGA)) + b"t"
        ),
        "learning curves without an end": lambda: b"}(" + (b"K\x01G" + bytes(8)) * (3 * MEGA) + b"u",
        "curves of different texts": lambda: (
            b"}("
            + b"".join(b"X\x06\x00\x00\x00%06dr%sG%s" % (n, struct.pack("<I", n), bytes(8)) for n in range(MEGA))
            + b"u"
        ),
        "empty lists": lambda: b"(" + b"]" * (20 * MEGA) + b"t",
        "empty sets": lambda: b"(" + b"\x8f" * (10 * MEGA) + b"t",
        "empty dicts": lambda: b"(" + b"}" * (20 * MEGA) + b"t",
        "a value, repeated": lambda: b"(N" + b"2" * (20 * MEGA) + b"t",
        "marks within marks": lambda: b"(" * (5 * MEGA),
        "tuples of twice the same": lambda: b"K\x01" + b"2\x86" * 60,
        "tuples of twice the same, too many": lambda: b"K\x01" + b"2\x86" * MEGA,
        "lists of twice the same": lambda: b"]" + b"q\x000](h\x00h\x00e" * 60,
        "tuples within tuples": lambda: b")" + b"\x85" * (5 * MEGA),
        "keys of twice the same": lambda: b"N" + b"2\x86" * 40 + b"}2N\x86",
        "bytes that are not there": lambda: b"\x8e" + struct.pack("<Q", 1 << 62),
        "bytes of a gigabyte that are not there": lambda: b"B" + struct.pack("<I", 1 << 30),
        "a bytearray that is not there": lambda: b"\x96" + struct.pack("<Q", 1 << 40),
        "a text that is not there": lambda: b"\x8d" + struct.pack("<Q", 1 << 50),
        "an integer of a gigabyte": lambda: b"\x8b" + struct.pack("<i", 1 << 30),
        "an integer of negative length": lambda: b"\x8b" + struct.pack("<i", -1),
        "an integer of a million digits": lambda: b"I" + b"9" * MEGA + b"\n",
        "a float of a million digits": lambda: b"F" + b"9" * MEGA + b"\n",
        "a line without an end": lambda: b"V" + b"x" * (64 * MEGA),
        "lines of a million characters": lambda: b"(" + (b"V" + b"\\U0001F600" * 100_000 + b"\n") * 200 + b"t",
        "a frame that is not there": lambda: b"\x95" + struct.pack("<Q", 1 << 62) + b"N",
        "frames within frames": lambda: (b"\x95" + struct.pack("<Q", 9)) * MEGA + b"N",
        "a text in wide characters": lambda: _unicode("\U0001f600".encode() + b"x" * (60 * MEGA)),
        "copies of a text in another encoding": lambda: (
            b"("
            + _unicode(b"x" * MEGA)
            + b"q\x00X\x06\x00\x00\x00latin1q\x01"
            + b"c_codecs\nencode\nq\x02h\x00h\x01\x86R"
            + b"h\x02h\x00h\x01\x86R" * 5000
            + b"t"
        ),
        "copies of a list as a set": lambda: (
            b"]("
            + b"".join(b"M" + struct.pack("<H", n) for n in range(65536))
            + b"eq\x00(cbuiltins\nset\nq\x01h\x00\x85R"
            + b"h\x01h\x00\x85R" * 5000
            + b"t"
        ),
        "copies of a list as an OrderedDict": lambda: (
            b"]("
            + b"".join(b"M" + struct.pack("<H", n) + b"2\x86" for n in range(65536))
            + b"eq\x00(ccollections\nOrderedDict\nq\x01h\x00\x85R"
            + b"h\x01h\x00\x85R" * 2000
            + b"t"
        ),
        "an array, many times": lambda: _array(200_000),
        "an array of an impossible shape": lambda: (
            b"cnumpy._core.numeric\n_frombuffer\n(B\x01\x00\x00\x00\x00"
            b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR\x8a\x07" + b"\xff" * 6 + b"\x7f\x85\x8c\x01CtR"
        ),
        "an array with an endless shape": lambda: (
            b"cnumpy._core.numeric\n_frombuffer\n(B\x00\x00\x00\x00"
            b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tR(" + b"K\x01" * (2 * MEGA) + b"t\x8c\x01CtR"
        ),
        "a type with an endless name": lambda: b"cnumpy\ndtype\n(" + _unicode(b"u" * (50 * MEGA)) + b"K\x00K\x01tR",
        "a module with an endless name": lambda: b"c" + b"m" * MEGA + b"\n" + b"f" * MEGA + b"\n",
        "numbers that share a hash, as keys": lambda: (
            b"}(" + b"".join(b"\x8a\x0a" + (_MODULUS * n).to_bytes(10, "little") + b"N" for n in range(30_000)) + b"u"
        ),
        "records that fill an older list": lambda: _kept_by_records(b"]q\xc8", b"h\xc8" + _MANY + b"e", 40),
        "records that fill an older list under a new name": lambda: _kept_by_records(
            b"]q\xc8", b"h\xc82" + _MANY + b"e", 40
        ),
        "records that fill an older dict": lambda: _kept_by_records(
            b"}q\xc8", b"h\xc8(" + b"".join(b"M" + struct.pack("<H", n) + b"]" for n in range(60_000)) + b"u", 40
        ),
        "records that replace what was stored": lambda: _kept_by_records(
            b"]" + b"".join(b"r" + struct.pack("<I", n) for n in range(1000, 1040)),
            b"(" + _MANY + b"t" + b"".join(b"r" + struct.pack("<I", n) for n in range(1000, 1040)),
            40,
        ),
        "records that store texts": lambda: (
            b"("
            + b"".join(
                _record(b"(" + b"".join(b"\x8c\x08%08d\x94" % (60_000 * n + k) for k in range(60_000)) + b"t")
                for n in range(40)
            )
            + b"t"
        ),
    }
)


def with_end(opcodes: bytes) -> bytes:
    """Return opcodes as a whole pickle."""
    return PROTOCOL + opcodes + b"."


def in_nats_bench(opcodes: bytes) -> bytes:
    """Return opcodes as the file of NATS-Bench that has a list of architectures, packed."""
    start = pickle.dumps({"meta_archs": ["a"]}, 2)[:-1]
    return bz2.compress(start + b"X\x0a\x00\x00\x00arch2infos" + opcodes + b"s.")


def as_labels(opcodes: bytes) -> bytes:
    """Return opcodes as the labels of one image in a file of CIFAR-10."""
    pixels = b"cnumpy._core.numeric\n_frombuffer\n(B\x00\x0c\x00\x00" + bytes(3072)
    pixels += b"cnumpy\ndtype\n(U\x02u1K\x00K\x01tRK\x01M\x00\x0c\x86\x8c\x01CtR"
    return PROTOCOL + b"}(U\x04data" + pixels + b"U\x06labels" + opcodes + b"u."
