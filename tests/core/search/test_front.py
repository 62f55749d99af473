import itertools

import numpy as np
import pytest
from nasbench_toolkit.core.search.front import pareto_front


def by_definition(points):
    """Positions of points that no other one is at least as good as everywhere and better than somewhere."""

    def dominates(one, other):
        return all(a >= b for a, b in zip(one, other, strict=True)) and any(
            a > b for a, b in zip(one, other, strict=True)
        )

    return [at for at, point in enumerate(points) if not any(dominates(other, point) for other in points)]


def test_front_by_hand() -> None:
    # (2, 2) dominates (1, 2) and (2, 1); of the equal (2, 2) both stay; (3, 0) and (0, 3) are best in one respect.
    assert pareto_front([(2, 2), (1, 2), (2, 1), (3, 0), (2, 2), (0, 3), (0, 0)]) == [0, 3, 4, 5]


def test_front_of_nothing_is_empty() -> None:
    assert pareto_front([]) == []


@pytest.mark.parametrize("objectives", [1, 2, 3, 4])
@pytest.mark.parametrize("levels", [2, 4, 1000])
def test_front_is_that_of_the_definition(objectives, levels) -> None:
    rng = np.random.default_rng(objectives * levels)
    for count in (1, 2, 7, 60):
        points = [tuple(point) for point in rng.integers(levels, size=(count, objectives)).tolist()]
        assert pareto_front(points) == by_definition(points)


def test_front_of_every_small_case() -> None:
    for points in itertools.product(itertools.product(range(2), repeat=2), repeat=4):
        assert pareto_front(points) == by_definition(points)
