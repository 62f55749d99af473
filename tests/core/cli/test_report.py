import csv
import io
import json

import pytest

STRATEGIES = ("random-search", "regularized-evolution:population_size=4,tournament_size=2")


@pytest.fixture
def searches(nasbench):
    """Search the embedded table with two strategies and three seeds each; return what the searches said."""
    told = []
    for strategy in STRATEGIES:
        options = (
            "-e",
            "oracle",
            "-s",
            strategy,
            "-n",
            "8",
            "--seeds",
            "3",
            "-o",
            f"{strategy[:6]}.h5",
            "-f",
            "json",
        )
        result = nasbench("search", *options, "--workers", "1")
        assert result.returncode == 0, result.stderr
        told.append(json.loads(result.stdout))
    return told


def test_seeds_become_one_row_and_one_curve(nasbench, searches, tmp_path) -> None:
    files = sorted(path.name for path in tmp_path.glob("*.h5"))
    assert len(files) == 6
    result = nasbench("report", *files, "--format", "json")
    assert result.returncode == 0, result.stderr
    rows = json.loads(result.stdout)
    assert [(row["strategy"], row["seeds"]) for row in rows] == [(strategy, 3) for strategy in STRATEGIES]
    for row, told in zip(rows, searches, strict=True):
        for quantity in ("ground_truth", "rank", "regret"):
            assert row[quantity] == pytest.approx(told["over_seeds"][quantity]["mean"])
            assert row[f"{quantity}_deviation"] == pytest.approx(told["over_seeds"][quantity]["deviation"])
        assert (row["fewest_evaluations"], row["most_evaluations"]) == (8, 8)

    result = nasbench("report", *files, "-o", "searches")
    assert (result.returncode, result.stdout) == (0, ""), result.stderr
    assert "Report: searches" in result.stderr
    folder = tmp_path / "searches"
    points = list(csv.DictReader(io.StringIO((folder / "figures/regret.csv").read_text())))
    told_curve = [point["mean"] for told in searches for point in told["over_seeds"]["regret_curve"]]
    assert [float(point["mean"]) for point in points] == pytest.approx(told_curve, rel=1e-5)
    assert json.loads((folder / "tables.json").read_text()) == rows
    page = (folder / "report.html").read_text()
    assert "regret (nats; cross_entropy, mnist)" in page
    assert "<dd>0; 1; 2</dd>" in page

    result = nasbench("report", *files)
    assert "random-search" in result.stdout
    assert "regularized-evolution" in result.stdout
    assert "All: space nasbench201-tiny; evaluator oracle; measured with" in result.stdout
    result = nasbench("report", *files, "-o", "searches")
    assert (result.returncode, result.stdout) == (2, "")
    assert "'searches' exists. Replace it with --overwrite" in result.stderr
    assert nasbench("report", *files, "-f", "latex").stdout.startswith("% Needs")


def test_what_would_count_twice_or_is_no_search_is_refused(nasbench, searches, tmp_path) -> None:
    (tmp_path / "copy.h5").write_bytes((tmp_path / "random-seed0.h5").read_bytes())
    assert nasbench("run", "-e", "params", "-n", "3", "-o", "run.h5", "-j", "1").returncode == 0
    (tmp_path / "run2.h5").write_bytes((tmp_path / "run.h5").read_bytes())
    for options, message in (
        (("random-seed0.h5", "copy.h5"), "hold the same search"),
        (("run.h5", "run2.h5"), "hold the same run of nasbench201-tiny on mnist with seed 0"),
        (("run.h5", "-o", "report.html", "--curves"), "--curves is for tables alone"),
        (("run.h5", "-o", "report.tex", "-f", "csv"), "The form of 'report.tex' is that of its ending"),
        (("copy.h5", "--pairwise"), "--pairwise is for a run, and this is a report of searches"),
        (("copy.h5", "--metric", "nonsense"), "Unknown metric 'nonsense'"),
        (("copy.h5", "-o", "regret.gif"), "End its name with .html, .tex, .md, .csv, .json, .svg, .png or .pdf"),
    ):
        result = nasbench("report", *options)
        assert result.returncode == 2
        assert message in result.stderr


