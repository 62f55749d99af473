from collections import Counter
from zlib import crc32

import numpy as np
import pytest
from nasbench_toolkit.core.errors import UnsupportedSearchSpaceError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.seeding import derive_seed

STRATEGY = "local-search"


def value(architecture):
    """The bits read as a number: one optimum, and no ties."""
    return float(int(architecture, 2))


def rough(architecture):
    """Many local optima."""
    return float(crc32(architecture.encode()))


def algorithm_1(space, fitness, seed, move="best"):
    """White et al., UAI 2021, algorithm 1, again and again from random starts; return what it scores, in order.

    With ``move="first"`` the neighbours behind the first better one are not looked at.
    """
    rng = np.random.default_rng(derive_seed(STRATEGY, space.name, seed))
    scores = {}
    while len(scores) < space.size:
        current = next(text for text in iter(lambda: space.sample(1, rng)[0], None) if text not in scores)
        scores[current], height = fitness(current), -np.inf
        while scores[current] > height:
            height = scores[current]
            neighbours = space.neighbours(current)
            neighbours = [neighbours[index] for index in rng.permutation(len(neighbours))]
            seen = []
            for neighbour in neighbours:
                seen.append(neighbour)
                if scores.setdefault(neighbour, fitness(neighbour)) > height and move == "first":
                    break
            best = max(seen, key=scores.get)
            current = best if scores[best] > height else current
    return list(scores.items())


@pytest.mark.parametrize("fitness", [value, rough, lambda text: 1.0])
@pytest.mark.parametrize("parallel", [1, 3, 100])
def test_history_is_algorithm_1s_with_memory(cube, make, search, fitness, parallel):
    for seed in range(3):
        history = search(make(STRATEGY, cube(7), seed), fitness, 1000, parallel)
        assert history == algorithm_1(cube(7), fitness, seed)


def test_starts_again_until_all_were_proposed_once(cube, make, search):
    space = cube(5)
    history = search(make(STRATEGY, space), value, 1000)
    assert Counter(text for text, _ in history) == Counter(space.all())


def test_local_optimum_leads_to_a_new_start(cube, make, search):
    # All are equally good: every architecture is an optimum, and its four neighbours are followed by a random one.
    proposed = [text for text, _ in search(make(STRATEGY, cube(4), 2), lambda text: 1.0, 6)]
    assert set(proposed[1:5]) == set(cube(4).neighbours(proposed[0]))
    assert proposed[5] not in proposed[:5]


@pytest.mark.parametrize("fitness", [value, rough, lambda text: 1.0])
def test_first_improvement_moves_at_once_whether_it_is_new_or_known(cube, make, search, fitness):
    for seed in range(3):
        history = search(make(STRATEGY, cube(7), seed, move="first"), fitness, 1000)
        assert history == algorithm_1(cube(7), fitness, seed, move="first")


def test_first_improvement_climbs_by_single_steps(cube, make, search):
    space = cube(10)
    proposed = [text for text, _ in search(make(STRATEGY, space, 1, move="first"), value, 200)]
    current = proposed[0]
    for text in proposed[1 : proposed.index("1" * 10) + 1]:
        assert text in space.neighbours(current)
        current = text if value(text) > value(current) else current


def test_climb_starts_at_the_best_of_several(cube, make, search):
    space = cube(8)
    proposed = [text for text, _ in search(make(STRATEGY, space, starts=10), value, 18)]
    assert set(proposed[10:18]) <= set(space.neighbours(max(proposed[:10], key=value)))


def test_architectures_without_a_score_are_left(cube, make, search):
    # Only architectures that end in 1 have a score; the climb ends at the best of them.
    history = search(make(STRATEGY, cube(6)), lambda text: value(text) if text[-1] == "1" else None, 64)
    assert "111111" in dict(history)
    assert len(history) == 64
    assert len(search(make(STRATEGY, cube(4)), lambda text: None, 100)) == 16


def test_mutants_stand_for_neighbours_that_are_not_listed(bits, make, search):
    # Each mutant has one bit flipped; 200 of them are all six neighbours, almost surely.
    space = bits(6)
    proposed = [text for text, _ in search(make(STRATEGY, space, mutants=200), value, 7)]
    assert {text.strip() for text in proposed[1:]} == {space.flip(proposed[0], position) for position in range(6)}


@pytest.mark.parametrize("move", ["best", "first"])
def test_proposes_every_cell_of_a_table_once(make, search, move):
    space = installed_plugins().search_space("nasbench201-tiny").info.create()
    truth = space.ground_truth()
    metric = truth.metrics[0]

    def fitness(text):
        return metric.direction.sign * truth.values(metric, [space.canonicalize(text)])[0]

    history = search(make(STRATEGY, space, move=move), fitness, 2 * space.size)
    identities = [space.canonicalize(text) for text, _ in history]
    assert len(identities) == len(set(identities)) == space.size


def test_space_without_neighbours_and_mutation_is_refused(toy_plugins, make):
    with pytest.raises(UnsupportedSearchSpaceError, match="'toy' has no mutation"):
        make(STRATEGY, toy_plugins.search_space("toy").info.create())
