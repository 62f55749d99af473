"""Whether two spellings of a search space are the same network.

Each is built as it is spelled, and both get matching weights (:mod:`.matching_weights`). Equal networks then have equal
outputs, as many live parameters, and live parameters with equal norms of gradients; the latter tells one convolution
used twice from two side by side. What gets zeros alone is no part of a network, although its bias could learn.
"""

from __future__ import annotations

import itertools
import math
from collections.abc import Iterator

import numpy as np
import torch
from torch import Tensor, nn

from ..capabilities import SequenceNetwork, require
from ..descriptions import DatasetInfo
from ..interfaces import SearchSpace
from ..plugin_manager import installed_plugins
from ..seeding import torch_generator
from .matching_weights import KnownPoints, network_traits

_BATCH = 4
_STEPS = 3

# Most of what some spaces spell is canonical.
_TRIES_PER_SPELLING = 50


def assert_same_network(space: SearchSpace, first: str, second: str, variant: str = "benchmark") -> None:
    """Build the networks of two spellings, each as it is spelled, and compare them.

    Raises:
        AssertionError: They are not the same network; the message says what differs.
    """
    points, traits = KnownPoints(), []
    for text in (first, second):
        dataset = smallest_dataset(space)
        network = space.build_network(text, dataset, variant)
        traits.append(network_traits(network, _example_input(network, dataset), points))
    difference = traits[0].difference(traits[1])
    assert difference is None, f"'{first}' and '{second}' are not the same network: {difference}"


def other_spellings(space: SearchSpace, count: int) -> list[str]:
    """Return up to ``count`` texts that are not canonical, from mutants, their neighbours and choices."""
    found: dict[str, None] = {}
    for text in itertools.islice(_spellings(space, np.random.default_rng(0)), _TRIES_PER_SPELLING * count):
        if space.canonicalize(text) != text:
            found[text] = None
        if len(found) == count:
            break
    return list(found)


def _spellings(space: SearchSpace, rng: np.random.Generator) -> Iterator[str]:
    """Yield what the space can spell, by turns; without end if there is anything."""
    text, choices = space.example(), space.choices()
    can_mutate = type(space)._mutate is not SearchSpace._mutate
    while can_mutate or choices is not None:
        if can_mutate:
            text = space.mutate(text, rng)
            yield text
        if choices is not None:
            yield space.assemble([int(rng.integers(len(options))) for options in choices])
        neighbours = space.neighbours(text)
        if neighbours:
            yield neighbours[rng.integers(len(neighbours))]


def smallest_dataset(space: SearchSpace) -> DatasetInfo:
    """Return the data set of a space's with the fewest values in an input."""
    infos = [installed_plugins().dataset(name).info for name in space.info.datasets]
    return min(infos, key=lambda info: math.prod(info.input_shape))


def _example_input(network: nn.Module, dataset: DatasetInfo) -> Tensor:
    if dataset.discrete:
        return torch.randint(dataset.num_classes, (_BATCH, *dataset.input_shape), generator=torch_generator(0))
    shape = (
        (_BATCH, *dataset.input_shape)
        if dataset.has_inputs
        else (_STEPS, _BATCH, require(network, SequenceNetwork).width)
    )
    return torch.randn(shape, generator=torch_generator(0), dtype=torch.float64)
