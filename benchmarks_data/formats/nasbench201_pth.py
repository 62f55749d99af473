"""NAS-Bench-201 as published, ``NAS-Bench-201-v1_0-e61699.pth`` or ``-v1_1-096897.pth``, read without torch.

``torch.save`` wrote these files: a sequence of pickles (a magic number, a protocol version, facts about the machine,
the data, names of tensors), or in its later form a zip archive with one pickle in it.
"""

from __future__ import annotations

from pathlib import Path
from types import MappingProxyType

from ...core.interfaces import Progress
from ..tables.raw import RawTable
from .archives import open_archive
from .byte_stream import ByteStream
from .measured_file import open_measured
from .nasbench201_results import ResultsReader
from .pickles import load_next, load_plain

_TORCH_MAGIC = 0x1950A86A20F9469CFC6C
_ZIP_MAGIC = b"PK\x03\x04"
_EPOCHS_BY_KEY = MappingProxyType({"full": 200, "less": 12})


def read_nasbench201_pth(path: Path, progress: Progress) -> RawTable:
    """Return the mean over the runs of each architecture at the end of its training of 200 and of 12 epochs.

    Args:
        path: The ``.pth`` file.
        progress: Called with the bytes read and the bytes in all.

    Raises:
        DataError: The file is damaged, not this benchmark, or holds anything but plain data.
    """
    reader = ResultsReader(path.name, _EPOCHS_BY_KEY)
    with path.open("rb") as file:
        is_zip = file.read(4) == _ZIP_MAGIC
    content = _read_zip(path, reader, progress) if is_zip else _read_stream(path, reader, progress)
    if not isinstance(content, dict) or not isinstance(content.get("arch2infos"), dict):
        raise reader.refusal("it has no results by architecture ('arch2infos')")
    return reader.table(content.get("meta_archs"), content["arch2infos"])


def _read_stream(path: Path, reader: ResultsReader, progress: Progress) -> object:
    with open_measured(path, progress) as file:
        stream = ByteStream(file, size=path.stat().st_size, name=path.name)
        if load_next(stream) != _TORCH_MAGIC:
            raise reader.refusal("it was not written by torch.save")
        load_next(stream)
        load_next(stream)
        content = load_next(stream, reader.reduce)
        if load_next(stream) != []:
            raise reader.refusal("it holds trained weights; the file without them is needed")
    return content


def _read_zip(path: Path, reader: ResultsReader, progress: Progress) -> object:
    with open_archive(path) as archive:
        member = archive.find("data.pkl")
        if member is None:
            raise reader.refusal("it is a zip archive without 'data.pkl'")
        progress(0, archive.sizes[member])
        with archive.open(member) as file:
            content = load_plain(file, size=archive.sizes[member], reduce=reader.reduce, name=path.name)
        progress(archive.sizes[member], archive.sizes[member])
    return content
