"""``nasbench reproduce``."""

import csv
import io
import json
import re

import numpy as np
import pytest
from scipy.stats import kendalltau, spearmanr, t

RECIPE = """
title = "A table"
source = "Nobody 2021, table 1"

[[comparisons]]
space = "toy"
samples = 40
figures = [
  { evaluator = "toy-width", value = 0.99 },
  { evaluator = "toy-random", value = 0.9 },
  { evaluator = "toy-random", value = 0.5, statistic = "tau" },
  { evaluator = "toy-width", value = 0.5, statistic = "retrieval", top = 25 },
  { evaluator = "toy-random", value = 0.5, statistic = "seconds" },
]

[[comparisons]]
space = "toy-imported"
dataset = "imported-noise"
figures = [{ evaluator = "toy-width", value = 0.9 }]

[[comparisons]]
space = "toy"
not_comparable = "it was trained on the moon"
figures = [{ evaluator = "toy-width", value = 0.9 }]
"""


@pytest.fixture
def reproduce(nasbench, tmp_path):
    """Reproduce the recipe and return its figures."""
    (tmp_path / "moon.toml").write_text(RECIPE)

    def run(*options):
        done = nasbench("reproduce", "moon.toml", "-f", "json", *options)
        assert done.returncode == 0, done.stderr
        return json.loads(done.stdout)["figures"], done.stderr

    return run


def test_figures_are_made_again(reproduce, nasbench) -> None:
    figures, told = reproduce("-n", 30)
    rows = json.loads(nasbench("inspect", "moon/toy-default-seed0.h5", "--scores", "-f", "json").stdout)
    assert len(rows) == 30
    truth, width, random = (
        np.array([row[f"{name} (higher is better)"] for row in rows])
        for name in ("noise/test_accuracy@5", "toy-width", "toy-random")
    )
    assert [figure["ours"] for figure in figures[:3]] == pytest.approx(
        [spearmanr(width, truth)[0], spearmanr(random, truth)[0], kendalltau(random, truth)[0]]
    )
    best = {tuple(np.argsort(-values)[:8].tolist()) for values in (width, truth)}
    shared = set.intersection(*map(set, best))
    assert figures[3]["ours"] == pytest.approx(len(shared) / 8)
    assert figures[3]["low"] <= figures[3]["ours"] <= figures[3]["high"]
    assert figures[1]["verdict"].startswith("differs by -")
    assert [figure["verdict"] for figure in figures[4:]] == ["not comparable"] * 3
    assert figures[4]["ours"] > 0
    assert "toy-default: 30 architectures and seeds, about 0 min" in told


def test_a_share_of_a_few_architectures_has_no_interval(reproduce) -> None:
    few = reproduce("-n", 16)[0][3]
    assert few["ours"] is not None
    assert (few["low"], few["high"], few["verdict"]) == (None, None, "too few architectures")


def test_the_same_command_goes_on_where_it_was(reproduce) -> None:
    first, _ = reproduce("-n", 12)
    # The seconds of a second computation would be others.
    assert reproduce("-n", 12)[0] == first


def test_seeds_have_a_mean_and_a_deviation(reproduce) -> None:
    figures, _ = reproduce("-n", 20, "--seeds", 3, "-e", "toy-random")
    rho = figures[0]
    assert (rho["evaluator"], rho["seeds"], rho["n"]) == ("toy-random", 3, 20)
    assert rho["deviation"] > 0
    assert rho["low"] < rho["ours"] < rho["high"]


def test_an_estimate_runs_two_architectures_only(nasbench, reproduce, tmp_path) -> None:
    done = nasbench("reproduce", "moon.toml", "--estimate", "-n", 30)
    assert done.stdout == ""
    assert "toy-default: 30 architectures and seeds" in done.stderr
    assert [path.name for path in (tmp_path / "moon").glob("*.h5")] == ["toy-default-two.h5"]


