import pytest
from nasbench_toolkit.core.reproduction.recipe import Comparison, PublishedFigure
from nasbench_toolkit.core.statistics.estimates import Estimate
from nasbench_toolkit.reports.reproduction import Reproduced

PART = Comparison("toy", None, None, 100, ())


@pytest.mark.parametrize(
    ("published", "ours", "why_not", "verdict"),
    [
        (0.8, Estimate(0.7, 0.6, 0.85), "", "agrees"),
        (0.9, Estimate(0.7, 0.6, 0.85), "", "differs by -0.20"),
        (0.5, Estimate(0.7, 0.6, 0.85), "", "differs by +0.20"),
        (0.8, Estimate(0.7), "", "too few architectures"),
        (0.8, Estimate(), "", "no figure here"),
        (0.8, Estimate(0.8, 0.7, 0.9), "other hardware", "not comparable"),
        (None, Estimate(0.8, 0.7, 0.9), "", "unreadable there"),
    ],
)
def test_verdicts(published, ours, why_not, verdict) -> None:
    figure = PublishedFigure("toy-width", published, "rho")
    assert Reproduced(PART, figure, ours, n=50, seeds=1, why_not=why_not).verdict == verdict
