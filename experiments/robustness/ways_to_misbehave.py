"""A plugin with an evaluator for each way to misbehave: it does so on some architectures and behaves on others.

Installed by ``misbehaving_evaluators`` and by a test, never by the package.
"""

from __future__ import annotations

import ctypes
import decimal
import hashlib
import locale
import logging
import os
import random
import resource
import signal
import socket
import subprocess
import sys
import threading
import time
import warnings
from collections.abc import Callable
from typing import Any, NoReturn

import numpy as np
import torch
from nasbench_toolkit import (
    Direction,
    Evaluation,
    EvaluationContext,
    EvaluationError,
    Evaluator,
    EvaluatorInfo,
    hookimpl,
)

Way = Callable[[EvaluationContext], Any]

GOOD = "well-behaved"


def number_of(arch_id: str) -> float:
    """Return what every evaluator here returns where it behaves."""
    return float(int(hashlib.sha256(arch_id.encode()).hexdigest()[:8], 16))


def misbehaves_on(arch_id: str) -> bool:
    """Whether the evaluators misbehave on an architecture: on about a third."""
    return int(number_of(arch_id)) % 3 == 0


def raising(error: BaseException) -> Way:
    """Return a way that raises."""

    def way(_: EvaluationContext) -> NoReturn:
        raise error.with_traceback(None)  # that of the last time is still on it

    return way


def returning(value: Any) -> Way:
    """Return a way that returns something."""
    return lambda _: value


def with_curve(name: Any, points: Any) -> Way:
    """Return a way that returns a score and a curve."""
    return lambda context: Evaluation(number_of(context.key.arch_id), {name: points})


def doing(action: Callable[[], object]) -> Way:
    """Return a way that does something and then behaves."""

    def way(_: EvaluationContext) -> None:
        action()

    return way


class _WithoutTextError(Exception):
    def __str__(self) -> str:
        raise ValueError("no text")


class _TextThatEndsError(Exception):
    def __str__(self) -> str:
        raise SystemExit


class _NotUnpicklableError(Exception):
    def __init__(self, first: object, second: object) -> None:
        super().__init__(first)


class _RunsCode:
    def __reduce__(self) -> tuple[Any, ...]:
        return print, ("this must not run in the main process",)


class _OddFloat(float):
    def __reduce__(self) -> tuple[Any, ...]:
        return int, ("no number",)


def _recur() -> None:
    _recur()


def _with_status(status: str) -> EvaluationError:
    error = EvaluationError("an odd status")
    error.status = status  # type: ignore[assignment]
    return error


def _change_labels(context: EvaluationContext) -> None:
    context.batch(64).labels.zero_()


def _change_images(context: EvaluationContext) -> None:
    context.batch(64).inputs.zero_()


def _change_shared(context: EvaluationContext) -> None:
    context.shared("vector", lambda generator: torch.rand(8, generator=generator)).zero_()


def _start_threads() -> None:
    for _ in range(5):
        threading.Thread(target=time.sleep, args=(3600,), daemon=True).start()


def _start_children() -> None:
    for _ in range(3):
        if os.fork() == 0:
            time.sleep(3600)
            os._exit(0)


def _replace_engine() -> None:
    from nasbench_toolkit.core import context

    context.derive_seed = lambda *_: 0


# Those whose jobs must end with a status other than ok.
FAILING: dict[str, Way] = {
    "raises-keyboard-interrupt": raising(KeyboardInterrupt()),
    "raises-system-exit": raising(SystemExit(0)),
    "raises-base-exception": raising(BaseException("base")),
    "raises-generator-exit": raising(GeneratorExit()),
    "raises-stop-iteration": raising(StopIteration(1)),
    "raises-memory-error": raising(MemoryError()),
    "raises-without-text": raising(_WithoutTextError()),
    "raises-text-that-ends": raising(_TextThatEndsError()),
    "closes-all-files": doing(lambda: os.closerange(3, 256)),
    "raises-not-unpicklable": raising(_NotUnpicklableError(1, 2)),
    "raises-long-text": raising(EvaluationError("m" * 10_000_000)),
    "raises-surrogate": raising(EvaluationError("caf\udce9")),
    "raises-escapes": raising(EvaluationError("\x1b[31mred\x1b]0;title\x07\x00\r\n\u202e")),
    "raises-status-ok": raising(_with_status("ok")),
    "raises-status-pending": raising(_with_status("pending")),
    "raises-unknown-status": raising(_with_status("nonsense")),
    "recurs": doing(_recur),
    "aborts": doing(os.abort),
    "reads-address-zero": doing(lambda: ctypes.string_at(0)),
    "exits": doing(lambda: os._exit(7)),
    "exits-with-success": doing(lambda: os._exit(0)),
    "kills-itself": doing(lambda: os.kill(os.getpid(), signal.SIGKILL)),
    "stops-itself": doing(lambda: os.kill(os.getpid(), signal.SIGSTOP)),
    "sleeps": doing(lambda: time.sleep(3600)),
    "spins-in-c": doing(lambda: (10**8) ** (10**8)),
    "returns-none-score": returning(Evaluation(None)),  # type: ignore[arg-type]
    "returns-nan": returning(float("nan")),
    "returns-infinity": returning(float("inf")),
    "returns-huge-number": returning(10**400),
    "returns-boolean": returning(True),
    "returns-text": returning("5"),
    "returns-complex": returning(1j),
    "returns-list": returning([1.0]),
    "returns-long-tensor": returning(torch.ones(2)),
    "returns-numpy-boolean": returning(np.bool_(True)),
    "curves-none": returning(Evaluation(1.0, None)),  # type: ignore[arg-type]
    "curve-empty-name": with_curve("", (1.0,)),
    "curve-number-as-name": with_curve(3, (1.0,)),
    "curve-long-name": with_curve("n" * 70_000, (1.0,)),
    "curve-of-texts": with_curve("n", ("a",)),
    "curve-of-booleans": with_curve("n", (True,)),
    "curve-of-rows": with_curve("n", ((1.0, 2.0), (3.0, 4.0))),
    "curve-matrix": with_curve("n", np.ones((2, 2))),
    "curve-of-objects": with_curve("n", (_RunsCode(),)),
    "curve-of-functions": with_curve("n", (len,)),
    "curve-text": with_curve("n", "12"),
    "curve-too-long": with_curve("n", np.ones(5_000_000)),
    "curve-with-nan": with_curve("n", (1.0, float("nan"))),
}

