"""The stack machine that a pickle is a program for, as far as plain data need it."""

from __future__ import annotations

import codecs
import struct
import sys
from collections.abc import Callable
from typing import cast

from .byte_stream import ByteStream
from .pickle_budget import ARRAY_BYTES, ITEM_BYTES, OPCODE_BYTES, SET_BYTES, Budget, bytes_of
from .pickle_memo import Memo
from .pickle_runs import take_run
from .pickle_values import NumberType, PendingArray, call, is_known, with_state
from .plain_data import Name, UnreadableError, check_keys

Reduce = Callable[[dict[object, object]], object]

_MAX_MARKS = 1000
_MAX_INTEGER_BYTES = 32
_SHORT = 4096  # bytes of a text that are charged with the next opcode
_UNFINISHED = (list, dict, set, PendingArray)


class PickleMachine:
    """A stack, a memo and marks, with one method for each thing that an opcode does to them."""

    def __init__(self, stream: ByteStream, budget: Budget, reduce: Reduce | None) -> None:
        self.stream = stream
        self.budget = budget
        self.reduce = reduce
        self.memo = Memo(budget)
        self.stack: list[object] = []
        self.floor = 0
        self.marks: list[tuple[int, int, int]] = []  # height of the stack, mark of the memo, charged so far
        self._fetched: dict[int, object] = {}

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
        self.marks.append((self.floor, self.memo.mark(), self.budget.held))
        self.take_runs()

    def take_runs(self) -> None:
        """Take what follows in one step where it is the items of a learning curve."""
        while run := take_run(self.stream, self.memo):
            self.budget.hold(OPCODE_BYTES * len(run))
            self.stack += run

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
        memo_mark, held = self.marks[-1][1:] if self.marks else (0, 0)
        self._fill_dict(self.pop_mark(), memo_mark, held)

    def set_item(self) -> None:
        """Put one item into the dict before it."""
        value, key = self.pop(), self.pop()
        self._fill_dict([key, value], None, 0)

    def _fill_dict(self, items: list[object], memo_mark: int | None, held: int) -> None:
        target = self._unfinished()
        if type(target) is not dict:
            raise UnreadableError("items for something that is no dict (or was complete already)")
        target.update(_pairs(items, len(target)))
        if self.reduce is None:
            return
        reduced = self.reduce(target)
        if reduced is not target:
            self.stack[-1] = reduced
            if memo_mark is not None:
                self._let_go(target, memo_mark, held)
            self.budget.hold(bytes_of(reduced))

    def _let_go(self, target: dict[object, object], memo_mark: int, held: int) -> None:
        """Forget all that was made since the mark: nothing but the dict, and the memo, can have kept it."""
        self.memo.release(memo_mark, target)
        self._fetched = {place: value for place, value in self._fetched.items() if place < len(self.stack)}
        self.budget.held = held

    def append(self) -> None:
        """Append a value to the list before it."""
        value = self.pop()
        self._list().append(value)

    def appends(self) -> None:
        """Append the values since the mark to the list before it."""
        items = self.pop_mark()
        self._list().extend(items)

    def _list(self) -> list[object]:
        target = self._unfinished()
        if type(target) is not list:
            raise UnreadableError("items for something that is no list")
        return target

    def add_items(self) -> None:
        """Add the values since the mark to the set before it."""
        items = self.pop_mark()
        target = self._unfinished()
        if type(target) is not set:
            raise UnreadableError("items for something that is no set")
        check_keys(items, len(target))
        target.update(items)

    def _unfinished(self) -> object:
        """Return the value on top of the stack, which is to be changed.

        Raises:
            UnreadableError: It was asked for from the memo, as Python does with complete values only. It may be older
                than the mark, and would keep what it is given.
        """
        target = self.top()
        self._check_unfinished(len(self.stack) - 1, target)
        return target

    def _check_unfinished(self, place: int, target: object) -> None:
        if self._fetched and self._fetched.get(place) is target:
            raise UnreadableError("items for something that was complete already")

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
        self.budget.hold(ARRAY_BYTES + sum(map(_copied_bytes, arguments)))
        self.push(call(name, arguments))

    def build(self) -> None:
        """Give the value before it its state."""
        state, value = self.pop(), self.pop()
        if not isinstance(value, NumberType | PendingArray):
            raise UnreadableError("an object with a state of its own")
        self._check_unfinished(len(self.stack), value)
        self.budget.hold(ARRAY_BYTES)
        built = with_state(value, state)
        self.push(built)
        if isinstance(value, PendingArray) and value.memo_index is not None:
            self.memo.put(value.memo_index, built)

    def get(self, index: int) -> None:
        """Put a value of the memo on the stack."""
        self._push_again(self.memo.get(index))

    def _push_again(self, value: object) -> None:
        if isinstance(value, _UNFINISHED):
            self._fetched[len(self.stack)] = value
        self.push(value)

    def put(self, index: int) -> None:
        """Store the value on top of the stack in the memo."""
        self.memo.put(index, self.top())

    def read(self, layout: struct.Struct) -> int:
        """Return the next number of a layout."""
        return cast(int, layout.unpack(self.stream.take(layout.size))[0])

    def sized(self, layout: struct.Struct) -> bytes:
        """Return as many bytes as the next number says."""
        count = self.read(layout)
        if count > _SHORT:
            self.stream.check_left(count)
            self.budget.hold(2 * count)  # the pieces in which it is read, and the whole
        else:
            self.budget.held += count
        return self.stream.take(count)

    def text(self, layout: struct.Struct) -> None:
        """Read a text of as many bytes as the next number says."""
        raw = self.sized(layout)
        if len(raw) > _SHORT:
            self.budget.hold(len(raw) if raw.isascii() else 4 * len(raw))
        self.push(raw.decode("utf-8", "surrogatepass"))

    def text_line(self) -> None:
        """Read a text, written as a line with escapes."""
        text = self.stream.take_line().decode("raw-unicode-escape")
        self.budget.hold(sys.getsizeof(text))
        self.push(text)

    def new_set(self) -> None:
        """Make an empty set."""
        self.budget.hold(SET_BYTES)
        self.push(set())

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
        self.budget.hold(len(line))
        self.push(codecs.escape_decode(line[1:-1])[0])

    def protocol(self) -> None:
        """Read the version of the protocol."""
        version = self.stream.take_byte()
        if version > 5:
            raise UnreadableError(f"protocol {version} of pickle")

    def duplicate(self) -> None:
        """Repeat the value on top of the stack."""
        self._push_again(self.top())

    def discard(self) -> None:
        """Take a value, or a mark, and forget it."""
        if len(self.stack) == self.floor and self.marks:
            self.pop_mark()
        else:
            self.pop()


def _copied_bytes(argument: object) -> int:
    """Return what a copy of an argument takes, as a dict, as a set or in another encoding."""
    match argument:
        case list() | tuple():
            return ITEM_BYTES * len(argument)
        case str():
            return len(argument)
    return 0


def _pairs(items: list[object], already: int = 0) -> dict[object, object]:
    keys, values = items[::2], items[1::2]
    check_keys(keys, already)
    return dict(zip(keys, values, strict=True))
