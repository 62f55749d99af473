import sys
import warnings

import numpy as np
import optuna
import pytest
from nasbench_toolkit.core.errors import InvalidSettingError, UnsupportedSearchSpaceError, UsageError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.seeding import derive_seed
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import OPERATIONS, format_arch_str, parse_arch_str

STRATEGY = "optuna"
SAMPLERS = ("tpe", "tpe-univariate", "random")


@pytest.fixture
def nasbench201():
    return installed_plugins().search_space("nasbench201").info.create()


def separable(architecture):
    """A part for each edge: the best operation of an edge does not depend on the others."""
    return float(sum((edge + 1) * OPERATIONS.index(op) for edge, op in enumerate(parse_arch_str(architecture))))


def sometimes(architecture):
    return None if parse_arch_str(architecture)[0] == OPERATIONS[0] else separable(architecture)


def by_optuna(fitness, steps, sampler):
    """The same search written for Optuna itself, with the operations' names as choices."""
    proposed = []

    def objective(trial):
        ops = [OPERATIONS[trial.suggest_categorical(str(edge), range(5))] for edge in range(6)]
        proposed.append(format_arch_str(ops))
        value = fitness(proposed[-1])
        return float("nan") if value is None else value

    with warnings.catch_warnings():
        warnings.simplefilter("ignore")
        optuna.logging.set_verbosity(optuna.logging.ERROR)
        optuna.create_study(direction="maximize", sampler=sampler).optimize(objective, n_trials=steps)
    return proposed


@pytest.mark.parametrize("fitness", [separable, sometimes])
@pytest.mark.parametrize("name", SAMPLERS)
def test_proposals_are_those_of_optuna_itself(nasbench201, make, search, name, fitness):
    seed = derive_seed(STRATEGY, "nasbench201", 3) % 2**32
    sampler = (
        optuna.samplers.RandomSampler(seed=seed)
        if name == "random"
        else optuna.samplers.TPESampler(seed=seed, multivariate=name == "tpe")
    )
    history = search(make(STRATEGY, nasbench201, 3, sampler=name), fitness, 60)
    assert [text for text, _ in history] == by_optuna(fitness, 60, sampler)


def test_defaults_are_optunas(nasbench201, make, search):
    # Only the seed is given; a change of Optuna's defaults shows here.
    sampler = optuna.samplers.TPESampler(seed=derive_seed(STRATEGY, "nasbench201", 0) % 2**32)
    history = search(make(STRATEGY, nasbench201), separable, 40)
    assert [text for text, _ in history] == by_optuna(separable, 40, sampler)


@pytest.mark.parametrize("name", ["tpe", "tpe-univariate"])
def test_estimators_find_better_than_random_options(nasbench201, make, search, name):
    best = {
        sampler: [
            max(value for _, value in search(make(STRATEGY, nasbench201, seed, sampler=sampler), separable, 120))
            for seed in range(3)
        ]
        for sampler in (name, "random")
    }
    assert min(best[name]) > max(best["random"])


def test_random_options_are_all_alike(nasbench201, make):
    ops = [op for text in make(STRATEGY, nasbench201, sampler="random").ask(1000) for op in parse_arch_str(text)]
    assert [ops.count(op) / len(ops) for op in OPERATIONS] == pytest.approx([0.2] * 5, abs=0.02)


def test_random_options_until_enough_have_a_score(cube, make, search):
    # With 30 to start, the first 30 answers do not matter, and the next one does.
    histories = [
        [text for text, _ in search(make(STRATEGY, cube(12), startup=30), fitness, 60)]
        for fitness in (lambda text: float(text.count("1")), lambda text: float(text.count("0")))
    ]
    assert histories[0][:30] == histories[1][:30]
    assert histories[0] != histories[1]


def test_architectures_without_a_score_teach_nothing(cube, make, search):
    sequences = [
        [text for text, _ in search(make(STRATEGY, cube(8), sampler=sampler), lambda text: None, 50)]
        for sampler in ("tpe", "random")
    ]
    assert sequences[0] == sequences[1]


@pytest.mark.parametrize("name", SAMPLERS)
def test_seed_and_window_decide_and_the_global_generator_is_left_alone(cube, make, search, name):
    np.random.seed(7)
    before = np.random.get_state()[1].tolist()
    for parallel in (1, 3):
        first, again, other = (
            search(make(STRATEGY, cube(10), seed, sampler=name), lambda text: float(text.count("1")), 60, parallel)
            for seed in (1, 1, 2)
        )
        assert first == again != other
    assert np.random.get_state()[1].tolist() == before


def test_proposals_that_wait_are_kept_apart(cube, make, search):
    # The best is known and the estimators would propose it again and again.
    strategy = make(STRATEGY, cube(6), candidates=1000)
    search(strategy, lambda text: float(text.count("1")), 60)
    assert len(set(strategy.ask(20))) > 5


def test_nothing_is_printed(cube, make, search, capfd):
    search(make(STRATEGY, cube(6)), lambda text: None if text[0] == "1" else 1.0, 30)
    assert capfd.readouterr() == ("", "")


def test_decision_with_a_single_option(cube, make, search):
    class Fixed(cube):
        def choices(self):
            return (("0",), ("0", "1"), ("0", "1"))

        def assemble(self, options):
            return "".join(map(str, options))

    history = search(make(STRATEGY, Fixed(3), startup=5), lambda text: float(text.count("1")), 40)
    assert {text[0] for text, _ in history} == {"0"}


@pytest.mark.parametrize("name", ["nasbench201-tiny", "nasbench101"])
def test_space_without_free_choices_is_refused(make, name):
    with pytest.raises(UnsupportedSearchSpaceError, match=f"'optuna' cannot search '{name}'.*not every combination"):
        make(STRATEGY, installed_plugins().search_space(name).info.create())


def test_unknown_sampler_is_refused(cube, make):
    with pytest.raises(InvalidSettingError, match="cmaes"):
        make(STRATEGY, cube(3), sampler="cmaes")


def test_missing_optuna_is_an_error_that_says_what_to_install(cube, make, monkeypatch):
    monkeypatch.setitem(sys.modules, "optuna", None)
    with pytest.raises(UsageError, match=r"'optuna' needs Optuna.*pip install nasbench-toolkit\[search\]"):
        make(STRATEGY, cube(4))
