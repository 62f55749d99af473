from collections import deque
from zlib import crc32

import numpy as np
import pytest
from nasbench_toolkit.core.errors import InvalidSettingError
from nasbench_toolkit.core.interfaces import PartialEvaluation
from nasbench_toolkit.core.seeding import derive_seed

STRATEGY = "successive-halving"


def noisy(proposal):
    """A fitness that depends on the rung as well, so that a wrong one shows."""
    return float(crc32(f"{proposal.architecture}/{proposal.rung}".encode()))


def ones(proposal):
    """Many architectures are equally good: ties are common."""
    return float(proposal.architecture.count("1"))


def brackets(space, fitness, starts, eta, rungs, steps, seed):
    """Li et al., JMLR 2018, inner loop of algorithm 1, line by line, again and again."""
    rng = np.random.default_rng(derive_seed(STRATEGY, space.name, seed))
    history = []
    while len(history) < steps:
        configurations = []
        while len(configurations) < starts:
            drawn = space.sample(1, rng)[0]
            if drawn not in configurations:
                configurations.append(drawn)
        for i in range(rungs):
            proposals = [PartialEvaluation(configuration, i) for configuration in configurations]
            losses = [-fitness(proposal) for proposal in proposals]
            history += zip(proposals, losses, strict=True)
            number = int(np.floor(starts * float(eta) ** -(i + 1)))
            best = sorted(range(len(losses)), key=lambda at: (losses[at], at))[:number]
            configurations = [configurations[at] for at in best]
    return [(proposal, -loss) for proposal, loss in history[:steps]]


def run(strategy, fitness, steps, parallel=1):
    """Search as the engine does: return proposals and fitness in the order of telling."""
    waiting, history = deque(), []
    while len(history) < steps:
        waiting.extend(strategy.ask(min(parallel - len(waiting), steps - len(history) - len(waiting))))
        proposal = waiting.popleft()
        value = fitness(proposal)
        strategy.tell(proposal.architecture, value)
        history.append((proposal, value))
    return history


@pytest.mark.parametrize("parallel", [1, 4])
@pytest.mark.parametrize("fitness", [noisy, ones])
@pytest.mark.parametrize(("starts", "eta", "rungs"), [(27, 3, 3), (8, 2, 4), (10, 3, 3), (5, 4, 2)])
def test_schedule_is_that_of_the_paper(bits, make, starts, eta, rungs, fitness, parallel):
    strategy = make(STRATEGY, bits(12), 7, starts=starts, eta=eta, rungs=rungs)
    expected = brackets(bits(12), fitness, starts, eta, rungs, 90, seed=7)
    assert run(strategy, fitness, 90, parallel) == expected


def test_default_bracket_is_27_9_and_3(bits, make):
    strategy = make(STRATEGY, bits(12))
    assert strategy.fidelities == pytest.approx((1 / 9, 1 / 3, 1.0))
    assert strategy.fidelities[-1] == 1.0
    rungs = [proposal.rung for proposal, _ in run(strategy, noisy, 78)]
    assert rungs == ([0] * 27 + [1] * 9 + [2] * 3) * 2


def test_architecture_without_a_score_is_replaced_at_first_and_left_out_later(bits, make):
    strategy = make(STRATEGY, bits(12), starts=9)
    failing = iter([True, False, True] + [False] * 8 + [True, False, False] + [False])
    history = run(strategy, lambda proposal: None if next(failing) else noisy(proposal), 15)
    assert [proposal.rung for proposal, _ in history] == [0] * 11 + [1] * 3 + [2]
    scored = [(proposal.architecture, value) for proposal, value in history[:11] if value is not None]
    best = [architecture for architecture, _ in sorted(scored, key=lambda pair: -pair[1])[:3]]
    assert [proposal.architecture for proposal, _ in history[11:14]] == best
    assert history[14][0].architecture in best[1:]


def test_failures_do_not_make_later_rungs_smaller(bits, make):
    # Six of nine have a score in the middle rung, and yet the last one has the three of the schedule.
    strategy = make(STRATEGY, bits(12), starts=27)
    failing = iter([False] * 27 + [True, False, False] * 3 + [False] * 3)
    history = run(strategy, lambda proposal: None if next(failing) else noisy(proposal), 39)
    assert [proposal.rung for proposal, _ in history] == [0] * 27 + [1] * 9 + [2] * 3


def test_rung_where_nothing_has_a_score_begins_another_bracket(bits, make):
    strategy = make(STRATEGY, bits(12), starts=3, rungs=2)
    history = run(strategy, lambda proposal: None if proposal.rung else 1.0, 8)
    assert [proposal.rung for proposal, _ in history] == [0, 0, 0, 1] * 2


@pytest.mark.parametrize("fails", [False, True])
def test_space_smaller_than_a_bracket_is_proposed_whole_and_again(bits, make, fails):
    strategy = make(STRATEGY, bits(2))
    history = run(strategy, lambda proposal: None if fails else ones(proposal), 24)
    assert {proposal.architecture for proposal, _ in history[:4]} == set(bits(2).all())
    assert {proposal.rung for proposal, _ in history} == ({0} if fails else {0, 1, 2})


def test_proposals_do_not_depend_on_how_many_are_asked_for_at_once(bits, make):
    one, other = make(STRATEGY, bits(12)), make(STRATEGY, bits(12))
    assert [one.ask(1)[0] for _ in range(5)] == other.ask(5)


def test_bracket_that_leaves_nothing_is_refused(bits, make):
    with pytest.raises(InvalidSettingError, match="Of 8 architectures none is left after 2 times one in 3.*at least 9"):
        make(STRATEGY, bits(3), starts=8)
