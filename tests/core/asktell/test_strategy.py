import dataclasses

import pytest
from nasbench_toolkit.core.asktell.strategy import choose_strategy
from nasbench_toolkit.core.errors import InvalidSettingError, UnknownNameError, UsageError


@pytest.fixture
def choose(toy_plugins):
    space = toy_plugins.search_space("nasbench201-tiny").info.create()

    def choose(text, seed=0):
        return choose_strategy(text, space, seed, toy_plugins)

    return choose


def test_spec_says_what_was_chosen(choose) -> None:
    spec = choose("regularized-evolution:population_size=7,tournament_size=3")
    assert spec.name == "regularized-evolution"
    assert spec.settings.effective() == {"population_size": 7, "tournament_size": 3}
    assert spec.distribution.startswith("nasbench-toolkit ")


def test_every_call_makes_the_strategy_at_its_beginning(choose) -> None:
    spec = choose("random-search", seed=3)
    first = spec.make().ask(5)
    assert spec.make().ask(5) == first
    assert dataclasses.replace(spec, seed=4).make().ask(5) != first


@pytest.mark.parametrize(
    ("text", "error", "message"),
    [
        ("random-serch", UnknownNameError, "Did you mean 'random-search'"),
        ("regularized-evolution:popluation_size=3", InvalidSettingError, "Did you mean 'population_size'"),
        ("regularized-evolution:population_size", UsageError, "'population_size' has no '='"),
    ],
)
def test_what_no_strategy_is_or_takes_is_refused(choose, text, error, message) -> None:
    with pytest.raises(error, match=message):
        choose(text)
