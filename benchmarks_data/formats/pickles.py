"""Pickles of plain data, read by our own interpreter of the opcodes (protocols 0 to 5).

Python's ``pickle`` calls whatever a file names. This interpreter imports nothing and calls nothing that a file names:
it knows containers, numbers, texts, bytes, and NumPy numbers and arrays, and refuses every other name. Containers are
ordinary ones (an OrderedDict becomes a dict), NumPy numbers become Python's.
"""

from __future__ import annotations

import struct

from .byte_stream import ByteStream, Readable
from .pickle_budget import OPCODE_BYTES, Budget, TooLargeError
from .pickle_machine import PickleMachine, Reduce
from .pickle_memo import ReleasedError
from .pickle_opcodes import HANDLERS, STOP
from .plain_data import UnreadableError, check_plain


def load_plain(
    file: Readable,
    *,
    size: int | None = None,
    file_bytes: int | None = None,
    reduce: Reduce | None = None,
    name: str | None = None,
) -> object:
    """Return the plain data of one pickle.

    Args:
        file: The pickle, from its present position.
        size: Bytes up to its end, None if not known.
        file_bytes: Size of the packed file that it comes from, None if it is not packed: a large one may hold more.
        reduce: Called with each dict as soon as it is filled; what it returns takes the dict's place, and what the
            dict held is let go of, so a benchmark larger than the memory can be read. Returning the dict itself
            keeps it.
        name: Name of the file in messages, by default its own.

    Raises:
        DataError: It is damaged, holds anything but plain data, or more than its size lets expect; a class or function
            is named.
    """
    return load_next(ByteStream(file, size=size, name=name, packed_bytes=file_bytes), reduce, file_bytes)


def load_next(stream: ByteStream, reduce: Reduce | None = None, file_bytes: int | None = None) -> object:
    """Return the plain data of the pickle that starts at the stream's present place, see ``load_plain``.

    Raises:
        DataError: It is damaged, holds anything but plain data, or more than its size lets expect.
    """
    try:
        budget = Budget(stream.size if file_bytes is None else file_bytes)
        value = _run(PickleMachine(stream, budget, reduce))
        check_plain(value)
    except UnreadableError as error:
        raise stream.refusal(f"it contains {error}, where only plain data are read") from error
    except TooLargeError as error:
        raise stream.refusal(str(error)) from error
    except ReleasedError as error:
        raise stream.refusal("it refers back to a part that was already let go of") from error
    except (KeyError, ValueError, OverflowError, struct.error) as error:
        raise stream.refusal(f"it is not a whole pickle ({error})") from error
    return value


def _run(machine: PickleMachine) -> object:
    stream, budget = machine.stream, machine.budget
    while (opcode := stream.take_byte()) != STOP:
        handler = HANDLERS.get(opcode)
        if handler is None:
            raise UnreadableError(f"the opcode {bytes([opcode])!r}")
        budget.held += OPCODE_BYTES
        if budget.held > budget.room:
            budget.check()
        handler(machine)
    return machine.pop()
