"""Standard streams as a command finds and leaves them, whatever they are connected to."""

from __future__ import annotations

import contextlib
import io
import os
import select
import sys

import click

NO_READER_EXIT_CODE = 141
"""What a shell reports of a command that wrote where nobody reads any more (128 + SIGPIPE)."""

_STREAMS = ("stdin", "stdout", "stderr")


def open_missing_streams() -> None:
    """Connect streams that were closed, as by ``>&-``, with nothing; write what an encoding lacks as an escape.

    A file that is opened would otherwise get the number of the stream, and whatever is printed.
    """
    for descriptor, name in enumerate(_STREAMS):
        if getattr(sys, name) is None:
            # The lowest free number is taken, and those below are taken already.
            with contextlib.suppress(OSError):
                os.fstat(descriptor)
                continue
            opened = os.open(os.devnull, os.O_RDWR)
            os.set_inheritable(opened, True)
            setattr(sys, name, open(opened, "r" if name == "stdin" else "w", encoding="utf-8", closefd=False))  # noqa: SIM115
    for stream in (sys.stdout, sys.stderr):
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace")


def finish_output() -> OSError | None:
    """Write what is buffered; return what kept it from being written, and forget the output then.

    The interpreter would try again at its end, and print a traceback.
    """
    try:
        sys.stdout.flush()
    except OSError as error:
        with contextlib.suppress(OSError):
            nothing = os.open(os.devnull, os.O_WRONLY)
            os.dup2(nothing, sys.stdout.fileno())
            os.close(nothing)
        return error
    return None


def reader_is_gone() -> bool:
    """Return whether nobody reads what this process prints, where a system tells."""
    if not hasattr(select, "poll"):
        return True
    poll = select.poll()
    for descriptor in (1, 2):
        poll.register(descriptor, 0)
    return any(events & (select.POLLERR | select.POLLHUP) for _, events in poll.poll(0))


def say(message: str) -> None:
    """Print a message on standard error, if it can be."""
    with contextlib.suppress(OSError, ValueError):
        click.echo(message, err=True)
