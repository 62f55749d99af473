"""Fewer points of a curve, where all of them would be too many."""

from __future__ import annotations


def evenly_spread(count: int, most: int) -> list[int]:
    """Return at most ``most`` positions of ``count``, from 0: all, or evenly spread ones with the last among them."""
    shown = min(count, most)
    return [(index + 1) * count // shown - 1 for index in range(shown)]
