import csv
import io
import json
import math

import numpy as np
import pytest
from nasbench_toolkit.core.documents.rendering import Format, render
from nasbench_toolkit.core.domain import Direction, Metric, Status
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.core.planning.aggregation import find_aggregate
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.statistics.differences import holm, paired_difference
from nasbench_toolkit.core.statistics.resampling import Resampling, resampled_rho
from nasbench_toolkit.core.statistics.seeds import difference_over_seeds
from nasbench_toolkit.reports import compare_evaluators, comparison_document
from scipy import stats

ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")


def draw(noises, n=60):
    """Draw a truth, and scores with noise of these standard deviations."""
    generator = np.random.default_rng(0)
    truth = generator.normal(size=n)
    return truth, [truth + noise * generator.normal(size=n) for noise in noises]


@pytest.fixture
def three(results, evaluator):
    truth, (good, fair, bad) = draw([0.3, 0.5, 2.0])
    proxies = (
        evaluator("fair", *fair),
        evaluator("good", *-good, direction=Direction.MINIMIZE),
        evaluator("bad", *bad),
    )
    return results(*proxies, truth={ACCURACY: truth})


def test_named_evaluators_are_compared_in_pairs(three):
    truth, (good, _, bad) = draw([0.3, 0.5, 2.0])
    (row,) = compare_evaluators(three, ["bad", "good"]).rows
    rho = [stats.spearmanr(scores, truth).statistic for scores in (bad, good)]
    resampled = resampled_rho([bad, good], truth, Resampling())
    assert (row.first, row.second, row.n) == ("bad", "good", 60)
    assert (row.first_rho, row.second_rho) == (pytest.approx(rho[0]), pytest.approx(rho[1]))
    assert row.difference == paired_difference((row.first_rho, row.second_rho), (resampled[0], resampled[1]), 60)
    assert row.corrected_p == row.difference.p < 0.001


def test_without_names_all_are_compared_with_the_best(three):
    table = compare_evaluators(three)
    assert table.best == "good"
    assert [(row.first, row.second) for row in table.rows] == [("good", "fair"), ("good", "bad")]
    assert [row.corrected_p for row in table.rows] == holm([row.difference.p for row in table.rows])
    assert all(row.difference.value > 0 for row in table.rows)


def test_none_is_the_best_where_no_correlation_is_defined(results, evaluator):
    single = results(evaluator("params", 1), evaluator("flops", 2), truth={ACCURACY: [90]})
    with pytest.raises(UsageError, match="No evaluator is the best here, since none has a correlation"):
        compare_evaluators(single)
    flat = results(evaluator("flat", *[1] * 9), evaluator("worst", *range(9, 0, -1)), truth={ACCURACY: range(9)})
    assert compare_evaluators(flat).best == "worst"


def test_only_architectures_that_count_for_both_are_compared(results, evaluator):
    truth, (first, second) = draw([0.5, 0.5], n=20)
    content = results(
        evaluator("first", Status.FAILED, *first[1:]),
        evaluator("second", *second[:19], Status.PENDING),
        truth={ACCURACY: truth},
    )
    (worst,) = compare_evaluators(content, ["first", "second"]).rows
    (omitted,) = compare_evaluators(content, ["first", "second"], failures="omit").rows
    assert (worst.n, omitted.n) == (19, 18)
    assert omitted.first_rho == pytest.approx(stats.spearmanr(first[1:19], truth[1:19]).statistic)
    failed_last = [-99.0, *first[1:19]]
    assert worst.first_rho == pytest.approx(stats.spearmanr(failed_last, truth[:19]).statistic)


def test_seeds_are_compared_pairwise(results, evaluator):
    truth, scores = draw([0.5, 0.6, 1.0, 1.1])
    parts = [evaluator(label, *scores[at], seed=seed) for at, (label, seed) in enumerate(
        [("first", 3), ("first", 4), ("second", 3), ("second", 4)]
    )]  # fmt: skip
    table = compare_evaluators(results(*parts, truth={ACCURACY: truth}), ["first", "second"])
    rho = np.array([stats.spearmanr(side, truth).statistic for side in scores])
    resampled = resampled_rho(scores, truth, Resampling())
    (row,) = table.rows
    expected = difference_over_seeds((rho[:2], rho[2:]), (resampled[:2], resampled[2:]), 60)
    assert row.first_rho == pytest.approx(rho[:2].mean())
    assert [row.difference.value, row.difference.low, row.difference.p] == pytest.approx(
        [expected.value, expected.low, expected.p]
    )
    assert "seeds 3 and 4: do evaluators differ" in render(comparison_document(table), width=200)


def test_aggregates_are_compared_as_evaluators_are(three):
    spec = find_aggregate("rank_sum:fair+good", installed_plugins())
    (row,) = compare_evaluators(three, ["rank_sum:fair+good", "bad"], aggregates=[spec]).rows
    assert row.first == "rank_sum:fair+good"
    assert row.difference.p < 0.01


def test_an_undefined_correlation_is_not_compared(results, evaluator):
    truth, (scores,) = draw([0.5])
    content = results(evaluator("scores", *scores), evaluator("flat", *[1] * 60), truth={ACCURACY: truth})
    table = compare_evaluators(content)
    (row,) = table.rows
    assert (table.best, row.second_rho, row.difference.value, row.corrected_p) == ("scores", None, None, None)
    assert "scores flat   undefined          - " in render(comparison_document(table))


@pytest.mark.parametrize(
    ("names", "message"),
    [
        (["good", "fiar"], "These results have no evaluator 'fiar'. Did you mean 'fair'"),
        (["good"], "Name two or more different evaluators"),
        (["good", "bad", "good"], "Name two or more different evaluators"),
    ],
)
def test_what_cannot_be_compared_is_refused(three, names, message):
    with pytest.raises(UsageError, match=message):
        compare_evaluators(three, names)


def test_a_comparison_takes_a_ground_truth_and_two_evaluators(results, evaluator):
    with pytest.raises(UsageError, match="these results have none"):
        compare_evaluators(results(evaluator("params", 1, 2)))
    with pytest.raises(UsageError, match="there is only 'params'"):
        compare_evaluators(results(evaluator("params", 1, 2), truth={ACCURACY: [1, 2]}))


def test_all_formats_say_the_same(three):
    table = compare_evaluators(three)
    document = comparison_document(table)
    text = render(document)
    assert max(map(len, text.splitlines())) <= 80
    assert "All were compared with good, the best on these architectures" in text
    assert "corrected for 2 comparisons" in text
    rows = list(csv.DictReader(io.StringIO(render(document, Format.CSV))))
    parsed = json.loads(render(document, Format.JSON))
    assert (parsed["schema"], parsed["best"], parsed["metric"]) == ("nasbench-comparison", "good", ACCURACY.key)
    for row, from_csv, from_json in zip(table.rows, rows, parsed["comparisons"], strict=True):
        assert from_json["difference"] == float(from_csv["difference"]) == row.difference.value
        assert from_json["p_holm"] == float(from_csv["p_holm"]) == row.corrected_p
        assert not math.isnan(from_json["difference_low"])
    for output_format in (Format.MARKDOWN, Format.LATEX):
        assert "<0.001" in render(document, output_format) or "textless{}0.001" in render(document, output_format)
