"""The stack machine that a pickle is a program for, as far as plain data need it."""

from __future__ import annotations

import codecs
import struct
from collections.abc import Callable
from typing import cast

from .byte_stream import ByteStream
from .pickle_memo import Memo
from .pickle_runs import take_run
from .pickle_values import NumberType, PendingArray, call, is_known, with_state
from .plain_data import Name, UnreadableError, check_keys

Reduce = Callable[[dict[object, object]], object]

_MAX_MARKS = 1000
_MAX_INTEGER_BYTES = 32


class PickleMachine:
    """A stack, a memo and marks, with one method for each thing that an opcode does to them."""

    def __init__(self, stream: ByteStream, reduce: Reduce | None) -> None:
        self.stream = stream
        self.reduce = reduce
        self.memo = Memo()
        self.stack: list[object] = []
        self.floor = 0
        self.objects = 0
        self.marks: list[tuple[int, int, int]] = []  # height of the stack, mark of the memo, objects so far

    def push(self, value: object) -> None:
        """Put a value on the stack."""
        self.stack.append(value)

    def pop(self) -> object:
        """Take the value on top of the stack."""
        if len(self.stack) <= self.floor:
            raise ValueError("a value is taken where there is none")
        return self.stack.pop()

    def top(self) -> object:
        """Return the value on top of the stack."""
        if len(self.stack) <= self.floor:
            raise ValueError("a value is changed where there is none")
        return self.stack[-1]

    def mark(self) -> None:
        """Begin a container."""
        if len(self.marks) >= _MAX_MARKS:
            raise UnreadableError(f"containers nested more than {_MAX_MARKS} deep")
        self.floor = len(self.stack)
        self.marks.append((self.floor, self.memo.mark(), self.objects))
        self.take_runs()

    def take_runs(self) -> None:
        """Take what follows in one step where it is the items of a learning curve."""
        while run := take_run(self.stream, self.memo):
            self.stack += run
            self.objects += len(run)

    def pop_mark(self) -> list[object]:
        """Take the values since the last mark."""
        if not self.marks:
            raise ValueError("a container is closed where none is open")
        height = self.marks.pop()[0]
        self.floor = self.marks[-1][0] if self.marks else 0
        items = self.stack[height:]
        del self.stack[height:]
        return items

    def frame(self) -> None:
        """Pass over the head of a frame, which says how many bytes to read at once."""
        self.stream.take(8)
        if self.marks:
            self.take_runs()

    def set_items(self) -> None:
        """Put the items since the mark into the dict before it."""
        memo_mark, objects = self.marks[-1][1:] if self.marks else (0, 0)
        self._fill_dict(self.pop_mark(), memo_mark, objects)

    def set_item(self) -> None:
        """Put one item into the dict before it."""
        value, key = self.pop(), self.pop()
        self._fill_dict([key, value], None, 0)

    def _fill_dict(self, items: list[object], memo_mark: int | None, objects: int) -> None:
        target = self.top()
        if type(target) is not dict:
            raise UnreadableError("items for something that is no dict (or was complete already)")
        target.update(_pairs(items))
        if self.reduce is None:
            return
        reduced = self.reduce(target)
        if reduced is not target:
            self.stack[-1] = reduced
            if memo_mark is not None:
                self.memo.release(memo_mark, target)
                self.objects = objects

    def append(self) -> None:
        """Append a value to the list before it."""
        value = self.pop()
        self._list().append(value)

    def appends(self) -> None:
        """Append the values since the mark to the list before it."""
        items = self.pop_mark()
        self._list().extend(items)

    def _list(self) -> list[object]:
        target = self.top()
        if type(target) is not list:
            raise UnreadableError("items for something that is no list")
        return target

    def add_items(self) -> None:
        """Add the values since the mark to the set before it."""
        items = self.pop_mark()
        target = self.top()
        if type(target) is not set:
            raise UnreadableError("items for something that is no set")
        check_keys(items)
        target.update(items)

    def new_dict(self) -> None:
        """Make a dict of the items since the mark."""
        self.push(_pairs(self.pop_mark()))

    def new_frozenset(self) -> None:
        """Make a frozenset of the values since the mark."""
        items = self.pop_mark()
        check_keys(items)
        self.push(frozenset(items))

    def new_tuple(self, count: int) -> None:
        """Make a tuple of the last values."""
        items = [self.pop() for _ in range(count)]
        self.push(tuple(reversed(items)))

    def global_(self) -> None:
        """Read a name, as two lines."""
        module = self.stream.take_line().decode()
        self._push_name(module, self.stream.take_line().decode())

    def stack_global(self) -> None:
        """Make a name of the last two values."""
        attribute, module = self.pop(), self.pop()
        if not isinstance(attribute, str) or not isinstance(module, str):
            raise ValueError("a name that is no text")
        self._push_name(module, attribute)

    def _push_name(self, module: str, attribute: str) -> None:
        name = Name(f"{module}.{attribute}")
        if not is_known(name):
            shown = name.dotted if len(name.dotted) <= 200 and name.dotted.isprintable() else ascii(name.dotted[:200])
            raise UnreadableError(f"the class or function '{shown}'")
        self.push(name)

    def call(self) -> None:
        """Build what a name and its arguments stand for."""
        arguments, name = self.pop(), self.pop()
        if not isinstance(name, Name) or not isinstance(arguments, tuple):
            raise ValueError("a call of something that is no function")
        self.push(call(name, arguments))

    def build(self) -> None:
        """Give the value before it its state."""
        state, value = self.pop(), self.pop()
        if not isinstance(value, NumberType | PendingArray):
            raise UnreadableError("an object with a state of its own")
        built = with_state(value, state)
        self.push(built)
        if isinstance(value, PendingArray) and value.memo_index is not None:
            self.memo.put(value.memo_index, built)

    def get(self, index: int) -> None:
        """Put a value of the memo on the stack."""
        self.push(self.memo.get(index))

    def put(self, index: int) -> None:
        """Store the value on top of the stack in the memo."""
        self.memo.put(index, self.top())

    def read(self, layout: struct.Struct) -> int:
        """Return the next number of a layout."""
        return cast(int, layout.unpack(self.stream.take(layout.size))[0])

    def sized(self, layout: struct.Struct) -> bytes:
        """Return as many bytes as the next number says."""
        return self.stream.take(self.read(layout))

    def long(self, layout: struct.Struct) -> None:
        """Read an integer of as many bytes as the next number says."""
        length = self.read(layout)
        if not 0 <= length <= _MAX_INTEGER_BYTES:
            raise UnreadableError(f"an integer of {length:,} bytes")
        self.push(int.from_bytes(self.stream.take(length), "little", signed=True))

    def integer_line(self) -> None:
        """Read an integer, written as a line."""
        line = self.stream.take_line().rstrip(b"L")
        if len(line) > 3 * _MAX_INTEGER_BYTES:
            raise UnreadableError(f"an integer of {len(line):,} digits")
        self.push({b"00": False, b"01": True}[line] if line in (b"00", b"01") else int(line))

    def string_line(self) -> None:
        """Read a byte string, written as a line with escapes."""
        line = self.stream.take_line()
        if len(line) < 2 or line[:1] not in (b"'", b'"') or line[-1:] != line[:1]:
            raise ValueError("a text without quotation marks")
        self.push(codecs.escape_decode(line[1:-1])[0])

    def protocol(self) -> None:
        """Read the version of the protocol."""
        version = self.stream.take_byte()
        if version > 5:
            raise UnreadableError(f"protocol {version} of pickle")

    def duplicate(self) -> None:
        """Repeat the value on top of the stack."""
        self.push(self.top())

    def discard(self) -> None:
        """Take a value, or a mark, and forget it."""
        if len(self.stack) == self.floor and self.marks:
            self.pop_mark()
        else:
            self.pop()


def _pairs(items: list[object]) -> dict[object, object]:
    keys, values = items[::2], items[1::2]
    check_keys(keys)
    return dict(zip(keys, values, strict=True))
