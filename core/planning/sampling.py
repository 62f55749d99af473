"""Samples the architectures of a run from a seed."""

from __future__ import annotations

from collections.abc import Sequence

from ..errors import SampleSizeError
from ..interfaces import SearchSpace
from ..seeding import derive_seed


def sample_architectures(space: SearchSpace, count: int, seed: int) -> tuple[str, ...]:
    """Return ``count`` distinct architectures, uniform over the space; depends on space, count and seed only.

    Raises:
        SampleSizeError: The space has fewer.
    """
    import numpy as np

    rng = np.random.default_rng(derive_seed("sampling", space.info.name, seed))
    return tuple(space.sample(count, rng))


def sample_list(arch_ids: Sequence[str], count: int | None, seed: int) -> tuple[str, ...]:
    """Return ``count`` of some architectures, drawn without replacement, in their order; all if None.

    Raises:
        SampleSizeError: There are fewer.
    """
    if count is None:
        return tuple(arch_ids)
    if not 1 <= count <= len(arch_ids):
        raise SampleSizeError(f"The number of architectures must be from 1 to the {len(arch_ids)} given, got {count}.")
    import numpy as np

    rng = np.random.default_rng(derive_seed("sampling of a list", seed))
    return tuple(arch_ids[row] for row in sorted(rng.choice(len(arch_ids), count, replace=False)))
