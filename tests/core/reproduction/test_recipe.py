import pytest
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.reproduction.recipe import COMPARABLE, parse_recipe

RECIPE = """
title = "A table"
source = "Nobody 2021, table 1"
seeds = 2

[[comparisons]]
space = "toy"
samples = 40
figures = [
  { evaluator = "toy-width", value = 0.9, deviation = 0.1 },
  { evaluator = "toy-random", statistic = "retrieval", top = 10, confidence = "unreadable" },
]
"""


def test_a_recipe_is_read() -> None:
    recipe = parse_recipe(RECIPE, "table1")
    (comparison,) = recipe.comparisons
    assert (recipe.name, recipe.seeds) == ("table1", 2)
    assert (comparison.space, comparison.dataset, comparison.samples) == ("toy", None, 40)
    width, random = comparison.figures
    assert (width.statistic, width.value, width.deviation, width.confidence) == ("rho", 0.9, 0.1, "clear")
    assert (random.statistic, random.value, random.top, random.confidence) == ("retrieval", None, 10.0, "unreadable")
    assert comparison.evaluators == ("toy-width", "toy-random")


@pytest.mark.parametrize(
    ("old", "new", "message"),
    [
        ("title = ", "titel = ", "recipe 't': the key 'titel' is not known. Did you mean 'title'?"),
        ('title = "A table"', "", "it lacks 'title', a text"),
        ("seeds = 2", "seeds = 0", "'seeds' is to be a whole number of at least 1, got 0"),
        ("samples = 40", 'samples = "many"', "recipe 't', comparisons 1: 'samples' is to be a whole number"),
        ("value = 0.9", "value = nan", "comparisons 1, figures 1: 'value' is to be a finite number, got nan"),
        ("value = 0.9", "valu = 0.9", "figures 1: the key 'valu' is not known"),
        ("retrieval", "recall", "figures 2: 'statistic' is to be one of rho, tau, retrieval, found, seconds, memory"),
        (", top = 10", "", "figures 2: retrieval needs 'top'"),
        ("top = 10", "top = 101", "figures 2: retrieval needs 'top'"),
        (", deviation = 0.1", ', strategy = "random-search"', "figures 1: 'found' needs 'strategy'"),
        (", deviation = 0.1", ', statistic = "found"', "figures 1: 'found' needs 'strategy'"),
        (
            ", deviation = 0.1",
            ', statistic = "found", strategy = "random-search"',
            "comparisons 1: some of its figures are of searches",
        ),
        ("[[comparisons]]", "[other]", "the key 'other' is not known"),
        ("seeds = 2", "seeds = ", "is not TOML"),
    ],
)
def test_what_is_no_recipe_is_refused_with_its_place(old, new, message) -> None:
    with pytest.raises(UsageError) as caught:
        parse_recipe(RECIPE.replace(old, new, 1), "t")
    assert message in str(caught.value)


def test_the_installed_recipes_are_of_installed_spaces_and_evaluators() -> None:
    plugins = installed_plugins()
    assert {"table1", "table2", "table3", "table5", "table6", "table7", "table8", "table9", "table10"} <= set(
        plugins.recipes()
    )
    for name, provided in plugins.recipes().items():
        recipe = parse_recipe(provided.info.create(), name)
        for comparison in recipe.comparisons:
            assert comparison.space in plugins.search_spaces()
            for evaluator in comparison.evaluators:
                known = evaluator.split(":")[0].split("@")[0]
                assert known in plugins.evaluators() or known in plugins.aggregates()


def test_what_published_figures_are_compared_with_is_stated() -> None:
    """A table may hold results on several data sets, and the one here only some of them."""
    for name, provided in installed_plugins().recipes().items():
        for comparison in parse_recipe(provided.info.create(), name).comparisons:
            of_ground_truth = any(figure.statistic in COMPARABLE for figure in comparison.figures)
            stated = comparison.metric or comparison.dataset or comparison.not_comparable
            assert stated or not of_ground_truth, (name, comparison.space)


@pytest.mark.parametrize("table", ["table2", "table7", "table8"])
def test_gennas_scores_networks_for_imagenet_where_the_ground_truth_is_of_imagenet(table) -> None:
    plugins = installed_plugins()
    recipe = parse_recipe(plugins.recipe(table).info.create(), table)
    of_imagenet = [part for part in recipe.comparisons if part.metric == "imagenet/test_accuracy"]
    assert len(of_imagenet) == 8
    for comparison in of_imagenet:
        scored = {text.partition(":network=")[2] for text in comparison.evaluators if text.startswith("gennas")}
        assert scored == {"gennas-imagenet" if "resnext" in comparison.space else "imagenet-unstrided"}
        assert scored <= set(plugins.search_space(comparison.space).info.network_variants)


def test_some_figures_of_the_paper() -> None:
    plugins = installed_plugins()
    table2 = parse_recipe(plugins.recipe("table2").info.create(), "table2")
    values = {
        (part.space, part.dataset, part.metric, figure.evaluator): figure.value
        for part in table2.comparisons
        for figure in part.figures
    }
    assert values["nasbench101", "cifar10", None, "gennas-combo"] == 0.85
    assert values["nasbench201", "cifar10", None, "naswot"] == 0.79
    assert values["nasbench201", "cifar10", None, "snip"] is None
    assert values["nds-darts", "cifar10", None, "gennas-d"] == 0.86
    assert values["nds-darts", "cifar10", None, "halfway@ep10"] == 0.63
    assert values["nds-resnext-b", "cifar10", "imagenet/test_accuracy", "gennas-combo:network=gennas-imagenet"] == 0.79
