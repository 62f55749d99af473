"""Seeds that depend on what is computed and on nothing else."""

from __future__ import annotations

import hashlib
import json
import random
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from typing import TYPE_CHECKING

from .errors import UsageError

if TYPE_CHECKING:
    import torch

MAX_SEED = 2**63 - 1
"""The largest seed of a run or a search: results files store it in 64 bits."""


def check_seed(seed: int) -> None:
    """Refuse a seed that cannot be stored.

    Raises:
        UsageError: It is negative or has more than 63 bits.
    """
    if not 0 <= seed <= MAX_SEED:
        raise UsageError(f"A seed is a whole number from 0 to {MAX_SEED}, got {seed}.")


def derive_seed(*parts: str | int) -> int:
    """Hash ``parts`` to a seed in ``[0, 2**63)``; equal parts give equal seeds on every machine."""
    digest = hashlib.sha256(json.dumps(parts).encode()).digest()
    return int.from_bytes(digest[:8], "big") >> 1


def torch_generator(seed: int) -> torch.Generator:
    """Return a CPU generator with the given seed; CPU, so that all devices see the same numbers."""
    import torch

    return torch.Generator().manual_seed(seed)


def seed_global_rng(seed: int) -> None:
    """Seed the global generators of Python, NumPy and torch; those of CUDA if it is initialised."""
    import numpy as np
    import torch

    random.seed(seed)
    np.random.seed(seed % 2**32)
    # torch.manual_seed does the same, and where CUDA is not initialised keeps a note with a traceback each time.
    torch.default_generator.manual_seed(seed)
    if torch.cuda.is_initialized():  # type: ignore[no-untyped-call]
        torch.cuda.manual_seed_all(seed)


@contextmanager
def seeded_global_rng(seed: int) -> Iterator[None]:
    """Seed the global generators of Python, NumPy and torch, and restore all but those of CUDA afterwards.

    Those of CUDA are seeded if it is initialised.
    """
    restore = _saved_host_rng()
    seed_global_rng(seed)
    try:
        yield
    finally:
        restore()


def _saved_host_rng() -> Callable[[], None]:
    import numpy as np
    import torch

    python_state, numpy_state, torch_state = random.getstate(), np.random.get_state(), torch.get_rng_state()

    def restore() -> None:
        random.setstate(python_state)
        np.random.set_state(numpy_state)
        torch.set_rng_state(torch_state)

    return restore


def saved_global_rng() -> Callable[[], None]:
    """Return what puts the global generators of Python, NumPy and torch back to where they are now.

    Those of CUDA go back, too, if it is initialised.
    """
    import torch

    restore_host = _saved_host_rng()
    has_cuda = torch.cuda.is_initialized()  # type: ignore[no-untyped-call]
    cuda_states = torch.cuda.get_rng_state_all() if has_cuda else []

    def restore() -> None:
        restore_host()
        if cuda_states:
            torch.cuda.set_rng_state_all(cuda_states)

    return restore
