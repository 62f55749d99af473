"""What a run was made with: software, hardware and command, for the results file."""

from __future__ import annotations

import importlib.metadata
import platform
import shlex
import sys
from collections.abc import Sequence
from datetime import UTC, datetime
from pathlib import Path

from .devices import usable_cores

DISTRIBUTIONS = ("nasbench-toolkit", "torch", "numpy", "scipy", "h5py", "pluggy")


def describe_environment(devices: Sequence[str], threads: int) -> dict[str, str]:
    """Return names and values that say how a results file came about."""
    return {
        "created": datetime.now(UTC).isoformat(timespec="seconds"),
        "command": command_line(),
        "python": platform.python_version(),
        "platform": platform.platform(),
        "processor": _processor(),
        "cores": str(usable_cores()),
        "devices": ", ".join(_device_names(devices)),
        "threads_per_worker": str(threads),
    } | {f"version_{name}": importlib.metadata.version(name) for name in DISTRIBUTIONS}


def command_line() -> str:
    """Return the command that runs, as a user types it."""
    return shlex.join(["nasbench", *sys.argv[1:]])


def _processor() -> str:
    cpuinfo = Path("/proc/cpuinfo")
    if cpuinfo.exists():
        for line in cpuinfo.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()


def _device_names(devices: Sequence[str]) -> list[str]:
    if set(devices) == {"cpu"}:
        return list(devices)  # importing torch takes longer than all else that the main process does
    import torch

    # That of another machine has no number here.
    return [f"{name} ({torch.cuda.get_device_name(name)})" if ":" in name else name for name in devices]
