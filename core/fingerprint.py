"""Tells whether somebody changed a value that jobs share, as far as that can be told at little cost."""

from __future__ import annotations

import dataclasses
import sys
import zlib
from collections.abc import Iterator, Mapping
from typing import Any

# Of an array with more elements than this, so many are looked at, at equal distances.
SAMPLED_ELEMENTS = 2**18

# Deeper than values of evaluators are nested; a list that contains itself ends here.
MAX_DEPTH = 8


def fingerprint(value: object) -> int:
    """Return a number that differs, most likely, once an array or a tensor in ``value`` was changed in place.

    Looks into tuples, lists, dictionaries, sets and dataclasses. Of large arrays a part is read; changes of a tensor by
    torch are seen whatever part they concern.
    """
    return hash(tuple(_prints(value, MAX_DEPTH)))


def _prints(value: object, depth: int) -> Iterator[object]:
    numpy, torch = sys.modules.get("numpy"), sys.modules.get("torch")
    if depth == 0:
        return
    if torch is not None and isinstance(value, torch.Tensor):
        yield from _tensor_prints(value)
    elif numpy is not None and isinstance(value, numpy.ndarray):
        yield value.shape, _checksum(value)
    elif isinstance(value, Mapping):
        for key, item in value.items():
            yield repr(key) if isinstance(key, str | int) else id(key)
            yield from _prints(item, depth - 1)
    elif isinstance(value, tuple | list | set | frozenset):
        yield len(value)
        for item in value:
            yield from _prints(item, depth - 1)
    elif dataclasses.is_dataclass(value) and not isinstance(value, type):
        for field in dataclasses.fields(value):
            yield from _prints(getattr(value, field.name), depth - 1)
    else:
        yield value if isinstance(value, str | int | float) else id(value)


def _tensor_prints(tensor: Any) -> Iterator[object]:
    yield tuple(tensor.shape), tensor.requires_grad
    if not tensor.is_inference():
        yield tensor._version
    if tensor.device.type == "cpu" and tensor.layout == sys.modules["torch"].strided and tensor.numel():
        flat = tensor.detach().reshape(-1) if tensor.is_contiguous() else tensor.detach().contiguous().reshape(-1)
        part = flat[:: max(1, flat.numel() // SAMPLED_ELEMENTS)].contiguous()
        yield zlib.crc32(part.view(sys.modules["torch"].uint8).numpy())


def _checksum(array: Any) -> int:
    if array.dtype.hasobject or not array.size:
        return 0
    flat = array.reshape(-1) if array.flags.c_contiguous else array.ravel()
    part = flat[:: max(1, flat.size // SAMPLED_ELEMENTS)]
    return zlib.crc32(part.copy().view("u1"))
