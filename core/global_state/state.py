"""What a plugin may change in its process besides what it computes, so that it can be put back.

A plugin that sets the default type of numbers, the working directory or a locale would change the scores of all others.
Whoever calls plugins notes the state before and puts it back afterwards; what cannot be put back is named, and the
process is best replaced. Neither torch nor NumPy is imported for it: see :mod:`.numbers`.
"""

from __future__ import annotations

import builtins
import contextlib
import gc
import locale
import logging
import os
import signal
import socket
import sys
import threading
import time
import warnings

# Without the wrapper that makes enumerations of numbers: it is called for every signal after every job.
from _signal import getsignal as get_handler  # type: ignore[import-not-found]
from collections.abc import Callable, Iterator, Mapping, Sequence
from operator import itemgetter
from typing import Any

from .functions import toolkit_parts
from .parts import Part, attribute

try:
    import resource
except ImportError:  # Windows has none
    resource = None  # type: ignore[assignment]


# What plugins may put something else in the place of before it is loaded.
LIBRARIES = ("numpy", "torch", "scipy", "h5py")

FUNCTIONS_OF_WARNINGS = (
    "showwarning", "formatwarning", "warn", "warn_explicit", "simplefilter", "filterwarnings", "catch_warnings"
)  # fmt: skip


class GlobalState:
    """How a process was at one moment.

    Args:
        parts: What is looked at; what cannot be read is left out.
    """

    def __init__(self, parts: Sequence[Part]) -> None:
        self._kept: list[tuple[Part, Any]] = []
        for part in parts:
            # Not every system and every version of a library has everything.
            with contextlib.suppress(Exception):
                self._kept.append((part, part.keep(part.read())))

    @classmethod
    def now(cls, more: Sequence[Part] = ()) -> GlobalState:
        """Note how the process is, as far as its libraries are loaded, and ``more`` parts."""
        return cls([*STANDARD_PARTS, *_number_parts(), *more])

    def changed(self) -> tuple[str, ...]:
        """Return the names of what is not as it was."""
        return tuple(part.name for part, kept in self._kept if part.differs_from(kept))

    def put_back(self) -> tuple[str, ...]:
        """Put back what is not as it was, and return the names of what cannot be put back."""
        return tuple(part.name for part, kept in self._kept if part.differs_from(kept) and not _put_back(part, kept))


@contextlib.contextmanager
def global_state_kept() -> Iterator[list[str]]:
    """Put back what the block changes in the process, also where it raises.

    The list that it gives is filled at the end of the block with the names of what could not be put back. Libraries
    that the block loads end up as they are when they are just loaded. Folders that it adds to ``sys.path`` stay, behind
    all others, since a plugin may import from its own when it is used. Modules that it replaces or
    removes are put back, and so are functions and methods of the engine, and of libraries that were loaded before.
    """
    lost: list[str] = []
    state = GlobalState.now(toolkit_parts())
    loaded, path, modules = _loaded_libraries(), list(sys.path), dict(sys.modules)
    try:
        yield lost
    finally:
        added = [folder for folder in sys.path if folder not in path]
        _put_back_modules(modules)
        lost.extend(state.put_back())
        lost.extend(_freshen(loaded))
        sys.path.extend(added)


@contextlib.contextmanager
def surroundings_kept() -> Iterator[None]:
    """Put back what the block changes of the process that the toolkit itself depends on, also where it raises.

    This takes microseconds, where :func:`global_state_kept` takes a hundred times as long. Generators go on: a plugin
    that draws from a global one is to get new numbers at its next call.
    """
    state = GlobalState(SURROUNDINGS)
    try:
        yield
    finally:
        state.put_back()


def _put_back(part: Part, kept: Any) -> bool:
    if part.write is None:
        return False
    try:
        part.write(kept)
    except Exception:
        return False
    return not part.differs_from(kept)


