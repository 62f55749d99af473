import numpy as np
import pytest
from nasbench_toolkit.core.domain import Direction, Metric
from nasbench_toolkit.core.planning.aggregation import find_aggregate
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.reproduction.recipe import Comparison, PublishedFigure
from nasbench_toolkit.core.statistics.correlation import kendall_tau
from nasbench_toolkit.core.statistics.estimates import Estimate, bootstrapped
from nasbench_toolkit.core.statistics.resampling import Resampling
from nasbench_toolkit.core.statistics.top import retrieving_rate
from nasbench_toolkit.reports import correlation_table, join_seeds
from nasbench_toolkit.reports.reproduction import Reproduced, reproduce_figures

PART = Comparison("toy", None, None, 100, ())
ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")
AGGREGATE = "rank_sum:params+synflow"


@pytest.mark.parametrize(
    ("published", "ours", "why_not", "verdict"),
    [
        (0.8, Estimate(0.7, 0.6, 0.85), "", "agrees"),
        (0.9, Estimate(0.7, 0.6, 0.85), "", "differs by -0.20"),
        (0.5, Estimate(0.7, 0.6, 0.85), "", "differs by +0.20"),
        (0.8, Estimate(0.7), "", "no interval"),
        (0.8, Estimate(), "", "no figure here"),
        (0.8, Estimate(0.8, 0.7, 0.9), "other hardware", "not comparable"),
        (None, Estimate(0.8, 0.7, 0.9), "", "unreadable there"),
    ],
)
def test_verdicts(published, ours, why_not, verdict) -> None:
    figure = PublishedFigure("toy-width", published, "rho")
    assert Reproduced(PART, figure, ours, n=50, seeds=1, why_not=why_not).verdict == verdict


def test_too_few_architectures_have_no_interval() -> None:
    figure = PublishedFigure("toy-width", 0.8, "rho")
    assert Reproduced(PART, figure, Estimate(0.7), n=9, seeds=1).verdict == "too few architectures"


def of_aggregate(*statistics):
    return Comparison(
        "toy", None, None, 40, tuple(PublishedFigure(AGGREGATE, 0.5, statistic, top=25) for statistic in statistics)
    )


@pytest.fixture
def two_seeds(results, evaluator):
    """Forty architectures with two run seeds, each in a file of its own."""
    generator = np.random.default_rng(0)
    truth = generator.normal(size=40)

    def run(seed):
        noisy = [truth + generator.normal(size=40) for _ in range(2)]
        labelled = zip(("params", "synflow"), noisy, strict=True)
        return results(*(evaluator(label, *scores, seed=seed) for label, scores in labelled), truth={ACCURACY: truth})

    return [run(0), run(1)]


def test_an_aggregate_is_made_again_in_each_resample(two_seeds) -> None:
    one, truth = two_seeds[0], np.array(two_seeds[0].ground_truth[0].values)
    spec = find_aggregate(AGGREGATE, installed_plugins())
    part = of_aggregate("rho", "tau", "retrieval")
    rho, tau, share = reproduce_figures(part, [one], {}, [spec])
    row = correlation_table(one, aggregates=[spec]).rows[-1]
    assert rho.ours == row.rho
    assert rho.ours.low is not None

    def made(items):
        return sum(
            (part.records.scores[items][:, None] > part.records.scores[items]).sum(1)
            + (part.records.scores[items][:, None] >= part.records.scores[items]).sum(1)
            for part in one.evaluators
        )

    everything = np.arange(40)
    assert tau.ours == Estimate(kendall_tau(made(everything), truth))
    assert tau.verdict == "no interval"
    rates = [
        retrieving_rate(made(items), truth[items], top_fraction=0.25).rate
        for drawn in Resampling().draws(40)
        for items in drawn
    ]
    expected = retrieving_rate(made(everything), truth, top_fraction=0.25).rate
    assert share.ours == bootstrapped(expected, np.array(rates), 40)


def test_an_aggregate_over_seeds_is_that_of_a_report(two_seeds) -> None:
    spec = find_aggregate(AGGREGATE, installed_plugins())
    (rho,) = reproduce_figures(of_aggregate("rho"), two_seeds, {}, [spec])
    (joined,) = join_seeds(two_seeds)
    spread = correlation_table(joined, aggregates=[spec]).over_seeds[-1].spread
    assert (rho.ours, rho.deviation, rho.n, rho.seeds) == (spread.mean, spread.deviation, 40, 2)
