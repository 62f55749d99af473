import csv
import dataclasses
import io
import itertools
import json
import math
from pathlib import Path

import pytest
from nasbench_toolkit.core.documents import rendering
from nasbench_toolkit.core.documents.rendering import Format
from nasbench_toolkit.core.domain import Direction, Metric, Status
from nasbench_toolkit.reports import correlation_document, correlation_table

EXPECTED = Path(__file__).parent / "expected"
LOSS = Metric("mnist", "test", "cross_entropy", 3, Direction.MINIMIZE, "nats")


def render(table, output_format="table", *, pairwise=False, **layout):
    return rendering.render(correlation_document(table, pairwise=pairwise), output_format, **layout)


@pytest.fixture
def small_table(small_results):
    # The hash of the plan is tested with plans.
    return dataclasses.replace(correlation_table(small_results), plan_id="0123456789abcdef")


@pytest.mark.parametrize("output_format", list(Format))
def test_render_matches_the_expected_text(small_table, output_format):
    expected = (EXPECTED / f"{output_format}.txt").read_text(encoding="utf-8")
    assert render(small_table, output_format, pairwise=True) == expected


@pytest.mark.parametrize("output_format", list(Format))
def test_render_gives_the_same_text_each_time(small_results, output_format):
    first, second = (render(correlation_table(small_results), output_format) for _ in range(2))
    assert first == second
    assert first.endswith("\n")


@pytest.mark.parametrize("output_format", [Format.TABLE, Format.MARKDOWN, Format.LATEX])
def test_render_shows_agreements_on_request_or_without_ground_truth(small_table, results, evaluator, output_format):
    bare = correlation_table(results(evaluator("params", 1, 2, 3), evaluator("synflow", 3, 2, 1)))
    assert "between evaluators" not in render(small_table, output_format)
    text = render(bare, output_format)
    assert "nasbench201-tiny on mnist, seed 0, no ground truth" in text
    assert "between evaluators" in text
    assert "Kendall" not in text
    assert "Noise ceiling" not in text


def test_render_shows_no_agreements_of_a_single_evaluator(results, evaluator):
    text = render(correlation_table(results(evaluator("params", 1, 2))), pairwise=True)
    assert "between evaluators" not in text


def line_of(text, label):
    return next(line for line in text.splitlines() if line.startswith(label))


def test_render_table_fits_80_columns_with_six_evaluators(results, evaluator):
    labels = [
        "params",
        "grad_norm",
        "naswot",
        "jacob_cov",
        "gennas-combo:preset=paper",
        "gennas-n:iterations=50",
    ]
    proxies = [evaluator(label, *range(1000)) for label in labels]
    text = render(correlation_table(results(*proxies, truth={LOSS: range(1000)})), pairwise=True)
    assert max(map(len, text.splitlines())) <= 80
    for label in ("params", "grad_norm", "naswot", "jacob_cov", "gennas-combo:", "gennas-n:"):
        assert line_of(text, label).split(maxsplit=1)[1] == (
            "-1.000 [-1.00, -1.00] -1.000 [-1.00, -1.00] 1000    0    0 500"
        )
    assert text.count("\npreset=paper\n") == 2


def test_render_table_splits_a_wide_matrix_of_agreements(results, evaluator):
    proxies = [evaluator(f"proxy-{number}", 1, 2, 3) for number in range(1, 13)]
    text = render(correlation_table(results(*proxies)))
    assert max(map(len, text.splitlines())) <= 80
    assert text.count("12 proxy-12") == 2


def test_render_table_uses_control_codes_only_on_request(small_table):
    assert "\x1b" not in render(small_table)
    assert "\x1b[1mEvaluator" in render(small_table, color=True)


def test_render_table_ignores_the_environment(small_table, monkeypatch):
    plain = render(small_table)
    for name, value in {"FORCE_COLOR": "1", "COLUMNS": "40", "TERM": "dumb"}.items():
        monkeypatch.setenv(name, value)
    assert render(small_table) == plain


@pytest.mark.parametrize(
    ("policy", "sentence"),
    [("worst", "Failed jobs share the worst rank."), ("omit", "Failed jobs are left out.")],
)
def test_render_says_what_became_of_failures(small_results, policy, sentence):
    table = correlation_table(small_results, failures=policy)
    assert sentence in render(table)
    assert json.loads(render(table, Format.JSON))["failure_policy"] == policy


