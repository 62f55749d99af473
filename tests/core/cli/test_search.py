import csv
import json
import re
import signal
import statistics

import h5py
import pytest
from nasbench_toolkit.core.search import limits
from nasbench_toolkit.core.search.planning import SearchRequest, make_search_plans

TOY = ["search", "--space", "toy", "-s", "random-search"]


def outcome_of(done) -> dict:
    assert done.returncode == 0, done.stderr
    return json.loads(done.stdout)


def test_search_says_what_it_found_and_how_good_that_is(nasbench, tmp_path) -> None:
    done = nasbench(*TOY, "-e", "toy-width", "-n", 20, "--seed", 3, "-o", "s.h5")
    assert done.returncode == 0, done.stderr
    assert "Searching toy with random-search for the best toy-width" in done.stderr
    assert "measured with: noise/test_accuracy@5, seed 3, 20 evaluations, 1 at a time on cpu" in done.stderr
    assert "\r" not in done.stderr
    found = outcome_of(nasbench(*TOY, "-e", "toy-width", "-n", 20, "--seed", 3, "-o", "s.h5", "--resume", "-f", "json"))
    (search,) = found["searches"]
    # Score and ground truth are the width itself; the widest of the table has 3,000.
    width = float(search["architecture"].removeprefix("width-"))
    assert (search["score"], search["ground_truth"]) == (width, width)
    assert (search["regret"], search["rank"]) == (3000.0 - width, 3001 - width)
    assert search["regret_curve"][search["evaluation"] - 1 :] == [3000.0 - width] * (21 - search["evaluation"])
    assert (search["evaluations"], search["architectures"], search["failures"]) == (20, 20, 0)
    with h5py.File(tmp_path / "s.h5") as file:
        stored = file["search/regret"]
        assert stored[:].tolist() == search["regret_curve"]
        assert stored.attrs["metric"] == b"noise/test_accuracy@5"
    for text in (search["architecture"], f"{width:g} percent", f"{3001 - int(width):,} of 3,000", "3000 percent"):
        assert text in done.stdout
    assert not (tmp_path / "s.h5.journal").exists()


def test_searching_for_the_lowest_score_and_measuring_a_loss(nasbench) -> None:
    args = ("-e", "oracle:metric=test_cross_entropy", "--metric", "test_cross_entropy", "-n", 10, "-f", "json")
    found = outcome_of(nasbench(*TOY, *args))
    (search,) = found["searches"]
    assert found["metric"]["best"] == -3000.0
    assert search["ground_truth"] == -search["score"]
    assert search["regret"] == 3000.0 + search["ground_truth"] >= 0.0


def test_evolution_climbs_on_the_embedded_table(nasbench) -> None:
    args = (
        "search",
        "-e",
        "oracle",
        "-s",
        "regularized-evolution:population_size=10,tournament_size=5",
        "-n",
        60,
        "-f",
        "json",
    )
    found = outcome_of(nasbench(*args))
    curve = found["searches"][0]["regret_curve"]
    assert len(curve) == 60
    assert curve == sorted(curve, reverse=True)
    assert curve[-1] < curve[0]
    assert found["strategy_settings"] == {"population_size": 10, "tournament_size": 5}


def test_seeds_are_a_search_each_and_give_mean_and_deviation(nasbench, tmp_path) -> None:
    args = [*TOY, "-e", "toy-width", "-n", 8, "--seed", 5, "--seeds", 3, "-o", "s.h5"]
    found = outcome_of(nasbench(*args, "-f", "json"))
    assert sorted(path.name for path in tmp_path.glob("*.h5")) == ["s-seed5.h5", "s-seed6.h5", "s-seed7.h5"]
    regrets = [search["regret"] for search in found["searches"]]
    assert len(set(regrets)) == 3
    expected = {"mean": statistics.fmean(regrets), "deviation": statistics.stdev(regrets), "searches": 3}
    assert found["over_seeds"]["regret"] == pytest.approx(expected)
    assert found["over_seeds"]["regret_curve"][-1] == pytest.approx(expected)
    alone = outcome_of(nasbench(*TOY, "-e", "toy-width", "-n", 8, "--seed", 6, "-o", "one.h5", "-f", "json"))
    assert alone["searches"][0] | {"file": ""} == found["searches"][1] | {"file": ""}
    printed = nasbench(*args, "--resume").stdout
    assert f"{statistics.fmean(regrets):.4g} +- {statistics.stdev(regrets):.4g} percent" in printed
    refused = nasbench(*args)
    assert refused.returncode == 2
    assert "'s-seed5.h5' exists. Continue it with --resume" in refused.stderr


