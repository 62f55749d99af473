"""Settings of the built-in executors."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ...core.settings import Settings, setting


@dataclass(frozen=True)
class RaySettings(Settings):
    """Settings of ``ray``."""

    address: str = setting("auto", "Address of the cluster; 'auto' finds the one that this machine is part of.")
    workers: int = setting(0, "Workers; 0 for one on each processor of the cluster, or on each GPU.", minimum=0)


@dataclass(frozen=True)
class SubmititSettings(Settings):
    """Settings of ``submitit``."""

    cluster: Literal["slurm", "local"] = setting("slurm", "The queue; 'local' are processes of this machine.")
    folder: str = setting("nasbench-submitit", "Folder on a shared disk for what is sent to and fro, and for logs.")
    workers: int = setting(16, "Batches in the queue at the same time.", minimum=1)
    batch: int = setting(0, "Jobs in a batch; 0 for a fair share of those that wait.", minimum=0)
    minutes: int = setting(240, "Time limit of a batch in the queue.", minimum=1)
    partition: str = setting("", "Partition of SLURM; empty for its default.")