def test_recipes_are_listed_and_unknown_parts_refused(nasbench, reproduce) -> None:
    assert "table2" in nasbench("reproduce").stdout
    for options, message in (
        (("table22",), "Did you mean"),
        (("none.toml",), "There is no file"),
        (("moon.toml", "--space", "toyy"), "'moon' has no space 'toyy'. Did you mean 'toy'?"),
        (("moon.toml", "-e", "naswot"), "'moon' has no evaluator 'naswot'. It has: toy-width, toy-random."),
    ):
        refused = nasbench("reproduce", *options)
        assert refused.returncode == 2
        assert message in " ".join(refused.stderr.split())


@pytest.mark.parametrize(
    ("given", "instead", "message"),
    [
        (
            '"toy-imported"',
            '"toi"',
            "The recipe 'moon', comparisons 2: Unknown search space 'toi'. Did you mean 'toy'?",
        ),
        ('"imported-noise"', '"noice"', "comparisons 2: Unknown dataset 'noice'. Did you mean"),
        ('"toy-random"', '"toy-randum"', "comparisons 1: Unknown evaluator 'toy-randum'. Did you mean 'toy-random'"),
        ('"toy-random"', '"toy-random:made=slow"', "comparisons 1: 'toy-random' has no setting 'made'. Did you mean"),
        ('"toy-random"', '"rank_sum:toy-width+wide"', "comparisons 1: Unknown evaluator 'wide'."),
    ],
    ids=["space", "dataset", "evaluator", "setting", "component"],
)
def test_a_file_that_names_what_is_not_installed_is_refused(nasbench, tmp_path, given, instead, message) -> None:
    (tmp_path / "moon.toml").write_text(RECIPE.replace(given, instead, 1))
    refused = nasbench("reproduce", "moon.toml", "-n", 3)
    assert refused.returncode == 2
    assert message in " ".join(refused.stderr.split())
    assert not (tmp_path / "moon").exists()


def test_a_file_that_names_an_unknown_strategy_is_refused(nasbench, tmp_path) -> None:
    (tmp_path / "found.toml").write_text(SEARCHES.replace("random-search", "random-serch", 1))
    refused = nasbench("reproduce", "found.toml")
    assert refused.returncode == 2
    assert "Unknown search strategy 'random-serch'. Did you mean 'random-search'" in " ".join(refused.stderr.split())


def test_what_has_no_score_is_a_failed_run(nasbench, tmp_path) -> None:
    (tmp_path / "failing.toml").write_text(RECIPE.replace('"toy-random"', '"toy-misbehaving"'))
    done = nasbench("reproduce", "failing.toml", "-n", 1, "--seed", 1)
    assert done.returncode == 1
    assert "Error: 'toy-misbehaving' on toy: every job failed." in " ".join(done.stderr.split())
    said = " ".join(done.stdout.split())
    assert "No figure here: toy-misbehaving (toy, noise, noise/test_accuracy@5): every job failed." in said
    assert re.search(r"Failures: toy-misbehaving \(toy, noise, noise/test_accuracy@5\) 1 \w+\.", said)


def test_published_figures_keep_their_decimals(nasbench, tmp_path) -> None:
    (tmp_path / "moon.toml").write_text(RECIPE.replace("0.99", "0.605").replace("value = 0.9 ", "value = 0.8 "))
    done = nasbench("reproduce", "moon.toml", "-n", 3, "-f", "csv")
    rows = list(csv.DictReader(io.StringIO(done.stdout)))
    assert (rows[0]["dataset"], rows[0]["metric"]) == ("noise", "noise/test_accuracy@5")
    assert rows[0]["failures"] == "0"
    shown = nasbench("reproduce", "moon.toml", "-n", 3).stdout
    assert "toy, noise, noise/test_accuracy@5:" in shown
    assert re.search(r"toy-width +0\.605 ", shown)
    assert re.search(r"toy-random +0\.80 ", shown)


