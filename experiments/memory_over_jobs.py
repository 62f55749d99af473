"""Watch the memory of the main process and its workers over thousands of jobs that build networks (Linux).

Usage: python experiments/memory_over_jobs.py [--architectures 5000] [--workers 2]
"""

from __future__ import annotations

import argparse
import tempfile
from pathlib import Path

from nasbench_toolkit.core.jobs.run import RunOptions, run_plan
from nasbench_toolkit.core.planning.requests import RunRequest, make_plan
from nasbench_toolkit.core.plugin_manager import installed_plugins

# How often it is looked at.
LOOKS = 10


def resident_megabytes() -> list[int]:
    """Return the resident memory of this process and of all that come from it, ascending."""
    status = [_read_status(path) for path in Path("/proc").glob("[0-9]*/status")]
    ours = {Path("/proc/self").resolve().name}
    while more := {each["Pid"] for each in status if each.get("PPid") in ours} - ours:
        ours |= more
    return sorted(int(each["VmRSS"].split()[0]) // 1000 for each in status if each.get("Pid") in ours)


def _read_status(path: Path) -> dict[str, str]:
    try:
        lines = path.read_text().splitlines()
    except OSError:  # it has ended
        return {}
    return {name: value.strip() for name, _, value in (line.partition(":") for line in lines)}


def main() -> None:
    """Run two evaluators, one of which builds networks, and print memory as jobs are done."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--architectures", type=int, default=5000)
    parser.add_argument("--workers", type=int, default=2)
    args = parser.parse_args()
    request = RunRequest("nasbench201", ("random", "params:network=narrow"), samples=args.architectures)
    plan = make_plan(request, installed_plugins())
    jobs = len(plan.arch_ids) * len(plan.evaluators)
    done = 0

    def look(_: object) -> None:
        nonlocal done
        done += 1
        if done % (jobs // LOOKS) == 0:
            print(f"{done:,} of {jobs:,} jobs: {', '.join(map(str, resident_megabytes()))} MB", flush=True)

    with tempfile.TemporaryDirectory() as directory:
        run_plan(plan, RunOptions(Path(directory, "r.h5"), ("cpu",) * args.workers), lambda *_: None, look)


if __name__ == "__main__":
    main()
