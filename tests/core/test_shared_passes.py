import gc
import time

import pytest
import torch
from nasbench_toolkit.core.context import EvaluationContext, WorkerCache
from nasbench_toolkit.core.domain import JobKey, Status
from nasbench_toolkit.core.errors import DegenerateError
from nasbench_toolkit.core.interfaces import Evaluator
from nasbench_toolkit.core.jobs.evaluation import JobRunner
from nasbench_toolkit.core.memory import MemoryMeter
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import Settings
from nasbench_toolkit.core.shared_passes import SharedPass, SharedPasses

CALLS: list[str] = []
CPU = torch.device("cpu")


@pytest.fixture(autouse=True)
def no_calls():
    CALLS.clear()


@pytest.fixture
def make_context():
    plugins = installed_plugins()
    space = plugins.search_space("nasbench201-tiny").info.create()
    dataset = plugins.dataset("photos").info
    images = dataset.create()

    def make(passes, evaluator="one", arch_id=None, memory=None):
        key = JobKey("nasbench201-tiny", "photos", arch_id or space.example(), evaluator, "0", 0)
        return EvaluationContext(key, space, dataset, images, CPU, WorkerCache({}), passes, memory)

    return make


def draws(context, count):
    """Draw in all the ways in which a pass may."""
    CALLS.append(context.key.arch_id)
    context.batch(8)
    weight = next(context.network().parameters())
    return weight.detach().flatten()[:count], torch.rand(count), torch.rand(count, generator=context.generator("a"))


def slow_pass(context):
    CALLS.append(context.key.evaluator)
    time.sleep(0.03)
    return sum(i * i for i in range(300_000))


def outer_pass(context):
    return context.shared_pass(slow_pass) + 1


def failing_pass(context):
    CALLS.append("failed")
    raise DegenerateError("says nothing")


def large_pass(context):
    return torch.ones(10_000_000).sum().item()


def test_value_is_computed_once_for_an_architecture_and_is_the_same_whoever_asks(make_context) -> None:
    passes = SharedPasses()
    first = make_context(passes, "one").shared_pass(draws, 4)
    second = make_context(passes, "two").shared_pass(draws, 4)
    assert first is second
    assert len(CALLS) == 1
    other = make_context(SharedPasses(), "two").shared_pass(draws, 4)
    assert all(torch.equal(a, b) for a, b in zip(first, other, strict=True))
    assert len(make_context(passes, "two").shared_pass(draws, 3)[1]) == 3


def test_global_generators_are_left_as_found(make_context) -> None:
    torch.manual_seed(1)
    expected = torch.rand(3)
    torch.manual_seed(1)
    make_context(None).shared_pass(draws, 4)
    assert torch.equal(torch.rand(3), expected)


def test_passes_of_another_architecture_are_forgotten(make_context) -> None:
    passes = SharedPasses()
    for arch_id in (None, "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|", None):
        make_context(passes, arch_id=arch_id).shared_pass(slow_pass)
        assert len(passes) == 1
    assert len(CALLS) == 3


def test_batches_of_a_pass_are_those_of_every_job_that_uses_it(make_context) -> None:
    passes = SharedPasses()
    for _ in range(2):
        context = make_context(passes)
        context.shared_pass(draws, 4)
        assert list(context.batches) == ["8 images"]


@pytest.mark.parametrize("nested", [False, True])
def test_seconds_of_a_pass_are_counted_to_all_that_use_it(make_context, nested: bool) -> None:
    passes = SharedPasses()
    costs = []
    for _ in range(2):
        context = make_context(passes)
        context.shared_pass(outer_pass if nested else slow_pass)
        costs.append(context.cost())
    first, second = costs
    assert len(CALLS) == 1
    assert first.seconds >= 0.03
    assert first.processor > 0
    assert first.saved == 0
    assert second.seconds == pytest.approx(first.seconds, rel=0.3)
    assert second.saved == pytest.approx(first.processor, rel=0.3)
    assert second.processor >= second.saved > 0


def test_a_pass_within_a_pass_counts_once(make_context) -> None:
    passes = SharedPasses()
    costs = []
    for compute in (slow_pass, outer_pass, outer_pass):
        context = make_context(passes)
        context.shared_pass(compute)
        costs.append(context.cost())
    assert len(CALLS) == 1
    assert costs[0].seconds >= 0.03
    for cost in costs[1:]:
        assert cost.seconds == pytest.approx(costs[0].seconds, rel=0.5)
        assert cost.processor == pytest.approx(costs[0].processor, rel=0.5)
        assert cost.saved == pytest.approx(costs[0].processor, rel=0.5)


def twice_pass(context):
    return context.shared_pass(slow_pass) + context.shared_pass(outer_pass)


