"""Whether a results file may be continued by a plan."""

from __future__ import annotations

import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, NamedTuple

from ..errors import ResultsFileError
from ..plan import Plan, seeds_in_words, version_differences
from .contents import Results
from .store import RUN, Origin

THREADS = "threads_per_worker"
"""How the environment of a file calls the math threads of a worker."""

DEVICES = "devices"
"""How it calls the devices of the workers, which are of one kind."""


def check_same_plan(path: Path, origin: Origin, stored: Results, plan: Plan) -> None:
    """Check that a file is of a plan.

    Raises:
        ResultsFileError: Another command made it, or another plan; the message says where they differ.
    """
    if origin.command != RUN:
        raise ResultsFileError(
            f"'{path}' was made by 'nasbench {origin.command}'. Continue it with the command that made it, or choose "
            "another --output."
        )
    if stored.plan_id != plan.plan_id:
        raise _other_plan(path, stored, plan, extends=False)


def check_extends(path: Path, stored: Results, plan: Plan) -> None:
    """Check that a plan has all that a file has: the same architectures first, and its evaluators among others.

    Raises:
        ResultsFileError: It has not; the message says where they differ.
    """
    old = [(header.identity, header.distribution) for header in stored.headers]
    new = {(spec.header.identity, spec.header.distribution) for spec in plan.evaluators}
    same_names = (stored.plan.space, stored.plan.dataset, stored.plan.seeds) == (
        plan.header.space,
        plan.header.dataset,
        plan.header.seeds,
    )
    same_versions = (stored.plan.space_version, stored.plan.dataset_version) == (
        plan.header.space_version,
        plan.header.dataset_version,
    )
    first = plan.arch_ids[: len(stored.arch_ids)]
    if not (same_names and same_versions and first == stored.arch_ids and new.issuperset(old)):
        raise _other_plan(path, stored, plan, extends=True)


def check_same_arithmetic(path: Path, stored: Mapping[str, Any], environment: Mapping[str, Any]) -> None:
    """Check that workers compute as those did that began a file.

    Args:
        path: The file.
        stored: The environment in which it was begun.
        environment: That of now.

    Raises:
        ResultsFileError: They have another number of math threads or another kind of device, either of which changes
            the last digits of scores.
    """
    before, now = arithmetic(stored), arithmetic(environment)
    if before.threads != now.threads:
        made, other, remedy = f"with {before.threads} math threads a worker", now.threads, f"--threads {before.threads}"
    elif before.device != now.device:
        made, other, remedy = f"on a device of the kind {before.device}", now.device, f"--device {before.device}"
    else:
        return
    raise ResultsFileError(
        f"The scores in '{path}' were made {made}, and {other} would change the last digits of others. Continue it "
        f"with {remedy}, or choose another --output."
    )


class Arithmetic(NamedTuple):
    """What decides the last digits of scores.

    Attributes:
        threads: Math threads of a worker.
        device: Kind of the devices, such as ``cpu`` or ``cuda``.
    """

    threads: str
    device: str


def arithmetic(environment: Mapping[str, Any]) -> Arithmetic:
    """Return how the workers of an environment compute; of what a file does not say, the default."""
    devices = str(environment.get(DEVICES, "cpu"))
    return Arithmetic(str(environment.get(THREADS, 1)), re.split(r"[^a-z]", devices, maxsplit=1)[0])


def _other_plan(path: Path, stored: Results, plan: Plan, *, extends: bool) -> ResultsFileError:
    differences = [
        f"{name} ({old} in the file, {new} now)"
        for name, old, new in (
            ("space", stored.plan.space, plan.header.space),
            ("dataset", stored.plan.dataset, plan.header.dataset),
            ("seeds", seeds_in_words(stored.plan.seeds), seeds_in_words(plan.header.seeds)),
            (
                "evaluators",
                [header.label for header in stored.headers],
                [spec.header.label for spec in plan.evaluators],
            ),
            ("number of architectures", len(stored.arch_ids), len(plan.arch_ids)),
        )
        if old != new
    ]
    versions = version_differences(stored.plan, plan.header, stored.headers, [spec.header for spec in plan.evaluators])
    differences += [f"{name} ({old} in the file, {new} now)" for name, old, new in versions]
    where = ", ".join(differences) or "settings or versions of evaluators, or the architectures themselves"
    remedy = "Leave out the options that differ" if extends else "Repeat the command that made it"
    return ResultsFileError(
        f"'{path}' was made by another plan; it differs in: {where}. {remedy}, or choose another --output."
    )
