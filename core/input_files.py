"""Files that a user names as input: what cannot be one is refused before it is opened, and texts are all read alike."""

from __future__ import annotations

import csv
import errno
import os
import stat
from pathlib import Path

from .errors import NasbenchError, UsageError

UTF8 = "utf-8-sig"
"""The encoding of every text that is read: UTF-8, whose byte-order mark, which some programs write, is no character."""

_OTHER_DELIMITERS = {";": "semicolons", "\t": "tabs", "|": "vertical bars"}

_KINDS = {
    stat.S_IFIFO: "is a pipe (FIFO)",
    stat.S_IFSOCK: "is a socket",
    stat.S_IFCHR: "is a device",
    stat.S_IFBLK: "is a device",
}
_SAVE_IT = ": save what it holds in a file, and name that"

_MISSING = "does not exist"
_PROBLEMS = {
    errno.ENOENT: _MISSING,
    errno.ENOTDIR: _MISSING,
    errno.ELOOP: "is a symbolic link that leads back to itself",
    errno.ENAMETOOLONG: "has a name that is too long for this file system",
}


def problem_of(path: Path) -> str | None:
    """Return what keeps a path from being read, as the end of a sentence, None for a regular file or a folder.

    Looks at the path only: opening a pipe or a device could wait for ever, or do something.
    """
    try:
        kind = stat.S_IFMT(os.stat(path).st_mode)  # noqa: PTH116 - Path.stat says nothing else
    except OSError as error:
        return _PROBLEMS.get(error.errno or 0, f"cannot be read ({error.strerror})")
    except ValueError:
        return "has a name that no file can have"
    return _KINDS[kind] + _SAVE_IT if kind in _KINDS else None


def check_input(path: Path, wanted: str, *, folder: bool = False, error: type[NasbenchError] = UsageError) -> None:
    """Refuse a path that is no regular file.

    Args:
        path: What the user named.
        wanted: What should be named instead, one sentence.
        folder: Whether it may be a folder, too.
        error: Class of the error.

    Raises:
        NasbenchError: Of the class ``error``: it does not exist, or is a pipe, a socket, a device or a loop of
            symbolic links; or a folder where there can be none.
    """
    problem = problem_of(path)
    if problem is None and not folder and path.is_dir():
        problem = "is a directory"
    if problem == _MISSING:
        raise error(f"There is no file{' or folder' if folder else ''} '{path}'. {wanted}")
    if problem:
        raise error(f"'{path}' {problem}. {wanted}")


def read_text(path: Path) -> str:
    """Return a text file's contents, line ends as they are.

    Raises:
        UnicodeDecodeError: It is not UTF-8.
        OSError: It cannot be read.
    """
    return path.read_bytes().decode(UTF8)


def other_delimiter(first_line: str, wanted: str) -> str | None:
    """Say which other character than the comma separates the columns of a table, and what to do; None if none does.

    Args:
        first_line: The names of the columns.
        wanted: A column that the table must have.
    """
    for delimiter, name in _OTHER_DELIMITERS.items():
        columns = [column.strip() for column in next(csv.reader([first_line], delimiter=delimiter), [])]
        if len(columns) > 1 and wanted in columns:
            return (
                f"its columns are separated by {name} ({delimiter!r}), expected commas. Convert it, as "
                f"pandas.read_csv(FILE, sep={delimiter!r}).to_csv(FILE, index=False) does; numbers with decimal commas "
                "need decimal=',' too"
            )
    return None
