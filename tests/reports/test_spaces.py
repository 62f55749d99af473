import csv
import io
import json
from dataclasses import replace

import numpy as np
import pytest
from nasbench_toolkit.core.documents.rendering import Format, render
from nasbench_toolkit.core.domain import Direction, Metric, Status
from nasbench_toolkit.core.errors import UsageError
from nasbench_toolkit.core.statistics.average_ranks import nemenyi_difference
from nasbench_toolkit.reports import compare_runs, correlation_table, spaces_document

ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")


@pytest.fixture
def table(results, evaluator):
    """Make the table of a run on a space, of evaluators with noise of these standard deviations."""

    def make(space, seeds=(0,), **noises):
        generator = np.random.default_rng(len(space))
        truth = generator.normal(size=60)
        parts = [
            evaluator(label, *(truth + noise * generator.normal(size=60)), seed=seed)
            for label, noise in noises.items()
            for seed in seeds
        ]
        content = results(*parts, truth={ACCURACY: truth})
        return correlation_table(replace(content, plan=replace(content.plan, space=space)))

    return make


def test_evaluators_are_ranked_within_each_run(table):
    compared = compare_runs([table("one", a=0.1, b=1.0, c=4.0), table("another", c=0.1, a=1.0, b=4.0)])
    ranks = {row.label: [cell.rank for cell in row.cells] for row in compared.rows}
    assert ranks == {"a": [1, 2], "b": [2, 3], "c": [3, 1]}
    assert {row.label: row.average_rank for row in compared.rows} == {"a": 1.5, "b": 2.5, "c": 2.0}
    assert compared.ranks.critical_difference == pytest.approx(nemenyi_difference(3, 2))


def test_evaluators_that_a_run_lacks_have_no_average_rank(table):
    compared = compare_runs([table("one", a=0.1, b=1.0), table("another", b=1.0, d=0.1)])
    assert [(row.label, [cell is not None for cell in row.cells], row.average_rank) for row in compared.rows] == [
        ("a", [True, False], None), ("b", [True, True], 1.0), ("d", [False, True], None),
    ]  # fmt: skip
    text = render(spaces_document(compared), width=200)
    assert "critical" not in text


def test_an_undefined_correlation_has_no_rank(results, evaluator, table):
    flat = correlation_table(
        results(evaluator("a", *[1] * 12), evaluator("b", *range(12)), truth={ACCURACY: range(12)})
    )
    compared = compare_runs([flat, table("another", a=0.1, b=1.0)])
    assert [[cell.rank for cell in row.cells] for row in compared.rows] == [[None, 1], [1, 2]]
    assert [row.average_rank for row in compared.rows] == [None, 1.0]


def test_why_there_is_no_average_rank_is_said(results, evaluator, table):
    parts = (evaluator("flat", *[1] * 12), evaluator("b", *range(12)), evaluator("c", *[0, 2, 1, *range(3, 12)]))
    first = correlation_table(results(*parts, truth={ACCURACY: range(12)}))
    notes = spaces_document(compare_runs([first, table("another", flat=0.1, b=1.0, c=0.1, d=1.0)])).notes
    assert "Without a rank, since some run does not have them: d." in notes
    assert "Without a rank, since rho is undefined in some run: flat." in notes


def test_a_small_p_is_not_nought(table):
    noises = {"a": 0.1, "b": 1.0, "c": 4.0, "d": 30.0}
    compared = compare_runs([table("x" * number, **noises) for number in range(3, 13)])
    assert compared.ranks.p < 0.0005
    assert "p <0.001." in render(spaces_document(compared), width=400)


def test_seeds_enter_with_their_mean(table):
    run = table("one", seeds=(0, 1), a=0.3, b=1.0)
    compared = compare_runs([run, table("another", a=0.3, b=1.0)])
    assert compared.rows[0].cells[0].rho == run.over_seeds[0].spread.mean


def test_one_label_with_other_settings_is_kept_apart(table):
    second = table("another", a=0.3, b=1.0)
    changed = replace(second.rows[0], evaluator=replace(second.rows[0].evaluator, settings_hash="f" * 16))
    compared = compare_runs([table("one", a=0.3, b=1.0), replace(second, rows=(changed, second.rows[1]))])
    assert [row.label for row in compared.rows] == ["a (00000000)", "b", "a (ffffffff)"]
    assert compared.apart == ("a",)
    assert "a has other settings or another version in some runs: kept apart." in render(
        spaces_document(compared), width=200
    )


def test_a_run_without_ground_truth_is_refused(results, evaluator, table):
    bare = correlation_table(results(evaluator("a", 1, 2)))
    with pytest.raises(UsageError, match="The run of nasbench201-tiny on mnist has no ground truth"):
        compare_runs([table("one", a=1.0), bare])


def test_failures_and_what_is_unfinished_are_said_of_each_run(results, evaluator, table):
    failed, pending = Status.DIVERGED, Status.PENDING
    second = correlation_table(
        results(
            evaluator("a", *range(10), failed, failed), evaluator("b", *range(11), pending), truth={ACCURACY: range(12)}
        )
    )
    notes = spaces_document(compare_runs([table("one", a=0.1, b=1.0), second])).notes
    assert "Failures in run 2: a 2 diverged." in notes
    assert "Unfinished in run 2: b 11 of 12 done." in notes
    assert not [note for note in notes if "run 1" in note and ("Failures" in note or "Unfinished" in note)]


def test_all_formats_say_the_same(table):
    noises = {f"proxy-{number}": number / 3 for number in range(1, 6)}
    compared = compare_runs([table(space, **noises) for space in ("one", "another", "third", "one", "sixth", "x")])
    document = spaces_document(compared)
    text = render(document)
    assert max(map(len, text.splitlines())) <= 80
    assert "(1)" in text
    assert "(4)" not in text
    assert "Friedman's test" in text
    assert "Runs of one space count as separate ones" in text
    rows = list(csv.DictReader(io.StringIO(render(document, Format.CSV))))
    parsed = json.loads(render(document, Format.JSON))
    assert (len(rows), len(parsed["runs"]), parsed["average_ranks"]["tables"]) == (30, 6, 6)
    assert float(rows[0]["rho"]) == parsed["evaluators"][0]["runs"][0]["rho"] == compared.rows[0].cells[0].rho.value
    assert float(rows[0]["average_rank"]) == parsed["evaluators"][0]["average_rank"]
    for output_format in (Format.MARKDOWN, Format.LATEX):
        assert "mean rank" in render(document, output_format)