def _put_back_modules(before: Mapping[str, Any]) -> None:
    for name, module in before.items():
        if sys.modules.get(name) is not module:
            sys.modules[name] = module
    # Something else in the place of a library, such as None, would be taken for it.
    for name in {*LIBRARIES} - before.keys() & sys.modules.keys():
        if getattr(getattr(sys.modules[name], "__spec__", None), "name", None) != name:
            del sys.modules[name]


def _loaded_libraries() -> frozenset[str]:
    return frozenset(name for name in ("numpy", "torch") if name in sys.modules)


def _number_parts() -> Sequence[Part]:
    if not _loaded_libraries():
        return ()
    from .numbers import number_parts

    return number_parts()


def _freshen(loaded: frozenset[str]) -> tuple[str, ...]:
    """Put libraries that are loaded now and were not before into the state that they are loaded with."""
    if _loaded_libraries() == loaded:
        return ()
    from .numbers import freshen

    return freshen(_loaded_libraries() - loaded)


def _list_in_place(name: str, read: Callable[[], list[Any]]) -> Part:
    def write(value: list[Any]) -> None:
        read()[:] = value

    return Part(name, read, write, list)


def _write_environment(value: dict[bytes, bytes]) -> None:
    for name in os.environb.keys() - value.keys():
        del os.environb[name]
    for name, content in value.items():
        if os.environb.get(name) != content:
            os.environb[name] = content
    time.tzset()


def _read_umask() -> int:
    # It can only be read by setting it; meanwhile no file is to be readable for more users than it should be.
    mask = os.umask(0o077)
    os.umask(mask)
    return mask


# Names such as '_' are for everybody to set.
_BUILT_IN = tuple(
    name for name in vars(builtins) if not name.startswith("_") or name in ("__import__", "__build_class__")
)

_get_built_in = itemgetter(*_BUILT_IN)


def _write_built_in(value: Sequence[Any]) -> None:
    vars(builtins).update(zip(_BUILT_IN, value, strict=True))


_SIGNALS = tuple(number for number in signal.valid_signals() if number not in (signal.SIGKILL, signal.SIGSTOP))
_TIMERS = tuple(getattr(signal, name) for name in ("ITIMER_REAL", "ITIMER_VIRTUAL", "ITIMER_PROF"))


def _write_handlers(value: Sequence[Any]) -> None:
    for number, handler in zip(_SIGNALS, value, strict=True):
        # None stands for a handler that Python did not install and cannot install again.
        if handler is not None and get_handler(number) != handler:
            signal.signal(number, handler)


def _write_timers(value: Sequence[tuple[float, float]]) -> None:
    for timer, (delay, interval) in zip(_TIMERS, value, strict=True):
        signal.setitimer(timer, delay, interval)


_LIMITS = (
    tuple(getattr(resource, name) for name in sorted(vars(resource)) if name.startswith("RLIMIT_")) if resource else ()
)


def _read_limits() -> tuple[tuple[int, int], ...]:
    return tuple(map(resource.getrlimit, _LIMITS))


def _write_limits(value: Sequence[tuple[int, int]]) -> None:
    for kind, limits in zip(_LIMITS, value, strict=True):
        soft, hard = resource.getrlimit(kind)
        if (soft, hard) != limits:
            try:
                resource.setrlimit(kind, limits)
            except (OSError, ValueError):
                # Who lowered the upper bound cannot raise it again; up to it, as before.
                resource.setrlimit(kind, (min(limits[0], hard), hard))


def _write_garbage_collection(value: tuple[bool, tuple[int, int, int]]) -> None:
    enabled, thresholds = value
    gc.set_threshold(*thresholds)
    (gc.enable if enabled else gc.disable)()


def _read_logging() -> tuple[Any, ...]:
    root = logging.root
    return root.manager.disable, root.level, root.disabled, tuple(root.handlers), tuple(root.filters)


def _write_logging(value: tuple[Any, ...]) -> None:
    root = logging.root
    root.manager.disable, root.level, root.disabled = value[:3]
    root.handlers[:], root.filters[:] = value[3:]
    logging.disable(value[0])


