"""What a pickle may name, as plain values made by our own code.

A pickle names functions to call. Here a name is only a text: a few names mean a container, a NumPy number or a NumPy
array, which the functions below build from bytes; every other name is refused.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from types import MappingProxyType

import numpy as np
import numpy.typing as npt

from .plain_data import Name, UnreadableError, check_keys

NUMBER_TYPES = frozenset({"b1", "i1", "i2", "i4", "i8", "u1", "u2", "u4", "u8", "f2", "f4", "f8"})
_MAX_DIMENSIONS = 8


@dataclass
class NumberType:
    """The type of the numbers of an array, such as ``u1``, with the byte order that a later opcode gives."""

    code: str
    byte_order: str = "="

    def numbers(self, raw: bytes) -> npt.NDArray[np.generic]:
        """Return the numbers that bytes stand for, shape ``(count,)``."""
        return np.frombuffer(raw, dtype=np.dtype(self.byte_order + self.code))


@dataclass
class PendingArray:
    """An array that a later opcode gives its shape and bytes.

    Attributes:
        memo_index: Where the memo holds it, None if it does not.
    """

    memo_index: int | None = None


def call(name: Name, arguments: tuple[object, ...]) -> object:
    """Return the plain value that calling ``name`` stands for.

    Raises:
        UnreadableError: The arguments are not what Python or NumPy writes for it.
    """
    return _BUILDERS[name.dotted](arguments)


def is_known(name: Name) -> bool:
    """Return whether plain data can contain the name."""
    return name.dotted in _BUILDERS


def with_state(value: NumberType | PendingArray, state: object) -> object:
    """Return a number type with its byte order, or the array itself, from what the pickle gives for it.

    Raises:
        UnreadableError: The state is not what NumPy writes.
    """
    if isinstance(value, NumberType):
        match state:
            case (int(), ("<" | ">" | "|" | "=" | b"<" | b">" | b"|" | b"=") as order, None, None, None, *_):
                value.byte_order = _text(order)
                return value
        raise UnreadableError("a NumPy type other than plain numbers")
    match state:
        case (int(), tuple() as shape, NumberType() as dtype, bool() | int() as is_fortran, bytes() as raw):
            return _array(dtype, raw, shape, "F" if is_fortran else "C")
    raise UnreadableError("a NumPy array that is not made of plain numbers")


def _array(dtype: NumberType, raw: bytes, shape: tuple[object, ...], order: str) -> npt.NDArray[np.generic]:
    flat = dtype.numbers(raw)
    sizes = [size for size in shape if type(size) is int and size >= 0]
    if len(sizes) != len(shape) or len(shape) > _MAX_DIMENSIONS:
        raise UnreadableError("a NumPy array with an impossible shape")
    return flat.reshape(sizes, order="F" if order == "F" else "C")


def _text(value: object) -> str:
    match value:
        case str():
            return value
        case bytes():
            return value.decode("ascii")
    raise UnreadableError("a NumPy value without a name of its type")


def _ordered_dict(arguments: tuple[object, ...]) -> dict[object, object]:
    pairs: list[tuple[object, object]] = []
    if len(arguments) > 1:
        raise UnreadableError("an OrderedDict of several arguments")
    for argument in arguments:
        for pair in argument if isinstance(argument, list | tuple) else ():
            if not isinstance(pair, list | tuple) or len(pair) != 2:
                raise UnreadableError("an OrderedDict of something other than pairs")
            pairs.append((pair[0], pair[1]))
    check_keys([key for key, _ in pairs])
    return dict(pairs)


def _set(arguments: tuple[object, ...]) -> set[object]:
    match arguments:
        case () | ([*_],):
            members = list(arguments[0]) if arguments else []  # type: ignore[call-overload]
            check_keys(members)
            return set(members)
    raise UnreadableError("a set of something other than a list")


def _bytes(arguments: tuple[object, ...]) -> bytes:
    match arguments:
        case ():
            return b""
        case (bytes() as raw,):
            return raw
        case (str() as text, str(encoding)) if encoding in ("latin1", "latin-1"):
            return text.encode("latin-1")
    raise UnreadableError("bytes that are not written as Python writes them")


def _number_type(arguments: tuple[object, ...]) -> NumberType:
    code = _text(arguments[0]) if arguments else ""
    if code not in NUMBER_TYPES:
        raise UnreadableError(f"NumPy values of type '{code:.40}', which are not plain numbers")
    return NumberType(code)


def _pending_array(arguments: tuple[object, ...]) -> PendingArray:
    match arguments:
        case (Name("numpy.ndarray"), (0,), bytes()):
            return PendingArray()
    raise UnreadableError("a NumPy array of a special kind")


def _array_from_buffer(arguments: tuple[object, ...]) -> npt.NDArray[np.generic]:
    match arguments:
        case (bytes() as raw, NumberType() as dtype, tuple() as shape, ("C" | "F") as order):
            return _array(dtype, raw, shape, order)
    raise UnreadableError("a NumPy array that is not made of plain numbers")


def _number(arguments: tuple[object, ...]) -> object:
    match arguments:
        case (NumberType() as dtype, bytes() as raw):
            values = dtype.numbers(raw)
            if len(values) == 1:
                return values[0].item()
    raise UnreadableError("a NumPy number that is not plain")


def _nothing(arguments: tuple[object, ...]) -> object:
    raise UnreadableError("a call that plain data does not have")


_BUILDERS: Mapping[str, Callable[[tuple[object, ...]], object]] = MappingProxyType(
    {
        "collections.OrderedDict": _ordered_dict,
        "_codecs.encode": _bytes,
        "numpy.dtype": _number_type,
        "numpy.ndarray": _nothing,
        **{f"{module}.{kind}": _bytes for module in ("builtins", "__builtin__") for kind in ("bytes", "bytearray")},
        **{f"{module}.set": _set for module in ("builtins", "__builtin__")},
        **{f"{module}.frozenset": _set for module in ("builtins", "__builtin__")},
        **{f"numpy.{core}.multiarray._reconstruct": _pending_array for core in ("core", "_core")},
        **{f"numpy.{core}.multiarray.scalar": _number for core in ("core", "_core")},
        **{f"numpy.{core}.numeric._frombuffer": _array_from_buffer for core in ("core", "_core")},
    }
)
