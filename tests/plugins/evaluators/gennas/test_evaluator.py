import math

import pytest
import torch
from nasbench_toolkit.core.capabilities import Images
from nasbench_toolkit.core.context import EvaluationContext
from nasbench_toolkit.core.domain import Status
from nasbench_toolkit.plugins.evaluators.gennas import EVALUATORS, evaluator
from nasbench_toolkit.plugins.evaluators.gennas.evaluator import draw_targets
from nasbench_toolkit.plugins.evaluators.gennas.published_tasks import COMBO

PUBLISHED = [info.name for info in EVALUATORS if info.name.startswith("gennas-") and Images in info.needs]


@pytest.mark.parametrize("name", PUBLISHED)
def test_published_evaluator_scores_a_network(score, name) -> None:
    record = score(name, iterations=4, score_interval=2, readout="passes", readout_average=1)
    assert record.status is Status.OK, record.message
    assert len(record.curves["train_loss"]) == 4
    assert record.score == record.curves["score_loss"][-1]
    stages = [stage for stage in (1, 2, 3) if f"score_loss_stage{stage}" in record.curves]
    assert stages == ([3] if name in ("gennas-single", "gennas-signal") else [1, 2, 3])


def test_task_of_the_user_is_used(score, example_task_file) -> None:
    record = score("gennas", task=example_task_file, iterations=2)
    assert record.status is Status.OK, record.message


@pytest.mark.parametrize("name", ["gennas-combo", "gennas-n"])
def test_score_is_the_same_bits_in_a_fresh_engine(score, name) -> None:
    assert score(name, iterations=3).curves == score(name, iterations=3).curves


def test_fast_is_a_shorter_combo_with_half_the_images(score) -> None:
    settings = {"batch_size": 8, "iterations": 70, "readout": "steps", "readout_average": 10}
    fast, combo = score("gennas-fast"), score("gennas-combo", **settings)
    assert fast.status is Status.OK, fast.message
    assert (fast.score, fast.curves) == (combo.score, combo.curves)
    assert fast.score == pytest.approx(sum(fast.curves["score_loss"][-10:]) / 10)
    assert len(fast.curves["train_loss"]) == 70


def test_score_depends_on_seed_and_architecture(score) -> None:
    scores = {score("gennas-combo", arch, seed, iterations=2).score for arch in ("3", "4") for seed in (0, 1)}
    assert len(scores) == 4


@pytest.fixture
def drawn(monkeypatch):
    """Collect the targets that evaluators draw."""
    targets = []
    monkeypatch.setattr(
        "nasbench_toolkit.plugins.evaluators.gennas.evaluator.draw_targets",
        lambda *args: targets.append(draw_targets(*args)) or targets[-1],
    )
    return targets


def test_target_is_shared_by_architectures(score, drawn) -> None:
    score("gennas-combo", "3", iterations=1)
    score("gennas-combo", "4", iterations=1)
    assert len(drawn) == 2
    assert all(torch.equal(first, second) for first, second in zip(*drawn, strict=True))


def test_settings_reach_the_training(score) -> None:
    plain = score("gennas-combo", iterations=2).score
    for setting, value in {
        "learning_rate": 0.01, "momentum": 0.5, "weight_decay": 0.1, "train_weights": "1/1/1", "score_weights": "1/1/1",
        "frequencies": "uniform", "network": "benchmark", "head": "conv", "weight_init": "xavier", "bias_init": "zero",
        "score_mode": "train", "preset": "paper", "batch_size": 8,
    }.items():  # fmt: skip
        changed = score("gennas-combo", iterations=2, **{setting: value})
        assert changed.status is Status.OK, changed.message
        assert changed.score != plain, setting


def test_images_are_mirrored_at_random_and_resized_to_32(score, monkeypatch) -> None:
    asked, batch = [], EvaluationContext.batch
    monkeypatch.setattr(EvaluationContext, "batch", lambda self, *args, **kwargs: (
        asked.append((args, kwargs)) or batch(self, *args, **kwargs)
    ))  # fmt: skip
    score("gennas-combo", iterations=1)
    assert asked == [((16,), {"resolution": 32, "augment": True})]


def test_zero_initialisation_reaches_backbone_and_heads(score, drawn) -> None:
    record = score("gennas-combo", iterations=1, learning_rate=0, weight_init="zero", bias_init="zero")
    # All outputs are zero, so the loss of a stage is the mean square of its target.
    losses = [record.curves[f"score_loss_stage{stage}"][0] for stage in (1, 2, 3)]
    assert losses == pytest.approx([target.square().mean().item() for target in drawn[0]], rel=1e-6)


def test_space_without_the_authors_network_gets_the_benchmarks(score) -> None:
    record = score("gennas-combo", iterations=1, variants={"benchmark": "as trained"})
    assert record.status is Status.OK, record.message


def test_diverged_training_becomes_a_status(score) -> None:
    record = score("gennas-combo", iterations=30, learning_rate=1e8)
    assert record.status is Status.DIVERGED
    assert "became" in record.message
    assert math.isnan(record.score)


def test_batch_larger_than_the_dataset_fails_with_a_reason(score) -> None:
    record = score("gennas-combo", batch_size=65)
    assert record.status is Status.FAILED
    assert "65 images" in record.message


def test_targets_have_the_shapes_of_the_task(images) -> None:
    targets = draw_targets(COMBO, images, torch.Generator().manual_seed(0), "grid")
    assert [tuple(target.shape) for target in targets] == [(4, 64, 8, 8)] * 3
    # Independent sums: sines have variance 1/2, dense dots 1, and a shrunk image at most 1.
    assert targets[0].var().item() == pytest.approx(2.0, rel=0.05)
    assert targets[2].var().item() == pytest.approx(1.5 + 0.15, abs=0.2)


@pytest.mark.parametrize("name", ["gennas-single:iterations=1,batch_size=2", "eproxy:iterations=1,batch_size=2"])
def test_networks_are_built_for_the_size_of_the_images_that_they_get(name: str, monkeypatch, run_nasbench) -> None:
    from nasbench_toolkit.plugins.search_spaces.nasbench201.space import Nasbench201Tiny

    build, shapes = Nasbench201Tiny._build_network, []

    def note(space, arch_id, dataset, variant):
        network = build(space, arch_id, dataset, variant)
        shapes.append(dataset.input_shape)
        network.register_forward_pre_hook(lambda _, images: shapes.append(tuple(images[0].shape[1:])))
        return network

    monkeypatch.setattr(Nasbench201Tiny, "_build_network", note)
    done = run_nasbench("run", "-e", name, "-n", "1", "--in-process", "-o", "out.h5")
    assert done.returncode == 0, done.stderr
    assert set(shapes) == {(1, 32, 32)}


def test_score_is_the_same_without_a_compiler(score, monkeypatch) -> None:
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    try:
        compiled = score("gennas-combo", "7", iterations=12).curves
        monkeypatch.setattr(evaluator, "compile_layers", lambda _network: None)
        assert score("gennas-combo", "7", iterations=12).curves == compiled
    finally:
        torch.set_num_threads(threads)