# Those that have a score, be it an odd one.
SCORING: dict[str, Way] = {
    "returns-numpy-float32": returning(np.float32(1.5)),
    "returns-tensor": returning(torch.tensor(1.5)),
    "returns-tensor-that-needs-gradients": returning(torch.tensor(1.5, requires_grad=True)),
    "returns-odd-float": returning(_OddFloat(1.5)),
    "curve-slash": with_curve("train/loss", (1.0, 0.5)),
    "curve-dot": with_curve(".", (1.0,)),
    "curve-nul": with_curve("a\0b", (1.0,)),
    "curve-surrogate": with_curve("\udce9", (1.0,)),
    "curve-not-latin": with_curve("損失", (1.0,)),
    "curve-array": with_curve("loss", np.array([1.0, 0.5], np.float32)),
    "curve-tensor": with_curve("loss", torch.tensor([1.0, 0.5])),
    "curve-list": with_curve("loss", [1, 0.5]),
    "curve-without-points": with_curve("loss", ()),
    "changes-labels": _change_labels,
    "changes-images": _change_images,
    "changes-shared-value": _change_shared,
    "changes-default-dtype": doing(lambda: torch.set_default_dtype(torch.float64)),
    "changes-threads": doing(lambda: torch.set_num_threads(2)),
    "changes-gradients": doing(lambda: torch.set_grad_enabled(False)),
    "changes-inference": doing(lambda: torch.inference_mode().__enter__()),
    "changes-device": doing(lambda: torch.set_default_device("meta")),
    "changes-denormals": doing(lambda: torch.set_flush_denormal(True)),
    "changes-matmul-precision": doing(lambda: torch.set_float32_matmul_precision("medium")),
    "changes-autocast": doing(lambda: torch.autocast("cpu", torch.bfloat16).__enter__()),
    "changes-numpy-errors": doing(lambda: np.seterr(all="raise")),
    "changes-directory": doing(lambda: os.chdir("/")),
    "changes-environment": doing(lambda: os.environ.update(OMP_NUM_THREADS="9", CUDA_VISIBLE_DEVICES="7")),
    "changes-umask": doing(lambda: os.umask(0o777)),
    "changes-warnings": doing(lambda: warnings.simplefilter("error")),
    "changes-locale": doing(lambda: locale.setlocale(locale.LC_ALL, "C")),
    "changes-decimals": doing(lambda: setattr(decimal.getcontext(), "prec", 1)),
    "changes-recursion": doing(lambda: sys.setrecursionlimit(90)),
    "changes-sockets": doing(lambda: socket.setdefaulttimeout(0.0)),
    "changes-logging": doing(lambda: logging.disable(logging.CRITICAL)),
    "changes-path": doing(sys.path.clear),
    "changes-stdout": doing(lambda: setattr(sys, "stdout", None)),
    "changes-signals": doing(lambda: signal.signal(signal.SIGTERM, signal.SIG_IGN)),
    "changes-alarm": doing(lambda: signal.alarm(1)),
    "changes-limits": doing(lambda: resource.setrlimit(resource.RLIMIT_NOFILE, (16, 16))),
    "changes-generators": doing(lambda: (random.seed(1), np.random.seed(1), torch.manual_seed(1))),
    "changes-engine": doing(_replace_engine),
    "changes-relu": doing(lambda: setattr(torch.nn.functional, "relu", torch.sigmoid)),
    "prints": doing(lambda: print("to standard output", flush=True)),
    "prints-much": doing(lambda: print("x" * 50_000_000)),
    "writes-to-descriptor": doing(lambda: os.write(1, b"to descriptor 1\n")),
    "starts-program": doing(lambda: subprocess.run(["echo", "from a program"], check=True)),
    "starts-threads": doing(_start_threads),
    "starts-children": doing(_start_children),
    "closes-output": doing(lambda: (os.close(1), os.close(2))),
    "forks-and-returns": doing(os.fork),
}

WAYS = FAILING | SCORING


def _evaluator(way: Way) -> type[Evaluator[Any]]:
    class Misbehaving(Evaluator[Any]):
        def _evaluate(self, context: EvaluationContext) -> Any:
            returned = way(context) if misbehaves_on(context.key.arch_id) else None
            return number_of(context.key.arch_id) if returned is None else returned

    return Misbehaving


@hookimpl
def nasbench_evaluators() -> Any:
    """Yield one evaluator for each way, and one that behaves."""
    for name, way in {GOOD: returning(None), **WAYS}.items():
        yield EvaluatorInfo(
            name=name,
            summary="For an experiment.",
            source="the experiment",
            direction=Direction.MAXIMIZE,
            factory=_evaluator(way),
        )
