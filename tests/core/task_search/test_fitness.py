import itertools
import math
import random

import pytest
from nasbench_toolkit.core.domain import Direction, JobCost, Record, Status
from nasbench_toolkit.core.planning.labelled import LabelledArchitectures
from nasbench_toolkit.core.task_search.fitness import TaskFitness, highest_rho
from scipy.stats import kendalltau, spearmanr


def task_fitness(labels, direction=Direction.MAXIMIZE, kind="signed", label_direction=Direction.MAXIMIZE):
    arch_ids = tuple(str(number) for number in range(len(labels)))
    labelled = LabelledArchitectures(arch_ids, tuple(map(float, labels)), "accuracy", label_direction)
    return TaskFitness(labelled, direction, kind)


def records(scores):
    return [
        Record(Status.DIVERGED if math.isnan(score) else Status.OK, score, "", JobCost(compute=0.0)) for score in scores
    ]


def test_fitness_is_spearmans_rho_turned_so_that_higher_is_better() -> None:
    labels, losses = [90.0, 91.0, 93.0, 92.0], [0.4, 0.5, 0.1, 0.3]
    minimizing = task_fitness(labels, Direction.MINIMIZE)
    assert minimizing.spearman(records(losses)) == pytest.approx(-spearmanr(labels, losses).statistic)
    assert minimizing.kendall(records(losses)) == pytest.approx(-kendalltau(labels, losses).statistic)
    errors = task_fitness(labels, Direction.MINIMIZE, label_direction=Direction.MINIMIZE)
    assert errors.spearman(records(losses)) == pytest.approx(spearmanr(labels, losses).statistic)


def test_a_backward_ranking_wins_only_where_the_absolute_value_is_asked_for() -> None:
    scores = records([4.0, 3.0, 2.0, 1.0])
    assert task_fitness([1, 2, 3, 4]).spearman(scores) == -1
    assert task_fitness([1, 2, 3, 4], kind="absolute").spearman(scores) == 1


def test_networks_without_a_score_share_the_worst_rank() -> None:
    # Ranks 1.5, 1.5, 3, 4 against 2, 1, 3, 4. Centred: -1, -1, .5, 1.5 and -.5, -1.5, .5, 1.5; products sum to 4.5,
    # squares to 4.5 and 5.
    fitness = task_fitness([2, 1, 3, 4]).spearman(records([math.nan, math.nan, 1.0, 2.0]))
    assert fitness == pytest.approx(4.5 / math.sqrt(4.5 * 5))


@pytest.mark.parametrize("scores", [[1.0, 1.0, 1.0, 1.0], [math.nan] * 4])
def test_a_task_that_puts_all_on_one_rank_has_no_fitness(scores) -> None:
    assert task_fitness([1, 2, 3, 4]).spearman(records(scores)) is None


def brute_force(first, labels, kind):
    """Try every place of the rest beside the first scores: equal to one of them, or one of two places in a gap."""
    places = [score + offset for score in [min(first) - 1, *first] for offset in (0.0, 0.25, 0.5)]
    completions = itertools.product(places, repeat=len(labels) - len(first))
    rhos = [spearmanr([*first, *rest], labels).statistic for rest in completions]
    return max(rhos if kind == "signed" else map(abs, rhos))


@pytest.mark.parametrize("kind", ["signed", "absolute"])
@pytest.mark.parametrize("seed", range(12))
def test_the_bound_is_the_best_that_any_completion_reaches(seed, kind) -> None:
    draw = random.Random(seed)
    labels, first = draw.sample(range(5), 5), draw.sample(range(5), 3)
    bound = task_fitness(labels, kind=kind).bound(records([float(score) for score in first]))
    assert bound == pytest.approx(brute_force(first, labels, kind))


def test_the_bound_of_everything_scored_is_the_fitness() -> None:
    draw = random.Random(0)
    for _ in range(20):
        labels, scores = draw.sample(range(9), 9), [draw.random() for _ in range(9)]
        assert task_fitness(labels).bound(records(scores)) == pytest.approx(
            task_fitness(labels).spearman(records(scores))
        )


def test_no_bound_where_labels_or_scores_tie_or_a_network_failed() -> None:
    assert task_fitness([1, 2, 2, 3]).bound(records([1.0, 2.0])) is None
    assert task_fitness([1, 2, 3, 4]).bound(records([1.0, 1.0])) is None
    assert task_fitness([1, 2, 3, 4]).bound(records([1.0, math.nan])) is None


def test_highest_rho_by_hand() -> None:
    # The best network (label 3) was scored below the worst (0). Of all places for labels 1 and 2, the best sum of
    # positions times labels is 3 0 1 2, 1 * 0 + 2 * 1 + 3 * 2 = 8, or 1 3 0 2, 3 + 0 + 6 = 9, or 1 2 3 0: 2 + 6 = 8:
    # 9 it is, and rho = 1 - 6 sum d^2 / (n^3 - n) with d = 1, 2, 2, 1 is 1 - 60 / 60 = 0.
    assert highest_rho([3, 0], [1, 2]) == pytest.approx(0.0)
