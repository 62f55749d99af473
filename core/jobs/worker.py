"""The worker process: takes jobs, sends back records, knows nothing of files."""

from __future__ import annotations

import signal
import warnings
from dataclasses import dataclass
from multiprocessing.connection import Connection
from typing import Any

from ..context import WorkerCache
from ..domain import Record, Status
from ..interfaces import Evaluator
from ..plan import EvaluatorSpec, Plan, make_job_key
from ..plugin_manager import PluginWarning, installed_plugins
from ..seeding import seeded_global_rng
from .evaluation import JobRunner

# Evaluators that jobs bring along; a task search goes from one to the next.
OWN_EVALUATORS = 8


@dataclass(frozen=True)
class WorkerReady:
    """Sent once, when the worker can take jobs."""


@dataclass(frozen=True)
class WorkerFailed:
    """Sent instead, when it cannot; ``reason`` says why."""

    reason: str


def worker_main(connection: Connection, plan: Plan, device: str, threads: int) -> None:
    """Serve jobs until the other end closes the connection.

    Args:
        connection: Receives jobs, each an evaluator (its position in the plan, or its description) and an
            architecture's canonical string; sends one record for each.
        plan: Names the evaluators.
        device: Where to compute.
        threads: Number of math threads.
    """
    # Ctrl-C reaches the whole process group; the main process decides what it means.
    signal.signal(signal.SIGINT, signal.SIG_IGN)
    # The main process has said already which plugins were left out.
    warnings.simplefilter("ignore", PluginWarning)
    try:
        _limit_threads(threads)
        _warm_up()
        runner = _make_runner(plan, device)
        plugins = installed_plugins()
        evaluators = [plugins.evaluator(spec.header.name).info.create(spec.settings) for spec in plan.evaluators]
        own_evaluators = WorkerCache({}, OWN_EVALUATORS)
    except Exception as error:
        connection.send(WorkerFailed(f"{type(error).__name__}: {error}"))
        return
    try:
        connection.send(WorkerReady())
        while True:
            evaluator, arch_id = connection.recv()
            if isinstance(evaluator, EvaluatorSpec):
                connection.send(_run_own(runner, plan, evaluator, arch_id, own_evaluators))
            else:
                connection.send(runner.run(plan.job_key_of(evaluator, arch_id), evaluators[evaluator]))
    except (EOFError, BrokenPipeError, ConnectionResetError):
        return


def _run_own(runner: JobRunner, plan: Plan, spec: EvaluatorSpec, arch_id: str, known: WorkerCache) -> Record:
    """Run a job that brings its evaluator along."""

    def create() -> Evaluator[Any]:
        return installed_plugins().evaluator(spec.header.name).info.create(spec.settings)

    key = make_job_key(plan.header, spec, arch_id)
    try:
        evaluator = known.get((key.evaluator, key.settings_hash), create)
    except Exception as error:
        return Record(Status.FAILED, float("nan"), f"{type(error).__name__}: {error}")
    return runner.run(key, evaluator)


def _make_runner(plan: Plan, device: str) -> JobRunner:
    import torch

    plugins = installed_plugins()
    dataset = plan.images or plugins.dataset(plan.header.dataset).info
    return JobRunner(
        space=plugins.search_space(plan.header.space).info.create(),
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
