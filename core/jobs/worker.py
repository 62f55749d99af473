"""The worker process: takes jobs, sends back records, knows nothing of files."""

from __future__ import annotations

import signal
import warnings
from collections.abc import Sequence
from multiprocessing.connection import Connection
from typing import Any

from ..context import WorkerCache
from ..domain import Record, Status
from ..interfaces import Evaluator
from ..plan import EvaluatorSpec
from ..plugin_manager import PluginWarning, installed_plugins
from ..seeding import seeded_global_rng
from .evaluation import JobRunner
from .messages import Job, WorkerFailed, WorkerReady, WorkerSetup

# Evaluators that only jobs name; a task search goes from one to the next.
RECENT_EVALUATORS = 8


class MadeEvaluators:
    """Makes evaluators, and keeps those that the setup names and the most recent others."""

    def __init__(self, kept: Sequence[EvaluatorSpec]) -> None:
        self._kept = {spec.header.identity: _make(spec) for spec in kept}
        self._recent = WorkerCache({}, RECENT_EVALUATORS)

    def get(self, spec: EvaluatorSpec) -> Evaluator[Any]:
        """Return an evaluator. Raises whatever its factory does."""
        identity = spec.header.identity
        if identity in self._kept:
            return self._kept[identity]
        return self._recent.get(identity, lambda: _make(spec))


def worker_main(connection: Connection, setup: WorkerSetup, device: str) -> None:
    """Serve jobs until the other end closes the connection.

    Args:
        connection: Receives jobs; sends one record for each.
        setup: What jobs have in common.
        device: Where to compute.
    """
    # Ctrl-C reaches the whole process group; the main process decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The main process has said already which plugins were left out.
    warnings.simplefilter("ignore", PluginWarning)
    try:
        _limit_threads(setup.threads)
        _warm_up()
        runner = _make_runner(setup, device)
        evaluators = MadeEvaluators(setup.evaluators)
    except Exception as error:
        connection.send(WorkerFailed(f"{type(error).__name__}: {error}"))
        return
    try:
        connection.send(WorkerReady())
        while True:
            connection.send(_run(connection.recv(), setup, runner, evaluators))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _run(job: Job, setup: WorkerSetup, runner: JobRunner, evaluators: MadeEvaluators) -> Record:
    try:
        evaluator = evaluators.get(job.evaluator)
    except Exception as error:
        return Record(Status.FAILED, float("nan"), f"{type(error).__name__}: {error}")
    return runner.run(setup.job_key(job), evaluator)


def _make(spec: EvaluatorSpec) -> Evaluator[Any]:
    evaluator: Evaluator[Any] = installed_plugins().evaluator(spec.header.name).info.create(spec.settings)
    return evaluator


def _make_runner(setup: WorkerSetup, device: str) -> JobRunner:
    import torch

    plugins = installed_plugins()
    dataset = setup.images or plugins.dataset(setup.dataset).info
    return JobRunner(
        space=plugins.search_space(setup.space).info.create(),
        dataset_info=dataset,
        dataset=dataset.create(),
        device=torch.device(device),
    )


def _warm_up() -> None:
    """Let torch and NumPy load what they load at first use, so that the first job is timed like the others."""
    with seeded_global_rng(0):
        pass


def _limit_threads(threads: int) -> None:
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    threadpool_limits(threads)
    # Speed must not change a score: no autotuned kernels, no shortened floats.
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False
