"""The record nearest to an architecture, by which GenNAS (Li et al., NeurIPS 2021, released code) mutates in NDS."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import zip_longest

from .definition import CellSpaceDefinition
from .genotype import Architecture


def nearest(
    architecture: Architecture, candidates: Sequence[Architecture], definition: CellSpaceDefinition
) -> Architecture:
    """Return the first of the candidates that differ in the fewest scalars of their configuration.

    Scalars are width, depth, operation and source of each edge, and the indices of the nodes that a cell concatenates,
    position by position; of lists of different length, what is over differs.
    """
    return min(candidates, key=lambda candidate: _differences(architecture, candidate, definition))


def _differences(first: Architecture, second: Architecture, definition: CellSpaceDefinition) -> int:
    pairs = [*zip(definition.decisions(first), definition.decisions(second), strict=True)]
    for one, other in ((first.normal, second.normal), (first.reduction, second.reduction)):
        pairs += [*zip_longest(map(str, definition.outputs(one)), map(str, definition.outputs(other)))]
    return sum(mine != theirs for mine, theirs in pairs)