def test_a_pass_that_a_job_uses_twice_counts_once(make_context) -> None:
    passes = SharedPasses()
    costs = []
    for _ in range(2):
        context = make_context(passes)
        context.shared_pass(twice_pass)
        context.shared_pass(slow_pass)
        costs.append(context.cost())
    assert len(CALLS) == 1
    assert costs[0].saved == 0
    assert costs[1].seconds == pytest.approx(costs[0].seconds, rel=0.5)
    assert costs[1].saved == pytest.approx(costs[0].processor, rel=0.5)


def test_what_a_pass_raises_is_not_kept(make_context) -> None:
    passes = SharedPasses()
    for _ in range(2):
        with pytest.raises(DegenerateError, match="says nothing"):
            make_context(passes).shared_pass(failing_pass)
    assert CALLS == ["failed", "failed"]


def test_function_without_a_name_is_refused(make_context) -> None:
    with pytest.raises(TypeError, match="a function of a module"):
        make_context(None).shared_pass(lambda context: 3)


def test_peak_memory_is_that_of_the_job_with_its_passes(make_context) -> None:
    memory, passes = MemoryMeter(CPU), SharedPasses()
    if not memory.held():
        pytest.skip("the system does not tell")
    peaks = []
    for _ in range(2):
        context = make_context(passes, memory=memory)
        context.shared_pass(large_pass)
        peaks.append(context.cost().peak_memory)
    assert all(35_000_000 < peak < 80_000_000 for peak in peaks)
    context = make_context(passes, memory=memory)
    assert context.cost().peak_memory < 5_000_000


def holding_pass(context):
    return torch.ones(10_000_000)


def outer_holding_pass(context):
    return context.shared_pass(holding_pass)


def test_peak_memory_has_what_passes_of_others_hold(make_context) -> None:
    memory, passes = MemoryMeter(CPU), SharedPasses()
    if not memory.held():
        pytest.skip("the system does not tell")
    # What other tests have left and is freed meanwhile would be taken off.
    gc.collect()
    memory.give_back_unused()
    for _ in range(2):
        context = make_context(passes, memory=memory)
        kept = context.shared_pass(outer_holding_pass)
        doubled = torch.cat([kept, kept])
        assert 110_000_000 < context.cost().peak_memory < 180_000_000
        del doubled


class Changing(Evaluator[Settings]):
    """Changes what it shares with others."""

    def _evaluate(self, context):
        value = context.shared_pass(draws, 4)[0]
        score = float(value.sum())
        value.add_(1)
        return score


class Greedy(Evaluator[Settings]):
    """Finds no memory as long as passes are kept."""

    passes: SharedPasses

    def _evaluate(self, context):
        if len(self.passes):
            raise MemoryError
        return 1.0


@pytest.fixture
def runner():
    plugins = installed_plugins()
    dataset = plugins.dataset("photos").info
    return JobRunner(plugins.search_space("nasbench201-tiny").info.create(), dataset, dataset.create(), CPU)


def run(runner, kind, name):
    evaluator = kind.__new__(kind)
    evaluator.passes = runner.passes
    return runner.run(JobKey("nasbench201-tiny", "photos", runner.space.example(), name, "0", 0), evaluator)


def test_value_that_an_evaluator_changed_is_computed_again(runner) -> None:
    first, second = (run(runner, Changing, name) for name in ("one", "two"))
    assert first.status is second.status is Status.OK
    assert first.score == second.score


def test_kept_passes_never_cost_a_job_its_memory(runner) -> None:
    run(runner, Changing, "one")
    runner.passes.keep((slow_pass, ()), SharedPass(1, {}, {}))
    assert len(runner.passes) == 1
    assert run(runner, Greedy, "two").status is Status.OK
    assert len(runner.passes) == 0


FIRST, SECOND = (
    "|none~0|+|none~0|none~1|+|nor_conv_3x3~0|none~1|none~2|",
    "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|",
)


def test_passes_are_kept_until_those_that_asked_for_them_before_have_finished(make_context) -> None:
    passes = SharedPasses()
    for arch_id in (FIRST, SECOND):
        kept = []
        for evaluator in ("one", "two", "three"):
            context = make_context(passes, evaluator, arch_id)
            if evaluator != "three":
                context.shared_pass(outer_pass)
            context.finish()
            kept.append(len(passes))
        assert kept == ([2, 2, 2] if arch_id == FIRST else [1, 0, 0])
    assert len(CALLS) == 2


def test_passes_are_expected_of_those_that_asked_for_them_before(make_context) -> None:
    passes = SharedPasses()
    answers = []
    for arch_id in (FIRST, SECOND):
        for evaluator in ("one", "two", "three"):
            context = make_context(passes, evaluator, arch_id)
            answers.append(context.has_or_expects_pass(slow_pass))
            if evaluator == "two":
                context.shared_pass(slow_pass)
            context.finish()
    assert answers == [False, False, True, True, True, False]