def test_seeds_of_a_run_are_reported_together_from_one_file_or_several(nasbench, tmp_path) -> None:
    evaluators = ("-e", "params", "-e", "random", "--in-process")
    done = nasbench("run", *evaluators, "-n", "12", "--seeds", "2", "-o", "both.h5")
    assert done.returncode == 0, done.stderr
    assert "seeds 0 and 1, 1 x cpu" in done.stderr
    assert "rho of mean score" in done.stdout
    for seed in ("0", "1"):
        options = ("--architectures", "both.h5", "--seed", seed, "-o", f"seed{seed}.h5")
        assert nasbench("run", *evaluators, *options).returncode == 0
    together, apart = (
        json.loads(nasbench("report", *files, "-f", "json").stdout)
        for files in (("both.h5",), ("seed0.h5", "seed1.h5"))
    )
    assert together["over_seeds"] == apart["over_seeds"] != []
    assert [row["rho"] for row in together["evaluators"]] == [row["rho"] for row in apart["evaluators"]]

    compared = nasbench("report", "both.h5", "--compare", "random", "params", "-f", "json")
    assert [(row["first"], row["second"]) for row in json.loads(compared.stdout)["comparisons"]] == [
        ("random", "params")
    ]
    best = max(together["over_seeds"], key=lambda row: row["rho"])["label"]
    assert json.loads(nasbench("report", "both.h5", "--compare", "-f", "json").stdout)["best"] == best
    scores = nasbench("inspect", "both.h5", "--scores", "-f", "csv").stdout
    assert "random, seed 1" in scores

    assert nasbench("run", *evaluators, "-n", "11", "-o", "other.h5").returncode == 0
    several = nasbench("report", "both.h5", "other.h5", "-f", "json")
    assert [len(run["seeds"]) for run in json.loads(several.stdout)["runs"]] == [2, 1]
    for options, message in (
        (("both.h5", "other.h5", "--compare"), "--compare is for a single one"),
        (("both.h5", "--compare", "--curves"), "--curves is for correlations"),
        (("both.h5", "--compare", "-o", "differences.svg"), "differences has tables only"),
        (("both.h5", "--compare", "params", "randon"), "have no evaluator 'randon'. Did you mean 'random'"),
    ):
        result = nasbench("report", *options)
        assert result.returncode == 2
        assert message in result.stderr


def test_a_run_is_written_in_the_form_of_the_name(nasbench, tmp_path) -> None:
    assert nasbench("run", "-e", "params", "-e", "flops", "-n", "12", "-o", "run.h5", "-j", "1").returncode == 0
    printed = nasbench("report", "run.h5", "-f", "csv").stdout
    for name in ("run.csv", "run.html", "run.svg"):
        result = nasbench("report", "run.h5", "-o", name)
        assert (result.returncode, result.stdout) == (0, ""), result.stderr
        assert f"Report: {name}" in result.stderr
    assert (tmp_path / "run.csv").read_text() == printed
    page = (tmp_path / "run.html").read_text()
    assert "<dt>Ground truth</dt><dd>mnist/test_cross_entropy@3 (minimize, nats" in page
    assert '\\u003csvg class=\\"cell\\"' in page
    assert "Score against ground truth" in (tmp_path / "run.svg").read_text()
    assert "exists" in nasbench("report", "run.h5", "-o", "run.csv").stderr
    assert nasbench("report", "run.h5", "-o", "run.csv", "--overwrite").returncode == 0


def test_further_statistics_need_a_ground_truth(nasbench) -> None:
    nasbench("run", "--space", "nds-resnet", "-e", "params", "-n", 3, "-o", "bare.h5")
    assert nasbench("report", "bare.h5").returncode == 0
    refused = nasbench("report", "bare.h5", "--further")
    assert refused.returncode == 2
    assert "--further compares scores with a ground truth, and these results have none." in refused.stderr


def test_runs_and_searches_are_reported_together(nasbench, tmp_path) -> None:
    nasbench("run", "--space", "toy", "-e", "toy-width", "-n", 12, "-o", "r.h5")
    search = ("search", "--space", "toy", "-e", "toy-width", "-s", "random-search", "-n", 5, "--seeds", 2)
    nasbench(*search, "-o", "s.h5")
    together = ("report", "s-seed0.h5", "r.h5", "s-seed1.h5")
    printed = nasbench(*together).stdout
    assert printed == nasbench("report", "r.h5").stdout + "\n" + nasbench("report", "s-seed0.h5", "s-seed1.h5").stdout
    for options, reason in (
        (("-f", "csv"), "Runs and searches have different columns"),
        (("-o", "all.json"), "Runs and searches have different columns"),
        (("--pairwise",), "--pairwise is for a single run, and this is a report of runs and searches"),
    ):
        refused = nasbench(*together, *options)
        assert refused.returncode == 2
        assert reason in refused.stderr
    pytest.importorskip("altair", reason="charts need the extra 'report'")
    assert nasbench(*together, "-o", "all").returncode == 0
    assert (tmp_path / "all" / "searches" / "tables.md").read_text() == nasbench(
        "report", "s-seed0.h5", "s-seed1.h5", "-f", "markdown"
    ).stdout
    assert "random-search" in (tmp_path / "all" / "report.html").read_text()
