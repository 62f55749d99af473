"""Where jobs run: plugins are loaded, evaluators made, and the process is put back into its state after every job."""

from __future__ import annotations

import os
import threading
from collections.abc import Sequence
from typing import Any

from ..context import WorkerCache
from ..domain import Record, Status
from ..errors import PluginError
from ..global_state.functions import toolkit_parts
from ..global_state.state import GlobalState, global_state_kept, running_threads
from ..hdf5.reading import end_reader
from ..interfaces import Evaluator
from ..loading.faults import end_a_copy
from ..plan import EvaluatorSpec
from ..plugin_manager import HARMLESS, installed_plugins
from ..seeding import seeded_global_rng
from .evaluation import JobRunner, explain_failure
from .messages import Job, WorkerSetup
from .open_files import OpenFiles
from .parent_death import end_children, has_children

# Evaluators that only jobs name; a task search goes from one to the next.
RECENT_EVALUATORS = 8

# Pools that an evaluator has left end their threads a moment later.
SECONDS_FOR_THREADS = 0.05


class MadeEvaluators:
    """Makes evaluators, and keeps those that the setup names and the most recent others."""

    def __init__(self, kept: Sequence[EvaluatorSpec]) -> None:
        self._kept = {spec.header.identity: _make(spec) for spec in kept}
        self._recent = WorkerCache({}, RECENT_EVALUATORS)

    def get(self, spec: EvaluatorSpec) -> Evaluator[Any] | Record:
        """Return an evaluator, or what is to become of its jobs if it cannot be made."""
        identity = spec.header.identity
        if identity in self._kept:
            return self._kept[identity]
        return self._recent.get(identity, lambda: _make(spec))


class JobSite:
    """Runs jobs one after the other in this process.

    Args:
        setup: What jobs have in common.
        device: Where to compute.
        passed_on: Exceptions that are none of an evaluator's, see :class:`JobRunner`.
        shared_process: Whether others have child processes, threads and open files in this process.

    Raises:
        PluginError: Loading the plugins left the process in a state that cannot be put back.
    """

    def __init__(
        self,
        setup: WorkerSetup,
        device: str,
        passed_on: tuple[type[BaseException], ...] = (),
        *,
        shared_process: bool = False,
    ) -> None:
        import torch

        self._setup = setup
        self._shared_process = shared_process
        with global_state_kept() as lost:
            plugins = installed_plugins()
            dataset = setup.images or plugins.dataset(setup.dataset).info
            self._runner = JobRunner(
                space=plugins.search_space(setup.space).info.create(),
                dataset_info=dataset,
                dataset=dataset.create(),
                device=torch.device(device),
                max_points=setup.max_points,
                passed_on=passed_on,
                owns_process=not shared_process,
                store=setup.store,
            )
            self._evaluators = MadeEvaluators(setup.evaluators)
        if unwanted := set(lost) - HARMLESS:
            names = [f"'{record.name}' of {record.distribution}" for record in plugins.records if record.lost]
            raise PluginError(
                f"The plugin {' or '.join(names) or 'that is used here'} changes what cannot be put back: "
                f"{', '.join(sorted(unwanted))}. Uninstall it, or let its authors change that only while it computes."
            )
        limit_threads(setup.threads)
        if self._runner.device.type == "cuda":
            torch.cuda.init()  # type: ignore[no-untyped-call]  # its generators are seeded only then
        _warm_up()
        if not shared_process:
            # Like all child processes it would not outlive the first job, and its connection is no file that jobs need.
            end_reader()
        self._threads = set(running_threads())
        self._files = OpenFiles.now()
        self._state = GlobalState.now(toolkit_parts())

    def run(self, job: Job) -> tuple[Record, tuple[str, ...]]:
        """Run one job and put the process back into its state; return also what cannot be put back."""
        made = self._evaluators.get(job.evaluator)
        record = made if isinstance(made, Record) else self._runner.run(self._setup.job_key(job), made)
        if self._device_is_broken():
            return record, ("what the CUDA device computes for this process",)
        return record, self._put_back()

    def _device_is_broken(self) -> bool:
        """Whether all that this process asks of its device fails from now on, as it does after some errors."""
        import torch

        if self._runner.device.type != "cuda":
            return False
        try:
            torch.cuda.synchronize(self._runner.device)
        except RuntimeError:
            return True
        return False

    def _put_back(self) -> tuple[str, ...]:
        lost = self._state.put_back()
        if self._shared_process:
            return lost
        if has_children():
            end_children()
        if threading.active_count() > len(self._threads) and self._has_new_threads():
            lost += ("threads that go on",)
        return lost + self._files.missing()

    def _has_new_threads(self) -> bool:
        new = set(running_threads()) - self._threads
        for thread in new:
            thread.join(SECONDS_FOR_THREADS / len(new))
        return any(thread.is_alive() for thread in new)


def limit_threads(threads: int) -> None:
    """Let the libraries use so many threads, and compute in a way that speed does not change."""
    import torch
    from threadpoolctl import threadpool_limits

    torch.set_num_threads(threads)
    threadpool_limits(threads)
    # Speed must not change a score: no autotuned kernels, no shortened floats.
    torch.backends.cudnn.benchmark = False
    torch.backends.cudnn.deterministic = True
    torch.backends.cudnn.allow_tf32 = False
    torch.backends.cuda.matmul.allow_tf32 = False


def _make(spec: EvaluatorSpec) -> Evaluator[Any] | Record:
    header = spec.header
    process = os.getpid()
    try:
        evaluator: Evaluator[Any] = installed_plugins().evaluator(header.name).info.create(spec.settings)
    except BaseException as error:
        end_a_copy(process)
        _, message, trace = explain_failure(error, header.name)
        said = f"the evaluator '{header.label}' of {header.distribution} cannot be made: {message}"
        return Record(Status.FAILED, float("nan"), said, traceback=trace)
    return evaluator


def _warm_up() -> None:
    """Let torch and NumPy load what they load at first use, so that the first job is timed like the others."""
    with seeded_global_rng(0):
        pass
