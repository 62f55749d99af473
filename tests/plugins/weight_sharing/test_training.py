"""What all strategies have in common."""

import pytest
import torch
from nasbench_toolkit.core.errors import DivergedError
from nasbench_toolkit.core.supernets import SinglePath

STRATEGIES = ("rsps", "rsps:preset=nats", "darts", "darts:order=second", "gdas", "setn", "enas")


def run(strategy, epochs, total=3):
    """Train and derive for some epochs; return what there is to see."""
    seen = []
    for _ in range(epochs):
        figures = strategy.train_epoch()
        derived = strategy.derive(last=strategy.epoch == total)
        seen.append((figures, derived))
    return seen


def tensors(state):
    """Return all tensors of a nested state, copied."""
    if isinstance(state, torch.Tensor):
        return [state.clone()]
    values = state.values() if isinstance(state, dict) else state if isinstance(state, list | tuple) else ()
    return [tensor for value in values for tensor in tensors(value)]


@pytest.mark.parametrize("name", STRATEGIES)
def test_a_search_that_goes_on_from_its_state_is_the_uninterrupted_one(begin, name, tmp_path) -> None:
    whole = begin(name)
    seen = run(whole, 3)
    interrupted = begin(name)
    before = run(interrupted, 1)
    torch.save(interrupted.state(), tmp_path / "state")
    torch.manual_seed(99)
    resumed = begin(name)
    resumed.load_state(torch.load(tmp_path / "state", weights_only=True))
    assert before + run(resumed, 2) == seen
    assert all(map(torch.equal, tensors(whole.state()), tensors(resumed.state())))


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
@pytest.mark.parametrize("name", STRATEGIES)
def test_a_gpu_trains_and_goes_on_like_a_cpu(begin, name, tmp_path) -> None:
    (here, _), *_ = run(begin(name), 1)
    strategy = begin(name, device="cuda")
    (there, _), *_ = run(strategy, 1)
    assert there["train_loss"] == pytest.approx(here["train_loss"], rel=1e-2)
    torch.save(strategy.state(), tmp_path / "state")
    resumed = begin(name, device="cuda")
    resumed.load_state(torch.load(tmp_path / "state", map_location="cuda", weights_only=True))
    run(resumed, 1)


@pytest.mark.parametrize("name", ["rsps", "gdas", "enas"])
def test_a_search_depends_on_its_seed_alone(begin, name) -> None:
    first = run(begin(name), 1)
    torch.manual_seed(5)
    assert run(begin(name), 1) == first
    assert run(begin(name, seed=1), 1) != first


@pytest.mark.parametrize("name", ["rsps", "gdas", "enas"])
def test_weights_learn(begin, name) -> None:
    figures = [figures for figures, _ in run(begin(name, epochs=8, augment="false", learning_rate=0.05), 8)]
    assert figures[-1]["train_loss"] < figures[0]["train_loss"]


def test_weights_that_are_not_sampled_drift_or_freeze(begin) -> None:
    for unsampled, moves in (("drift", True), ("freeze", False)):
        strategy = begin("rsps", unsampled=unsampled, clip=0, weight_decay=0.1)
        batch = next(strategy.images.weight_batches())
        strategy.train_weights(batch, SinglePath((3,) * 6))
        kept = strategy.supernet.skeleton.stages[0][0].edges[0][3][1].weight
        before = kept.detach().clone()
        buffer = strategy.optimizer.state[kept]["momentum_buffer"].clone()
        never = strategy.supernet.skeleton.stages[0][0].edges[0][2][1].weight.detach().clone()
        strategy.train_weights(batch, SinglePath((1,) * 6))
        rate = strategy.optimizer.param_groups[0]["lr"]
        # SGD's formula with a gradient of 0: decay, then momentum, then Nesterov's step.
        decayed = 0.1 * before
        expected = before - rate * (decayed + 0.9 * (0.9 * buffer + decayed)) if moves else before
        assert torch.allclose(kept, expected, rtol=1e-5, atol=0)
        assert torch.equal(strategy.supernet.skeleton.stages[0][0].edges[0][2][1].weight, never)


def test_the_gradient_of_all_weights_together_is_clipped(begin) -> None:
    strategy = begin("rsps", clip=0.01)
    strategy.train_weights(next(strategy.images.weight_batches()), SinglePath((3,) * 6))
    gradients = [weight.grad for weight in strategy.weights if weight.grad is not None]
    assert float(torch.stack([each.norm() for each in gradients]).norm()) == pytest.approx(0.01, rel=1e-4)


