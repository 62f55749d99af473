"""How much memory the values of a pickle may take, whatever its opcodes ask for.

Opcodes of one byte can ask for a hundred times as much: a number that is stored, a copy of a text that is known. So
each opcode is charged before it is carried out, with no less than what Python takes for it. The charge goes back for
what a benchmark's reader lets go of, record by record; it stays for what the memo keeps for later records.
"""

from __future__ import annotations

import sys

# Of a small file: the list of all architectures of NATS-Bench takes a tenth of it.
FLOOR_BYTES = 1 << 27

# All of NATS-Bench, 1.3 GB packed and read record by record, takes a third of it; 150 MB of images a seventh.
CEILING_BYTES = 1 << 31

# Learning curves, a number for each eleven bytes, take as much; packed records of NATS-Bench 45 bytes a byte.
BYTES_A_BYTE = 16

OPCODE_BYTES = 96
"""A number, an empty list or a short tuple with its place on the stack, and its share of a dict's table."""

SET_BYTES = 256
"""An empty set."""

ARRAY_BYTES = 512
"""What NumPy takes for an array, or for a type, beside its numbers."""

ITEM_BYTES = 192
"""An item of a list that becomes one of a dict or of a set."""


class TooLargeError(ValueError):
    """The values take more memory than their file may need."""


class Budget:
    """Bytes that are left for the values of one pickle.

    Attributes:
        held: Charged for values that are let go of with the record that they are in.
        room: The most that ``held`` may become.
    """

    def __init__(self, file_bytes: int | None) -> None:
        """Start with what a file of so many bytes may need; None if its size is not known."""
        self.limit = min(max(FLOOR_BYTES, BYTES_A_BYTE * (file_bytes or 0)), CEILING_BYTES)
        self.room = self.limit
        self.held = 0

    def hold(self, num_bytes: int) -> None:
        """Charge for values of the present record. Raises TooLargeError if there is no room for them."""
        self.held += num_bytes
        self.check()

    def keep(self, num_bytes: int) -> None:
        """Charge for what is kept to the end. Raises TooLargeError if there is no room for it."""
        self.room -= num_bytes
        self.check()

    def check(self) -> None:
        """Raise TooLargeError if more was charged than there was room for."""
        if self.held > self.room:
            raise TooLargeError(
                f"what it holds takes more than {self.limit:,} bytes of memory, which no such file needs"
            )


def bytes_of(value: object) -> int:
    """Return what a scalar, or a tuple with its parts, takes in memory."""
    parts = value if isinstance(value, tuple) else ()
    return sys.getsizeof(value) + sum(map(sys.getsizeof, parts))