def test_workers_decide_how_many_proposals_wait_unless_told_otherwise(nasbench) -> None:
    common = (*TOY, "-e", "toy-width", "-n", 4, "-f", "json")
    two_workers = nasbench(*common, "-o", "2.h5", "-j", 2)
    assert outcome_of(two_workers)["parallel"] == 1
    assert "--parallel 2 uses all, and is another search" in two_workers.stderr
    assert outcome_of(nasbench(*common, "-o", "3.h5", "-j", 2, "--parallel", 3))["parallel"] == 3


def test_search_without_a_table_says_so(nasbench) -> None:
    done = nasbench("search", "--space", "toy-imported", "-s", "random-search", "-e", "toy-width", "-n", 3)
    assert done.returncode == 0, done.stderr
    assert "ground truth: none at hand" in " ".join(done.stdout.split())
    assert "Note: the table of 'toy-numbers' is not here" in done.stderr


def test_search_without_a_single_score_fails(nasbench, toy_plugins) -> None:
    def first_width(seed: int) -> int:
        (plan,) = make_search_plans(SearchRequest("toy", "toy-misbehaving", "random-search", seed=seed), toy_plugins)
        return int(plan.strategy.make().ask(1)[0].removeprefix("width-"))

    seed = next(seed for seed in range(100) if first_width(seed) % 8 in (3, 4, 5))
    done = nasbench(*TOY, "-e", "toy-misbehaving", "-n", 1, "--seed", seed, "-o", "s.h5")
    assert done.returncode == 1
    assert "No architecture got a score" in done.stderr
    assert "Traceback" not in done.stderr


def test_refused_are_counted_apart_and_costs_are_shown(nasbench) -> None:
    args = [*TOY, "-e", "toy-random", "-n", 6, "--max", "toy-width=1.5k", "--max", "test_accuracy=2e3", "-o", "s.h5"]
    done = nasbench(*args)
    assert done.returncode == 0, done.stderr
    assert "best toy-random, toy-width at most 1500, noise/test_accuracy@5 at most 2000" in done.stderr
    (search,) = outcome_of(nasbench(*args, "-f", "json", "--resume"))["searches"]
    width = float(search["architecture"].removeprefix("width-"))
    assert width <= 1500
    assert search["costs"] == {"toy-width": width, "noise/test_accuracy@5": width}
    assert (search["evaluations"], search["refused"] > 0) == (6, True)
    printed = " ".join(done.stdout.split())
    assert f"refused: {search['refused']} (above a limit; not counted as evaluations)" in printed
    assert f"toy-width: {width:,.0f} (at most 1,500)" in printed
    assert nasbench("inspect", "s.h5").returncode == 0
    assert "made by 'nasbench search'" not in nasbench("report", "s.h5").stderr
    other = nasbench(*TOY, "-e", "toy-random", "-n", 6, "--max", "toy-width=1600", "-o", "s.h5", "--resume")
    assert other.returncode == 2
    assert "it differs in: limits (toy-width <= 1500, noise/test_accuracy@5 <= 2000 in the file" in other.stderr


@pytest.mark.parametrize(("parallel", "noted"), [(1, True), (2, False)])
def test_workers_that_a_search_leaves_idle_are_noted(nasbench, parallel, noted) -> None:
    done = nasbench(*TOY, "-e", "toy-width", "-n", 3, "--workers", 2, "--parallel", parallel)
    assert done.returncode == 0, done.stderr
    assert ("Note: 1 of the 2 workers will have something to do" in done.stderr) is noted


def test_front_of_score_and_costs(nasbench) -> None:
    args = [*TOY, "-e", "toy-random", "-n", 8, "--minimize", "toy-width", "-o", "s.h5"]
    done = nasbench(*args)
    assert "for the best toy-random and the least toy-width" in done.stderr
    found = outcome_of(nasbench(*args, "-f", "json", "--resume"))
    front = found["searches"][0]["front"]
    assert found["minimize"] == ["toy-width"]
    costs = [member["costs"]["toy-width"] for member in front]
    scores = [member["score"] for member in front]
    assert (costs, scores) == (sorted(costs), sorted(scores))
    assert all(member["ground_truth"] == member["costs"]["toy-width"] for member in front)
    assert front[-1]["architecture"] == found["searches"][0]["architecture"]
    table = done.stdout[done.stdout.index("Pareto front:") :]
    assert [line.split()[-1] for line in table.splitlines()[3:]] == [member["architecture"] for member in front]
    repeated = nasbench(*TOY, "-e", "toy-random", "-n", 8, "--minimize", "toy-width", "--seeds", 2)
    assert "front" in repeated.stdout


def test_limits_that_nothing_satisfies_fail_with_the_closest(nasbench) -> None:
    args = (*TOY, "-e", "toy-width", "--max", "test_accuracy=0.5", "-o", "s.h5")
    done = nasbench(*args)
    assert (done.returncode, done.stdout) == (1, "")
    assert "all 1,000 proposals, of 1,000 architectures, were refused. The closest is 'width-" in done.stderr
    assert "(limit 0.5)" in done.stderr
    assert nasbench(*args, "--resume").returncode == 1


