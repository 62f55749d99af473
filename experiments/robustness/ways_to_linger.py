"""A plugin with an evaluator for each way to outlive the process that started it.

Installed by ``kills``, never by the package. Each evaluator makes the file that the variable ``MARK`` names when it
has begun.
"""

from __future__ import annotations

import ctypes
import os
import signal
import subprocess
import threading
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from nasbench_toolkit import Direction, EvaluationContext, Evaluator, EvaluatorInfo, Settings, hookimpl

MARK = "NASBENCH_EXPERIMENT_MARK"

PR_SET_PDEATHSIG = 1


def _begin() -> None:
    Path(os.environ[MARK]).touch()


def _sleep() -> None:
    _begin()
    while True:
        time.sleep(3600)


def _spin_in_c() -> None:
    _begin()
    print((10**8) ** (10**8))


def _spin() -> None:
    _begin()
    while True:
        pass


def _ignore_signals() -> None:
    for number in signal.valid_signals() - {signal.SIGKILL, signal.SIGSTOP}:
        signal.signal(number, signal.SIG_IGN)
    _sleep()


def _block_signals() -> None:
    signal.pthread_sigmask(signal.SIG_BLOCK, signal.valid_signals())
    _sleep()


def _stop_itself() -> None:
    _begin()
    os.kill(os.getpid(), signal.SIGSTOP)


def _start_threads() -> None:
    for _ in range(3):
        threading.Thread(target=time.sleep, args=(3600,)).start()
    _sleep()


def _in_child(*preparations: Callable[[], object]) -> Callable[[], None]:
    def linger() -> None:
        if os.fork() == 0:
            for prepare in preparations:
                prepare()
            _sleep()
        _sleep()

    return linger


def _double_fork() -> None:
    if os.fork() == 0:
        os.setsid()
        if os.fork() == 0:
            _ignore_signals()
        os._exit(0)
    _sleep()


def _ask_for_no_signal() -> None:
    ctypes.CDLL(None).prctl(PR_SET_PDEATHSIG, 0, 0, 0, 0)


def _program(*args: str, **options: Any) -> Callable[[], None]:
    def linger() -> None:
        subprocess.Popen(args, **options)
        _sleep()

    return linger


def _swallow_exceptions() -> None:
    _begin()
    while True:
        try:
            time.sleep(3600)
        except BaseException:
            continue


WAYS: dict[str, Callable[[], None]] = {
    "sleeps": _sleep,
    "spins": _spin,
    "spins-in-c": _spin_in_c,
    "ignores-signals": _ignore_signals,
    "blocks-signals": _block_signals,
    "stops-itself": _stop_itself,
    "swallows-exceptions": _swallow_exceptions,
    "starts-threads": _start_threads,
    "leaves-its-session": lambda: (os.setsid() if os.getpgid(0) != os.getpid() else None, _sleep())[1],
    "asks-for-no-signal": lambda: (_ask_for_no_signal(), _ignore_signals())[1],
    "has-a-child": _in_child(),
    "has-a-child-of-another-session": _in_child(os.setsid),
    "has-a-child-that-asks-for-no-signal": _in_child(os.setsid, _ask_for_no_signal),
    "has-a-stopped-child": _in_child(lambda: os.kill(os.getpid(), signal.SIGSTOP)),
    "has-a-daemon": _double_fork,
    "runs-a-program": _program("sleep", "3600"),
    "runs-a-program-of-another-session": _program("sleep", "3600", start_new_session=True),
    "runs-a-shell-in-the-background": _program("sh", "-c", "trap '' HUP TERM INT; sleep 3600 & sleep 3600 & wait"),
}


def _evaluator(linger: Callable[[], None]) -> type[Evaluator[Settings]]:
    class Lingering(Evaluator[Settings]):
        def _evaluate(self, context: EvaluationContext) -> float:
            linger()
            return 0.0

    return Lingering


@hookimpl
def nasbench_evaluators() -> Any:
    """Yield one evaluator for each way."""
    for name, linger in WAYS.items():
        yield EvaluatorInfo(
            name=name,
            summary="For an experiment.",
            source="the experiment",
            direction=Direction.MAXIMIZE,
            factory=_evaluator(linger),
        )
