"""Evaluators that share passes have the scores that each has alone, whichever comes first."""

import itertools

import pytest
from nasbench_toolkit.core.domain import JobKey
from nasbench_toolkit.core.jobs.evaluation import JobRunner
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings, settings_hash

SHARING = [("grad_norm", "snip", "plain"), ("az_nas_expressivity", "az_nas_progressivity")]


def make_runner() -> JobRunner:
    import torch

    plugins = installed_plugins()
    dataset = plugins.dataset("photos").info
    return JobRunner(
        plugins.search_space("nasbench201-tiny").info.create(), dataset, dataset.create(), torch.device("cpu")
    )


def score(runner: JobRunner, name: str, **settings: str):
    info = installed_plugins().evaluator(name).info
    parsed = parse_settings(name, info.settings, settings)
    arch_id = runner.space.example()
    key = JobKey("nasbench201-tiny", "photos", arch_id, name, settings_hash(info.version, parsed), 0)
    return runner.run(key, info.create(parsed))


@pytest.mark.parametrize("names", SHARING)
def test_scores_are_those_of_each_alone_in_any_order(names) -> None:
    alone = {name: score(make_runner(), name).score for name in names}
    for order in itertools.permutations(names):
        runner = make_runner()
        records = {name: score(runner, name) for name in order}
        assert {name: record.score for name, record in records.items()} == alone
        assert records[order[0]].cost.saved == 0
        assert all(records[name].cost.saved > 0 for name in order[1:])


def test_other_settings_share_nothing() -> None:
    runner = make_runner()
    score(runner, "grad_norm")
    assert score(runner, "snip", batch_size="32").cost.saved == 0
    assert score(runner, "snip").cost.saved > 0
