"""Every built-in data source passes the contract on small files in the form that its makers publish, or as a table."""

import csv
import pickle
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.testing import DataSourceContract

PLUGINS = installed_plugins()
BUILT_IN = [name for name, item in PLUGINS.data_sources().items() if item.distribution.startswith("nasbench-toolkit ")]
TEST_NAMES = [name for name in vars(DataSourceContract) if name.startswith("test_")]

METRICS = {
    "nasbench101": "cifar10/test_accuracy@108",
    "nasbench201": "cifar10/test_accuracy@200",
    "nasbench-nlp": "ptb/test_loss",
    **{name: "cifar10/test_accuracy@100" for name in BUILT_IN if name.startswith("nds-")},
}
# Name of a file of training images, key of their labels, and values of an image.
IMAGES = {
    "cifar10": ("data_batch_1", "labels", 3 * 32 * 32),
    "cifar100": ("train", "fine_labels", 3 * 32 * 32),
    "imagenet16-120": ("train_data_batch_1", "labels", 3 * 16 * 16),
}
TEXTS = {"wikitext-2": "wiki.{}.tokens", "ptb": "ptb.{}.txt", "own-text": "{}.txt"}


def write_table(name: str, folder: Path) -> Path:
    arch_ids = PLUGINS.search_space(name).info.create().sample(3, np.random.default_rng(0))
    path = folder / "table.csv"
    with path.open("w", newline="") as file:
        rows = [[arch_id, 90.0 + number] for number, arch_id in enumerate(arch_ids)]
        csv.writer(file).writerows([["architecture", METRICS[name]], *rows])
    return path


def write_images(name: str, folder: Path) -> Path:
    file, key, values = IMAGES[name]
    pixels = np.random.default_rng(0).integers(0, 256, (4, values), np.uint8)
    (folder / file).write_bytes(pickle.dumps({"data": pixels, key: [1, 2, 3, 4]}, protocol=2))
    return folder


def write_texts(name: str, folder: Path) -> Path:
    for split, text in (("train", "a <unk> b\n"), ("valid", "b a\n"), ("test", "b\n")):
        (folder / TEXTS[name].format(split)).write_text(text)
    return folder


def write_vectors(_name: str, folder: Path) -> Path:
    path = folder / "vectors.csv"
    path.write_text("recepie_id,v00,v01\n1000000,0.5,-1.0\n1000001,2.0,0.25\n")
    return path


def write_files(name: str, folder: Path) -> Path:
    write = {"table": write_table, "images": write_images, "text": write_texts, "embedding": write_vectors}
    return write[PLUGINS.data_source(name).info.content](name, folder)


@pytest.mark.parametrize("test", TEST_NAMES)
@pytest.mark.parametrize("name", BUILT_IN)
def test_data_source_keeps_its_contract(name: str, test: str) -> None:
    attributes = {"data_source": name, "make_files": lambda self, folder: write_files(name, folder)}
    getattr(type("Contract", (DataSourceContract,), attributes)(), test)()