def test_render_says_that_a_noise_ceiling_is_not_known(results, evaluator):
    table = correlation_table(results(evaluator("params", 1, 2), truth={LOSS: [1, 2]}, noise_ceiling=None))
    assert "Noise ceiling of mnist/test_cross_entropy@3: not known." in render(table)
    assert json.loads(render(table, Format.JSON))["metric"]["noise_ceiling"] is None


def test_render_never_shows_zero_for_an_undefined_correlation(results, evaluator):
    failed = evaluator("params", *[Status.FAILED] * 3)
    table = correlation_table(results(failed, truth={LOSS: [1, 2, math.nan]}))
    (row,) = csv.DictReader(io.StringIO(render(table, Format.CSV)))
    assert (row["rho"], row["tau_high"], row["median_seconds"]) == ("", "", "")
    assert row["note"] == "undefined (every job failed)"
    assert "undefined (every job failed) undefined" in render(table)


def test_render_lists_evaluators_without_interval(results, evaluator):
    table = correlation_table(results(evaluator("params", 1, 2), truth={LOSS: [1, 2]}))
    text = render(table)
    assert "params: no interval (fewer than 10 architectures)." in text
    assert line_of(text, "params ").split() == ["params", "-1.000", "-1.000", "2", "0", "0", "1.75"]


def test_render_gives_each_reason_for_a_missing_interval_once(results, evaluator):
    few = [evaluator(name, 1, 2) for name in ("params", "flops")]
    text = render(correlation_table(results(*few, truth={LOSS: [1, 2]})))
    assert "All: no interval (fewer than 10 architectures)." in text
    assert "[low, high]" not in text
    failed = evaluator("late", *[Status.FAILED] * 2)
    text = render(correlation_table(results(*few, failed, truth={LOSS: [1, 2]})))
    assert "params, flops: no interval (fewer than 10 architectures)." in text


def test_render_csv_and_json_have_full_precision(small_table):
    rows = list(csv.DictReader(io.StringIO(render(small_table, Format.CSV))))
    parsed = json.loads(render(small_table, Format.JSON))["evaluators"]
    for row, from_csv, from_json in zip(small_table.rows, rows, parsed, strict=True):
        assert from_json["rho"] == row.rho.value
        assert from_json["tau_low"] == row.tau.low
        assert (float(from_csv["rho"]) if from_csv["rho"] else None) == row.rho.value
        assert (float(from_csv["tau_low"]) if from_csv["tau_low"] else None) == row.tau.low


@pytest.mark.parametrize(
    ("seconds", "shown"),
    [(0.0, "<0.01"), (0.004, "<0.01"), (0.25, "0.25"), (9.5, "9.50"), (99.6, "100"), (12345.6, "12346")],
)
def test_render_seconds_are_short(small_table, seconds, shown):
    row = dataclasses.replace(small_table.rows[0], median_seconds=7.0, median_processor_seconds=seconds)
    text = render(dataclasses.replace(small_table, rows=(row,), pairwise=()))
    assert line_of(text, "jacob_cov ").split()[-1] == shown


def test_render_never_shows_a_negative_zero(results, evaluator):
    table = correlation_table(results(evaluator("params", 1, 2, 3, 4), truth={LOSS: [2, 4, 1, 3]}))
    tiny = dataclasses.replace(table.rows[0].rho, value=-0.0001)
    text = render(dataclasses.replace(table, rows=(dataclasses.replace(table.rows[0], rho=tiny),)))
    assert line_of(text, "params ").split()[1] == "0.000"


def test_render_refuses_an_unknown_format(small_table):
    with pytest.raises(ValueError, match="'xml' is not a valid Format"):
        render(small_table, "xml")


def test_render_latex_starts_no_line_after_a_break_with_a_bracket(small_table):
    # LaTeX would read the bracket as the optional argument of the line break.
    lines = render(small_table, Format.LATEX, pairwise=True).splitlines()
    after_break = [line for before, line in itertools.pairwise(lines) if before.endswith(r"\\")]
    assert after_break
    assert not [line for line in after_break if line.startswith(("[", "*"))]


def test_render_markdown_keeps_pipes_inside_their_cell(results, evaluator):
    table = correlation_table(results(evaluator("a|b", 1, 2, 3), truth={LOSS: [1, 2, 3]}))
    assert r"| `a\|b`" in render(table, Format.MARKDOWN)


def test_reports_of_a_search_say_that_its_architectures_are_no_sample(results, evaluator):
    content = results(evaluator("params", 1, 2, 3))
    content = dataclasses.replace(
        content, plan=dataclasses.replace(content.plan, sampling="proposed by 'local-search'")
    )
    text = render(correlation_table(content), "markdown")
    assert "Architectures were proposed by 'local-search', not drawn at random" in text
