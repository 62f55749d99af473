"""The user's own trained performance, given to run, report and search."""

import json
import math

import pytest

OWN = "id,architecture,my acc\n0,width-3,70\n1,width-9,60\n2,width-5,90\n3,width-2,80\n"
RUN = ("run", "--space", "toy", "-e", "toy-width", "-o", "r.h5")


@pytest.fixture
def labels(tmp_path):
    (tmp_path / "own.csv").write_text(OWN)
    return ("--labels", "own.csv")


def scores(nasbench):
    return json.loads(nasbench("inspect", "r.h5", "--scores", "-f", "json").stdout)


def test_run_scores_all_that_have_labels_and_compares_with_them(nasbench, labels) -> None:
    assert "compared with own/my_acc (maximize)" in nasbench(*RUN, *labels).stdout
    rows = {row["architecture"]: row["own/my_acc (higher is better)"] for row in scores(nasbench)}
    assert rows == {"width-3": 70.0, "width-9": 60.0, "width-5": 90.0, "width-2": 80.0}
    (correlation,) = json.loads(nasbench("report", "r.h5", "-f", "json").stdout)["evaluators"]
    # Ranks of the widths 2, 3, 5, 9 are 1 to 4, those of their labels 3, 2, 4, 1: rho = 1 - 6 (4 + 0 + 1 + 9) / 60.
    assert correlation["rho"] == pytest.approx(-0.4)


def test_run_draws_samples_of_those_that_have_labels(nasbench, labels) -> None:
    nasbench(*RUN, *labels, "-n", 2)
    assert {row["architecture"] for row in scores(nasbench)} < {"width-3", "width-9", "width-5", "width-2"}
    assert len(scores(nasbench)) == 2
    refused = nasbench("run", "--space", "toy", "-e", "toy-width", "-o", "s.h5", *labels, "-n", 5)
    assert refused.returncode == 2
    assert "must be from 1 to the 4 given, got 5" in refused.stderr


def test_given_architectures_are_compared_where_they_have_labels(nasbench, labels, tmp_path) -> None:
    (tmp_path / "archs.txt").write_text("width-9\nwidth-30\nwidth-5\n")
    nasbench(*RUN, *labels, "--architectures", "archs.txt", "--lower-is-better")
    values = [row["own/my_acc (lower is better)"] for row in scores(nasbench)]
    assert values == [60.0, None, 90.0]
    (tmp_path / "archs.txt").write_text("width-30\n")
    refused = nasbench("run", "--space", "toy", "-e", "toy-width", *labels, "--architectures", "archs.txt")
    assert refused.returncode == 2
    assert "There is no label in own.csv, SHA-256 " in refused.stderr
    assert "for any of the 1 architectures" in refused.stderr


@pytest.mark.parametrize("command", ["run", "search"])
def test_labels_and_a_metric_of_the_table_exclude_each_other(nasbench, labels, command) -> None:
    both = nasbench(command, "--space", "toy", "-e", "toy-width", *labels, "--metric", "test_acc")
    assert both.returncode == 2
    assert "--labels brings the performance to compare with, and --metric names that of the table" in both.stderr


def test_report_compares_a_finished_run_with_labels(nasbench, labels, tmp_path) -> None:
    nasbench("run", "--space", "toy", "-e", "toy-width", "-n", 20, "-o", "r.h5")
    before = nasbench("report", "r.h5").stdout
    widths = [row["architecture"] for row in scores(nasbench)]
    lines = "".join(f"{width},{math.sqrt(int(width[6:]))}\n" for width in widths)
    (tmp_path / "own.csv").write_text("architecture,root\n" + lines)
    report = json.loads(nasbench("report", "r.h5", *labels, "-f", "json").stdout)
    assert report["metric"]["key"] == "own/root"
    assert report["evaluators"][0]["rho"] == 1.0
    # The file itself is as it was.
    assert nasbench("report", "r.h5").stdout == before


def test_search_measures_what_it_found_with_labels(nasbench, labels) -> None:
    search = ("search", "--space", "toy", "-e", "toy-width", "-s", "random-search", "-n", 3, "-o", "s.h5", "-f", "json")
    found = json.loads(nasbench(*search, *labels).stdout)
    assert found["metric"] == {
        "key": "own/my_acc", "unit": "", "direction": "maximize", "best": 90.0, "optimum": None,
        "architectures": 4,
    }  # fmt: skip


def test_a_metric_without_unit_leaves_none_in_a_report(nasbench, labels) -> None:
    nasbench("search", "--space", "toy", "-e", "toy-width", "-s", "random-search", "-n", 3, "-o", "s.h5", *labels)
    said = " ".join(nasbench("report", "s.h5").stdout.split())
    assert "own/my_acc" in said
    assert "own/my_acc," not in said


def test_what_is_said_of_no_labels_is_refused(nasbench) -> None:
    for command in (RUN, ("report", "r.h5"), ("search", "--space", "toy", "-e", "toy-width")):
        refused = nasbench(*command, "--label", "x")
        assert refused.returncode == 2


def test_scores_are_joined_by_the_users_spelling(nasbench, labels, tmp_path) -> None:
    nasbench(*RUN, *labels)
    (tmp_path / "mine.csv").write_text("id,architecture\n7, width-09 \n8,width-9\n9,width-5\n10,width-77\n")
    done = nasbench("inspect", "r.h5", "--scores", "--spelled", "mine.csv", "-f", "json")
    assert "1 architectures of 'mine.csv' are not in the results" in done.stderr
    rows = [
        (row["given"], row["architecture"], row["own/my_acc (higher is better)"]) for row in json.loads(done.stdout)
    ]
    assert rows == [("width-09", "width-9", 60.0), ("width-9", "width-9", 60.0), ("width-5", "width-5", 90.0)]
    refused = nasbench("inspect", "r.h5", "--spelled", "mine.csv")
    assert refused.returncode == 2
    assert "add --scores" in refused.stderr
