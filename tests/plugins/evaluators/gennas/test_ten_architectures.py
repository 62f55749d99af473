"""gennas-combo on ten fixed NAS-Bench-201 cells: losses fall, and the same key gives the same bits."""

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.domain import JobKey, Status
from nasbench_toolkit.core.jobs.evaluation import JobRunner
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings, settings_hash
from nasbench_toolkit.plugins.search_spaces.nasbench201.identity import unique_arch_strs

# Every 526th network: from the all-zero cell to cells full of convolutions.
ARCH_IDS = unique_arch_strs()[::526]

# A fifth of the official 100: long enough to see every stage learn, short enough for a test.
SETTINGS = {"iterations": "20", "score_interval": "5", "score_passes": "4"}


def score_all(seed: int):
    plugins = installed_plugins()
    dataset = plugins.dataset("mnist").info
    space = plugins.search_space("nasbench201-tiny").info.create()
    runner = JobRunner(space, dataset, dataset.create(), torch.device("cpu"))
    info = plugins.evaluator("gennas-combo").info
    settings = parse_settings(info.name, info.settings, SETTINGS)
    evaluator, hashed = info.create(settings), settings_hash(info.version, settings)
    keys = [JobKey(space.info.name, dataset.name, arch_id, info.name, hashed, seed) for arch_id in ARCH_IDS]
    return [runner.run(key, evaluator) for key in keys]


@pytest.fixture(scope="module")
def records():
    return score_all(seed=0)


def test_gennas_combo_scores_all_ten(records) -> None:
    assert len(records) == 10
    assert [record.status for record in records] == [Status.OK] * 10


def test_gennas_combo_losses_fall(records) -> None:
    for record in records:
        losses = record.curves["train_loss"]
        assert len(losses) == 20
        assert np.mean(losses[-5:]) < np.mean(losses[:5])


def test_gennas_combo_score_is_the_weighted_sum_of_its_last_stage_losses(records) -> None:
    for record in records:
        stages = [record.curves[f"score_loss_stage{stage}"] for stage in (1, 2, 3)]
        assert [len(stage) for stage in stages] == [4, 4, 4]
        assert record.score == pytest.approx(0.25 * stages[0][-1] + 0.5 * stages[1][-1] + stages[2][-1])
        assert record.score == record.curves["score_loss"][-1]


def test_gennas_combo_same_seed_same_bits_another_seed_other_scores(records) -> None:
    assert [record.score for record in score_all(seed=0)] == [record.score for record in records]
    assert all(other.score != record.score for other, record in zip(score_all(seed=1), records, strict=True))
