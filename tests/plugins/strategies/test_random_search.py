from collections import Counter

from nasbench_toolkit.core.plugin_manager import installed_plugins


def make(space: str, seed: int):
    plugins = installed_plugins()
    info = plugins.search_strategy("random-search").info
    return info.create(plugins.search_space(space).info.create(), info.settings(), seed)


def test_random_search_proposes_every_architecture_once_then_ends(toy_plugins) -> None:
    strategy = make("toy", 0)
    proposed = [arch_id for _ in range(31) for arch_id in strategy.ask(100)]
    assert Counter(proposed) == Counter(f"width-{width}" for width in range(1, 3001))
    assert strategy.ask(1) == []


def test_random_search_sequence_does_not_depend_on_how_it_is_asked(toy_plugins) -> None:
    one_by_one, at_once = make("toy", 5), make("toy", 5)
    assert [one_by_one.ask(1)[0] for _ in range(50)] == at_once.ask(50)
