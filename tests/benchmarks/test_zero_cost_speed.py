import math
from dataclasses import fields

import click
import pytest
from nasbench_toolkit.benchmarks import zero_cost_speed
from nasbench_toolkit.benchmarks.zero_cost_speed import ORACLES, Comparison, compare, format_row, load_tests
from nasbench_toolkit.plugins.datasets import MNIST
from nasbench_toolkit.plugins.evaluators.zero_cost import EVALUATORS
from nasbench_toolkit.plugins.search_spaces import NASBENCH201_TINY

MIXED = "|nor_conv_3x3~0|+|avg_pool_3x3~0|nor_conv_3x3~1|+|nor_conv_1x1~0|skip_connect~1|nor_conv_3x3~2|"
INFOS = {info.name: info for info in EVALUATORS}
SMALL = {"batch_size": "16", "repeats": "1", "crops": "500"}


def test_every_evaluator_but_the_trivial_ones_has_an_oracle():
    assert set(INFOS) - set(ORACLES) == {"params", "flops", "l2_norm", "random"}
    assert set(ORACLES) <= set(INFOS)


@pytest.mark.parametrize("name", ORACLES)
def test_oracle_gives_the_same_score(name):
    names = {field.name for field in fields(INFOS[name].settings)}
    given = {key: value for key, value in SMALL.items() if key in names}
    comparison = compare(INFOS[name], given, MIXED, 1, NASBENCH201_TINY, MNIST)
    # The oracle of the entropies has 1e-8 inside its logarithm.
    assert comparison.score == pytest.approx(comparison.oracle_score, rel=1e-4)
    assert comparison.seconds > 0
    assert comparison.oracle_seconds > 0


def test_evaluator_without_oracle_is_timed_alone():
    comparison = compare(INFOS["params"], {}, MIXED, 2, NASBENCH201_TINY, MNIST)
    assert comparison.score > 0
    assert math.isnan(comparison.oracle_seconds)


def test_format_row():
    comparisons = [Comparison(1.0, 2.0, 3.0, 3.0), Comparison(2.0, 4.0, 9.0, 10.0)]
    assert format_row("zen", comparisons).split() == ["zen", "2", "1.5000", "3.0000", "0.50", "1e-01"]
    assert format_row("params", [Comparison(1.0, math.nan, 3.0, math.nan)]).split() == ["params", "1", "1.0000"]
    assert format_row("zen", []).split() == ["zen", "no", "score", "on", "any", "cell"]


def test_missing_tests_are_explained(monkeypatch, tmp_path):
    monkeypatch.setattr(zero_cost_speed, "TESTS", tmp_path)
    with pytest.raises(click.ClickException, match="test_none.py is missing: run this from a checkout"):
        load_tests("test_none.py")