def test_search_that_the_limits_end_early_says_so(nasbench) -> None:
    done = nasbench(*TOY, "-e", "oracle", "-n", 30, "--max", "test_accuracy=20")
    assert done.returncode == 0, done.stderr
    assert "of 30 evaluations: the strategy found no more architectures within the limits" in done.stderr


def test_report_and_files_have_one_regret_curve_also_of_searches_that_ended_early(
    nasbench, tmp_path, monkeypatch
) -> None:
    monkeypatch.setattr(limits, "MAX_REFUSALS", 40)
    args = [*TOY, "-e", "toy-width", "-n", 30, "--max", "test_accuracy=300", "--seeds", 3, "-o", "s.h5"]
    found = outcome_of(nasbench(*args, "-f", "json"))
    files = sorted(path.name for path in tmp_path.glob("*.h5"))
    assert nasbench("report", *files, "-o", "report").returncode == 0
    points = list(csv.DictReader((tmp_path / "report/figures/regret.csv").read_text().splitlines()))
    stored = []
    for file in files:
        with h5py.File(tmp_path / file) as opened:
            stored.append(opened["search/regret"][:].tolist())
    assert [search["regret_curve"] for search in found["searches"]] == stored
    lengths = {len(curve) for curve in stored}
    assert min(lengths) < max(lengths)
    # Those that ended early have found all that they ever will.
    whole = [curve + curve[-1:] * (max(lengths) - len(curve)) for curve in stored]
    expected = [statistics.fmean(regrets) for regrets in zip(*whole, strict=True)]
    assert [point["mean"] for point in found["over_seeds"]["regret_curve"]] == pytest.approx(expected)
    assert [float(point["mean"]) for point in points] == pytest.approx(expected, rel=1e-5)


def test_halving_counts_evaluations_by_fidelity(nasbench) -> None:
    args = ("search", "--space", "toy", "-s", "successive-halving:starts=9", "-e", "toy-walk@ep9")
    done = nasbench(*args, "-n", 13, "-f", "json")
    (search,) = outcome_of(done)["searches"]
    assert search["evaluations_by_fidelity"] == {"toy-walk@ep1": 9, "toy-walk@ep3": 3, "toy-walk@ep9": 1}
    unfinished = nasbench(*args, "-n", 5, "-o", "short.h5")
    assert unfinished.returncode == 1
    assert "No architecture was evaluated in full (toy-walk@ep9)" in unfinished.stderr


@pytest.mark.parametrize(
    ("args", "message"),
    [
        (["--max", "toy-width=0"], "The limit of 'toy-width' must be a finite number above 0"),
        (["--max", "toy-width=inf"], "is no finite number"),
        (["--max", "toy-width=much"], "Cannot read --max toy-width=much: 'much' is no finite number"),
        (["--max", "toy-width"], "write COST=VALUE"),
        (["--max", "=3"], "write COST=VALUE"),
        (["--max-params", "M"], "Cannot read --max-params M: 'M' is no finite number"),
        (["--max-flops", "-1"], "The limit of 'flops' must be a finite number above 0, got -1"),
        (["--max-flops", "1M", "--max", "flops=2M"], "The cost 'flops' has two limits, 2000000 and 1000000"),
        (["--max", "toy-wide=3"], "Unknown cost 'toy-wide'. Did you mean 'toy-width'"),
        (["--minimize", "speed"], "Unknown cost 'speed'"),
        (["-s", "successive-halving"], "the evaluator 'toy-width' cannot"),
        (["-s", "nsga2"], "Name one with --minimize"),
        (["-n", "0"], "--evaluations must be at least 1, got 0"),
        (["--parallel", "0"], "--parallel must be at least 1, got 0"),
        (["--workers", "0"], "--workers must be at least 1"),
        (["--seeds", "0"], "'--seeds'"),
        (["--space", "tou"], "Unknown search space 'tou'. Did you mean 'toy'"),
        (["-s", "random-serch"], "Did you mean 'random-search'"),
        (["-s", "regularized-evolution"], "'toy' has no mutation"),
        (["-s", "regularized-evolution:population_size=0"], "must be at least 1"),
        (["-e", "toy-width", "-e", "naswot"], "one evaluator, 2 were given"),
        (["--metric", "speed"], "Unknown metric 'speed'"),
        (["--resume"], "--resume needs to know which file"),
        (["--resume", "--overwrite", "-o", "s.h5"], "give one of them"),
        (["--image-size", "32"], "--image-size belongs to --images"),
        (["-o", "no/s.h5"], "The directory 'no' does not exist"),
        (["--nonsense"], "No such option"),
    ],
    ids=lambda value: " ".join(value) if isinstance(value, list) else "",
)
def test_bad_input_is_one_message_and_exit_code_2(nasbench, otherwise, args, message) -> None:
    done = nasbench(*otherwise([*TOY, "-e", "toy-width"], args))
    assert done.returncode == 2
    assert message in done.stderr
    assert "Traceback" not in done.stderr
    assert done.stdout == ""


