"""Names the plugin at fault when what it provides raises or returns what it must not.

The abstract classes of :mod:`..interfaces` pass the methods that their subclasses write through here, so that a fault
is an error that names plugin and distribution wherever it shows: in the main process or in a worker.
"""

from __future__ import annotations

import contextlib
import functools
import io
import os
import sys
from collections.abc import Callable, Iterator, Mapping
from typing import Any, TextIO

from ..errors import NasbenchError, PluginError

OWNER = "_nasbench_owner"
DESCRIPTION = "_nasbench_description"

CPU_OUT_OF_MEMORY_MARKS = ("can't allocate memory", "not enough memory", "Cannot allocate memory")
"""What torch says, in a plain RuntimeError, when the CPU allocator gets no memory."""

# Memory may run out in anybody's code; whoever called decides what that means.
_MEMORY_MARKS = (*CPU_OUT_OF_MEMORY_MARKS, "out of memory")

Check = Callable[[Any, tuple[Any, ...], Any], str | None]
"""Given the object, the arguments and what a method returned, returns what is wrong with that, or None."""


def describe_error(error: BaseException) -> str:
    """Return type and message of an error in one line, whatever its own text does."""
    try:
        text = " ".join(str(error).split())
    except Exception:
        text = "its message cannot be read"
    return f"{type(error).__name__}: {text}" if text else type(error).__name__


def set_owner(made: Any, owner: str) -> None:
    """Note on an object which thing of which plugin it is, for messages."""
    with contextlib.suppress(AttributeError, TypeError):
        object.__setattr__(made, OWNER, owner)


def set_description(made: Any, description: object) -> None:
    """Note on an object what its plugin says of it, for checks."""
    with contextlib.suppress(AttributeError, TypeError):
        object.__setattr__(made, DESCRIPTION, description)


def description_of(made: Any) -> Any:
    """Return what :func:`set_description` noted, else None."""
    return getattr(made, DESCRIPTION, None)


def owner_of(made: Any) -> str:
    """Return what :func:`set_owner` noted, else the name of the class."""
    return str(getattr(made, OWNER, None) or f"class '{type(made).__name__}'")


class _Unclosable(io.TextIOBase):
    """Writes to a stream that belongs to others, and leaves it open."""

    def __init__(self, stream: TextIO) -> None:
        self._stream = stream

    def write(self, text: str) -> int:
        return self._stream.write(text)

    def flush(self) -> None:
        self._stream.flush()

    def fileno(self) -> int:
        return self._stream.fileno()

    def isatty(self) -> bool:
        return self._stream.isatty()

    def close(self) -> None:
        """Do nothing."""

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


@contextlib.contextmanager
def silent_output() -> Iterator[None]:
    """Send what plugins print to stderr: stdout is for results. A copy of the process that they make ends here."""
    before, process = sys.stdout, os.getpid()
    sys.stdout = _Unclosable(sys.stderr)
    try:
        yield
    finally:
        end_a_copy(process)
        sys.stdout = before


def end_a_copy(process: int) -> None:
    """End this process if it is a copy of ``process`` that a plugin made: it would do the same work once more.

    Its status is that of any process which ends so: the plugin may wait for it.
    """
    if os.getpid() != process:
        os._exit(_exit_status(sys.exception()))


def _exit_status(error: BaseException | None) -> int:
    code = error.code if isinstance(error, SystemExit) else error
    return code & 0xFF if isinstance(code, int) else int(code is not None)


@contextlib.contextmanager
def silent_process() -> Iterator[None]:
    """Send to stderr also what plugins' code in C and the programs that it starts write to descriptor 1."""
    _flush()
    kept = {}
    for descriptor in (0, 1, 2):
        with contextlib.suppress(OSError):  # it is closed
            kept[descriptor] = os.dup(descriptor)
    if {1, 2} <= kept.keys():
        os.dup2(2, 1)
    try:
        with silent_output(), contextlib.redirect_stderr(_Unclosable(sys.stderr)):
            yield
    finally:
        _flush()
        for descriptor, copy in kept.items():
            os.dup2(copy, descriptor)
            os.close(copy)


def _flush() -> None:
    with contextlib.suppress(OSError, ValueError, AttributeError):
        sys.__stdout__.flush()  # type: ignore[union-attr]


def guard_methods(cls: type, checks: Mapping[str, Check | None]) -> None:
    """Pass the methods and properties that a class writes itself through the guard.

    Args:
        cls: The class.
        checks: Names of methods, with what looks at what they return.
    """
    for name, check in checks.items():
        written = vars(cls).get(name)
        if isinstance(written, property) and written.fget is not None:
            setattr(cls, name, property(_guarded(name, written.fget, check), written.fset, written.fdel))
        elif callable(written) and not getattr(written, "__isabstractmethod__", False):
            setattr(cls, name, _guarded(name, written, check))


def fault(made: Any, what: str) -> PluginError:
    """Return the error that says what an object of a plugin did wrong."""
    return fault_of(owner_of(made), what)


def fault_of(owner: str, what: str) -> PluginError:
    """Return the error that says what a plugin's thing, named in full, did wrong."""
    return PluginError(f"The {owner} {what.rstrip('.')}. This is a fault of its plugin: tell its authors.")


