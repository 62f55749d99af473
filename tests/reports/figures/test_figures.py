"""Charts draw the numbers of the table, as they are oriented there."""

import csv
import io
import math
from dataclasses import replace
from xml.etree import ElementTree

import numpy as np
import pytest
from nasbench_toolkit.core.documents.rendering import render
from nasbench_toolkit.core.domain import Direction, Metric
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.reports import run_report, runs_report
from nasbench_toolkit.reports.figures import scores, style
from nasbench_toolkit.reports.figures.figure import figure_table, whole_specification
from nasbench_toolkit.reports.figures.label_places import PLACES, place_labels
from nasbench_toolkit.reports.figures.ranks import groups_alike
from nasbench_toolkit.reports.figures.regret import SearchProgress, regret_figures
from nasbench_toolkit.reports.figures.style import broken
from nasbench_toolkit.reports.forms.images import draw
from scipy import stats

pytest.importorskip("altair", reason="charts need the extra 'report'")

LOSS = Metric("mnist", "test", "cross_entropy", 3, Direction.MINIMIZE, "nats")
LABELS = ["jacob_cov", "gennas-combo:preset=paper", "flat_100%&#", "late"]


@pytest.fixture
def report(small_results):
    return run_report(small_results, "mnist/test_cross_entropy@3", "worst")


@pytest.fixture
def figures(report):
    return {figure.name: figure for figure in report.figures}


def test_a_run_has_every_chart_that_it_allows(figures) -> None:
    assert list(figures) == ["correlations", "seconds", "scores", "errors", "agreement", "cost"]


def test_scores_and_truth_are_turned_so_that_higher_is_better(figures, small_results) -> None:
    rows = figures["scores"].rows["scores"]
    assert [row["architecture"] for row in rows] == [f"arch-{at}" for at in range(12) if at != 7]
    losses = [value for value in small_results.ground_truth[0].values if not math.isnan(value)]
    assert [row["truth"] for row in rows] == [-value for value in losses]
    assert [row["s0"] for row in rows] == [8, 7, 6, 4, 5, 3, 3, 9, 10, 2, 11]
    assert [row["s1"] for row in rows] == [-1, None, -2, -4, -3, None, -6, -1.5, -0.5, -8, -5]
    titles = [panel.specification["encoding"]["x"]["title"] for panel in figures["scores"].panels]
    assert titles == ["score (higher is better)", "minus score (lower is better)", *titles[:1] * 2]
    first = figures["scores"].panels[0].specification
    assert first["encoding"]["y"]["title"] == ["minus mnist/test_cross_entropy@3", "nats (lower is better)"]


def test_what_is_drawn_gives_the_correlation_that_stands_above_it(figures, report) -> None:
    rows = figures["scores"].rows["scores"]
    rho = stats.spearmanr([row["s0"] for row in rows], [row["truth"] for row in rows]).statistic
    (told,) = (record["rho"] for record in report.document.records if record["evaluator"] == "jacob_cov")
    assert rho == pytest.approx(told)
    subtitle = figures["scores"].panels[0].specification["title"]["subtitle"]
    assert subtitle[0].startswith(f"rho {told:.3f} [")
    assert subtitle[1] == "n = 11"


def test_failures_are_counted_and_not_drawn(figures) -> None:
    panel = figures["scores"].panels[1].specification
    assert panel["title"]["subtitle"][1] == "n = 11, 2 failed (not drawn)"
    assert panel["transform"] == [{"filter": "isValid(datum.s1)"}]


def test_correlations_are_those_of_the_table_best_first(figures, report) -> None:
    rows = figures["correlations"].rows["correlations"]
    told = {record["evaluator"]: record for record in report.document.records if record["rho"] is not None}
    assert [row["rho"] for row in rows] == sorted((row["rho"] for row in rows), reverse=True)
    assert {row["evaluator"] for row in rows} == set(told)
    for row in rows:
        for drawn, column in (("rho", "rho"), ("low", "rho_low"), ("high", "rho_high")):
            exact = told[row["evaluator"]][column]
            assert row[drawn] == (None if exact is None else pytest.approx(exact, rel=1e-5))
    assert "Not drawn: flat_100%&#: undefined (constant score)." in figures["correlations"].caption


