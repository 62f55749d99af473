import dataclasses
import time

import pytest
import torch
from nasbench_toolkit.core.batches import batch_digest
from nasbench_toolkit.core.context import EvaluationContext, WorkerCache
from nasbench_toolkit.core.domain import JobKey
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from torch import nn

KEY = JobKey("toy", "noise", "width-3", "toy-random", "0123", 0)


@pytest.fixture
def make_context(toy_plugins):
    dataset = toy_plugins.dataset("noise").info
    space = toy_plugins.search_space("toy").info.create()

    def make(cache=None, **changes):
        key = dataclasses.replace(KEY, **changes)
        return EvaluationContext(key, space, dataset, dataset.create(), torch.device("cpu"), cache or WorkerCache({}))

    return make


def weights(context) -> torch.Tensor:
    return torch.cat([parameter.flatten() for parameter in context.network().parameters()])


@pytest.mark.parametrize("changes", [{"seed": 1}, {"arch_id": "width-11"}], ids=str)
def test_initial_weights_depend_on_run_and_architecture(make_context, changes) -> None:
    assert not torch.equal(weights(make_context()), weights(make_context(**changes)))


@pytest.mark.parametrize("changes", [{"evaluator": "other"}, {"settings_hash": "4567"}], ids=str)
def test_every_evaluator_gets_the_same_network(make_context, changes) -> None:
    assert torch.equal(weights(make_context()), weights(make_context(**changes)))


def lazy_network(*_arguments) -> nn.Module:
    return nn.Sequential(nn.LazyConv2d(3, 1), nn.LazyBatchNorm2d(), nn.Flatten(), nn.LazyLinear(2)).train()


def test_lazy_layers_draw_the_weights_of_the_same_layers_with_sizes(make_context, monkeypatch) -> None:
    def layers_with_sizes(*_arguments) -> nn.Module:
        channels, height, width = make_context().dataset.input_shape
        return nn.Sequential(
            nn.Conv2d(channels, 3, 1), nn.BatchNorm2d(3), nn.Flatten(), nn.Linear(3 * height * width, 2)
        )

    networks = []
    for build in (lazy_network, layers_with_sizes):
        context = make_context()
        monkeypatch.setattr(context.space, "_build_network", build)
        networks.append(context.network())
    states = [network.state_dict() for network in networks]
    assert all(torch.equal(states[0][name], values) for name, values in states[1].items())
    assert all(module.training for module in networks[0].modules())


@pytest.mark.parametrize("changes", [{"seed": 1}, {"arch_id": "width-11"}], ids=str)
def test_weights_of_lazy_layers_depend_on_run_and_architecture(make_context, monkeypatch, changes) -> None:
    contexts = [make_context(), make_context(**changes)]
    for context in contexts:
        monkeypatch.setattr(context.space, "_build_network", lazy_network)
    assert not torch.equal(*(context.network()[3].weight for context in contexts))


def test_lazy_layer_that_no_input_reaches_is_refused(make_context, monkeypatch) -> None:
    context = make_context()
    monkeypatch.setattr(context.space, "_build_network", lazy_network)
    with pytest.raises(EvaluationError, match="no input has told the lazy layer '0' its size"):
        context.network(bare=True)


def test_variants_of_a_network_have_weights_of_their_own(make_context) -> None:
    # Both stems are the same layer.
    space = installed_plugins().search_space("nasbench201").info.create()
    context = make_context(space=space.name, arch_id=space.example())
    context.space = space
    stems = [context.network(variant).stem[0].weight for variant in ("benchmark", "gennas", "benchmark")]
    assert torch.equal(stems[0], stems[2])
    assert stems[0].shape == stems[1].shape
    assert not torch.equal(stems[0], stems[1])


@pytest.mark.parametrize("changes", [{"evaluator": "other"}, {"settings_hash": "4567"}], ids=str)
def test_shared_values_come_from_the_same_draws_whoever_asks(make_context, changes) -> None:
    cache = WorkerCache({})
    first = make_context(cache).shared("target", lambda generator: torch.rand(3, generator=generator))
    # Kept apart all the same: what the other one makes of the draws may be something else.
    other = make_context(cache, **changes).shared("target", lambda generator: 2 * torch.rand(3, generator=generator))
    assert torch.equal(2 * first, other)


def test_streams_are_an_evaluators_own_whatever_its_settings(make_context) -> None:
    def draw(**changes):
        return torch.rand(3, generator=make_context(**changes).generator("noise"))

    assert torch.equal(draw(), draw(settings_hash="4567"))
    for changes in ({"evaluator": "other"}, {"seed": 1}, {"arch_id": "width-11"}):
        assert not torch.equal(draw(), draw(**changes))