@contextlib.contextmanager
def blamed_on(owner: str, what: str) -> Iterator[None]:
    """Pass a plugin's code that belongs to no guarded class through the guard.

    Args:
        owner: Which thing of which plugin it belongs to.
        what: What fails if the code raises, for the message.
    """
    try:
        with silent_output():
            yield
    except BaseException as error:
        raise _blamed(owner, what, error) from error


def _guarded(name: str, function: Callable[..., Any], check: Check | None) -> Callable[..., Any]:
    @functools.wraps(function)
    def call(made: Any, *arguments: Any, **named: Any) -> Any:
        if not _is_outermost(made, name, call):
            # A subclass asks its base class: what it makes of the answer counts.
            return function(made, *arguments, **named)
        try:
            with silent_output():
                returned = function(made, *arguments, **named)
                if isinstance(returned, Iterator):
                    returned = list(returned) if check else _guarded_iterator(made, name, returned)
                problem = check(made, arguments, returned) if check else None
        except BaseException as error:
            raise _blamed(owner_of(made), f"'{name}'", error) from error
        if problem:
            raise fault(made, f"returned from '{name}' {problem}")
        return returned

    return call


def _is_outermost(made: Any, name: str, call: Callable[..., Any]) -> bool:
    found = getattr(type(made), name, None)
    return (found.fget if isinstance(found, property) else found) is call


def _guarded_iterator(made: Any, name: str, iterator: Iterator[Any]) -> Iterator[Any]:
    while True:
        try:
            with silent_output():
                item = next(iterator)
        except StopIteration:
            return
        except BaseException as error:
            raise _blamed(owner_of(made), f"'{name}'", error) from error
        yield item


def _blamed(owner: str, what: str, error: BaseException) -> BaseException:
    """Return the error that names the plugin; those that are nobody's fault, or say enough, as they are."""
    if isinstance(error, NasbenchError | KeyboardInterrupt | GeneratorExit | MemoryError) or is_memory_error(error):
        return error
    return fault_of(owner, f"failed in {what} with {describe_error(error)}")


def is_memory_error(error: BaseException) -> bool:
    """Whether an error says that memory ran out."""
    return isinstance(error, RuntimeError) and any(mark in str(error) for mark in _MEMORY_MARKS)


def expect_text(_made: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect a text."""
    return None if isinstance(returned, str) else f"{_short(returned)}, expected a text"


def expect_texts(_made: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect a sequence of texts."""
    try:
        wrong = next((item for item in returned if not isinstance(item, str)), None)
    except TypeError:
        return f"{_short(returned)}, expected a list of texts"
    return None if wrong is None else f"a list with {_short(wrong)}, expected texts"


def expect_texts_or_none(made: Any, arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect a sequence of texts, or None."""
    return None if returned is None else expect_texts(made, arguments, returned)


def expect_text_each(made: Any, arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect as many texts as were given."""
    problem = expect_texts(made, arguments, returned)
    if problem is None and arguments and len(returned) != len(arguments[0]):
        return f"{len(returned)} texts for {len(arguments[0])}"
    return problem


def expect_choices(_made: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect the options of each decision, at least one of each, or None."""
    if returned is None:
        return None
    try:
        right = len(returned) > 0 and all(
            len(options) > 0 and not isinstance(options, str) and all(isinstance(option, str) for option in options)
            for options in returned
        )
    except TypeError:
        right = False
    return None if right else f"{_short(returned)}, expected a tuple of texts for each decision, or None"


def expect_number_or_none(_made: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect a number, or None."""
    right = returned is None or (hasattr(returned, "__float__") and not isinstance(returned, bool))
    return None if right else f"{_short(returned)}, expected a number or None"


def expect_shares(_made: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect numbers above 0 that ascend to 1."""
    try:
        right = list(returned) == sorted(set(returned)) and returned[0] > 0 and returned[-1] == 1
    except (TypeError, IndexError):
        right = False
    return None if right else f"{_short(returned)}, expected a tuple of numbers above 0 that ascend to 1"


def expect_size(_made: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect a whole number of at least one, or None."""
    whole = isinstance(returned, int) and not isinstance(returned, bool) and returned > 0
    return None if returned is None or whole else f"{_short(returned)}, expected a whole number above 0 or None"


def expect_count(_made: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect a whole number of at least 0."""
    whole = isinstance(returned, int) and not isinstance(returned, bool) and returned >= 0
    return None if whole else f"{_short(returned)}, expected a whole number of at least 0"


def expect_plain_values(_made: Any, _arguments: tuple[Any, ...], returned: Any) -> str | None:
    """Expect values by name that JSON can hold."""
    right = isinstance(returned, dict) and _is_plain(returned)
    return None if right else f"{_short(returned)}, expected texts, numbers and lists of them, by name"


def _is_plain(value: Any) -> bool:
    if isinstance(value, dict):
        return all(isinstance(name, str) for name in value) and all(map(_is_plain, value.values()))
    if isinstance(value, list | tuple):
        return all(map(_is_plain, value))
    return value is None or isinstance(value, str | int | float)


def _short(value: Any) -> str:
    try:
        text = repr(value)
    except Exception:
        text = "a value that cannot be shown"
    return f"{type(value).__name__} {text if len(text) <= 80 else text[:77] + '...'}"
