"""The command line: one module a command; this one turns errors into messages and exit codes."""

from __future__ import annotations

import errno
import os
import sys
import traceback
import warnings
from typing import Any

import click

from ..errors import NasbenchError, UsageError
from ..plain_text import printable_lines
from .commands import command_group
from .signals import HeededSignals
from .streams import NO_READER_EXIT_CODE, finish_output, open_missing_streams, reader_is_gone, say

COMPLETION_VARIABLE = "_NASBENCH_COMPLETE"

# What a machine can lack: no fault of ours.
_LACKS = frozenset(
    {errno.ENOSPC, errno.EDQUOT, errno.EROFS, errno.EACCES, errno.EPERM, errno.EMFILE, errno.ENFILE, errno.ENOMEM}
    | {errno.EAGAIN, errno.EIO, errno.ENAMETOOLONG, errno.ELOOP, errno.ENOTDIR, errno.EISDIR, errno.EFBIG, errno.ENOENT}
)


def main(args: list[str] | None = None) -> None:
    """Run ``nasbench``.

    Exit code 0 for success, 2 for bad input, 1 for a failed run, 128 and its number for a signal (130 for Ctrl-C), 141
    if who reads the output stops reading.
    """
    args = sys.argv[1:] if args is None else args
    open_missing_streams()
    warnings.showwarning = _show_warning
    with HeededSignals() as signals:
        code = _run(args, signals, debug="--debug" in args)
        if error := finish_output():
            code = _conclude_output(error, code)
    sys.exit(code)


def _run(args: list[str], signals: HeededSignals, *, debug: bool) -> int:
    """Run a command and return its exit code; every exception becomes a message."""
    try:
        _refuse_other_encodings(args)
        return _invoke(args)
    except click.exceptions.Exit as finished:
        return finished.exit_code
    except SystemExit as finished:
        return finished.code if isinstance(finished.code, int) else int(finished.code is not None)
    except click.ClickException as error:
        error.show()
        return error.exit_code
    except BaseException as error:
        if debug and not isinstance(error, KeyboardInterrupt | BrokenPipeError):
            traceback.print_exc()
        # An interrupted import may raise something else than the interrupt.
        if signals.received or isinstance(error, click.Abort | KeyboardInterrupt):
            say("Terminated." if signals.terminated else "Interrupted.")
            return signals.exit_code
        return _conclude(error)


def _invoke(args: list[str]) -> int:
    # As click.Group.main does, which would end the program itself when nobody reads the output.
    group = command_group()
    if instruction := os.environ.get(COMPLETION_VARIABLE):
        from click.shell_completion import shell_complete

        return shell_complete(group, {}, "nasbench", COMPLETION_VARIABLE, instruction)
    with group.make_context("nasbench", list(args)) as context:
        return int(group.invoke(context) or 0)


def _refuse_other_encodings(args: list[str]) -> None:
    """Refuse arguments that are not UTF-8: results files and tables could not store them."""
    for number, arg in enumerate(args, start=1):
        if not arg.isascii() and any("\udc80" <= character <= "\udcff" for character in arg):
            shown = arg.encode("utf-8", "surrogateescape").decode("utf-8", "backslashreplace")
            raise UsageError(f"Argument {number}, '{shown}', is not UTF-8. Rename the file, or write it in UTF-8.")


def _conclude(error: BaseException) -> int:
    """Say what went wrong and return the exit code for it."""
    if isinstance(error, NasbenchError):
        return _say_error(str(error), error.exit_code)
    if output_error := finish_output():
        return _conclude_output(output_error, 1)
    if isinstance(error, BrokenPipeError) and reader_is_gone():
        return NO_READER_EXIT_CODE
    if isinstance(error, OSError) and error.errno in _LACKS:
        if error.filename is None:
            return _conclude_output(error, 1)
        place = os.fsdecode(error.filename) if isinstance(error.filename, str | bytes) else error.filename
        return _say_error(f"'{place}': {error.strerror}. Check the place, its permissions and the space left.", 1)
    if isinstance(error, MemoryError):
        return _say_error("There is not enough memory. Ask for less at once, such as fewer --samples or --workers.", 1)
    return _say_error(
        f"{type(error).__name__}: {error}\nThis is a fault of nasbench or of a plugin. "
        "Run the command again with --debug and report what it prints.",
        1,
    )


def _conclude_output(error: OSError, code: int) -> int:
    """Return the exit code of a command whose output could not be written whole."""
    if isinstance(error, BrokenPipeError):
        # The reader, such as 'head', has seen enough.
        return NO_READER_EXIT_CODE
    return _say_error(f"Cannot write the output: {error.strerror or error}.", code or 1)


def _say_error(message: str, exit_code: int) -> int:
    say(f"Error: {printable_lines(message)}")
    return exit_code


def _show_warning(message: Warning | str, *_: Any, **__: Any) -> None:
    say(f"Warning: {printable_lines(str(message))}")
