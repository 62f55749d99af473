"""A process in which contracts look at a plugin a second time."""

from __future__ import annotations

import functools
import multiprocessing
import os
from collections.abc import Callable
from concurrent.futures import ProcessPoolExecutor
from typing import Any

_HASH_SEED = "PYTHONHASHSEED"


def in_other_process(function: Callable[..., Any], *arguments: Any) -> Any:
    """Call a function of a module in another process, with as many math threads.

    Texts have other hashes there, hence sets of them another order.
    """
    import torch

    threads = torch.get_num_threads()  # which the last digits depend on
    return _other_process().submit(_call_there, dict(os.environ), threads, function, *arguments).result()


@functools.cache
def _other_process() -> ProcessPoolExecutor:
    """Return a process that serves all contracts: starting one takes seconds."""
    pool = ProcessPoolExecutor(1, mp_context=multiprocessing.get_context("spawn"))
    before = os.environ.get(_HASH_SEED)
    os.environ[_HASH_SEED] = "2" if before == "1" else "1"
    try:
        pool.submit(os.getpid).result()  # starts it
    finally:
        del os.environ[_HASH_SEED]
        if before is not None:
            os.environ[_HASH_SEED] = before
    return pool


def _call_there(environment: dict[str, str], threads: int, function: Callable[..., Any], *arguments: Any) -> Any:
    import torch

    os.environ.clear()
    os.environ.update(environment)  # which may name another data directory than when the process started
    torch.set_num_threads(threads)
    return function(*arguments)
