"""How much memory this process, or a CUDA device, came to hold since a certain moment."""

from __future__ import annotations

import contextlib
import ctypes
import os
import sys
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import torch

PAGE_BYTES = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096

# Written to Linux's ``clear_refs``: forget the highest resident size so far.
FORGET_PEAK = b"5\n"


def _unknown_where_closed() -> contextlib.suppress:
    """Suppress what reading says where an evaluator closed the files, or opened others in their place."""
    return contextlib.suppress(OSError, ValueError, IndexError)


class MemoryMeter:
    """Watches resident memory of this process, or what torch has allocated on a CUDA device.

    Args:
        device: Where jobs compute.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device if device.type == "cuda" else None
        self._pages = self._status = self._clear = -1
        if self._cuda is None and sys.platform == "linux":
            with contextlib.suppress(OSError):
                self._pages = os.open("/proc/self/statm", os.O_RDONLY)
                self._status = os.open("/proc/self/status", os.O_RDONLY)
                self._clear = os.open("/proc/self/clear_refs", os.O_WRONLY)

    def held(self) -> int:
        """Return how many bytes are held now, 0 where that is not known."""
        if self._cuda is not None:
            import torch

            return torch.cuda.memory_allocated(self._cuda)
        with _unknown_where_closed():
            return int(os.pread(self._pages, 128, 0).split()[1]) * PAGE_BYTES if self._clear >= 0 else 0
        return 0

    def take_peak(self) -> int:
        """Return the most bytes that were held since the last call, and begin again; 0 where that is not known."""
        if self._cuda is not None:
            import torch

            peak = torch.cuda.max_memory_allocated(self._cuda)
            torch.cuda.reset_peak_memory_stats(self._cuda)
            return peak
        if self._clear < 0:
            return 0
        with _unknown_where_closed():
            status = os.pread(self._status, 4096, 0)
            peak = 1024 * int(status.partition(b"VmHWM:")[2].split(maxsplit=1)[0])
            # Only now: what is open there may be another file by now.
            os.write(self._clear, FORGET_PEAK)
            return peak
        return 0

    def give_back_unused(self) -> None:
        """Let the C library return freed memory to the system, so that what one job left is not counted to others."""
        if self._clear >= 0:
            with contextlib.suppress(AttributeError):  # not of the GNU C library
                ctypes.CDLL(None).malloc_trim(0)
