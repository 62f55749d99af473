import json
import math
from dataclasses import replace

import pytest
from nasbench_toolkit.core.documents.rendering import Format, render
from nasbench_toolkit.core.domain import Direction, Metric, Status
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.core.results.records import Records
from nasbench_toolkit.reports import curve_document, curve_table
from nasbench_toolkit.reports.curves import score_curve

ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")


@pytest.fixture
def with_curves(results, evaluator):
    """Three architectures: a loss that ranks backwards after one epoch and rightly after two, and a plain count."""

    def make(*scores, direction=Direction.MINIMIZE):
        loss = evaluator("loss", *scores, direction=direction)
        records = Records.of(
            replace(record, curves={"other": (1.0, 2.0), "value": (-record.score, record.score)})
            if record.status is Status.OK
            else record
            for record in loss.records
        )
        truth = {ACCURACY: list(range(len(scores)))}
        return results(replace(loss, records=records), evaluator("params", *range(len(scores))), truth=truth)

    return make


def test_curve_points_have_their_own_correlations(with_curves):
    table = curve_table(with_curves(3, 2, 1.5))
    assert [(point.evaluator, point.curve, point.point) for point in table.points] == [
        ("loss", "value", 1),
        ("loss", "value", 2),
    ]
    assert [point.rho.value for point in table.points] == pytest.approx([-1.0, 1.0])
    assert [point.mean for point in table.points] == pytest.approx([-6.5 / 3, 6.5 / 3])
    assert [point.n for point in table.points] == [3, 3]


@pytest.mark.parametrize(("policy", "n", "rho"), [("worst", 4, -0.2), ("omit", 3, 1.0)])
def test_curve_points_follow_the_failure_policy(with_curves, policy, n, rho):
    # Scores 3, 2, 1 turned round rank 2, 3, 4, the failed job, truly the best, 1.
    point = curve_table(with_curves(3, 2, 1, Status.DIVERGED), failures=policy).points[-1]
    assert point.n == n
    assert point.rho.value == pytest.approx(rho)


def test_curve_points_are_compared_with_the_better_end_of_the_ground_truth(with_curves):
    made = with_curves(3, 2, 1.5)
    (column,) = made.ground_truth
    loss = replace(column, metric=Metric("mnist", "test", "cross_entropy", 3, Direction.MINIMIZE, "nats"))
    table = curve_table(replace(made, ground_truth=(loss,)))
    # The lowest score is that of the highest true loss, which is the worst.
    assert [point.rho.value for point in table.points] == pytest.approx([1.0, -1.0])


@pytest.mark.parametrize("form", list(Format))
def test_infinite_losses_rank_behind_all_others(with_curves, form):
    made = with_curves(3, 2, 1.5, 1)
    loss, params = made.evaluators
    first = iter((math.inf, math.inf, 4.0, 5.0))
    records = Records.of(replace(record, curves={"value": (next(first), record.score)}) for record in loss.records)
    table = curve_table(replace(made, evaluators=(replace(loss, records=records), params)))
    assert table.points[0].rho.value == pytest.approx(3.5 / math.sqrt(4.5 * 5))
    assert table.points[1].rho.value == pytest.approx(1.0)
    assert table.points[0].mean == math.inf
    assert render(curve_document(table), form)


def test_score_curve_ends_in_the_score_everywhere(with_curves):
    loss, params = with_curves(3, 2, 1.5).evaluators
    assert score_curve(loss.records) == "value"
    assert score_curve(params.records) is None
    assert score_curve(Records.of([replace(loss.records[0], score=9.0), *loss.records[1:]])) is None
    assert score_curve(Records.of([replace(loss.records[0], curves={}), *loss.records[1:]])) is None
    assert score_curve(loss.records[:0]) is None


def test_curve_table_refuses_results_without_curves_or_truth(results, evaluator):
    with pytest.raises(UsageError, match=r"No evaluator of these results \(params\) has a curve"):
        curve_table(results(evaluator("params", 1, 2), truth={ACCURACY: [1, 2]}))
    with pytest.raises(UsageError, match="compared with a ground truth, and these results have none"):
        curve_table(results(evaluator("params", 1, 2)))


def test_render_curves_in_every_format(with_curves):
    table = curve_table(with_curves(3, 2, 1.5))
    assert json.loads(render(curve_document(table), "json"))["points"][1]["rho"] == pytest.approx(1.0)
    assert render(curve_document(table), "csv").splitlines()[0] == "evaluator,curve,point,rho,rho_low,rho_high,mean,n"
    assert "1.000" in render(curve_document(table), "table")
    assert "| `loss`" in render(curve_document(table), "markdown")
    assert r"\texttt{loss} & 2 & 1.000" in render(curve_document(table), "latex")


def test_render_curves_shows_people_twenty_points(results, evaluator):
    long = evaluator("loss", 1, 2)
    records = Records.of(replace(record, curves={"v": (*([0.5] * 99), record.score)}) for record in long.records)
    table = curve_table(results(replace(long, records=records), truth={ACCURACY: [1, 2]}))
    assert len(table.points) == 100
    shown = [
        line.split()[1] for line in render(curve_document(table), "table").splitlines() if line.startswith("loss ")
    ]
    assert shown == [str(5 * index) for index in range(1, 21)]
