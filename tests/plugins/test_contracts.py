"""Every installed built-in passes its kind's contract; a new one is covered without a line here."""

from pathlib import Path

import pytest
from nasbench_toolkit.core.data_home import import_data
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.testing import (
    DatasetContract,
    EvaluatorContract,
    SearchSpaceContract,
    SearchStrategyContract,
)

PLUGINS = installed_plugins()
SPACE = "nasbench201-tiny"
DATA = Path(__file__).parents[2] / "../shared/data"

# Their official files are not among the test data: datasets/test_imported.py writes files in their layout.
DATASETS_TESTED_ELSEWHERE = {"cifar100", "imagenet16-120"}

# Settings that make an evaluator quick, or without which it has no default.
SETTINGS = {name: {"iterations": "3", "score_interval": "2"} for name in PLUGINS.evaluators() if "gennas" in name}


def built_in(provided) -> list[str]:
    return [name for name, item in provided.items() if item.distribution.startswith("nasbench-toolkit ")]


def each_test(contract: type) -> list[str]:
    return [name for name in vars(contract) if name.startswith("test_")]


def check(contract: type, test: str, **attributes: object) -> None:
    getattr(type("Contract", (contract,), attributes)(), test)()


@pytest.mark.parametrize("test", each_test(SearchSpaceContract))
@pytest.mark.parametrize("space", built_in(PLUGINS.search_spaces()))
def test_search_space_keeps_its_contract(space: str, test: str) -> None:
    check(SearchSpaceContract, test, space=space)


@pytest.mark.parametrize("test", each_test(EvaluatorContract))
@pytest.mark.parametrize("evaluator", built_in(PLUGINS.evaluators()))
def test_evaluator_keeps_its_contract(evaluator: str, test: str, tmp_path, request) -> None:
    settings = dict(SETTINGS.get(evaluator, {}))
    if evaluator == "gennas":
        settings["task"] = str(request.path.parent / "evaluators" / "gennas" / "example_task.json")
    check(EvaluatorContract, test, evaluator=evaluator, space=SPACE, settings=settings)


@pytest.mark.parametrize("test", each_test(SearchStrategyContract))
@pytest.mark.parametrize("strategy", built_in(PLUGINS.search_strategies()))
def test_search_strategy_keeps_its_contract(strategy: str, test: str) -> None:
    check(SearchStrategyContract, test, strategy=strategy, space=SPACE)


@pytest.mark.parametrize("test", each_test(DatasetContract))
@pytest.mark.parametrize("dataset", sorted(set(built_in(PLUGINS.datasets())) - DATASETS_TESTED_ELSEWHERE))
def test_dataset_keeps_its_contract(dataset: str, test: str) -> None:
    requires = PLUGINS.dataset(dataset).info.requires
    if requires is not None:
        if not (DATA / requires).is_dir():
            pytest.skip(f"reads {requires} in ../shared/data")
        import_data(PLUGINS.data_source(requires).info.create(), DATA / requires, lambda done, total: None)
    check(DatasetContract, test, dataset=dataset)
