import subprocess
import sys

import numpy as np
import pytest
from nasbench_toolkit.core.errors import InvalidSettingError, UnsupportedSearchSpaceError, UsageError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.seeding import derive_seed
from nasbench_toolkit.plugins.strategies import nsga2_operators
from nasbench_toolkit.testing import SearchStrategyContract
from pymoo.algorithms.moo.nsga2 import NSGA2
from pymoo.core.problem import Problem
from pymoo.core.termination import NoTermination
from pymoo.operators.crossover.ux import UniformCrossover

STRATEGY = "nsga2"


def ends(architecture):
    """Leading ones and trailing zeros: on the front are all 1...10...0, of bits that nothing but the best has."""
    bits = architecture.strip()
    return (float(len(bits) - len(bits.lstrip("1"))), float(len(bits) - len(bits.rstrip("0"))))


def front_of(bits):
    return {ones * "1" + (bits - ones) * "0" for ones in range(bits + 1)}


def search(strategy, objectives, steps, parallel=1):
    """Search as the engine does, with all objectives; return proposals and objectives in the order of telling."""
    waiting, history = [], []
    while len(history) < steps:
        waiting += strategy.ask(min(parallel - len(waiting), steps - len(history) - len(waiting)))
        if not waiting:
            break
        architecture = waiting.pop(0)
        history.append((architecture, objectives(architecture)))
        strategy.tell_objectives(*history[-1])
    return history


def proposals(*args, **kwargs):
    return [architecture for architecture, _ in search(*args, **kwargs)]


class Ends(Problem):
    """The problem for pymoo itself; it minimises."""

    def __init__(self, spell, num_variables, objectives=ends):
        super().__init__(n_var=num_variables, n_obj=2, n_ieq_constr=1)
        self.spell, self.objectives, self.proposed = spell, objectives, []

    def _evaluate(self, rows, out, *args, **kwargs):
        texts = [self.spell(row) for row in rows]
        self.proposed += texts
        told = [self.objectives(text) for text in texts]
        out["F"] = np.array([[0.0, 0.0] if values is None else [-value for value in values] for values in told])
        out["G"] = np.array([[float(values is None)] for values in told])


def by_pymoo(space, population, generations, seed, objectives=ends):
    """What pymoo proposes when it evaluates the problem itself, a generation at a time."""
    representation = nsga2_operators.representation_of(space)
    algorithm = NSGA2(
        pop_size=population,
        sampling=nsga2_operators.FirstGeneration(representation),
        crossover=representation.crossover,
        mutation=nsga2_operators.Mutant(representation),
        eliminate_duplicates=nsga2_operators.IsomorphicElimination(representation),
    )
    problem = Ends(representation.spell, representation.num_variables, objectives)
    algorithm.setup(problem, termination=NoTermination(), seed=derive_seed(STRATEGY, space.name, seed))
    for _ in range(generations):
        algorithm.next()
    return problem.proposed


def sometimes(architecture):
    return None if architecture.strip().endswith("11") else ends(architecture)


@pytest.mark.parametrize("objectives", [ends, sometimes])
@pytest.mark.parametrize("parallel", [1, 3, 100])
@pytest.mark.parametrize("kind", ["bits", "cube"])
def test_proposals_are_those_of_pymoo_itself(request, make, kind, parallel, objectives):
    space = request.getfixturevalue(kind)(12)
    expected = by_pymoo(space, 10, 12, seed=5, objectives=objectives)
    strategy = make(STRATEGY, space, 5, population_size=10)
    assert proposals(strategy, objectives, len(expected), parallel) == expected


@pytest.mark.parametrize("kind", ["bits", "cube"])
def test_population_is_the_known_front(request, make, kind):
    # The 9 architectures of the front are all that survives in a population of 9.
    space = request.getfixturevalue(kind)(8)
    strategy = make(STRATEGY, space, 1, population_size=9)
    asked = proposals(strategy, ends, 900)
    strategy.ask(1)
    assert {strategy._representation.spell(row).strip() for row in strategy._algorithm.pop.get("X")} == front_of(8)
    assert front_of(8) <= {text.strip() for text in asked}


def hypervolume(points):
    """Area dominated by points of two objectives, seen from (0, 0)."""
    area, height = 0.0, 0.0
    for x, y in sorted(points, reverse=True):
        area += x * max(0.0, y - height)
        height = max(height, y)
    return area


@pytest.mark.parametrize("kind", ["bits", "cube"])
def test_front_is_better_than_random_searchs(request, make, kind):
    areas = {}
    for name, settings in ((STRATEGY, {"population_size": 20}), ("random-search", {})):
        space = request.getfixturevalue(kind)(20)
        histories = [search(make(name, space, seed, **settings), ends, 400) for seed in range(3)]
        areas[name] = [hypervolume([values for _, values in history]) for history in histories]
    assert min(areas[STRATEGY]) > 1.5 * max(areas["random-search"])


def test_one_objective_is_told_by_tell(cube, make):
    space, histories = cube(10), []
    for several in (False, True):
        strategy, asked = make(STRATEGY, space, 2, population_size=8), []
        for step in range(200):
            asked += strategy.ask(1)
            fitness = None if step % 5 == 0 else float(asked[-1].count("1"))
            if several:
                strategy.tell_objectives(asked[-1], None if fitness is None else [fitness])
            else:
                strategy.tell(asked[-1], fitness)
        histories.append(asked)
    assert histories[0] == histories[1]
    assert "1" * 10 in histories[0]


