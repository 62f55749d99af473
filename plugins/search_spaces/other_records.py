"""Which records of a table a mutant is chosen from."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    import numpy as np

MOST_DRAWN = 200
DRAWN_SHARE = 0.1
"""A mutant is the nearest of a random tenth of the other records, of 200 at most. GenNAS (Li et al., NeurIPS 2021,
released code) takes the nearest of 200 of several thousand in the spaces of NDS, the parent not excluded; of a table of
fewer than 200 the parent would always be the nearest."""


def draw_others(records: Sequence[str], text: str, rng: np.random.Generator) -> list[int]:
    """Return the rows of some records, drawn without replacement.

    Args:
        records: Canonical strings, all different, one at least.
        text: The canonical string that is none of those drawn, which need not be a record.
        rng: Source of randomness.

    Returns:
        None if there is no other record.
    """
    count = min(MOST_DRAWN, max(1, round(DRAWN_SHARE * len(records))))
    # One more than is wanted: if it is not among them, the last one is left out, which is as random as any.
    drawn = rng.choice(len(records), min(count + 1, len(records)), replace=False).tolist()
    return [row for row in drawn if records[row] != text][:count]
