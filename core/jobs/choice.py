"""Chooses the executor that a user names."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..descriptions import ExecutorInfo
from ..errors import UsageError
from ..planning.spellings import parse_spelling
from ..plugin_manager import PluginManager
from ..settings import Settings
from .devices import remote_devices, worker_devices
from .interface import JobExecutor
from .messages import WorkerSetup


@dataclass(frozen=True)
class ExecutorSpec:
    """An executor with its settings."""

    info: ExecutorInfo
    settings: Settings

    @property
    def counts_workers(self) -> bool:
        """Whether one of its settings is the number of workers, in place of ``--workers``."""
        return hasattr(self.settings, "workers")

    def refuse_workers(self, workers: int) -> None:
        """Refuse ``--workers`` beside an executor that would not heed it.

        Raises:
            UsageError: It would not.
        """
        if self.counts_workers:
            name = self.info.name
            raise UsageError(
                f"--workers does not count the workers of '{name}', a setting of its own does: --executor "
                f"{name}:workers={workers}."
            )

    def stated_workers(self, workers: int | None) -> int | None:
        """Return the number of workers that a setting states, or else ``--workers``; None where neither does."""
        return getattr(self.settings, "workers", None) or None if self.counts_workers else workers

    def devices(self, text: str, workers: int | None) -> tuple[str, ...]:
        """Return the device of each worker, as ``--device`` and ``--workers`` say, or a setting instead.

        Raises:
            DeviceError: They do not fit, or the device is not there.
        """
        number = self.stated_workers(workers)
        return remote_devices(text, number) if self.info.remote else worker_devices(text, number)

    def start(self, setup: WorkerSetup, devices: Sequence[str], time_limit: float | None) -> JobExecutor:
        """Start it.

        Args:
            setup: What all jobs have in common.
            devices: Device of each worker, as ``--device`` and ``--workers`` say.
            time_limit: Seconds that one job may take, None for no limit.

        Raises:
            NasbenchError: It cannot start.
        """
        made: JobExecutor = self.info.create(setup, devices, time_limit, self.settings)
        return made


def choose_executor(text: str, plugins: PluginManager) -> ExecutorSpec:
    """Return the executor that a text such as ``ray:address=auto`` names.

    Raises:
        UsageError: It does not exist, or its settings cannot be read.
    """
    spelling = parse_spelling(text)
    info = plugins.executor(spelling.name).info
    return ExecutorSpec(info, info.parse_settings(spelling.settings))
