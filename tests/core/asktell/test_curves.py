import math

import pytest
from nasbench_toolkit.core.asktell.curves import SearchCurve, incumbents, mean_curve, spread


def test_incumbent_is_the_earliest_of_the_best_and_none_before_the_first_fitness() -> None:
    assert incumbents([None, 1.0, 1.0, None, 2.0, 0.5]) == [None, 1, 1, 1, 4, 4]
    assert incumbents([None, None]) == [None, None]
    assert incumbents([]) == []


def test_mean_and_sample_deviation_over_those_that_are_known() -> None:
    # Mean of 1 and 3 is 2; squared deviations sum to 2, divided by n - 1 = 1.
    assert spread([1.0, 3.0, None, math.nan]) == spread([1.0, 3.0])
    both = spread([1.0, 3.0])
    assert (both.mean, both.deviation, both.count) == (2.0, pytest.approx(math.sqrt(2.0)), 2)
    assert spread([5.0]).deviation is None
    assert spread([None, math.nan]) is None


def means(*curves):
    return [point and (point.mean, point.count) for point in mean_curve([SearchCurve(*curve) for curve in curves])]


# Regrets 4, 2, 0 and 6, 4: after them the second search may go on, or has found all that it ever will.
LONG, SHORT = [4.0, 2.0, 0.0], [6.0, 4.0]


def test_mean_curve_ends_where_a_search_was_stopped() -> None:
    assert means((LONG, False), (SHORT, False)) == [(5.0, 2), (3.0, 2)]
    assert means((LONG, True), (SHORT, False)) == [(5.0, 2), (3.0, 2)]


def test_exhausted_search_keeps_what_it_found() -> None:
    assert means((LONG, False), (SHORT, True)) == [(5.0, 2), (3.0, 2), (2.0, 2)]
    assert means((LONG, True), (SHORT, True)) == [(5.0, 2), (3.0, 2), (2.0, 2)]
    assert means((LONG, True), (SHORT, True), ([9.0], False)) == [(19 / 3, 3)]


def test_mean_curve_counts_the_searches_that_have_a_value() -> None:
    assert means(([None, None, 1.0], False), ([None, 3.0, 3.0], False)) == [None, (3.0, 1), (2.0, 2)]
    assert means(([], True), ([2.0], False)) == [(2.0, 1)]
    assert means(([], False), ([2.0], False)) == []
    assert mean_curve([]) == []
