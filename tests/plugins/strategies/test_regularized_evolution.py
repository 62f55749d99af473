from collections import Counter, deque
from string import ascii_lowercase
from zlib import crc32

import numpy as np
import pytest
from nasbench_toolkit.core.errors import InvalidSettingError, UnsupportedSearchSpaceError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.seeding import derive_seed

STRATEGY = "regularized-evolution"


def ones(architecture):
    """Many architectures are equally good: ties are common."""
    return float(architecture.count("1"))


def algorithm_1(space, fitness, population_size, sample_size, cycles, seed):
    """Real et al., AAAI 2019, algorithm 1, line by line."""
    rng = np.random.default_rng(derive_seed(STRATEGY, space.name, seed))
    population, history = deque(), []
    while len(population) < population_size:
        architecture = space.sample(1, rng)[0]
        population.append((architecture, fitness(architecture)))
        history.append(population[-1])
    while len(history) < cycles:
        parent = None
        for index in rng.choice(population_size, sample_size, replace=False):
            if parent is None or population[index][1] > parent[1]:
                parent = population[index]
        architecture = space.mutate(parent[0], rng)
        population.append((architecture, fitness(architecture)))
        history.append(population[-1])
        population.popleft()
    return history


@pytest.mark.parametrize("seed", [0, 111])
@pytest.mark.parametrize(("population", "sample"), [(50, 10), (8, 1), (8, 8), (1, 1)])
def test_history_is_algorithm_1s(bits, make, search, seed, population, sample):
    strategy = make(STRATEGY, bits(12), seed, population_size=population, tournament_size=sample)
    expected = algorithm_1(bits(12), ones, population, sample, cycles=450, seed=seed)
    assert search(strategy, ones, 450) == expected


def test_history_is_algorithm_1s_on_nasbench201(make, search):
    space = installed_plugins().search_space("nasbench201").info.create()

    def fitness(architecture):
        return float(crc32(space.canonicalize(architecture).encode()))

    strategy = make(STRATEGY, space, 3)
    assert search(strategy, fitness, 450) == algorithm_1(space, fitness, 50, 10, 450, seed=3)


def test_default_sizes_are_those_of_gennas(bits, make):
    settings = make(STRATEGY, bits(3)).settings
    assert (settings.population_size, settings.tournament_size) == (50, 10)


class Family:
    """Stands for a space: its random architectures are a, b, c, ..., the children of a are a1, a2, a3, ..."""

    name = "family"

    def __init__(self):
        self.letters = iter(ascii_lowercase)
        self.children = Counter()

    def check_mutation(self):
        pass

    def sample(self, count, rng):
        return [next(self.letters)]

    def mutate(self, text, rng):
        self.children[text] += 1
        return f"{text}{self.children[text]}"


def test_oldest_dies_though_it_is_the_best(make):
    # Tournaments of the whole population of two. The children of b, the best, are bad; when the second of them has
    # joined, b is the oldest and dies, and the next child is the better child's.
    strategy = make(STRATEGY, Family(), population_size=2, tournament_size=2)
    fitness = {"a": 1.0, "b": 9.0, "b1": 0.0, "b2": 0.5, "b21": 0.0}
    proposals = []
    for _ in range(5):
        proposals += strategy.ask(1)
        strategy.tell(proposals[-1], fitness[proposals[-1]])
    assert proposals == ["a", "b", "b1", "b2", "b21"]


def test_architectures_without_a_score_never_join(make):
    # a and c have no score, so d completes the population; then b's child has none, and nobody dies.
    strategy = make(STRATEGY, Family(), population_size=2, tournament_size=2)
    fitness = {"a": None, "b": 9.0, "c": None, "d": 1.0, "b1": None}
    proposals = []
    for _ in range(6):
        proposals += strategy.ask(1)
        strategy.tell(proposals[-1], fitness.get(proposals[-1]))
    assert proposals == ["a", "b", "c", "d", "b1", "b2"]


def test_children_wait_for_the_whole_first_population(bits, make):
    strategy = make(STRATEGY, bits(12), population_size=4, tournament_size=2)
    first = strategy.ask(10)
    assert len(first) == 4
    assert strategy.ask(10) == []
    for architecture in first[:3]:
        strategy.tell(architecture, 1.0)
        assert strategy.ask(10) == []
    strategy.tell(first[3], None)
    another = strategy.ask(10)
    assert len(another) == 1
    strategy.tell(another[0], 1.0)
    assert len(strategy.ask(10)) == 10


def test_parents_of_parallel_children_are_those_told_and_alive(make):
    strategy = make(STRATEGY, Family(), population_size=2, tournament_size=2)
    for architecture in strategy.ask(2):
        strategy.tell(architecture, 1.0 + (architecture == "b"))
    first, second, third = strategy.ask(3)
    assert [first, second, third] == ["b1", "b2", "b3"]
    strategy.tell(first, 0.0)
    assert strategy.ask(1) == ["b4"]
    strategy.tell(second, 5.0)
    assert strategy.ask(1) == ["b21"]


def test_parallel_search_is_reproducible_and_different(bits, make, search):
    histories = [search(make(STRATEGY, bits(12), 5), ones, 200, parallel) for parallel in (1, 4, 4)]
    assert histories[1] == histories[2]
    assert histories[0] != histories[1]
    assert histories[0][:50] == histories[1][:50]


def test_search_without_any_score_is_random_search(bits, make, search):
    history = search(make(STRATEGY, bits(6), population_size=3, tournament_size=2), lambda architecture: None, 30)
    assert len(history) == 30
    assert all(architecture == architecture.strip() for architecture, _ in history)


def test_evolution_finds_better_than_random_search(bits, make, search):
    best = {
        name: np.mean([max(value for _, value in search(make(name, bits(14), seed), ones, 300)) for seed in range(3)])
        for name in (STRATEGY, "random-search")
    }
    assert best[STRATEGY] > best["random-search"]


def test_tournament_larger_than_population_is_refused(bits, make):
    with pytest.raises(InvalidSettingError, match="A tournament of 10 cannot be drawn from a population of 5"):
        make(STRATEGY, bits(4), population_size=5)


def test_space_without_mutation_is_refused(toy_plugins, make):
    with pytest.raises(UnsupportedSearchSpaceError, match="'toy' has no mutation"):
        make(STRATEGY, toy_plugins.search_space("toy").info.create())
