import dataclasses

import pytest
from nasbench_toolkit.core.descriptions import EvaluatorInfo, SearchableSetting
from nasbench_toolkit.core.domain import Direction
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.core.hookspecs import hookimpl
from nasbench_toolkit.core.planning.default_evaluators import default_evaluators, searchable_evaluator
from nasbench_toolkit.core.plugin_manager import PluginManager, installed_plugins


@pytest.mark.parametrize(
    ("space", "names"),
    [
        ("nasbench101", ("gennas-combo", "synflow", "naswot", "params", "flops", "random")),
        ("nasbench-nlp", ("gennas-rnn-combo", "params", "random")),
    ],
)
def test_a_run_compares_what_plugins_declare_and_the_space_supports(space, names) -> None:
    assert default_evaluators(space, installed_plugins()) == names


@pytest.mark.parametrize(("space", "name"), [("nasbench-nlp", "gennas-rnn"), ("nasbench101", "gennas")])
def test_the_space_decides_which_evaluator_takes_tasks(space, name) -> None:
    assert searchable_evaluator(space, installed_plugins()) == name


def with_evaluators(*infos: EvaluatorInfo) -> PluginManager:
    """Return the installed plugins and one more, which provides these evaluators."""

    class Plugin:
        @hookimpl
        def nasbench_evaluators(self):
            return infos

    plugins = PluginManager()
    plugins.load_entry_points()
    plugins.register("another", "another 1.0", Plugin)
    return plugins


ANOTHER = EvaluatorInfo(
    name="another", summary="One more.", source="here", factory="json:JSONDecoder", direction=Direction.MAXIMIZE,
    needs=frozenset(),
)  # fmt: skip


def test_a_plugin_adds_to_what_is_compared() -> None:
    plugins = with_evaluators(dataclasses.replace(ANOTHER, compared_by_default=True))
    assert default_evaluators("nasbench-nlp", plugins) == ("gennas-rnn-combo", "params", "random", "another")


def test_several_evaluators_that_take_tasks_are_named() -> None:
    plugins = with_evaluators(dataclasses.replace(ANOTHER, searchable=SearchableSetting("task", "json:loads")))
    with pytest.raises(UsageError, match=r"Several .* of 'nasbench101'\. Name .* --evaluator: gennas, another"):
        searchable_evaluator("nasbench101", plugins)


def test_what_does_not_support_the_space_does_not_count(toy_plugins) -> None:
    searchable = SearchableSetting("task", "json:loads")
    refusing = dataclasses.replace(ANOTHER, searchable=searchable, why_unsupported=lambda *_: "it never does")
    assert searchable_evaluator("toy", with_evaluators(refusing)) == "toy-slope"