def test_cost_and_seconds_are_medians_by_the_clock_where_no_processor_was_timed(figures, report) -> None:
    told = {record["evaluator"]: record for record in report.document.records}
    for row in figures["seconds"].rows["seconds"]:
        assert row["seconds"] == pytest.approx(told[row["evaluator"]]["median_seconds"], rel=1e-5)
        assert row["clock"] == "by the clock"
    (spec,) = (panel.specification for panel in figures["seconds"].panels)
    assert spec["layer"][0]["encoding"]["x"]["title"] == "median seconds a job, by the clock (logarithmic)"
    memory = {row["evaluator"]: row["memory"] for row in figures["cost"].rows["cost"]}
    assert memory == dict.fromkeys(LABELS, 1.0)


def test_agreement_has_both_orders_of_each_pair(figures, report) -> None:
    rows = {(row["first"], row["second"]): row["rho"] for row in figures["agreement"].rows["agreement"]}
    assert len(rows) == 12
    for pair in report.document.content["pairwise"]:
        expected = pair["rho"] if pair["rho"] is None else pytest.approx(pair["rho"], rel=1e-5)
        assert rows[pair["first"], pair["second"]] == expected
        assert rows[pair["second"], pair["first"]] == expected


def test_curves_are_drawn_at_every_point(results, evaluator) -> None:
    part = evaluator("cls@ep5", *range(1, 13))
    curve = np.outer(np.arange(1, 13), [0.5, -1.0, 1.0])
    object.__setattr__(part.records, "curves", {"accuracy": curve})
    truth = {style_metric(): list(range(12))}
    (figure,) = (each for each in run_report(results(part, truth=truth), None, "worst").figures if each.name == "stops")
    drawn = [(row["point"], row["rho"], row["n"]) for row in figure.rows["stops"]]
    assert drawn == [(1, 1.0, 12), (2, -1.0, 12), (3, 1.0, 12)]


def style_metric():
    from nasbench_toolkit.core.domain import Direction, Metric

    return Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")


def test_without_ground_truth_only_agreement_and_cost_are_drawn(results, evaluator) -> None:
    made = run_report(results(evaluator("a", 1, 2, 3), evaluator("b", 3, 2, 1)), None, "worst")
    assert [figure.name for figure in made.figures] == ["agreement", "cost"]
    assert [row["rho"] for row in made.figures[0].rows["agreement"]] == [-1.0, -1.0]


def test_of_many_architectures_a_sample_is_drawn_and_the_caption_says_so(results, evaluator, monkeypatch) -> None:
    monkeypatch.setattr(scores, "LARGEST_DRAWN", 5)
    truth = {style_metric(): list(range(12))}
    made = run_report(results(evaluator("a", *range(12)), truth=truth), None, "worst")
    (figure,) = (each for each in made.figures if each.name == "scores")
    assert len(figure.rows["scores"]) == 5
    assert "Drawn: 5 of 12 architectures, chosen at random; rho is of all." in figure.caption


@pytest.mark.parametrize(
    ("values", "kind"), [([1, 2e3], "log"), ([-1, -2e3], "symlog"), ([-1, 2e3], None), ([1, 2], None), ([], None)]
)
def test_axes_are_logarithmic_where_scores_of_one_sign_differ_by_magnitudes(values, kind) -> None:
    scale = scores._scale(np.array(values, dtype=np.float64)).to_dict()
    assert scale.get("type") == kind


def test_searches_of_one_quantity_share_a_chart_and_bands_end_at_no_regret() -> None:
    searches = [
        SearchProgress("random", "regret (percent)", True, [None, 2.0, 0.5], [None, 3.0, 0.25]),
        SearchProgress("evolution", "regret (percent)", True, [1.0, 1.0, 0.0], [None, None, None]),
        SearchProgress("other", "best score (params)", False, [5.0], [1.0]),
    ]
    regret, score = regret_figures(searches)
    assert (regret.name, score.name) == ("regret", "regret-2")
    told = [(row["search"], row["evaluations"], row["mean"], row["low"], row["high"]) for row in regret.rows["regret"]]
    assert told == [
        ("random", 2, 2.0, 0.0, 5.0), ("random", 3, 0.5, 0.25, 0.75),
        ("evolution", 1, 1.0, None, None), ("evolution", 2, 1.0, None, None), ("evolution", 3, 0.0, None, None),
    ]  # fmt: skip
    assert regret.panels[0].specification["layer"][0]["encoding"]["y"]["scale"] == {"type": "symlog", "constant": 0.1}
    assert score.rows["regret-2"][0]["low"] == 4.0