OTHER_DATA_SET = """
title = "A table"
source = "Nobody 2021, table 3"

[[comparisons]]
space = "nds-resnet"
dataset = "photos"
samples = 4
figures = [
  { evaluator = "params", value = 0.9 },
  { evaluator = "synflow", value = 0.5, statistic = "seconds" },
]

[[comparisons]]
space = "nds-resnet"
dataset = "photos"
samples = 4
figures = [{ evaluator = "params", value = 0.9, statistic = "tau" }]

[[comparisons]]
space = "nds-resnet"
dataset = "photos"
metric = "imagenet/test_accuracy"
samples = 4
figures = [{ evaluator = "params", value = 0.9 }]
"""


def test_ground_truth_of_another_data_set_is_taken_only_if_it_is_named(nasbench, tmp_path) -> None:
    (tmp_path / "other.toml").write_text(OTHER_DATA_SET)
    absent = nasbench("reproduce", "other.toml", "--estimate", "-o", "absent")
    assert (
        "There is no ground truth: the table of 'nds-resnet' is not at hand. Run 'nasbench data list nds-resnet'"
        in absent.stderr
    )
    rows = [f"d1w16 d1w16 d1w{width},{accuracy}" for accuracy, width in enumerate((16, 24, 32, 40), start=60)]
    (tmp_path / "table.csv").write_text("\n".join(["architecture,imagenet/test_accuracy@50", *rows]))
    assert nasbench("data", "import", "nds-resnet", "table.csv").returncode == 0
    done = nasbench("reproduce", "other.toml", "-f", "json")
    assert done.returncode == 0, done.stderr
    default, seconds, alone, named = json.loads(done.stdout)["figures"]
    assert [each["ours"] for each in (default, alone)] == [None, None]
    assert [each["verdict"] for each in (default, alone)] == ["not comparable"] * 2
    assert seconds["ours"] > 0
    assert (seconds["n"], named["n"]) == (4, 4)
    assert named["ours"] == 1.0
    assert "The table of 'nds-resnet' that is here has results on imagenet, and none on 'photos'." in done.stderr


SEARCHES = """
title = "What searches find"
source = "Nobody 2021, table 3"
statistic = "found"
seeds = 3

[[comparisons]]
space = "toy"
samples = 30
figures = [
  { evaluator = "toy-width", strategy = "random-search", value = 0 },
  { evaluator = "toy-misbehaving", strategy = "random-search", value = 90, deviation = 1 },
]
"""


def test_searches_are_made_again(nasbench, tmp_path) -> None:
    (tmp_path / "found.toml").write_text(SEARCHES)
    done = nasbench("reproduce", "found.toml", "-e", "toy-width", "-n", 9, "-f", "json")
    assert done.returncode == 0, done.stderr
    (figure,) = json.loads(done.stdout)["figures"]
    values = []
    for seed in range(3):
        options = ("--space", "toy", "-e", "toy-width", "-s", "random-search", "--evaluations", 9, "--seed", seed)
        searched = nasbench("search", *options, "-o", f"{seed}.h5", "-f", "json")
        values.append(json.loads(searched.stdout)["searches"][0]["ground_truth"])
    assert figure["ours"] == pytest.approx(np.mean(values))
    assert figure["deviation"] == pytest.approx(np.std(values, ddof=1))
    low, high = t.interval(0.95, 2, np.mean(values), np.std(values, ddof=1) / np.sqrt(3))
    assert (figure["low"], figure["high"]) == pytest.approx((low, high))
    assert (figure["n"], figure["seeds"], figure["strategy"]) == (9, 3, "random-search")
    assert figure["verdict"].startswith("differs by +")
    # Everything is there, so nothing is computed again.
    assert nasbench("reproduce", "found.toml", "-e", "toy-width", "-n", 9, "-f", "json").stdout == done.stdout
    one = nasbench("reproduce", "found.toml", "-e", "toy-width", "-n", 9, "--seeds", 1)
    assert re.search(r"evaluator +figure +published", one.stdout)
    assert re.search(r"toy-width +by random-search ", one.stdout)
    assert "one seed only" in one.stdout