@pytest.mark.parametrize(("generations", "kinds"), [(1, {0.0, 1.0}), (30, {0.0})])
def test_architectures_without_objectives_do_not_survive_others(cube, make, generations, kinds):
    # Those that end in 1 have none. They fill the population as long as there are too few others.
    strategy = make(STRATEGY, cube(8), 3, population_size=10)
    search(strategy, lambda text: None if text[-1] == "1" else ends(text), 10 * generations)
    strategy.ask(1)
    assert len(strategy._algorithm.pop) == 10
    assert {individual.G[0] for individual in strategy._algorithm.pop} == kinds


def test_first_generations_without_any_objectives(cube, make):
    # The number of objectives is not known before the first are told.
    told = iter([None] * 25 + [(1.0, 2.0, 3.0)] * 500)
    assert len(search(make(STRATEGY, cube(10), population_size=10), lambda text: next(told), 200)) == 200


def test_mutants_do_not_change_their_parents(bits, make):
    strategy = make(STRATEGY, bits(10), 1, population_size=6)
    known = {text.strip(): values for text, values in search(strategy, ends, 60)}
    strategy.ask(1)
    for individual in strategy._algorithm.pop:
        assert tuple(-individual.F) == known[individual.X[0].strip()]


def test_generation_waits_for_the_one_before_it(cube, make):
    strategy = make(STRATEGY, cube(10), population_size=6)
    first = strategy.ask(4) + strategy.ask(4)
    assert len(first) == 6
    for architecture in first:
        assert strategy.ask(4) == []
        strategy.tell_objectives(architecture, ends(architecture))
    assert len(strategy.ask(10)) == 6


def test_no_generation_has_isomorphic_architectures(make):
    space = installed_plugins().search_space("nasbench201").info.create()
    strategy, sizes = make(STRATEGY, space, population_size=20), []
    for _ in range(10):
        generation = strategy.ask(100)
        sizes.append(len({space.canonicalize(text) for text in generation}))
        assert sizes[-1] == len(generation)
        for text in generation:
            strategy.tell_objectives(text, [float(text.count("conv_3x3")), -float(text.count("conv"))])
    assert sizes == [20] * 10


def test_search_ends_where_the_population_is_the_whole_space(bits, cube, make):
    for space in (bits(3), cube(3)):
        asked = proposals(make(STRATEGY, space, population_size=50), ends, 1000)
        assert {text.strip() for text in asked} == set(space.all())
        assert len(asked) == 8


def test_seed_decides_and_the_global_generator_is_left_alone(cube, make):
    np.random.seed(7)
    before = np.random.get_state()[1].tolist()
    histories = [proposals(make(STRATEGY, cube(10), seed, population_size=8), ends, 100) for seed in (1, 1, 2)]
    assert np.random.get_state()[1].tolist() == before
    assert histories[0] == histories[1] != histories[2]


def test_mutation_of_choices_changes_one_decision_on_average(cube):
    class Mixed(cube):
        def choices(self):
            return (("a",), ("a", "b"), ("a", "b", "c", "d"), ("a", "b"))

    representation = nsga2_operators.representation_of(Mixed(4))
    rows = np.tile([0, 1, 2, 0], (8000, 1))
    mutants = representation.mutate(rows, np.random.default_rng(0))
    assert (mutants != rows).mean(axis=0).tolist() == pytest.approx([0, 0.25, 0.25, 0.25], abs=0.02)
    shares = [np.mean(mutants[:, 2] == option) for option in range(4)]
    assert shares == pytest.approx([1 / 12, 1 / 12, 3 / 4, 1 / 12], abs=0.02)
    drawn = representation.sample(8000, np.random.default_rng(0))
    assert drawn.mean(axis=0).tolist() == pytest.approx([0, 0.5, 1.5, 0.5], abs=0.05)
    assert isinstance(representation.crossover, UniformCrossover)
    assert representation.crossover.prob.value == 0.9


@pytest.mark.parametrize("test", [name for name in vars(SearchStrategyContract) if name.startswith("test_")])
@pytest.mark.parametrize("name", ["nasbench201", "nasbench101"])
def test_contract_over_several_generations(name, test):
    attributes = {"strategy": STRATEGY, "space": name, "settings": {"population_size": "5"}, "proposals": 24}
    getattr(type("Contract", (SearchStrategyContract,), attributes)(), test)()


def test_settings(cube, make):
    assert make(STRATEGY, cube(4)).settings.population_size == 50
    with pytest.raises(InvalidSettingError, match="population_size"):
        make(STRATEGY, cube(4), population_size=1)


def test_space_without_choices_and_mutation_is_refused(toy_plugins, make):
    with pytest.raises(UnsupportedSearchSpaceError, match="'toy' has no mutation"):
        make(STRATEGY, toy_plugins.search_space("toy").info.create())


def test_missing_pymoo_is_an_error_that_says_what_to_install(cube, make, monkeypatch):
    monkeypatch.delitem(sys.modules, nsga2_operators.__name__)
    monkeypatch.setitem(sys.modules, "pymoo.core.crossover", None)
    with pytest.raises(UsageError, match=r"'nsga2' needs pymoo.*pip install nasbench-toolkit\[search\]"):
        make(STRATEGY, cube(4))


def test_listing_imports_neither_pymoo_nor_optuna():
    code = (
        "import sys;"
        "from nasbench_toolkit.core.plugin_manager import installed_plugins;"
        "names = set(installed_plugins().search_strategies());"
        "sys.exit(not {'nsga2', 'optuna'} <= names or bool({'pymoo', 'optuna', 'torch'} & set(sys.modules)))"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0