def test_the_table_of_a_chart_has_its_numbers_under_readable_names(figures) -> None:
    rows = list(csv.DictReader(io.StringIO(figure_table(figures["scores"]))))
    assert list(rows[0]) == [
        "architecture", "minus mnist/test_cross_entropy@3", "jacob_cov", "minus gennas-combo:preset=paper",
        "flat_100%&#", "late",
    ]  # fmt: skip
    assert rows[1]["minus gennas-combo:preset=paper"] == ""


def test_one_specification_holds_all_charts_and_is_valid(report) -> None:
    import altair as alt

    whole = whole_specification(report.figures)
    alt.VConcatChart.from_dict(whole)
    assert set(whole["datasets"]) == {f"{number} {figure.name}" for number, figure in enumerate(report.figures)}


def test_tables_do_not_wait_for_the_libraries_of_charts(report, monkeypatch) -> None:
    monkeypatch.setattr(style, "find_spec", lambda name: None)
    with pytest.raises(UsageError, match=r"need altair and vl_convert.*pip install 'nasbench-toolkit\[report\]'"):
        style.require_extra()
    assert "jacob_cov" in render(report.document, "csv")


def test_labels_break_behind_separators_and_keep_every_character() -> None:
    label = "gennas:task=examples/a-very-long-name-of-a-task-of-mine.json,preset=paper"
    assert broken(label).replace("\n", "") == label
    assert broken("gennas-combo:preset=paper") == "gennas-combo:preset=paper"
    assert broken("gennas-combo:preset=paper,steps=100") == "gennas-combo:preset=paper,\nsteps=100"


def test_labels_of_close_points_get_different_places() -> None:
    alone = place_labels([(100, 100)], ["naswot"], 500, 300)
    assert PLACES[alone[0]].align == "left"
    close = place_labels([(100, 100), (104, 100), (100, 104)], ["naswot", "synflow", "params"], 500, 300)
    assert len(set(close)) == 3
    (at_the_edge,) = place_labels([(495, 100)], ["naswot"], 500, 300)
    assert PLACES[at_the_edge].align == "right"


@pytest.fixture
def seeded(results, evaluator):
    """Make a run of two evaluators with these seeds on a space."""

    def make(space, *seeds):
        generator = np.random.default_rng(len(space))
        truth = generator.normal(size=30)
        parts = [
            evaluator(label, *(truth + noise * generator.normal(size=30)), seed=seed)
            for label, noise in (("a", 0.2), ("b", 2.0))
            for seed in seeds
        ]
        made = results(*parts, truth={style_metric(): truth})
        return replace(made, plan=replace(made.plan, space=space))

    return make


def test_of_several_seeds_the_mean_is_drawn_with_a_tick_for_each(seeded) -> None:
    report = run_report(seeded("one", 0, 1, 2), None, "worst")
    figures = {figure.name: figure for figure in report.figures}
    mean = {record["evaluator"]: record for record in report.document.records if record["seed"] == "all"}
    means, of_seeds = figures["correlations"].rows.values()
    assert [(row["evaluator"], row["rho"], row["low"]) for row in means] == [
        (label, pytest.approx(mean[label]["rho"], rel=1e-5), pytest.approx(mean[label]["rho_low"], rel=1e-5))
        for label in ("a", "b")
    ]
    assert [(row["evaluator"], row["seed"]) for row in of_seeds] == [
        (label, seed) for label in "ab" for seed in range(3)
    ]
    assert np.mean([row["rho"] for row in of_seeds[:3]]) == pytest.approx(means[0]["rho"], rel=1e-5)
    assert [row["rho"] for row in figures["seconds"].rows["seconds"]] == [row["rho"] for row in means]
    assert len(figures["scores"].panels) == 2
    assert "Of the run seeds it shows the first, 0." in figures["scores"].caption
    assert report.facts["Run seeds"] == "0, 1, 2"
    assert report.evaluators == ("a", "b")


