"""Scores under shared weights: what they depend on, and the store that they are trained in."""

import dataclasses
import resource

import pytest
import torch
from nasbench_toolkit.core.errors import DivergedError, EvaluationError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import format_value, parse_settings, settings_hash
from nasbench_toolkit.plugins.weight_sharing import one_shot
from nasbench_toolkit.plugins.weight_sharing.one_shot import OneShot, TrainedSupernet
from nasbench_toolkit.plugins.weight_sharing.settings import OneShotSettings
from nasbench_toolkit.plugins.weight_sharing.store import SupernetStore
from nasbench_toolkit.testing import make_context

SMALL = {
    "preset": "tiny", "epochs": "2", "train_images": "24", "batch_size": "8", "judging_images": "50",
    "selection_batch": "25", "measure": "cross_entropy",
}  # fmt: skip


def read(**given):
    return parse_settings("one-shot", OneShotSettings, {**SMALL, **given})


@pytest.fixture
def arch_ids():
    import numpy as np

    space = installed_plugins().search_space("nasbench201-tiny").info.create()
    return space.sample(2, np.random.default_rng(0))


@pytest.fixture
def score(tmp_path):
    """Score an architecture as a worker's first job does."""

    def run(arch_id, settings, seed=0, store=None):
        context = make_context("nasbench201-tiny", arch_id, evaluator="one-shot", settings=settings, seed=seed)
        context.store = store
        return OneShot(settings).evaluate(context).score

    return run


def test_a_score_does_not_depend_on_what_trained_the_supernet(score, arch_ids, tmp_path) -> None:
    settings = read()
    first, other = arch_ids
    alone = score(first, settings)
    assert score(other, settings, store=tmp_path / "store") != alone
    assert score(first, settings, store=tmp_path / "store") == alone
    assert score(first, settings, seed=1) != alone


def test_the_supernet_is_trained_once_and_goes_on_where_it_stopped(score, arch_ids, tmp_path, monkeypatch) -> None:
    settings, epochs = read(), []
    trained = one_shot.RandomPaths.train_epoch

    def train_epoch(self):
        if len(epochs) == 1 and self.epoch == 1 and not interrupted:
            interrupted.append(True)
            raise KeyboardInterrupt
        epochs.append(self.epoch)
        return trained(self)

    interrupted = []
    monkeypatch.setattr(one_shot.RandomPaths, "train_epoch", train_epoch)
    store = tmp_path / "store"
    with pytest.raises(KeyboardInterrupt):
        score(arch_ids[0], settings, store=store)
    found = score(arch_ids[0], settings, store=store)
    assert epochs == [0, 1]
    score(arch_ids[1], settings, store=store)
    assert epochs == [0, 1]
    assert found == score(arch_ids[0], settings)
    assert [path.suffix for path in sorted(store.iterdir())] == [".lock", ".supernet"]


def test_other_settings_seeds_and_images_have_other_stores(arch_ids) -> None:
    def name(**changes):
        settings = read(**{key: value for key, value in changes.items() if key != "seed"})
        context = make_context("nasbench201-tiny", arch_ids[0], settings=settings, seed=changes.get("seed", 0))
        shared = TrainedSupernet(context, read(epochs="1")).strategy.context
        return one_shot._name(context, shared, settings)

    assert len({name(), name(seed=1), name(batch_norm="running"), name(epochs="3")}) == 4
    assert name() == name(measure="accuracy", judging_images="10")


def test_a_store_that_cannot_be_read_or_written_costs_time_only(score, arch_ids, tmp_path) -> None:
    settings, store = read(), tmp_path / "store"
    found = score(arch_ids[0], settings, store=store)
    (kept,) = store.glob("*.supernet")
    for write in (lambda: kept.write_bytes(b"nothing of the kind"), lambda: torch.save(torch.zeros(3), kept)):
        write()
        assert score(arch_ids[0], settings, store=store) == found
    (tmp_path / "file").write_text("")
    assert score(arch_ids[0], settings, store=tmp_path / "file") == found


