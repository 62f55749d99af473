import dataclasses
import json
import re
import signal
import subprocess
import sys

import pytest
from nasbench_toolkit.core.results.store import read_results, write_results

HEAVY = ("torch", "numpy", "pandas", "scipy", "h5py", "rich")


@pytest.mark.parametrize("args", [["--help"], ["run", "--help"], ["report", "--help"], ["--version"]], ids=" ".join)
def test_help_imports_nothing_heavy(args) -> None:
    code = (
        "import sys\nfrom nasbench_toolkit.core.cli import main\n"
        f"try:\n    main({args!r})\nexcept SystemExit:\n    pass\n"
        f"print([name for name in {HEAVY!r} if name in sys.modules], file=sys.stderr)"
    )
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, timeout=60)
    assert "nasbench" in done.stdout
    assert done.stderr.strip() == "[]"


def test_run_then_report_prints_the_same_table(nasbench) -> None:
    ran = nasbench("run", "--space", "toy", "-e", "toy-width", "-e", "toy-random", "-n", 12, "-o", "r.h5")
    assert ran.returncode == 0, ran.stderr
    assert "Scoring 12 architectures of toy with toy-width, toy-random" in ran.stderr
    reported = nasbench("report", "r.h5")
    assert reported.stdout == ran.stdout
    assert "toy-width" in reported.stdout
    assert "noise/test_accuracy@5" in reported.stdout


def test_run_without_evaluators_compares_those_that_support_the_space(nasbench) -> None:
    ran = nasbench("run", "--space", "toy", "-n", 3, "-o", "r.h5")
    assert ran.returncode == 0, ran.stderr
    # The toy images are too few for naswot.
    assert "of toy with synflow, params, flops, random\n" in ran.stderr


