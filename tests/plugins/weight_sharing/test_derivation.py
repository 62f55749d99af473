import itertools
import math
from itertools import islice

import pytest
import torch
from nasbench_toolkit.core.errors import EvaluationError, InvalidArchitectureError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.supernets import SupernetNorm
from nasbench_toolkit.plugins.search_spaces.nasbench201.space import Nasbench201
from nasbench_toolkit.plugins.weight_sharing import derivation
from nasbench_toolkit.plugins.weight_sharing.derivation import (
    by_accuracy,
    distinct,
    in_space,
    most_probable_choices,
    uniform_choices,
)


def test_the_most_probable_are_those_of_a_sorted_list_of_all() -> None:
    rows = torch.log_softmax(torch.randn(6, 5, dtype=torch.float64), -1).tolist()

    def log_probability(choice):
        return sum(row[option] for row, option in zip(rows, choice, strict=True))

    ranked = sorted(itertools.product(range(5), repeat=6), key=log_probability, reverse=True)
    found = list(islice(most_probable_choices(rows), 100))
    assert found == ranked[:100]
    # Independent decisions: the probability of a choice is the product of those of its options.
    product = math.prod(math.exp(row[option]) for row, option in zip(rows, found[0], strict=True))
    assert math.exp(log_probability(found[0])) == pytest.approx(product)


def test_all_choices_come_and_equal_ones_in_order() -> None:
    found = list(most_probable_choices([[0.0, 0.0], [0.0, 0.0, 0.0]]))
    assert found == list(itertools.product(range(2), range(3)))


def test_the_first_of_equally_accurate_candidates_wins_and_each_is_judged_once() -> None:
    judged = []

    def accuracy(choice):
        judged.append(choice)
        return {(0,): 50.0, (1,): 70.0, (2,): 70.0}[choice]

    assert by_accuracy([(0,), (1,), (2,)], accuracy) == [((1,), 70.0), ((2,), 70.0), ((0,), 50.0)]
    assert judged == [(0,), (1,), (2,)]


class Sparse(Nasbench201):
    """Has the cells whose first edge is a skip connection."""

    _benchmark_size = (2, 1)

    def canonicalize(self, text):
        if not text.startswith("|skip"):
            raise InvalidArchitectureError("not here")
        return text


@pytest.fixture
def sparse():
    return Sparse(installed_plugins().search_space("nasbench201").info)


def test_choices_that_the_space_lacks_are_passed_over(context, sparse, monkeypatch) -> None:
    made = context(space=sparse)
    supernet = made.supernet(SupernetNorm())
    drawn = uniform_choices(supernet, torch.Generator().manual_seed(0))
    assert all(choice[0] == 1 for choice in islice(in_space(made, supernet, drawn), 5))
    monkeypatch.setattr(derivation, "MOST_REJECTED", 10)
    with pytest.raises(EvaluationError, match="the space has none of 11 candidates"):
        next(in_space(made, supernet, itertools.repeat((0,) * 6)))


def test_distinct_choices_end_where_nothing_else_comes(monkeypatch) -> None:
    monkeypatch.setattr(derivation, "MOST_REJECTED", 5)
    assert list(distinct(itertools.cycle([(0,), (1,), (0,)]))) == [(0,), (1,)]


def test_what_the_space_lacks_is_replaced_by_its_most_probable(begin, sparse) -> None:
    strategy = begin("gdas", space=sparse)
    with torch.no_grad():
        strategy.alphas.values.copy_(torch.tensor([[0.0, 1.0, 0.0, 2.0, 0.0]] * 6))
    derived = strategy.derive(last=True)
    assert derived.chosen == (3,) * 6
    assert derived.choice == (1, 3, 3, 3, 3, 3)
    assert derived.probabilities[0] == pytest.approx(torch.softmax(torch.tensor([0.0, 1, 0, 2, 0]), 0).tolist())