def test_a_state_that_finds_no_room_leaves_nothing(tmp_path) -> None:
    store = SupernetStore(tmp_path, "supernet", torch.device("cpu"))
    before = resource.getrlimit(resource.RLIMIT_FSIZE)
    resource.setrlimit(resource.RLIMIT_FSIZE, (1000, before[1]))
    try:
        store.save({"weights": torch.zeros(1000)})
    finally:
        resource.setrlimit(resource.RLIMIT_FSIZE, before)
    assert not any(tmp_path.iterdir())


def test_judging_by_cross_entropy_is_higher_for_better(arch_ids) -> None:
    settings = read()
    context = make_context("nasbench201-tiny", arch_ids[0], settings=settings)
    trained = TrainedSupernet(context, settings)
    choice = trained.strategy.supernet.choice_of(arch_ids[0])
    (images, labels), (more, further) = trained.strategy.images.all_selection_batches(50)
    network = trained.strategy.supernet.path_network(choice).eval()
    with torch.no_grad():
        logits = torch.cat([network(images), network(more)]).double()
    expected = torch.nn.functional.cross_entropy(logits, torch.cat([labels, further]))
    assert trained.judge(choice, 50, "cross_entropy") == pytest.approx(-float(expected), rel=1e-6)
    hits = (logits.argmax(1) == torch.cat([labels, further])).float().mean()
    assert trained.judge(choice, 50, "accuracy") == pytest.approx(100 * float(hits))


def test_a_training_that_fails_is_said_by_every_job(arch_ids) -> None:
    settings = read(learning_rate="1e30", clip="0", weight_decay="0")
    context = make_context("nasbench201-tiny", arch_ids[0], settings=settings)
    for _ in range(2):
        with pytest.raises(DivergedError, match="in epoch 1 of the supernet the train loss became nan"):
            OneShot(settings).evaluate(context)


def test_settings_are_those_of_the_strategy_unless_given() -> None:
    enas = parse_settings("one-shot", OneShotSettings, {"strategy": "enas", "clip": "1"})
    assert (enas.learning_rate, enas.batch_size, enas.clip, enas.epochs) == (0.05, 128, 1.0, 250)
    made = enas.of_strategy()
    assert dataclasses.replace(made, clip=5.0) == type(made)()
    tiny = parse_settings("one-shot", OneShotSettings, {"preset": "tiny", "strategy": "darts"}).of_strategy()
    assert (tiny.epochs, tiny.alpha_learning_rate) == (60, 3e-3)


def test_what_trains_in_different_ways_has_different_hashes() -> None:
    def hash_of(**given):
        return settings_hash(1, parse_settings("one-shot", OneShotSettings, given))

    by_hand = {"epochs": "100", "clip": "0", "batch_norm": "batch", "last_batch_norm": "plain"}
    assert read_all(preset="nats") == read_all(**by_hand) | {"sampling": "per-cell", "distinct": True}
    assert hash_of(preset="nats") != hash_of(**by_hand)
    # What no setting of this evaluator can say is in the hash as well.
    shared = {field.name for field in dataclasses.fields(OneShotSettings)} - {"preset"}
    for strategy, name, value in (("gdas", "alpha_learning_rate", 3e-3), ("enas", "period", 0)):
        tiny = read_all(strategy=strategy, preset="tiny")
        spelled = {each: format_value(tiny[each]) for each in shared if tiny[each] is not None}
        assert tiny[name] == value != read_all(**spelled)[name]
        assert hash_of(strategy=strategy, preset="tiny") != hash_of(**spelled)


def read_all(**given):
    return parse_settings("one-shot", OneShotSettings, given).effective()


def test_more_images_to_judge_by_than_there_are_are_refused_before_the_training(arch_ids, monkeypatch) -> None:
    monkeypatch.setattr(one_shot.RandomPaths, "train_epoch", lambda _: pytest.fail("it was trained"))
    settings = read(judging_images="50000")
    context = make_context("nasbench201-tiny", arch_ids[0], settings=settings)
    with pytest.raises(EvaluationError, match="asked to use 50000 images to judge by, and there are 1000"):
        OneShot(settings).evaluate(context)


def test_a_space_without_a_supernet_is_refused(run_nasbench) -> None:
    done = run_nasbench("run", "--space", "nasbench101", "-e", "one-shot", "-n", 1)
    assert done.returncode == 2
    assert "it needs a supernet, one network that holds all candidates, which this space does not provide" in " ".join(
        done.stderr.split()
    )
