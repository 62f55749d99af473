"""What a run, a search and a search for tasks share: images of the user's own, notes, and how they are interrupted."""

from __future__ import annotations

import shlex
import signal
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from .continued import continued, was_given
from .progress import Bar

if TYPE_CHECKING:
    from ..descriptions import DatasetInfo, SearchSpaceInfo
    from ..jobs.choice import ExecutorSpec


def dated_file(stem: str, suffix: str) -> Path:
    """Name the output of a command that was given no name: ``STEM-DATE-TIME`` and the suffix."""
    return Path(f"{stem}-{datetime.now():%Y%m%d-%H%M%S}{suffix}")


def describe_images(path: Path | None, image_size: int | None) -> DatasetInfo | None:
    """Read the user's own images and say what they are; None if there are none.

    Raises:
        DataError: They cannot be used.
    """
    if path is None:
        return None
    from ...benchmarks_data.images.user_images import describe_images as read_description
    from .progress import track_steps

    with track_steps(f"reading {path.name}") as progress:
        return read_description(path, image_size, progress)


def say_what_is_missing(space: SearchSpaceInfo, dataset: str, *, chose_dataset: bool, has_table: bool) -> None:
    """Say which data a session does without that the user could bring."""
    first = space.datasets[0]
    if not chose_dataset and dataset != first:
        click.echo(
            f"Note: the dataset '{first}' is not here, so evaluators see '{dataset}'; 'nasbench data "
            f"list {first}' says how to get it.",
            err=True,
        )
    if not has_table and space.requires is not None:
        click.echo(
            f"Note: the table of '{space.requires}' is not here, so there is no ground truth; 'nasbench data list "
            f"{space.requires}' says how to get it.",
            err=True,
        )


def devices_of_workers(executor: ExecutorSpec, device: str, workers: int | None) -> tuple[str, ...]:
    """Return the device of each worker of an executor.

    Raises:
        UsageError: The user gives ``--workers`` to an executor that does not heed it.
        DeviceError: The options do not fit, or the device is not there.
    """
    if workers is not None and was_given(click.get_current_context(), "workers"):
        executor.refuse_workers(workers)
    return executor.devices(device, workers)


@contextmanager
def interruptible(progress: Bar, stored_in: Path, output: Path) -> Iterator[None]:
    """Show progress; on Ctrl-C or a termination, say what is safe and how to continue, and raise KeyboardInterrupt.

    Args:
        progress: The bar, which counts what is done.
        stored_in: The file that holds it.
        output: What ``--output`` names, for the command that continues.
    """
    # A terminated session ends like an interrupted one.
    signal.signal(signal.SIGTERM, signal.default_int_handler)
    try:
        with progress:
            yield
    except KeyboardInterrupt:
        click.echo(
            f"{progress.done} of {progress.total} {progress.noun} are safe in '{stored_in}'. Continue with:\n  "
            + _resume_command(output),
            err=True,
        )
        raise


# What is in the file by now, if it was added to it.
_ADDED = frozenset(
    {"evaluators", "samples", "architectures", "labels", "label", "lower_is_better", "metric", "task", "evaluations"}
)


def _resume_command(output: Path) -> str:
    """Return the command line that continues this one."""
    context = click.get_current_context()
    earlier = continued(context)
    if earlier is not None:
        kept = [word for option in context.command.params for word in _given_words(context, option)]
        return shlex.join(["nasbench", str(context.info_name), "--resume", str(earlier.path), *kept])
    args = [arg for arg in sys.argv[1:] if arg not in ("--resume", "--overwrite")]
    if all(option.name != "resume" for option in context.command.params):
        return shlex.join(["nasbench", *args])  # such a command always goes on
    if not any(arg == "-o" or arg.startswith(("--output", "-o")) for arg in args):
        args += ["--output", str(output)]
    return shlex.join(["nasbench", *args, "--resume"])


def _given_words(context: click.Context, option: click.Parameter) -> list[str]:
    """Return an option as it was given, if it was, and belongs to this session alone."""
    name = str(option.name)
    if not isinstance(option, click.Option) or name == "resume" or name in _ADDED or not was_given(context, name):
        return []
    value: Any = context.params.get(name)
    spelled = max(option.opts, key=len)
    if option.is_flag:
        return [spelled if value else max(option.secondary_opts, key=len)] if option.expose_value else []
    values = value if option.multiple else (value,)
    return [word for each in values for word in (spelled, str(each))]
