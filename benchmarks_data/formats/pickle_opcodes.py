"""What each opcode of a pickle does (protocols 0 to 5), as documented in the standard library's ``pickletools``."""

from __future__ import annotations

import struct
from collections.abc import Callable, Mapping
from types import MappingProxyType

from .pickle_machine import PickleMachine

Handler = Callable[[PickleMachine], object]
_BYTE, _SHORT, _INT, _UINT, _ULONG, _DOUBLE = (struct.Struct(code) for code in ("<B", "<H", "<i", "<I", "<Q", ">d"))
STOP = ord(".")


def _constant(value: object) -> Handler:
    return lambda state: state.push(value)


def _number(layout: struct.Struct) -> Handler:
    return lambda state: state.push(state.read(layout))


def _bytes(layout: struct.Struct) -> Handler:
    return lambda state: state.push(state.sized(layout))


def _text(layout: struct.Struct) -> Handler:
    return lambda state: state.text(layout)


def _tuple(count: int) -> Handler:
    return lambda state: state.new_tuple(count)


HANDLERS: Mapping[int, Handler] = MappingProxyType(
    {
        0x80: PickleMachine.protocol,
        0x95: PickleMachine.frame,
        ord("("): PickleMachine.mark,
        ord("0"): PickleMachine.discard,
        ord("1"): PickleMachine.pop_mark,
        ord("2"): PickleMachine.duplicate,
        ord("N"): _constant(None),
        0x88: _constant(True),
        0x89: _constant(False),
        ord("I"): PickleMachine.integer_line,
        ord("L"): PickleMachine.integer_line,
        ord("F"): lambda state: state.push(float(state.stream.take_line())),
        ord("K"): _number(_BYTE),
        ord("M"): _number(_SHORT),
        ord("J"): _number(_INT),
        ord("G"): _number(_DOUBLE),
        0x8A: lambda state: state.long(_BYTE),
        0x8B: lambda state: state.long(_INT),
        ord("S"): PickleMachine.string_line,
        ord("T"): _bytes(_INT),
        ord("U"): _bytes(_BYTE),
        ord("B"): _bytes(_UINT),
        ord("C"): _bytes(_BYTE),
        0x8E: _bytes(_ULONG),
        0x96: _bytes(_ULONG),
        ord("V"): PickleMachine.text_line,
        ord("X"): _text(_UINT),
        0x8C: _text(_BYTE),
        0x8D: _text(_ULONG),
        ord(")"): _constant(()),
        0x85: _tuple(1),
        0x86: _tuple(2),
        0x87: _tuple(3),
        ord("t"): lambda state: state.push(tuple(state.pop_mark())),
        ord("]"): lambda state: state.push([]),
        ord("l"): lambda state: state.push(state.pop_mark()),
        ord("a"): PickleMachine.append,
        ord("e"): PickleMachine.appends,
        ord("}"): lambda state: state.push({}),
        ord("d"): PickleMachine.new_dict,
        ord("s"): PickleMachine.set_item,
        ord("u"): PickleMachine.set_items,
        0x8F: PickleMachine.new_set,
        0x90: PickleMachine.add_items,
        0x91: PickleMachine.new_frozenset,
        ord("c"): PickleMachine.global_,
        ord("i"): PickleMachine.global_,
        0x93: PickleMachine.stack_global,
        ord("R"): PickleMachine.call,
        0x81: PickleMachine.call,
        ord("b"): PickleMachine.build,
        ord("g"): lambda state: state.get(int(state.stream.take_line()[:20])),
        ord("h"): lambda state: state.get(state.read(_BYTE)),
        ord("j"): lambda state: state.get(state.read(_UINT)),
        ord("p"): lambda state: state.put(int(state.stream.take_line()[:20])),
        ord("q"): lambda state: state.put(state.read(_BYTE)),
        ord("r"): lambda state: state.put(state.read(_UINT)),
        0x94: lambda state: state.put(state.memo.count),
    }
)