def test_network_twice_from_one_context_is_the_same(make_context) -> None:
    context = make_context()
    assert torch.equal(weights(context), weights(context))


def test_network_falls_back_to_benchmark_for_an_unknown_variant(make_context) -> None:
    context = make_context()
    names = [name for name, _ in context.network("gennas").named_parameters()]
    assert names == [name for name, _ in context.network().named_parameters()]


def test_network_with_another_head_and_other_images_has_the_same_seed(make_context) -> None:
    network = make_context().network(num_classes=4, input_shape=(3, 16, 16))
    assert network(torch.zeros(2, 3, 16, 16)).shape == (2, 4)
    same_shape = make_context().network(num_classes=2, input_shape=(1, 16, 16))
    assert torch.equal(weights(make_context()), torch.cat([p.flatten() for p in same_shape.parameters()]))


def test_parts_of_the_data_set_are_read_once_and_the_same_for_every_run(make_context) -> None:
    cache = WorkerCache({})
    training, held_out = make_context(cache).training_part(), make_context(cache, seed=5).held_out_part()
    assert (len(training.labels), len(held_out.labels)) == (52, 12)
    assert make_context(cache, arch_id="width-9").training_part() is training
    assert torch.equal(make_context(seed=9).held_out_part().inputs, held_out.inputs)


def test_parts_of_the_data_set_are_recorded(make_context) -> None:
    context = make_context()
    training, held_out = context.training_part(), context.held_out_part()
    assert context.batches == {
        "all 52 training images": batch_digest(training),
        "all 12 held-out images": batch_digest(held_out),
    }


def test_batch_is_shared_by_architectures_and_evaluators_but_not_seeds(make_context) -> None:
    batch = make_context().batch(6)
    assert torch.equal(batch.inputs, make_context(arch_id="width-9", evaluator="other").batch(6).inputs)
    assert not torch.equal(batch.inputs, make_context(seed=1).batch(6).inputs)


def test_batch_may_be_changed_without_changing_the_next_job(make_context) -> None:
    cache = WorkerCache({})
    make_context(cache).batch(6).inputs.zero_()
    assert torch.equal(make_context(cache, arch_id="width-9").batch(6).inputs, make_context().batch(6).inputs)


def test_generator_streams_differ(make_context) -> None:
    context = make_context()
    first, second = context.generator("noise"), context.generator("noise")
    assert torch.equal(torch.rand(3, generator=first), torch.rand(3, generator=second))
    other = torch.rand(3, generator=context.generator("other"))
    assert not torch.equal(torch.rand(3, generator=context.generator("noise")), other)


def test_shared_value_is_made_once_in_a_worker_and_ignores_the_architecture(make_context) -> None:
    cache, calls = WorkerCache({}), []

    def compute(generator):
        calls.append(1)
        return torch.rand(3, generator=generator)

    first = make_context(cache).shared("target", compute)
    second = make_context(cache, arch_id="width-9").shared("target", compute)
    assert first is second
    assert len(calls) == 1
    assert torch.equal(first, make_context().shared("target", compute))
    assert not torch.equal(first, make_context(seed=1).shared("target", compute))


def test_shared_values_beyond_the_limit_are_computed_again(make_context) -> None:
    cache, calls = WorkerCache({}, limit=2), []
    for name in ("a", "b", "a", "c", "a", "b"):
        make_context(cache).shared(name, lambda generator, name=name: calls.append(name) or name)
    # The least recently used value goes: "b" made room for "c", and "c" then for "b".
    assert calls == ["a", "b", "c", "b"]
    assert len(cache.values) == 2


def test_seconds_add_up_to_the_total(make_context) -> None:
    context = make_context()
    context.network()
    context.batch(4)
    time.sleep(0.05)
    cost = context.cost()
    assert cost.build > 0
    assert cost.transfer > 0
    assert cost.seconds == pytest.approx(cost.build + cost.transfer + cost.compute)
    assert 0.05 <= cost.seconds < 5
    assert 0 < cost.processor < cost.seconds
    assert cost.saved == 0


def test_batches_are_remembered_by_what_they_hold(make_context) -> None:
    cache = WorkerCache({})
    context = make_context(cache)
    context.batch(9)
    context.batch(9, augment=True)
    context.batch(6, resolution=8)
    assert list(context.batches) == ["9 images", "9 images, augmented", "6 images at 8x8"]
    assert len(set(context.batches.values())) == 3
    again = make_context(cache, arch_id="width-5")
    again.batch(9)
    assert again.batches["9 images"] == context.batches["9 images"]
    other = make_context(seed=1)
    other.batch(9)
    assert other.batches["9 images"] != context.batches["9 images"]