def test_report_json_has_the_perfect_correlation_of_a_perfect_evaluator(nasbench) -> None:
    nasbench("run", "--space", "toy", "-e", "toy-width", "-n", 12, "-o", "r.h5")
    for metric in ("noise/test_accuracy@5", "noise/test_cross_entropy@5"):
        report = json.loads(nasbench("report", "r.h5", "--metric", metric, "--format", "json").stdout)
        assert report["evaluators"][0]["rho"] == pytest.approx(1.0)
        assert report["evaluators"][0]["n"] == 12


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["run", "--space", "tou"], "Unknown search space 'tou'. Did you mean 'toy'"),
        (["run", "--space", "toy", "-e", "toy-wide"], "Did you mean 'toy-width'"),
        (
            ["run", "--space", "toy", "-e", "gennas-combo"],
            "'gennas-combo' does not support search space 'toy'",
        ),
        (["run", "--space", "toy", "-e", "toy-width", "-n", "0"], "must be at least 1, got 0"),
        (["run", "--space", "toy", "-e", "toy-width", "-n", "3001"], "has 3,000 architectures"),
        (["run", "--space", "toy", "-e", "toy-width", "--dataset", "nois"], "Did you mean 'noise'"),
        (
            ["run", "--space", "toy", "-e", "toy-width", "--device", "gpu"],
            "Unknown device 'gpu'. Use cpu, cuda",
        ),
        (["run", "--space", "toy", "-e", "toy-width", "--device", "cuda:97"], "There is no device cuda:97"),
        (["run", "--space", "toy", "-e", "toy-width", "--workers", "0"], "--workers must be at least 1"),
        (["run", "--space", "toy", "-e", "toy-width", "--executor", "ray", "-j", "2"], "--executor ray:workers=2"),
        (["search", "--space", "toy", "-e", "toy-width", "--executor", "ray", "-j", "2"], "--executor ray:workers=2"),
        (["run", "--space", "toy", "-e", "toy-width", "--shard", "3/2"], "--shard must be I/K"),
        (["run", "--space", "toy", "-e", "toy-width", "--shard", "１/2"], "--shard must be I/K"),
        (
            ["run", "--space", "toy", "-e", "toy-width", "--metric", "x"],
            "Unknown metric 'x'. There are: noise/test_acc",
        ),
        (["run", "--space", "toy", "-e", "toy-width", "--resume"], "--resume needs to know which file"),
        (["run", "--space", "toy", "-e", "toy-width", "--retry-failed"], "--retry-failed repeats jobs of a file"),
        (
            ["run", "--space", "toy", "-e", "toy-width", "--architectures", "list.txt", "-n", "3"],
            "--architectures lists what is scored, and --samples draws it: give one of them.",
        ),
        (["run", "--space", "toy", "-e", "toy-width", "-o", "."], "is a directory"),
        (["run", "--space", "toy", "-e", "toy-width", "-o", "no/r.h5"], "The directory 'no' does not exist"),
        (["run", "--space", "toy", "-e", "toy-width", "-o", "/proc/r.h5"], "'/proc"),
        (["run", "--space", "toy", "-e", "toy-width:mode"], "has no '='"),
        (["run", "--space", "toy", "-e", "toy-width:sconds=2"], "Did you mean 'seconds'"),
        (["run", "--nonsense"], "No such option"),
        (["report", "none.h5"], "There is no file 'none.h5'"),
        (["inspect", "."], "is a directory"),
        (["merge", "a.h5", "-o", "b.h5"], "There is no file 'a.h5'"),
        (["evaluators", "synflwo"], "Did you mean 'synflow'"),
        (["nonsense"], "No such command 'nonsense'"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_message_and_exit_code_2(nasbench, args, message: str) -> None:
    done = nasbench(*args)
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


def test_debug_shows_a_traceback(nasbench) -> None:
    for args in (["report", "none.h5", "--debug"], ["--debug", "report", "none.h5"]):
        done = nasbench(*args)
        assert done.returncode == 2
        assert "Traceback" in done.stderr


def test_run_without_a_single_score_fails(nasbench, tmp_path) -> None:
    (tmp_path / "archs.txt").write_text("width-11\nwidth-12\n")
    evaluators = ("-e", "toy-width", "-e", "toy-misbehaving")
    done = nasbench("run", "--space", "toy", *evaluators, "--architectures", "archs.txt", "-o", "r.h5")
    assert done.returncode == 1
    assert (
        "toy-misbehaving has no score for any of its 2 architectures, for 1 of them since: ValueError: no reason."
        in " ".join(done.stderr.split())
    )
    assert "toy-width has no score" not in done.stderr
    failures = json.loads(nasbench("inspect", "r.h5", "--failures", "--format", "json").stdout)
    assert [(row["status"], row["message"]) for row in failures] == [
        ("failed", "ValueError: no reason"),
        ("degenerate", "nothing to see"),
    ]


def test_run_without_a_single_score_names_the_seed(nasbench, tmp_path) -> None:
    (tmp_path / "archs.txt").write_text("width-11\nwidth-12\n")
    options = ("--space", "toy", "-e", "toy-misbehaving", "--seeds", "2")
    done = nasbench("run", *options, "--architectures", "archs.txt", "-o", "r.h5")
    errors = [line for line in done.stderr.splitlines() if line.startswith("Error: ")]
    assert [line.partition(" has no score for any of its 2")[0] for line in errors] == [
        "Error: toy-misbehaving, seed 0",
        "Error: toy-misbehaving, seed 1",
    ]


def test_failures_are_listed_by_cause(nasbench, tmp_path) -> None:
    (tmp_path / "archs.txt").write_text("width-11\nwidth-12\nwidth-19\n")
    evaluators = ("-e", "toy-width", "-e", "toy-misbehaving")
    nasbench("run", "--space", "toy", *evaluators, "--architectures", "archs.txt", "-o", "r.h5")
    assert nasbench("inspect", "r.h5", "--failures").stdout == (
        "toy-misbehaving, failed: ValueError: no reason\n  width-11\n  width-19\n\n"
        "toy-misbehaving, degenerate: nothing to see\n  width-12\n"
    )
    nasbench("run", "--space", "toy", "-e", "toy-width", "-n", 2, "-o", "well.h5")
    assert nasbench("inspect", "well.h5", "--failures").stdout == "No job failed.\n"
    assert json.loads(nasbench("inspect", "well.h5", "--failures", "-f", "json").stdout) == []
    assert nasbench("inspect", "well.h5", "--failures", "-f", "csv").stdout == "evaluator,architecture,status,message\n"
    assert (
        r"evaluator & architecture & status & message \\"
        in nasbench("inspect", "well.h5", "--failures", "-f", "latex").stdout
    )


def test_inspect_gives_a_list_that_run_takes_back(nasbench, tmp_path) -> None:
    nasbench("run", "--space", "toy", "-e", "toy-width", "-n", 5, "-o", "r.h5")
    listed = nasbench("inspect", "r.h5", "--architectures").stdout
    (tmp_path / "archs.txt").write_text(listed)
    for given in ("archs.txt", "r.h5"):
        nasbench("run", "--space", "toy", "-e", "toy-random", "--architectures", given, "-o", f"{given}.2.h5")
        assert nasbench("inspect", f"{given}.2.h5", "--architectures").stdout == listed


def test_inspect_says_what_a_file_holds(nasbench) -> None:
    nasbench("run", "--space", "toy", "-e", "toy-width:mode=x", "-n", 5, "-o", "r.h5")
    summary = json.loads(nasbench("inspect", "r.h5", "--format", "json").stdout)
    assert summary["space"] == "toy"
    assert summary["architectures"] == 5
    assert summary["evaluators"][0]["jobs"] == {"ok": 5}
    assert summary["settings"][0]["settings"] == {"mode": "x", "seconds": 0.0}
    assert {row["what"] for row in summary["environment"]} >= {
        "created",
        "version_torch",
        "processor",
        "command",
    }
    scores = nasbench("inspect", "r.h5", "--scores", "--format", "csv").stdout.splitlines()
    assert scores[0] == "architecture,noise/test_accuracy@5 (higher is better),toy-width:mode=x (higher is better)"
    assert len(scores) == 6


def test_inspect_sorts_scores_and_shows_the_best_of_a_column(nasbench) -> None:
    nasbench("run", "--space", "toy", "-e", "toy-width", "-n", 6, "-o", "r.h5")
    scores = ["inspect", "r.h5", "--scores", "--format", "json"]
    rows = json.loads(nasbench(*scores, "--metric", "all").stdout)
    by_width = json.loads(nasbench(*scores, "--top", 2).stdout)
    width = "toy-width (higher is better)"
    assert [row[width] for row in by_width] == sorted((row[width] for row in rows), reverse=True)[:2]
    # Lower is better for this one, and it is not the column that is shown by default.
    loss = "noise/test_cross_entropy@5"
    by_loss = json.loads(nasbench(*scores, "--metric", "test_cross_entropy", "--sort", loss).stdout)
    losses = [row[f"{loss} (lower is better)"] for row in by_loss]
    assert losses == sorted(losses)
    table = nasbench("inspect", "r.h5", "--scores", "--metric", "test_cross_entropy").stdout
    assert f"Lower is better for {loss}; higher for all others." in table
    unknown = nasbench("inspect", "r.h5", "--scores", "--sort", "toy-widt")
    assert unknown.returncode == 2
    assert "No column 'toy-widt' to sort by. Did you mean 'toy-width'?" in unknown.stderr
    assert nasbench("inspect", "r.h5", "--top", 3).returncode == 2


def test_shards_merge_into_the_whole(nasbench) -> None:
    common = ["run", "--space", "toy", "-e", "toy-random", "-n", 7]
    nasbench(*common, "-o", "whole.h5")
    for shard in ("1/2", "2/2"):
        nasbench(*common, "--shard", shard, "-o", f"{shard[0]}.h5")
    merged = nasbench("merge", "1.h5", "2.h5", "-o", "merged.h5")
    assert "7 of 7 jobs are done" in merged.stdout
    assert nasbench("merge", "1.h5", "2.h5", "-o", "merged.h5").returncode == 2
    scores = [nasbench("inspect", name, "--scores", "--format", "csv").stdout for name in ("whole.h5", "merged.h5")]
    assert scores[0] == scores[1]


def test_searches_are_not_merged(nasbench, tmp_path) -> None:
    nasbench("search", "--space", "toy", "-e", "toy-width", "-s", "random-search", "-n", 3, "-o", "s.h5")
    refused = nasbench("merge", "s.h5", "-o", "merged.h5")
    assert refused.returncode == 2
    assert "'s.h5' is a search, and a search has no shards" in refused.stderr
    assert not (tmp_path / "merged.h5").exists()


@pytest.mark.parametrize("command", ["spaces", "evaluators", "strategies", "datasets", "plugins"])
def test_listings_name_the_distribution_and_explain_each_entry(nasbench, command: str) -> None:
    rows = json.loads(nasbench(command, "--format", "json").stdout)
    assert {"nasbench-toolkit", "toy-plugin"} <= {row["distribution"].split()[0] for row in rows}
    table = nasbench(command).stdout
    for row in rows:
        assert row["name"] in table
        explained = nasbench(command, row["name"], "--format", "json")
        assert json.loads(explained.stdout)["name"] == row["name"], explained.stderr
    assert nasbench(command, rows[0]["name"]).returncode == 0


def test_interrupt_keeps_everything_and_says_how_to_go_on(nasbench, start_held, tmp_path) -> None:
    args = ["-e", "toy-random", "-n", 30, "-o", "r.h5", "-j", "1"]
    command = start_held("-m", "nasbench_toolkit", "run", "--space", "toy", *args)
    command.allow(3)
    command.wait_for(tmp_path / "r.h5.journal", b'"job"', 3)
    ended = command.end(signal.SIGINT)
    assert ended.returncode == 130
    # The third may be on disk and not be counted yet.
    assert re.search("[23] of 30 jobs are safe in 'r.h5'. Continue with:\n  nasbench run", ended.stderr)
    assert "--resume" in ended.stderr
    assert "Traceback" not in ended.stderr
    jobs = json.loads(nasbench("inspect", "r.h5", "--format", "json").stdout)["evaluators"][0]["jobs"]
    assert jobs["ok"] == 3
    assert not (tmp_path / "r.h5.journal").exists()


def test_kill_then_resume_gives_the_file_of_an_uninterrupted_run(nasbench, start_held, tmp_path) -> None:
    args = ["-e", "toy-random", "-n", 24, "-j", "2"]
    nasbench("run", "--space", "toy", *args, "-o", "whole.h5")
    # Each more than the one before, whose records are in the journal until the next run takes them over.
    for jobs in (2, 3, 4):
        command = start_held("-m", "nasbench_toolkit", "run", "--space", "toy", *args, "-o", "r.h5", "--resume")
        command.allow(jobs)
        command.wait_for(tmp_path / "r.h5.journal", b'"job"', jobs)
        command.end(signal.SIGKILL)
    done = nasbench("run", "--space", "toy", *args, "-o", "r.h5", "--resume")
    assert done.returncode == 0, done.stderr
    assert_equal_but_for_times(tmp_path / "whole.h5", tmp_path / "r.h5")


def assert_equal_but_for_times(first, second) -> None:
    import dataclasses

    from nasbench_toolkit.core.domain import JobCost
    from nasbench_toolkit.core.results.store import read_results

    contents = []
    for path in (first, second):
        results = read_results(path)
        parts = [
            dataclasses.replace(
                part, records=tuple(dataclasses.replace(record, cost=JobCost()) for record in part.records)
            )
            for part in results.evaluators
        ]
        contents.append(dataclasses.replace(results, evaluators=tuple(parts), environment={}))
    assert contents[0] == contents[1]


def test_data_rebuild_trains_rows_again_and_finds_them_unchanged(nasbench) -> None:
    done = nasbench("data", "rebuild", "--check", "1", "--format", "json")
    assert done.returncode == 0, done.stderr
    (row,) = json.loads(done.stdout)
    assert row["outcome"] in ("identical", "within noise")
    too_many = nasbench("data", "rebuild", "--check", "1001")
    assert (too_many.returncode, too_many.stdout) == (2, "")
    assert "The table has 1,000 rows, 1,001 of them were to be made again." in too_many.stderr
    other = nasbench("data", "rebuild", "--space", "toy")
    assert (other.returncode, other.stdout) == (2, "")
    assert "'toy' has no table that can be made again" in other.stderr


@pytest.mark.parametrize(
    ("given", "labels"),
    [
        ([], ["gennas:task=my-task.json"]),
        (["-e", "gennas:iterations=2", "-e", "params"], ["gennas:iterations=2,task=my-task.json", "params"]),
    ],
    ids=["alone", "with-others"],
)
def test_run_task_is_short_for_the_setting_of_what_takes_one(nasbench, given, labels) -> None:
    from pathlib import Path

    task = Path(__file__).parents[3] / "examples" / "my-task.json"
    ran = nasbench("run", *given, "--task", task, "-n", 1, "-o", "r.h5")
    assert ran.returncode == 0, ran.stderr
    evaluators = json.loads(nasbench("inspect", "r.h5", "--format", "json").stdout)["evaluators"]
    assert [evaluator["evaluator"] for evaluator in evaluators] == labels


@pytest.mark.parametrize("given", [["params"], ["params", "gennas:task=b.json"], ["rank_sum:params+flops"]])
def test_run_task_is_refused_where_no_evaluator_lacks_one(nasbench, given) -> None:
    ran = nasbench("run", *(part for text in given for part in ("-e", text)), "--task", "a.json", "-n", 1)
    assert ran.returncode == 2
    assert f"--task a.json is for none of the evaluators {', '.join(given)}" in ran.stderr
    unknown = nasbench("run", "-e", "genas", "--task", "a.json", "-n", 1)
    assert "Unknown evaluator 'genas'. Did you mean 'gennas'" in unknown.stderr


def test_run_with_an_aggregate_shows_it_and_report_adds_others(nasbench) -> None:
    ran = nasbench("run", "--space", "toy", "-e", "toy-larger", "-n", 6, "-o", "r.h5")
    assert ran.returncode == 0, ran.stderr
    assert "of toy with toy-width, toy-walk@ep3\n" in ran.stderr
    assert "toy-larger: made of the ranks of toy-width, toy-walk@ep3" in " ".join(ran.stdout.split())
    assert json.loads(nasbench("inspect", "r.h5", "--format", "json").stdout)["aggregates"] == ["toy-larger"]
    reported = nasbench("report", "r.h5", "-a", "rank_sum:toy-width+toy-walk")
    assert "6.000 is the number of architectures" in reported.stdout
    assert "rank_sum:" in reported.stdout
    unknown = nasbench("report", "r.h5", "-a", "votes")
    assert unknown.returncode == 2
    assert "Unknown aggregate 'votes'. Did you mean 'vote'" in unknown.stderr


def test_report_leaves_out_an_aggregate_that_is_not_installed(nasbench) -> None:
    nasbench("run", "--space", "toy", "-e", "toy-larger", "-n", 4, "-o", "r.h5")
    reported = nasbench("report", "r.h5", plugins=[])
    assert reported.returncode == 0
    assert "asked for the aggregate 'toy-larger', which is not installed here" in reported.stderr
    assert "toy-width" in reported.stdout


def test_an_aggregate_finds_its_evaluators_however_they_are_spelled(run_nasbench) -> None:
    evaluators = ("-e", "synflow:network=benchmark", "-e", "synflow:network=narrow", "-e", "rank_sum:synflow+params")
    ran = run_nasbench("run", *evaluators, "-n", 3, "-j", 1, "-o", "r.h5")
    assert ran.returncode == 0, ran.stderr
    made_of = "rank_sum:synflow+params: made of the ranks of synflow:network=benchmark, params"
    assert made_of in " ".join(ran.stdout.split())


def test_report_leaves_out_an_aggregate_whose_evaluators_the_file_lacks(nasbench, tmp_path) -> None:
    nasbench("run", "--space", "toy", "-e", "toy-larger", "-n", 4, "-o", "r.h5")
    results = read_results(tmp_path / "r.h5")
    write_results(tmp_path / "w.h5", dataclasses.replace(results, aggregates=("rank_sum:params+toy-width",)))
    reported = nasbench("report", "w.h5")
    assert reported.returncode == 0
    assert "asked for the aggregate 'rank_sum:params+toy-width', which cannot be made: " in reported.stderr
    assert "'params' is needed, and the file does not have it" in " ".join(reported.stderr.split())
    assert "toy-width" in reported.stdout


def test_report_curves_shows_every_point(nasbench) -> None:
    nasbench("run", "--space", "toy", "-e", "toy-walk@ep4", "-n", 8, "-o", "r.h5")
    points = json.loads(nasbench("report", "r.h5", "--curves", "--format", "json").stdout)["points"]
    assert [(point["evaluator"], point["point"]) for point in points] == [("toy-walk@ep4", n) for n in (1, 2, 3, 4)]
    nasbench("run", "--space", "toy", "-e", "toy-walk@ep2", "-n", 8, "-o", "short.h5")
    shorter = json.loads(nasbench("report", "short.h5", "--curves", "--format", "json").stdout)["points"]
    assert [point["rho"] for point in shorter] == [point["rho"] for point in points[:2]]
