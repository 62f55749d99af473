"""Genuine folders of NATS-Bench, three architectures each, against the means that were published with them."""

import csv
import shutil
from pathlib import Path

import pytest
from nasbench_toolkit.benchmarks_data.formats.nats_bench import read_nats_bench
from nasbench_toolkit.core.errors import DataError

DATA = Path(__file__).parents[3] / "../shared/data/nats-bench"
TOPOLOGY, SIZE = DATA / "NATS-tss-v1_0-3ffb9-simple", DATA / "NATS-sss-v1_0-50262-simple"

pytestmark = pytest.mark.skipif(not DATA.is_dir(), reason="reads genuine folders of NATS-Bench in ../shared/data")

# Our name of a metric, and that of the table of means.
SAME = {
    "cifar10/test_accuracy": "cifar10/ori-test_accuracy",
    "cifar100/test_accuracy": "cifar100/x-test_accuracy",
    "imagenet16-120/test_accuracy": "ImageNet16-120/x-test_accuracy",
    "cifar10-valid/validation_accuracy": "cifar10-valid/x-valid_accuracy",
    "cifar100/validation_accuracy": "cifar100/x-valid_accuracy",
    "imagenet16-120/validation_accuracy": "ImageNet16-120/x-valid_accuracy",
}


def ignore(done, total):
    pass


def test_topology_folder_has_the_published_means() -> None:
    table = read_nats_bench(TOPOLOGY, ignore)
    with (DATA / "nats_topology_3.csv").open(newline="") as file:
        published = list(csv.DictReader(file))
    assert list(table.architectures) == [row["architecture"] for row in published]
    for ours, theirs in SAME.items():
        for epochs in (12, 200):
            expected = [float(row[f"{theirs}@{epochs}"]) for row in published]
            assert table.columns[f"{ours}@{epochs}"].tolist() == pytest.approx(expected, abs=6e-5)
    assert table.notes == ()
    assert table.reduction == "mean of the runs"


@pytest.mark.parametrize("name", [SIZE.name, "renamed-simple"])
def test_size_folder_is_refused_as_another_space(tmp_path, name) -> None:
    folder = shutil.copytree(SIZE, tmp_path / name)
    with pytest.raises(DataError, match=r"is NATS-Bench's size search space \('sss'\)"):
        read_nats_bench(folder, ignore)
