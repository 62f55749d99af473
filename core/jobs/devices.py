"""Turns ``--device`` and ``--workers`` into one device for each worker process."""

from __future__ import annotations

import os
import re
from itertools import cycle, islice

from ..errors import DeviceError

DEVICE_PATTERN = re.compile(r"cpu|cuda(:[0-9]+)?")


def usable_cores() -> int:
    """Return the number of processor cores this process may use."""
    if hasattr(os, "sched_getaffinity"):
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def worker_devices(text: str, workers: int | None) -> tuple[str, ...]:
    """Return the device of each worker.

    Args:
        text: ``cpu``, ``cuda``, ``cuda:0,cuda:1`` or ``auto`` (every CUDA device, or the CPU if there is none).
        workers: Number of processes, None for one a core, or one a CUDA device. More than there are devices share them
            evenly.

    Raises:
        DeviceError: The text is not a device, the device is not there, or ``workers`` does not fit.
    """
    _check_count(workers)
    names = _cuda_devices() or ("cpu",) if text == "auto" else tuple(part.strip() for part in text.split(","))
    for name in names:
        if not DEVICE_PATTERN.fullmatch(name):
            raise DeviceError(f"Unknown device '{name}'. Use cpu, cuda, cuda:0, a list such as cuda:0,cuda:1, or auto.")
    if names == ("cpu",):
        return ("cpu",) * (workers or usable_cores())
    if "cpu" in names:
        raise DeviceError(
            f"'{text}' mixes cpu and CUDA devices, whose scores differ in the last digits. Choose one kind."
        )
    names = tuple("cuda:0" if name == "cuda" else name for name in names)
    _check_cuda(names, workers)
    return tuple(islice(cycle(names), workers or len(names)))


def remote_devices(text: str, workers: int | None) -> tuple[str, ...]:
    """Return the device of each worker on other machines, which find out themselves whether it is there.

    Raises:
        DeviceError: The text does not say which kind of device it is, or ``workers`` is not positive.
    """
    _check_count(workers)
    if text not in ("cpu", "cuda"):
        raise DeviceError(f"Workers on other machines have one device each: use --device cpu or cuda, not '{text}'.")
    return (text,) * (workers or usable_cores())


def _check_count(workers: int | None) -> None:
    if workers is not None and workers < 1:
        raise DeviceError(f"--workers must be at least 1, got {workers}.")


def _check_cuda(names: tuple[str, ...], workers: int | None) -> None:
    present = _cuda_devices()
    missing = [name for name in names if name not in present]
    if missing:
        here = (
            f"This machine has {', '.join(present)}."
            if present
            else "This machine has none that torch can use; try --device cpu."
        )
        raise DeviceError(f"There is no device {', '.join(missing)}. {here}")
    if len(set(names)) != len(names):
        raise DeviceError(
            f"A device is named twice in '{','.join(names)}'. For several processes on each, name it once and give "
            "their number with --workers."
        )
    if workers is not None and workers < len(names):
        raise DeviceError(
            f"--workers {workers} leaves some of the {len(names)} CUDA devices without a process. Name the devices to "
            "use, such as --device cuda:0, or leave --workers out."
        )


def _cuda_devices() -> tuple[str, ...]:
    import torch

    return tuple(f"cuda:{index}" for index in range(torch.cuda.device_count()))