def _read_decimal() -> tuple[Any, ...]:
    decimal = sys.modules.get("decimal")
    if decimal is None:
        return ()
    context = decimal.getcontext()
    return context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp, context.traps


def _keep_decimal(value: tuple[Any, ...]) -> tuple[Any, ...]:
    return (*value[:-1], dict(value[-1])) if value else _fresh_decimal()


def _fresh_decimal() -> tuple[Any, ...]:
    import decimal

    context = decimal.Context()
    traps = dict(context.traps)
    return context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp, traps


def _write_decimal(value: tuple[Any, ...]) -> None:
    context = sys.modules["decimal"].getcontext()
    context.prec, context.rounding, context.Emin, context.Emax, context.capitals, context.clamp = value[:-1]
    context.traps.update(value[-1])


def running_threads() -> list[threading.Thread]:
    """Return the threads that run; not those that other code than Python's started and that only passed through it."""
    return [thread for thread in threading.enumerate() if not isinstance(thread, threading._DummyThread)]


# What the toolkit itself depends on between two calls of a plugin, and what takes little time to look at.
SURROUNDINGS: tuple[Part, ...] = (
    Part("the working directory", os.getcwd, os.chdir),
    Part("environment variables", lambda: vars(os.environ)["_data"], _write_environment, dict),
    Part("the umask", _read_umask, os.umask),
    Part("handlers of signals", lambda: tuple(map(get_handler, _SIGNALS)), _write_handlers),
    Part(
        "the locale",
        lambda: locale.setlocale(locale.LC_ALL),
        lambda value: locale.setlocale(locale.LC_ALL, value),
    ),
    _list_in_place("filters of warnings", lambda: warnings.filters),  # type: ignore[arg-type, return-value]
    Part("decimal arithmetic", _read_decimal, _write_decimal, _keep_decimal),
)

STANDARD_PARTS: tuple[Part, ...] = (
    *SURROUNDINGS,
    Part("resource limits", _read_limits, _write_limits),
    Part(
        "blocked signals",
        lambda: signal.pthread_sigmask(signal.SIG_BLOCK, ()),
        lambda value: signal.pthread_sigmask(signal.SIG_SETMASK, value),
    ),
    Part("timers and alarms", lambda: tuple(map(signal.getitimer, _TIMERS)), _write_timers),
    *(attribute(f"warnings.{name}", warnings, name) for name in FUNCTIONS_OF_WARNINGS),
    Part("built-in functions", lambda: _get_built_in(vars(builtins)), _write_built_in),
    Part("logging", _read_logging, _write_logging),
    attribute("sys.stdin", sys, "stdin"),
    attribute("sys.stdout", sys, "stdout"),
    attribute("sys.stderr", sys, "stderr"),
    _list_in_place("sys.path", lambda: sys.path),
    _list_in_place("sys.meta_path", lambda: sys.meta_path),
    _list_in_place("sys.argv", lambda: sys.argv),
    attribute("sys.excepthook", sys, "excepthook"),
    attribute("sys.unraisablehook", sys, "unraisablehook"),
    attribute("sys.displayhook", sys, "displayhook"),
    attribute("threading.excepthook", threading, "excepthook"),
    Part("the recursion limit", sys.getrecursionlimit, sys.setrecursionlimit),
    Part("how often threads take turns", sys.getswitchinterval, sys.setswitchinterval),
    Part("the length of whole numbers as text", sys.get_int_max_str_digits, sys.set_int_max_str_digits),
    Part("the function that traces", sys.gettrace, sys.settrace),
    Part("the function that profiles", sys.getprofile, sys.setprofile),
    Part("garbage collection", lambda: (gc.isenabled(), gc.get_threshold()), _write_garbage_collection),
    Part("the default timeout of sockets", socket.getdefaulttimeout, socket.setdefaulttimeout),
)
