"""Evaluators that share passes have the scores that each has alone, whichever comes first."""

import itertools

import pytest
from nasbench_toolkit.core.domain import JobKey, Status
from nasbench_toolkit.core.jobs.evaluation import JobRunner
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings, settings_hash

GRADIENTS = ("grad_norm", "snip", "plain", "grasp", "fisher", "jacob_cov")
FEATURES = ("az_nas_expressivity", "az_nas_progressivity")
ALL = ("synflow", "naswot", *GRADIENTS, "zico", "epe_nas")


def make_runner(space: str = "nasbench201-tiny") -> JobRunner:
    import torch

    plugins = installed_plugins()
    dataset = plugins.dataset("photos").info
    return JobRunner(plugins.search_space(space).info.create(), dataset, dataset.create(), torch.device("cpu"))


def score(runner: JobRunner, name: str, **settings: str):
    info = installed_plugins().evaluator(name).info
    parsed = parse_settings(name, info.settings, settings)
    arch_id = runner.space.example()
    key = JobKey(runner.space.name, "photos", arch_id, name, settings_hash(info.version, parsed), 0)
    return runner.run(key, info.create(parsed))


@pytest.mark.parametrize(
    ("names", "orders"),
    [
        pytest.param(GRADIENTS[:3], itertools.permutations(GRADIENTS[:3]), id="gradients"),
        pytest.param(FEATURES, itertools.permutations(FEATURES), id="features"),
    ],
)
def test_scores_are_those_of_each_alone_in_any_order(names, orders) -> None:
    alone = {name: score(make_runner(), name).score for name in names}
    for order in orders:
        runner = make_runner()
        records = {name: score(runner, name) for name in order}
        assert {name: record.score for name, record in records.items()} == alone
        assert records[order[0]].cost.saved == 0
        assert all(records[name].cost.saved > 0 for name in order[1:])


def sizes(name: str, images: int = 4) -> dict[str, str]:
    return {} if name == "synflow" else {"batch_size": str(3 * images if name == "epe_nas" else images)}


def test_scores_of_all_together_are_those_of_each_alone() -> None:
    alone = {name: score(make_runner(), name, **sizes(name)) for name in ALL}
    assert {record.status for record in alone.values()} == {Status.OK}
    for order in (ALL, ALL[::-1]):
        runner = make_runner()
        together = {name: score(runner, name, **sizes(name)) for name in order}
        assert {name: record.score for name, record in together.items()} == {name: alone[name].score for name in order}
        assert sum(record.cost.saved > 0 for record in together.values()) == len(GRADIENTS) - 1


@pytest.mark.parametrize("space", ["nasbench201", "nasbench101", "nds-darts"])
def test_scores_on_other_spaces_are_those_of_each_alone(space) -> None:
    alone = {name: score(make_runner(space), name, **sizes(name, 2)).score for name in GRADIENTS}
    assert all(value == value for value in alone.values())
    runner = make_runner(space)
    assert {name: score(runner, name, **sizes(name, 2)).score for name in GRADIENTS[::-1]} == alone


class InPlace:
    """Builds networks of a plugin that overwrite what their convolutions return, and drop features at random."""

    @staticmethod
    def network():
        from torch import nn

        return nn.Sequential(
            nn.Conv2d(3, 8, 3),
            nn.ReLU(inplace=True),
            nn.Conv2d(8, 8, 3),
            nn.BatchNorm2d(8),
            nn.ReLU(inplace=True),
            nn.Dropout(),
            nn.AdaptiveAvgPool2d(1),
            nn.Flatten(),
            nn.Linear(8, 10),
        )


@pytest.fixture
def make_in_place_runner(monkeypatch):
    def make():
        runner = make_runner()
        monkeypatch.setattr(type(runner.space), "_build_network", lambda *_: InPlace.network())
        return runner

    return make


def test_scores_of_a_network_with_operations_in_place_are_those_of_each_alone(make_in_place_runner) -> None:
    alone = {name: score(make_in_place_runner(), name, **sizes(name)).score for name in ALL}
    assert all(value == value for value in alone.values())
    for order in (GRADIENTS, GRADIENTS[::-1], ("fisher", *GRADIENTS[:4])):
        runner = make_in_place_runner()
        assert {name: score(runner, name, **sizes(name)).score for name in order} == {
            name: alone[name] for name in order
        }


def test_other_settings_share_nothing() -> None:
    runner = make_runner()
    score(runner, "grad_norm")
    assert score(runner, "snip", batch_size="32").cost.saved == 0
    assert score(runner, "snip").cost.saved > 0