def test_searches_that_find_nothing_are_a_failed_run(nasbench, tmp_path) -> None:
    (tmp_path / "found.toml").write_text(SEARCHES)
    options = ("-e", "toy-misbehaving", "-n", 1, "--seeds", 1, "--seed", 1)
    done = nasbench("reproduce", "found.toml", *options, "-f", "json")
    (figure,) = json.loads(done.stdout)["figures"]
    assert (figure["verdict"], figure["failures"]) == ("no figure here", 1)
    assert figure["note"] == "no search found an architecture with a score"
    assert done.returncode == 1


SPELLED = """
title = "Another table"
source = "Nobody 2021, table 2"

[[comparisons]]
space = "toy"
samples = 12
figures = [
  { evaluator = "toy-random:seconds=0.001,mode=slow", value = 0.9 },
  { evaluator = "toy-random:mode=slow,seconds=0.0010", value = 0.9, statistic = "tau" },
  { evaluator = "toy-width", value = 0.1, note = "printed as breadth" },
  { evaluator = "ppl@ep1", value = 0.1 },
]
"""


def test_an_evaluator_may_be_spelled_in_any_way(nasbench, tmp_path) -> None:
    (tmp_path / "spelled.toml").write_text(SPELLED)
    done = nasbench("reproduce", "spelled.toml", "-f", "json")
    assert done.returncode == 0, done.stderr
    first, second, width, unfit = json.loads(done.stdout)["figures"]
    assert first["evaluator"] == second["evaluator"] == "toy-random:mode=slow,seconds=0.001"
    assert [figure["n"] for figure in (first, second, width, unfit)] == [12, 12, 12, 0]
    assert unfit["verdict"] == "not comparable"
    assert "toy-width: printed as breadth." in nasbench("reproduce", "spelled.toml").stdout


def test_an_evaluator_without_settings_is_asked_for_with_any(nasbench, tmp_path) -> None:
    (tmp_path / "spelled.toml").write_text(SPELLED)
    for asked, values in (("toy-random", [0.9, 0.9]), ("toy-random:seconds=0.001,mode=slow", [0.9])):
        done = nasbench("reproduce", "spelled.toml", "-e", asked, "-f", "json")
        assert done.returncode == 0, done.stderr
        assert [figure["published"] for figure in json.loads(done.stdout)["figures"]] == values
    refused = nasbench("reproduce", "spelled.toml", "-e", "toy-random:mode=fast")
    assert refused.returncode == 2
    assert "'spelled' has no evaluator 'toy-random:mode=fast'" in " ".join(refused.stderr.split())


def test_recipes_share_what_is_in_their_folder(nasbench, reproduce, tmp_path) -> None:
    (tmp_path / "spelled.toml").write_text(SPELLED)
    figures, _ = reproduce("-n", 12, "-o", "shared")
    widths = [figure["ours"] for figure in figures if figure["evaluator"] == "toy-width"]
    other = nasbench("reproduce", "spelled.toml", "-f", "json", "-o", "shared")
    assert other.returncode == 0, other.stderr
    assert "toy-default: 12 architectures" in other.stderr
    assert json.loads(other.stdout)["figures"][2]["ours"] == widths[0]
    held = json.loads(nasbench("inspect", "shared/toy-default-seed0.h5", "-f", "json").stdout)["evaluators"]
    assert [each["jobs"] for each in held] == [{"ok": 12}] * 3
    # What costs time is computed once: it would take another time if it were computed again.
    assert reproduce("-n", 12, "-o", "shared")[0] == figures
    refused = nasbench("reproduce", "spelled.toml", "-o", "shared", "-n", 9)
    assert "made by another plan" in " ".join(refused.stderr.split())
