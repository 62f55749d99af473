"""Compiles a C file once a machine and user, and loads it."""

from __future__ import annotations

import ctypes
import hashlib
import os
import platform
import shutil
import subprocess
import tempfile
from collections.abc import Mapping, Sequence
from functools import cache
from pathlib import Path

import platformdirs
from torch import Tensor

# Nothing that changes a rounding: no fast mathematics, no multiplication fused with an addition but where C says so.
FLAGS = ("-O3", "-fno-math-errno", "-ffp-contract=off", "-shared", "-fPIC")

COMPILERS = ("cc", "gcc", "clang")

SECONDS_TO_COMPILE = 60.0
"""It takes one; a compiler that hangs is given up."""

POINTER, SIZE = ctypes.c_void_p, ctypes.c_int64
POINTERS = ctypes.POINTER(POINTER)


@cache
def load_library(name: str) -> ctypes.CDLL | None:
    """Return the functions of a C file, compiled now unless it was before; None where that cannot be done.

    The library lies in the user's cache directory under a name that changes with the sources, the flags and the kind of
    machine.

    Args:
        name: A file of this folder, without its ending.
    """
    if os.name != "posix":
        return None
    folder = Path(__file__).parent
    sources = [path.read_text() for path in sorted(folder.glob("*.[ch]"))]
    kind = f"{platform.system()}-{platform.machine()}"
    digest = hashlib.sha256("\0".join([*sources, *FLAGS, kind]).encode()).hexdigest()[:16]
    path = platformdirs.user_cache_path("nasbench") / f"{name}-{digest}.so"
    try:
        if not path.exists():
            _compile(folder / f"{name}.c", path)
        return ctypes.CDLL(str(path))
    except (OSError, subprocess.SubprocessError):
        return None


def _compile(source: Path, path: Path) -> None:
    """Compile to a file of its own first: other processes may be at it, and none must find half a library.

    Raises:
        OSError: There is no compiler, or no place to write to.
        subprocess.SubprocessError: The compiler fails.
    """
    compiler = next(filter(None, map(shutil.which, COMPILERS)), None)
    if compiler is None:
        raise FileNotFoundError("there is no C compiler")
    path.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(dir=path.parent) as folder:
        made = Path(folder, path.name)
        command = [compiler, *FLAGS, "-o", str(made), str(source), "-lm"]
        subprocess.run(command, check=True, timeout=SECONDS_TO_COMPILE, stdin=subprocess.DEVNULL, capture_output=True)
        made.replace(path)


def declare(library: ctypes.CDLL, arguments: Mapping[str, Sequence[type]]) -> None:
    """Declare the types of functions' arguments, by their names; they return nothing."""
    for name, types in arguments.items():
        function = getattr(library, name)
        function.argtypes, function.restype = list(types), None


def addresses(*tensors: Tensor | None) -> tuple[int | None, ...]:
    """Return where tensors lie in memory."""
    return tuple(None if tensor is None else tensor.data_ptr() for tensor in tensors)


def pointers(tensors: Sequence[Tensor]) -> ctypes.Array[ctypes.c_void_p]:
    """Return an array of where tensors lie in memory."""
    return (POINTER * len(tensors))(*(tensor.data_ptr() for tensor in tensors))