def test_a_loss_that_is_no_number_is_said(begin) -> None:
    strategy = begin("rsps", learning_rate=1e9, clip=0)
    with pytest.raises(DivergedError, match="the train loss became (nan|inf)"):
        run(strategy, 3)


def test_batch_norm_of_the_cells_follows_the_setting(begin) -> None:
    for given, tracked, plain in (
        ({}, False, False),
        ({"batch_norm": "running", "last_batch_norm": "plain"}, True, True),
    ):
        supernet = begin("rsps", **given).supernet
        cells = [
            module
            for name, module in supernet.named_modules()
            if ".edges." in name and "BatchNorm" in str(type(module))
        ]
        assert {module.track_running_stats for module in cells} == {tracked}
        assert not any(module.affine for module in cells)
        last = supernet.skeleton.final_activation[0]
        assert (last.affine, last.track_running_stats) == (not plain, not plain)


def test_judging_changes_nothing(begin) -> None:
    strategy = begin("rsps", batch_norm="running")
    run(strategy, 1)
    before = tensors(strategy.supernet.state_dict())
    accuracy = strategy.accuracy((3,) * 6, *strategy.images.all_selection_batches())
    assert 0 <= accuracy <= 100
    assert all(map(torch.equal, before, tensors(strategy.supernet.state_dict())))


def test_random_candidates_are_judged_by_batches_of_their_own_and_the_first_best_wins(begin, monkeypatch) -> None:
    strategy = begin("rsps", candidates=6, selection_batches=2)
    judged = {}

    def accuracy(choice, *batches):
        assert len(batches) == 2
        judged[choice] = float(sum(choice) % 4)
        return judged[choice]

    monkeypatch.setattr(strategy, "accuracy", accuracy)
    derived = strategy.derive(last=True)
    assert len(judged) == 6
    assert derived.choice == max(judged, key=judged.__getitem__)
    assert derived.figures == {"one_shot_accuracy": judged[derived.choice]}
    fair = begin("rsps", candidates=6, selection_batches=0)
    monkeypatch.setattr(fair, "accuracy", lambda choice, *batches: float(sum(choice) % 4) + 0 * len(batches))
    assert fair.derive(last=True).choice == derived.choice


def test_finalists_are_judged_again_by_all_images(begin, monkeypatch) -> None:
    strategy = begin("rsps", candidates=6, finalists=2, selection_batch=8)
    judged = []

    def accuracy(choice, *batches):
        judged.append((choice, len(batches)))
        return float(len(judged) if len(batches) == 1 else 100 - len(judged))

    monkeypatch.setattr(strategy, "accuracy", accuracy)
    derived = strategy.derive(last=True)
    choices = [choice for choice, _ in judged]
    # Of the two most accurate, the last two, the first to be judged again is the better one here.
    assert choices[6:] == [choices[5], choices[4]]
    assert [batches for _, batches in judged] == [1] * 6 + [3] * 2
    assert derived.choice == choices[5]


def test_fewer_candidates_on_the_way(begin, monkeypatch) -> None:
    strategy = begin("setn", candidates=5, log_candidates=2)
    judged = []
    monkeypatch.setattr(strategy, "accuracy", lambda choice, *_: judged.append(choice) or 1.0)
    strategy.derive(last=False)
    assert len(judged) == 2
    strategy.derive(last=True)
    assert len(judged) == 7
    ranked = strategy.alphas.ranked_choices()
    assert judged[2:] == [next(ranked) for _ in range(5)]


def test_paths_of_their_own_leave_no_node_alone(begin) -> None:
    strategy = begin("rsps:preset=nats")
    assert not strategy._is_connected((0, 3, 3, 3, 3, 3))
    assert not strategy._is_connected((3, 0, 0, 3, 3, 3))
    assert strategy._is_connected((3, 0, 3, 0, 0, 3))


def test_the_temperature_is_that_of_the_epoch(begin) -> None:
    temperatures = [figures["temperature"] for figures, _ in run(begin("gdas"), 3)]
    assert temperatures == pytest.approx([10.0, 5.05, 0.1])


def test_a_collapse_to_skip_connections_is_derived_as_it_is(begin) -> None:
    strategy = begin("darts")
    with torch.no_grad():
        strategy.alphas.values.zero_()
        strategy.alphas.values[:, 1] = 1.0
    assert strategy.derive(last=True).chosen == (1,) * 6
    with torch.no_grad():
        strategy.alphas.values[2, 0] = 2.0
    # None is an operation like the others.
    assert strategy.derive(last=True).chosen == (1, 1, 0, 1, 1, 1)