@pytest.mark.parametrize(
    ("evaluator", "message"),
    [
        ("vote", "cannot maximise the aggregate 'vote'"),
        ("gennas-combo", "does not support search space 'toy'"),
        ("toy-wide", "Did you mean 'toy-width'"),
        ("oracle:metric=speed", "Unknown metric 'speed'"),
    ],
)
def test_evaluators_that_cannot_be_searched_with(nasbench, evaluator, message) -> None:
    done = nasbench(*TOY, "-e", evaluator)
    assert (done.returncode, done.stdout) == (2, "")
    assert message in done.stderr


def test_without_an_evaluator(nasbench) -> None:
    done = nasbench(*TOY)
    assert (done.returncode, done.stdout) == (2, "")
    assert "0 were given. Name it with --evaluator" in done.stderr


def test_a_file_is_never_replaced_or_continued_by_another_search(nasbench) -> None:
    common = [*TOY, "-e", "toy-width", "-n", 3, "-o", "s.h5"]
    assert nasbench(*common).returncode == 0
    again, other = nasbench(*common), nasbench(*common, "--resume", "--seed", 1)
    assert (again.returncode, other.returncode) == (2, 2)
    assert "'s.h5' exists. Continue it with --resume" in again.stderr
    assert "seed" in other.stderr
    assert nasbench(*common, "--overwrite", "--seed", 1).returncode == 0


def test_a_search_can_be_made_longer(nasbench) -> None:
    common = [*TOY, "-e", "toy-random", "-f", "json"]
    nasbench(*common, "-n", 5, "-o", "s.h5")
    longer = outcome_of(nasbench(*common, "-n", 9, "-o", "s.h5", "--resume"))["searches"][0]
    whole = outcome_of(nasbench(*common, "-n", 9, "-o", "w.h5"))["searches"][0]
    assert longer | {"file": ""} == whole | {"file": ""}


def test_interrupt_keeps_everything_and_resume_gives_the_same_search(nasbench, start_held, tmp_path) -> None:
    args = [*TOY, "-e", "toy-random", "-n", 20, "-o", "s.h5", "-f", "json"]
    command = start_held("-m", "nasbench_toolkit", *args)
    command.allow(4)
    command.wait_for(tmp_path / "s.h5.journal", b'"status"', 4)
    ended = command.end(signal.SIGINT)
    assert ended.returncode == 130
    # The fourth may be on disk and not be counted yet.
    assert re.search("[34] of 20 evaluations are safe in 's.h5'. Continue with:\n  nasbench search", ended.stderr)
    assert "Traceback" not in ended.stderr
    resumed = outcome_of(nasbench(*args, "--resume"))["searches"][0]
    whole = outcome_of(nasbench(*args[:-4], "-o", "w.h5", "-f", "json"))["searches"][0]
    assert resumed | {"file": ""} == whole | {"file": ""}


def test_what_was_found_is_said_in_words_where_the_space_has_other_words(nasbench) -> None:
    args = ("search", "--space", "nds-resnet", "-e", "params:network=narrow", "-s", "random-search", "-n", 2)
    done = nasbench(*args, "-o", "s.h5")
    assert done.returncode == 0, done.stderr
    (search,) = outcome_of(nasbench(*args, "-o", "s.h5", "--resume", "-f", "json"))["searches"]
    depths, widths = zip(*re.findall(r"d(\d+)w(\d+)", search["architecture"]), strict=True)
    stages = ", ".join(f"{depth} x {width}" for depth, width in zip(depths, widths, strict=True))
    words = f"{2 + 2 * sum(map(int, depths))} layers, blocks x channels {stages}"
    assert search["description"] == words
    assert f"what it is:   {words}\n" in done.stdout
    assert "what it is" not in nasbench("search", "-e", "oracle", "-n", 2).stdout


def test_costs_are_printed_with_their_units(run_nasbench) -> None:
    options = ("search", "-e", "random", "-s", "random-search", "-n", 3, "--max-params", "60k", "--max-flops", "2M")
    printed = " ".join(run_nasbench(*options, "-o", "s.h5").stdout.split())
    assert re.search(r"params: [1-9][0-9],[0-9]{3} parameters \(at most 60,000\)", printed)
    assert re.search(r"flops: ([0-9],)?[0-9]{3},[0-9]{3} multiply-adds \(at most 2,000,000\)", printed)
    assert "best of the table, above limits too: " in printed
