"""Archives of a few kilobytes or megabytes that are made to take memory or time, for ``hostile_sources``."""

from __future__ import annotations

import bz2
import gzip
import io
import lzma
import struct
import tarfile
import zipfile
import zlib
from collections.abc import Callable, Iterable, Mapping
from types import MappingProxyType

MEGA = 1_000_000


def zip_of(members: Iterable[tuple[str, bytes]], method: int = zipfile.ZIP_DEFLATED) -> bytes:
    """Return a zip archive."""
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", method) as archive:
        for name, content in members:
            archive.writestr(name, content)
    return buffer.getvalue()


def header(name: str, size: int = 0, kind: bytes = tarfile.REGTYPE) -> bytes:
    """Return the header of a tar member."""
    info = tarfile.TarInfo(name)
    info.size, info.type = size, kind
    return info.tobuf(tarfile.GNU_FORMAT)


def padded(content: bytes) -> bytes:
    """Return content up to the end of its last block."""
    return content + bytes(-len(content) % 512)


def _stored(name: bytes, size: int) -> bytes:
    """Return an entry of a zip archive's list of members."""
    return struct.pack("<4s6H3I5H2I", b"PK\1\2", 20, 20, 0, 0, 0, 0, 0, size, size, len(name), *[0] * 6) + name


def _listed(entries: bytes, count: int) -> bytes:
    """Return a zip archive that is nothing but a list of members."""
    return entries + struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count & 0xFFFF, count & 0xFFFF, len(entries), 0, 0)


def _overlapping(name: str, count: int, size: int) -> bytes:
    """Return a zip archive whose members are all the same bytes."""
    packed = zlib.compressobj(9, zlib.DEFLATED, -15)
    content = bytes(size)
    body = packed.compress(content) + packed.flush()
    local = struct.pack("<4s5H3I2H", b"PK\3\4", 20, 0, 8, 0, 0, zlib.crc32(content), len(body), size, len(name), 0)
    entries = b""
    for number in range(count):
        label = name.replace("#", f"{number:03d}").encode()
        fields = (20, 20, 0, 8, 0, 0, zlib.crc32(content), len(body), size, len(label), 0, 0, 0, 0, 0, 0)
        entries += struct.pack("<4s6H3I5H2I", b"PK\1\2", *fields) + label
    start = local + name.replace("#", "000").encode() + body
    end = struct.pack("<4s4H2IH", b"PK\5\6", 0, 0, count, count, len(entries), len(start), 0)
    return start + entries + end


def _gzipped(pieces: Iterable[bytes]) -> bytes:
    buffer = io.BytesIO()
    with gzip.GzipFile(fileobj=buffer, mode="wb", compresslevel=9) as file:
        for piece in pieces:
            file.write(piece)
    return buffer.getvalue()


def _gzip() -> zlib._Compress:
    return zlib.compressobj(9, wbits=31)


def _zeros(compressor: zlib._Compress | bz2.BZ2Compressor | lzma.LZMACompressor, start: bytes, megabytes: int) -> bytes:
    """Return packed zeros after a start, without ever having all of them."""
    block = bytes(MEGA)
    packed = [compressor.compress(start), *(compressor.compress(block) for _ in range(megabytes)), compressor.flush()]
    return b"".join(packed)


def _pax(records: Mapping[str, str], kind: bytes = tarfile.XHDTYPE) -> bytes:
    info = tarfile.TarInfo("x")
    return info._create_pax_generic_header(dict(records), kind, "utf-8")  # type: ignore[attr-defined,no-any-return]


BATCH = "cifar-10-batches-py/data_batch_1"
LOG = "log_stats_model_#.json"

_MANY_ATTRIBUTES = {f"a{number}": "" for number in range(4_000)}
_WIDE_DICTIONARY = [{"id": lzma.FILTER_LZMA2, "dict_size": 1 << 30}]

