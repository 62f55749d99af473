"""Evaluators that look scores up, in a table whose architectures were trained on one data set or another."""

import json

import pytest

DESIGNS = [f"d1w16 d1w{first}  d1w{second}" for first in (16, 24, 32) for second in (16, 24, 32)]


@pytest.fixture
def two_data_sets(nasbench, tmp_path) -> None:
    """Import a table: of six architectures accuracies on CIFAR-10, of three others on ImageNet."""
    rows = [
        f"{design},{60 + number},{90 - number},," if number < 6 else f"{design},,,{20 + number},{70 - number}"
        for number, design in enumerate(DESIGNS)
    ]
    columns = [f"{images}/test_accuracy@{epochs}" for images, epochs in (("cifar10", (10, 100)), ("imagenet", (5, 50)))
               for epochs in epochs]  # fmt: skip
    (tmp_path / "table.csv").write_text("\n".join([",".join(["architecture", *columns]), *rows]))
    assert nasbench("data", "import", "nds-resnet", "table.csv").returncode == 0


def scores(nasbench, *options) -> list[dict[str, float]]:
    done = nasbench("run", "--space", "nds-resnet", "-j", 1, "-o", "r.h5", "--overwrite", *options)
    assert done.returncode == 0, done.stderr
    rows = json.loads(nasbench("inspect", "r.h5", "--scores", "-f", "json").stdout)
    return [{name.partition(" (")[0]: value for name, value in row.items()} for row in rows]


def test_what_is_looked_up_is_what_is_compared_with(nasbench, two_data_sets) -> None:
    """One worker reads the table for each evaluator, and what a job has started ends with it."""
    rows = scores(nasbench, "--metric", "imagenet/test_accuracy", "-e", "halfway", "-e", "oracle", "-n", 3)
    assert sorted((row["oracle"], row["halfway"]) for row in rows) == [(62, 28), (63, 27), (64, 26)]
    rows = scores(nasbench, "-e", "oracle", "-e", "halfway@ep10", "-n", 6)
    assert sorted((row["oracle"], row["halfway@ep10"]) for row in rows)[0] == (85, 65)
    named = "oracle:metric=imagenet/test_accuracy@5"
    rows = scores(nasbench, "--metric", "imagenet/test_accuracy", "-e", named, "-n", 3)
    assert sorted(row[named] for row in rows) == [26, 27, 28]


def test_a_search_maximises_what_it_is_compared_by(nasbench, two_data_sets) -> None:
    options = ("--space", "nds-resnet", "-s", "random-search", "-e", "oracle", "-n", 3, "-o", "s.h5")
    done = nasbench("search", *options, "--metric", "imagenet/test_accuracy", "-f", "json")
    assert done.returncode == 0, done.stderr
    (found,) = json.loads(done.stdout)["searches"]
    assert (found["score"], found["regret"]) == (64, 0)
