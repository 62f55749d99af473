"""From probabilities to architectures, and from candidates to the best of them.

A search space may be a table of a part of all choices. What a strategy chooses outside of it is replaced by the most
probable choice that the table has; candidates outside of it are drawn again.
"""

from __future__ import annotations

import heapq
from collections.abc import Callable, Iterable, Iterator, Sequence

import torch

from ...core.errors import EvaluationError
from ...core.supernets import Choice, Supernet
from ...core.weight_sharing import SupernetContext

# Of spaces of which one spelling in a thousand exists, so many in a row are rejected in none of 10**43 searches.
MOST_REJECTED = 100_000


def most_probable_choices(log_probabilities: Sequence[Sequence[float]]) -> Iterator[Choice]:
    """Yield all choices, the most probable first; of equally probable ones the first in lexicographic order.

    Args:
        log_probabilities: Of each option of each decision; decisions are independent.
    """
    # Of each decision the options in their order of merit; a state says which place each decision is at.
    orders = [sorted(range(len(row)), key=lambda option: (-row[option], option)) for row in log_probabilities]

    def entry(places: tuple[int, ...]) -> tuple[float, Choice, tuple[int, ...]]:
        choice = tuple(order[place] for order, place in zip(orders, places, strict=True))
        return -sum(row[option] for row, option in zip(log_probabilities, choice, strict=True)), choice, places

    heap = [entry((0,) * len(orders))]
    seen = {heap[0][2]}
    while heap:
        _, choice, places = heapq.heappop(heap)
        yield choice
        for decision, place in enumerate(places):
            further = (*places[:decision], place + 1, *places[decision + 1 :])
            if place + 1 < len(orders[decision]) and further not in seen:
                seen.add(further)
                heapq.heappush(heap, entry(further))


def in_space(context: SupernetContext, supernet: Supernet, choices: Iterable[Choice]) -> Iterator[Choice]:
    """Leave out the choices that the search space does not have.

    Raises:
        EvaluationError: It has none of very many.
    """
    in_a_row = 0
    for choice in choices:
        if context.is_architecture(supernet, choice):
            in_a_row = 0
            yield choice
        elif (in_a_row := in_a_row + 1) > MOST_REJECTED:
            raise EvaluationError(f"the space has none of {in_a_row:,} candidates")


def distinct(choices: Iterable[Choice]) -> Iterator[Choice]:
    """Leave out choices that came before; ends where nothing else comes for long."""
    seen: set[Choice] = set()
    in_a_row = 0
    for choice in choices:
        in_a_row = in_a_row + 1 if choice in seen else 0
        if in_a_row > MOST_REJECTED:
            return
        if not in_a_row:
            seen.add(choice)
            yield choice


def uniform_choices(supernet: Supernet, generator: torch.Generator) -> Iterator[Choice]:
    """Yield choices without end, each option of each decision as probable as the others."""
    while True:
        yield tuple(int(torch.randint(len(names), (), generator=generator)) for names in supernet.options)


def by_accuracy(candidates: Sequence[Choice], accuracy: Callable[[Choice], float]) -> list[tuple[Choice, float]]:
    """Return candidates and accuracies, the most accurate first, equal ones in their order; each is judged once."""
    judged = [(choice, accuracy(choice)) for choice in candidates]
    return sorted(judged, key=lambda each: -each[1])