def test_several_runs_are_side_by_side_and_each_in_full(seeded) -> None:
    report = runs_report([(seeded("one", 0), ()), (seeded("another", 0), ())], None, "worst")
    assert report.title == "2 runs, on one, another"
    overview, _ranks = report.figures
    drawn = {(row["evaluator"], row["run"]): row["rho"] for row in overview.rows["runs"]}
    told = {
        (record["evaluator"], f"{record['run']}: {record['space']}, mnist"): pytest.approx(record["rho"], rel=1e-5)
        for record in report.document.records
    }
    assert drawn == told
    assert [part.title.split(" on ")[0] for part in report.parts] == ["one", "another"]
    whole = whole_specification(report.all_figures)
    assert whole["vconcat"][-1]["title"]["text"] == "What a score costs: another on mnist"
    assert len(whole["datasets"]) == len(report.all_figures) == len(whole["vconcat"])
    panel = whole["vconcat"][-1]["concat"][0]
    named = {layer.get("data", panel.get("data"))["name"] for layer in panel["layer"]}
    assert named <= set(whole["datasets"])


def axis_labels(figure):
    """Return the numbers along the axes of a figure, as it is drawn."""
    svg = ElementTree.fromstring(draw([figure], ".svg"))
    return {text for element in svg.iter() if (text := element.text or "") and text[0] in "0123456789"}


def test_numbers_along_axes_are_plain(results, evaluator) -> None:
    params = [20_000 + 500 * position for position in range(100)]
    report = run_report(
        results(
            evaluator("params", *params),
            evaluator("naswot", *[900 + number / 800 for number in params]),
            evaluator("tiny", *[number * 1e-12 for number in params]),
            truth={LOSS: [abs(50 - position) for position in range(100)]},
        ),
        None,
        "worst",
    )
    figures = {figure.name: figure for figure in report.figures}
    assert axis_labels(figures["errors"]) == {"20", "40", "60", "80", "100"}
    scored = axis_labels(figures["scores"])
    assert {"20,000", "60,000", "940", "980", "2e-8", "6e-8"} <= scored
    progress = SearchProgress("one", "regret", True, [100.0, 10.0, 0.3, 0.0], [None] * 4)
    (regret,) = regret_figures([progress])
    assert {"0", "0.1", "0.3", "1", "3", "10", "30", "100"} <= axis_labels(regret)


def test_the_axis_of_cost_names_the_clock(figures) -> None:
    titles = [panel.specification["layer"][1]["encoding"]["x"]["title"] for panel in figures["cost"].panels]
    assert titles == ["seconds a job, by the clock (logarithmic)", "memory of a job, MiB (logarithmic)"]


def test_errors_are_the_ranks_furthest_from_their_place(figures, small_results) -> None:
    all_rows = figures["errors"].rows["errors"]
    rows = [row for row in all_rows if row["evaluator"] == "jacob_cov"]
    drawn = figures["scores"].rows["scores"]
    truth = stats.rankdata([-row["truth"] for row in drawn])
    score = stats.rankdata([-row["s0"] for row in drawn])
    distances = np.abs(truth - score)
    assert [abs(row["rank by truth"] - row["rank by score"]) for row in rows] == sorted(distances, reverse=True)[:5]
    places = {row["architecture"]: at for at, row in enumerate(drawn)}
    for row in rows:
        at = places[row["architecture"]]
        assert (row["rank by truth"], row["rank by score"], row["of"]) == (truth[at], score[at], 11)
    # With fewer than ten scores, all would be shown.
    assert {row["evaluator"] for row in all_rows} == {"jacob_cov", "flat_100%&#"}
    assert [panel.evaluator for panel in figures["errors"].panels] == ["jacob_cov", "flat_100%&#"]


def test_groups_of_ranks_are_the_largest_that_do_not_differ() -> None:
    # Demšar's figure 1: four classifiers, difference 1.25, of which two groups overlap.
    assert groups_alike([1.964, 2.000, 2.893, 3.143], 1.25) == [(0, 3)]
    assert groups_alike([1.0, 1.5, 2.5, 3.0, 5.0], 1.5) == [(0, 2), (1, 3)]
    assert groups_alike([1.0, 3.0], 1.5) == []


def test_mean_ranks_are_drawn_where_evaluators_are_in_all_runs(small_results) -> None:
    made = runs_report([(small_results, ()), (small_results, ())], "mnist/test_cross_entropy@3", "worst")
    (ranks,) = (figure for figure in made.figures if figure.name == "ranks")
    told = {record["evaluator"]: record["average_rank"] for record in made.document.records}
    known = {label: rank for label, rank in told.items() if rank is not None}
    assert {row["evaluator"]: row["mean rank"] for row in ranks.rows["ranks"]} == known
    assert len(known) > 1
    assert [row["mean rank"] for row in ranks.rows["ranks"]] == sorted(known.values())
