"""The machine and the versions that figures belong to, in a few lines."""

from __future__ import annotations

import os

from ..core.jobs.environment import describe_environment


def describe_machine() -> str:
    """Return processor, cores, system, versions and the load of the last minute."""
    known = describe_environment(("cpu",), 1)
    versions = [
        f"{name.removeprefix('version_')} {value}" for name, value in known.items() if name.startswith("version_")
    ]
    return (
        f"{known['processor']}, {known['cores']} cores, load {os.getloadavg()[0]:.1f}; {known['platform']}\n"
        f"Python {known['python']}, {', '.join(versions)}"
    )
