import dataclasses

import pytest
from nasbench_toolkit.core.domain import Direction, Record, Status
from nasbench_toolkit.core.plan import EvaluatorHeader
from nasbench_toolkit.core.search.history import SearchHeader, SearchHistory, Step

EVALUATOR = EvaluatorHeader("naswot", "naswot", Direction.MAXIMIZE, 1, {}, "0a1b", "toolkit 1")
HEADER = SearchHeader("toy", "noise", EVALUATOR, "climb", {"tries": 3, "pairs": (1, 2)}, 0, 1)


def make_steps(*scores, direction=Direction.MAXIMIZE):
    records = [Record(Status.FAILED, float("nan")) if score is None else Record(Status.OK, score) for score in scores]
    return [Step.of("a", "a", record, repeated=False, direction=direction) for record in records]


def test_fitness_is_higher_for_the_better_end_and_none_for_a_failure() -> None:
    fitness = [step.fitness for step in make_steps(2.0, None, 3.0, direction=Direction.MINIMIZE)]
    assert fitness == [-2.0, None, -3.0]


def test_the_incumbent_is_the_earliest_of_the_best() -> None:
    history = SearchHistory(HEADER, make_steps(None, 1.0, 1.0, None, 2.0, 0.5), None)
    assert history.incumbents() == [None, 1, 1, 1, 4, 4]


def test_the_incumbent_of_failures_only_is_none() -> None:
    assert SearchHistory(HEADER, make_steps(None, None), None).incumbents() == [None, None]


@pytest.mark.parametrize(
    "change",
    [
        {"space": "other"}, {"dataset": "other"}, {"strategy": "other"}, {"strategy_settings": {"tries": 4}},
        {"seed": 1}, {"parallel": 2}, {"evaluator": dataclasses.replace(EVALUATOR, settings_hash="ffff")},
        {"evaluator": dataclasses.replace(EVALUATOR, distribution="toolkit 2")}, {"versions": ("toy 2", "", "")},
    ],
)  # fmt: skip
def test_search_id_covers_all_that_decides_the_steps(change) -> None:
    assert dataclasses.replace(HEADER, **change).search_id != HEADER.search_id


def test_search_id_does_not_depend_on_names_for_people_or_on_having_been_stored() -> None:
    evaluator = dataclasses.replace(EVALUATOR, label="naswot:batch_size=64")
    same = dataclasses.replace(HEADER, evaluator=evaluator, strategy_settings={"pairs": [1, 2], "tries": 3})
    assert same.search_id == HEADER.search_id
    assert len(HEADER.search_id) == 16