TARS: Mapping[str, Callable[[], bytes]] = MappingProxyType(
    {
        "tar: gzip of 3 GB of zeros in a member": lambda: _zeros(
            zlib.compressobj(9, wbits=31), header(BATCH, 3 << 30), 3072
        ),
        "tar: bzip2 of a member of 1 GB": lambda: _zeros(bz2.BZ2Compressor(), header(BATCH, 1 << 30), 100),
        "tar: xz of a member of 7 GB": lambda: _zeros(lzma.LZMACompressor(), header(BATCH, 7 << 30), 300),
        "tar: a dictionary of 1 GB": lambda: lzma.compress(header(BATCH, 5) + bytes(1024), filters=_WIDE_DICTIONARY),
        "tar: a pickle of zeros": lambda: _gzipped([header(BATCH, 200 * MEGA), bytes(200 * MEGA + 1024)]),
        "tar: half a million members": lambda: _gzipped(header(f"{n}") for n in range(500_000)),
        "tar: half a million folders": lambda: _gzipped(header(f"{n}/", 0, tarfile.DIRTYPE) for n in range(500_000)),
        "tar: a long name of 4 GB": lambda: header("x", 4 << 30, tarfile.GNUTYPE_LONGNAME) + bytes(2048),
        "tar: long names before long names": lambda: _gzipped(
            header("x", 512, tarfile.GNUTYPE_LONGNAME) + bytes(512) for _ in range(100_000)
        ),
        "tar: attributes of 2 GB": lambda: header("x", 2 << 30, tarfile.XHDTYPE) + bytes(2048),
        "tar: attributes of 60 MB that are there": lambda: _gzipped(
            [_pax({"comment": "x" * 60 * MEGA}), header(BATCH)]
        ),
        "tar: attributes before attributes": lambda: _gzipped(_pax({"a": "b"}) for _ in range(100_000)),
        "tar: attributes for all": lambda: _gzipped(
            [_pax(_MANY_ATTRIBUTES, tarfile.XGLTYPE), *(header(f"{n}") for n in range(90_000))]
        ),
        "tar: attributes for all, again and again": lambda: _gzipped(
            piece
            for n in range(3_000)
            for piece in (_pax({f"{n}-{k}": "" for k in range(90)}, tarfile.XGLTYPE), header(f"{n}"))
        ),
        "tar: a sparse map without an end": lambda: _gzipped(
            [_sparse_start(), *[(b"1" * 12 + b"2" * 12) * 21 + b"\1" + bytes(7)] * 400_000]
        ),
        "tar: a sparse map that never ends a line": lambda: _gzipped(
            [
                _pax(
                    {
                        "GNU.sparse.major": "1",
                        "GNU.sparse.minor": "0",
                        "GNU.sparse.name": "x",
                        "GNU.sparse.realsize": "9",
                    }
                ),
                header("x", 1 << 30),
                b"999999999\n",
                *[b"1" * MEGA] * 300,
            ]
        ),
        "tar: sparse of a petabyte": lambda: _gzipped([_sparse_start(end=True), bytes(2048)]),
        "tar: a size below zero": lambda: _with_size(header(BATCH, 0), -512) + bytes(2048),
        "tar: a folder with a size below zero": lambda: (
            _with_size(header("x/", 0, tarfile.DIRTYPE), -512) + bytes(2048)
        ),
        "tar: an unknown kind with a size below zero": lambda: _with_size(header("x", 0, b"Q"), -512) + bytes(2048),
        "tar: a size beyond all": lambda: _with_size(header(BATCH, 0), 1 << 80) + bytes(2048),
        "tar: a link to a file of the reader": lambda: _link("/etc/passwd", tarfile.SYMTYPE),
        "tar: a hard link to a file of the reader": lambda: _link("../../etc/passwd", tarfile.LNKTYPE),
        "tar: a device": lambda: header(BATCH, 0, tarfile.CHRTYPE) + bytes(1024),
        "tar: packed twice": lambda: gzip.compress(gzip.compress(header(BATCH) + bytes(1024))),
        "tar: gzip with a name of 50 MB": lambda: b"\x1f\x8b\x08\x08" + bytes(6) + b"n" * 50 * MEGA,
    }
)


def _sparse_start(*, end: bool = False) -> bytes:
    info = tarfile.TarInfo(BATCH)
    info.type, info.size = tarfile.GNUTYPE_SPARSE, 512
    block = bytearray(info.tobuf(tarfile.GNU_FORMAT))
    block[386 : 386 + 96] = (b"00000000001\0" * 2) * 4
    block[482] = not end
    block[483:495] = b"\x80" + (1 << 50).to_bytes(11, "big")
    return _with_checksum(block)


def _with_size(block: bytes, size: int) -> bytes:
    changed = bytearray(block)
    sign = b"\xff" if size < 0 else b"\x80"
    changed[124:136] = sign + (size % (1 << 88)).to_bytes(11, "big")
    return _with_checksum(changed)


def _with_checksum(block: bytearray) -> bytes:
    block[148:156] = b" " * 8
    block[148:156] = b"%06o\0 " % sum(block)
    return bytes(block)


