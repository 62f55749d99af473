"""Built-in executors: what runs jobs."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.descriptions import ExecutorInfo
from ...core.hookspecs import hookimpl
from .settings import RaySettings, SubmititSettings


@hookimpl
def nasbench_executors() -> Iterator[ExecutorInfo]:
    """Yield the built-in executors."""
    yield ExecutorInfo(
        name="local",
        summary="Worker processes of this machine, one a core or CUDA device.",
        source="this toolkit",
        factory="nasbench_toolkit.core.jobs.executor:ProcessExecutor",
    )
    yield ExecutorInfo(
        name="ray",
        summary="Workers on the nodes of a Ray cluster; needs the extra 'ray'.",
        source="Moritz et al., OSDI 2018",
        factory=f"{__name__}.ray_cluster:RayExecutor",
        settings=RaySettings,
        remote=True,
    )
    yield ExecutorInfo(
        name="submitit",
        summary="Batches of jobs through a queue such as SLURM's; needs the extra 'slurm'.",
        source="the library submitit, github.com/facebookincubator/submitit",
        factory=f"{__name__}.submitit_queue:SubmititExecutor",
        settings=SubmititSettings,
        remote=True,
    )
