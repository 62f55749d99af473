"""The functions for notebooks and scripts."""

import subprocess
import sys

import nasbench_toolkit
import numpy as np
import pytest
from nasbench_toolkit import LoadedSearch, load_results
from nasbench_toolkit.core.errors import ResultsFileError, UnknownNameError, UsageError
from scipy.stats import spearmanr


@pytest.fixture(scope="module")
def script(tmp_path_factory):
    """Run a script without a guard for its main module, which starts workers; return its folder."""
    folder = tmp_path_factory.mktemp("script")
    (folder / "script.py").write_text(
        "import nasbench_toolkit as nt\n"
        "results = nt.run('r.h5', ['params', 'synflow', 'cls@ep2'], samples=6, seeds=2, workers=1)\n"
        "print(len(results.scores))\n"
        "found = nt.search('s.h5', 'params', strategy='random-search', evaluations=5)\n"
        "print(found.steps.evaluation.tolist())\n"
    )
    done = subprocess.run([sys.executable, "script.py"], cwd=folder, capture_output=True, text=True, timeout=300)
    assert done.returncode == 0, done.stderr
    # The script has run once: workers do not import it.
    assert done.stdout.splitlines() == ["36", "[1, 2, 3, 4, 5]"]
    return folder


def test_frames_are_tidy(script) -> None:
    results = load_results(script / "r.h5")
    scores, truth, curves = results.scores, results.ground_truth, results.curves
    assert len(scores) == 6 * 3 * 2
    assert sorted(scores.evaluator.unique()) == ["cls@ep2", "params", "synflow"]
    assert sorted(scores.seed.unique()) == [0, 1]
    assert (scores.oriented == scores.score).all()
    assert set(scores.status) == {"ok"}
    assert scores.seconds.gt(0).all()
    assert sorted(truth.metric.unique()) == ["mnist/test_accuracy@3", "mnist/test_cross_entropy@3"]
    assert truth.groupby("metric").direction.first().tolist() == ["maximize", "minimize"]
    accuracy = curves[curves.curve == "accuracy"] if "accuracy" in set(curves.curve) else curves
    assert sorted(accuracy.point.unique()) == [1, 2]
    assert set(curves.architecture) == set(scores.architecture)


def test_the_report_is_that_of_the_command(script, run_nasbench) -> None:
    results = load_results(script / "r.h5")
    metric = "mnist/test_accuracy@3"
    report = results.report(metric)
    printed = run_nasbench("report", str(script / "r.h5"), "--metric", metric).stdout
    assert str(report) == repr(report)
    shown = printed.splitlines()
    assert [line for line in str(report).splitlines() if line.startswith("synflow")] == [
        line for line in shown if line.startswith("synflow")
    ]
    truth = results.ground_truth.query("metric == @metric").value
    synflow = results.scores.query("evaluator == 'synflow' and seed == 0").score
    rows = report.to_frame()
    rho = rows[rows.evaluator.str.startswith("synflow")].iloc[0]
    assert rho.rho == pytest.approx(spearmanr(synflow, truth)[0])
    assert report.to_markdown().count("|") > 10
    assert r"\toprule" in report.to_latex()


def test_names_are_checked_as_by_the_command(script, tmp_path) -> None:
    results = load_results(script / "r.h5")
    with pytest.raises(UnknownNameError, match="Unknown aggregate 'vot'. Did you mean 'vote'"):
        results.report(aggregates=["vot"])
    with pytest.raises(UsageError, match="failures must be one of worst, omit, got 'x'"):
        results.report(failures="x")
    assert "rank_sum:params+synflow" in set(results.report(aggregates="rank_sum:params+synflow").to_frame().evaluator)
    with pytest.raises(UsageError, match="A run has one seed or more, got 0"):
        nasbench_toolkit.run(tmp_path / "r.h5", "params", seeds=0)
    alone = nasbench_toolkit.run(tmp_path / "r.h5", "params", samples=2, workers=1)
    assert alone.scores.evaluator.tolist() == ["params"] * 2


def test_a_search_has_its_steps(script) -> None:
    found = load_results(script / "s.h5")
    assert isinstance(found, LoadedSearch)
    assert found.steps.score.tolist() == found.steps.oriented.tolist()
    assert set(found.steps.architecture) == set(found.scores.architecture)
    assert not found.steps.repeated.any()


def test_what_exists_is_continued_or_refused(script) -> None:
    before = load_results(script / "r.h5").scores
    with pytest.raises(ResultsFileError, match=r"r\.h5' exists"):
        nasbench_toolkit.run(script / "r.h5", ["params", "synflow", "cls@ep2"], samples=6, seeds=2, resume=False)
    again = nasbench_toolkit.run(script / "r.h5", ["params", "synflow", "cls@ep2"], samples=6, seeds=2).scores
    assert np.array_equal(again.seconds, before.seconds)


def test_own_labels_are_compared_with(script, tmp_path) -> None:
    cell = load_results(script / "r.h5").contents.arch_ids[0]
    (tmp_path / "own.csv").write_text(f"architecture,quality\n{cell},1.5\n")
    results = nasbench_toolkit.run(tmp_path / "r.h5", ["params"], labels=tmp_path / "own.csv", workers=1)
    own = results.ground_truth.query("metric == 'own/quality'")
    assert own.value.tolist() == [1.5]
    assert own.architecture.tolist() == [cell]
    assert own.source.iloc[0].startswith("own.csv, SHA-256 ")