def _link(target: str, kind: bytes) -> bytes:
    info = tarfile.TarInfo(BATCH)
    info.type, info.linkname = kind, target
    return info.tobuf(tarfile.GNU_FORMAT) + bytes(1024)


ZIPS: Mapping[str, Callable[[], bytes]] = MappingProxyType(
    {
        "zip: a log of 300 MB of zeros": lambda: zip_of([(LOG.replace("#", "1"), bytes(300 * MEGA))]),
        "zip: the same megabyte a thousand times": lambda: _overlapping(LOG, 1000, MEGA),
        "zip: the same 100 MB sixty times": lambda: _overlapping(LOG, 60, 100 * MEGA),
        "zip: 150,000 members": lambda: _listed(b"".join(_stored(b"%06d" % n, 0) for n in range(150_000)), 0),
        "zip: names of 60 kB": lambda: _listed(
            b"".join(_stored(b"%04d" % n + b"n" * 60_000, 0) for n in range(1000)), 1000
        ),
        "zip: a log packed by bzip2": lambda: zip_of([(LOG, bytes(500 * MEGA))], zipfile.ZIP_BZIP2),
        "zip: a log packed by LZMA": lambda: zip_of([(LOG, bytes(100 * MEGA))], zipfile.ZIP_LZMA),
        "zip: a zip of a zip of a zip": lambda: zip_of([(LOG, zip_of([(LOG, zip_of([(LOG, bytes(MEGA))]))]))]),
        "zip: a log of brackets": lambda: zip_of([(LOG, b"[" * MEGA)]),
        "zip: a log of empty lists": lambda: zip_of([(LOG, b"[" + b"[]," * 340_000 + b"[]]")]),
        "zip: a log with a number of a million digits": lambda: zip_of([(LOG, b'{"a": ' + b"9" * MEGA + b"}")]),
        "zip: logs of nothing": lambda: zip_of((LOG.replace("#", str(n)), b"{}") for n in range(90_000)),
    }
)

OTHERS: Mapping[str, tuple[str, Callable[[], bytes]]] = MappingProxyType(
    {
        "csv.gz: 200 MB without a line end": (
            "a.csv.gz",
            lambda: _zeros(_gzip(), b"architecture,", 200),
        ),
        "csv.gz: 200 MB of line ends": ("a.csv.gz", lambda: _gzipped([b"architecture,a/b\n", *[b"\n" * MEGA] * 200])),
        "csv.gz: a hundred million columns": (
            "a.csv.gz",
            lambda: _gzipped([b"architecture", *[b",a/b" * MEGA] * 25]),
        ),
    }
)

ARRAYS: Mapping[str, Callable[[], bytes]] = MappingProxyType(
    {
        "npz: 3 GB of zeros": lambda: _npz((1 << 20, 32, 32, 3), 3 << 30),
        "npz: images that are not there": lambda: _npz((1 << 40, 32, 32, 3), 100),
        "npz: a header of 100 MB": lambda: zip_of(
            [("images.npy", _npy_header(b"(" * (100 * MEGA))), ("labels.npy", b"")]
        ),
        "npz: a header of brackets": lambda: _images(_npy_header(b"(" * 5000)),
        "npz: packed by bzip2": lambda: _images(bytes(500 * MEGA), zipfile.ZIP_BZIP2),
    }
)


def _npy_header(text: bytes) -> bytes:
    return b"\x93NUMPY\x02\x00" + struct.pack("<I", len(text)) + text


_LABELS = _npy_header(b"{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}\n") + b"\0"


def _images(content: bytes, method: int = zipfile.ZIP_DEFLATED) -> bytes:
    return zip_of([("images.npy", content), ("labels.npy", _LABELS)], method)


def _npz(shape: tuple[int, ...], num_bytes: int) -> bytes:
    head = _npy_header(repr({"descr": "|u1", "fortran_order": False, "shape": shape}).encode() + b"\n")
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w", zipfile.ZIP_DEFLATED) as archive:
        with archive.open("images.npy", "w", force_zip64=True) as member:
            member.write(head)
            for start in range(0, num_bytes, MEGA):
                member.write(bytes(min(MEGA, num_bytes - start)))
        archive.writestr(
            "labels.npy", _npy_header(b"{'descr': '|u1', 'fortran_order': False, 'shape': (1,)}\n") + b"\0"
        )
    return buffer.getvalue()
