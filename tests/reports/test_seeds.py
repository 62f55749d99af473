import csv
import io
import json

import numpy as np
import pytest
from nasbench_toolkit.core.documents.rendering import Format, render
from nasbench_toolkit.core.domain import Direction, Metric, Status
from nasbench_toolkit.core.planning.aggregation import find_aggregate
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.statistics.estimates import estimate_rho
from nasbench_toolkit.core.statistics.resampling import Resampling, resampled_rho
from nasbench_toolkit.core.statistics.seeds import spread_over_seeds
from nasbench_toolkit.reports import correlation_document, correlation_table
from scipy import stats

ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")
SEEDS = (0, 1, 2)


@pytest.fixture
def drawn():
    generator = np.random.default_rng(0)
    truth = generator.normal(size=40)
    return truth, truth + generator.normal(size=(3, 40))


@pytest.fixture
def seeded(results, evaluator, drawn):
    """A loss whose scores depend on the seed, and a count whose do not."""
    truth, scores = drawn
    losses = [evaluator("loss", *-scores[seed], direction=Direction.MINIMIZE, seed=seed) for seed in SEEDS]
    counts = [evaluator("params", *(truth + 3 * scores[0]).round(), seed=seed) for seed in SEEDS]
    return results(*losses, *counts, truth={ACCURACY: truth})


def test_every_evaluator_has_its_spread_over_seeds(seeded, drawn):
    truth, scores = drawn
    table = correlation_table(seeded)
    loss, params = table.over_seeds
    rho = np.array([stats.spearmanr(row, truth).statistic for row in scores])
    assert [row.seed for row in table.rows] == [*SEEDS, *SEEDS]
    assert [row.rho.value for row in table.rows[:3]] == pytest.approx(rho.tolist())
    expected = spread_over_seeds(rho, resampled_rho(list(scores), truth, Resampling()), 40)
    assert (loss.label, loss.n, loss.note) == ("loss", 40, "")
    assert (loss.spread.mean.value, loss.spread.mean.low) == pytest.approx((expected.mean.value, expected.mean.low))
    assert (loss.spread.deviation, loss.spread.lowest) == pytest.approx((rho.std(ddof=1), rho.min()))
    assert params.spread.deviation == pytest.approx(0, abs=1e-12)


def test_the_score_of_the_mean_is_that_of_mean_scores(seeded, drawn):
    truth, scores = drawn
    of_mean = correlation_table(seeded).over_seeds[0].of_mean
    (expected,) = estimate_rho([scores.mean(axis=0)], truth, Resampling())
    assert of_mean.value > max(stats.spearmanr(row, truth).statistic for row in scores)
    assert (of_mean.value, of_mean.low, of_mean.high) == pytest.approx((expected.value, expected.low, expected.high))


def test_an_architecture_fails_over_seeds_only_where_it_fails_with_all(results, evaluator):
    truth, scores = list(range(12)), [float(value) for value in range(12)]
    first = evaluator("loss", Status.FAILED, *scores[1:-1], Status.FAILED, seed=0)
    second = evaluator("loss", *scores[:-1], Status.FAILED, seed=1)
    content = results(first, second, truth={ACCURACY: truth})
    (worst,) = correlation_table(content).over_seeds
    (omitted,) = correlation_table(content, failures="omit").over_seeds
    assert (worst.n, omitted.n, worst.failures) == (12, 10, 3)
    assert worst.of_mean.value == pytest.approx(stats.spearmanr([*scores[:-1], -1], truth).statistic)
    assert omitted.of_mean.value == 1


def test_a_seed_without_correlation_leaves_the_mean_undefined(results, evaluator):
    content = results(
        evaluator("loss", *range(12), seed=0), evaluator("loss", *[1] * 12, seed=1), truth={ACCURACY: range(12)}
    )
    (row,) = correlation_table(content).over_seeds
    assert (row.spread, row.note) == (None, "undefined with seed 1")
    assert "undefined with seed 1" in render(correlation_document(correlation_table(content)))


def test_aggregates_are_made_with_every_seed(seeded, drawn):
    spec = find_aggregate("rank_sum:loss+params", installed_plugins())
    table = correlation_table(seeded, aggregates=[spec])
    rows = [row for row in table.rows if row.components]
    assert [row.seed for row in rows] == list(SEEDS)
    assert table.over_seeds[-1].spread.mean.value == pytest.approx(np.mean([row.rho.value for row in rows]))
    assert table.over_seeds[-1].spread.mean.low is not None
    assert table.over_seeds[-1].of_mean.value is None


def test_agreements_are_means_over_seeds(seeded, drawn):
    truth, scores = drawn
    (pair,) = correlation_table(seeded).pairwise
    expected = [stats.spearmanr(row, (truth + 3 * scores[0]).round()).statistic for row in scores]
    assert (pair.rho, pair.n) == (pytest.approx(np.mean(expected)), 40)


def test_notes_are_of_the_columns_and_intervals_that_are_shown(seeded, results, evaluator):
    notes = " ".join(correlation_document(correlation_table(seeded)).notes)
    assert "n: architectures compared, of 40 in the results; fail: jobs without a score. " in notes
    assert (
        "[low, high]: 95% interval; of mean rho one of Fisher's z by Student's t, with the variances over 1,000 "
        "resamples of architectures, seed 0, and over run seeds added up, of rho of mean score a bias-corrected "
        "bootstrap (BCa) with 1,000 resamples of architectures, seed 0."
    ) in notes
    assert not [word for word in ("ties", "sec:", "tau-b") if word in notes]
    single = results(evaluator("loss", *range(12)), truth={ACCURACY: range(12)})
    notes = " ".join(correlation_document(correlation_table(single)).notes)
    assert "of rho a bias-corrected bootstrap (BCa) with 1,000 resamples of architectures, seed 0, of tau-b" in notes
    assert "ties: architectures that share their score with another; sec: median seconds" in notes


def test_all_formats_show_seeds(seeded):
    table = correlation_table(seeded)
    document = correlation_document(table)
    text = render(document)
    assert max(map(len, text.splitlines())) <= 80
    assert "nasbench201-tiny on mnist, seeds 0 to 2, compared with" in text
    assert "Spearman rho with each run seed" in text
    rows = list(csv.DictReader(io.StringIO(render(document, Format.CSV))))
    assert [row["seed"] for row in rows] == [*"012012", "all", "all"]
    parsed = json.loads(render(document, Format.JSON))
    assert parsed["plan"]["further_seeds"] == [1, 2]
    assert parsed["over_seeds"][0]["rho_deviation"] == float(rows[6]["rho_deviation"])
    assert parsed["over_seeds"][0]["mean_score_rho"] == table.over_seeds[0].of_mean.value
