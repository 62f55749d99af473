import dataclasses

import pytest
import torch
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.descriptions import DatasetInfo
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings
from nasbench_toolkit.core.supernets import SupernetNorm
from nasbench_toolkit.core.weight_sharing import SupernetContext
from nasbench_toolkit.plugins.search_spaces.nasbench201.space import Nasbench201

STRATEGIES = ("rsps", "darts", "darts:order=second", "gdas", "setn", "enas")

BLOBS = DatasetInfo(
    name="blobs",
    summary="Noise with a bright quarter.",
    source="the tests",
    factory=object,
    input_shape=(1, 8, 8),
    num_classes=3,
    mean=(0.5,),
    std=(0.25,),
    horizontal_flip=True,
)

# Everything as small as it can be and still do what it does.
SMALL = {
    "batch_size": "8", "selection_batch": "8", "batch_norm": "batch", "candidates": "4", "log_candidates": "2",
    "controller_steps": "2", "controller_samples": "2",
}  # fmt: skip


class Narrow(Nasbench201):
    """All cells of NAS-Bench-201 in networks of two channels and three cells."""

    _benchmark_size = (2, 1)


def blobs(count: int, seed: int = 0) -> Batch:
    """Return images whose label says which quarter is bright."""
    generator = torch.Generator().manual_seed(seed)
    images, labels = torch.rand(count, 1, 8, 8, generator=generator) / 2, torch.arange(count) % 3
    for image, label in zip(images, labels.tolist(), strict=True):
        image[0, 4 * (label // 2) :, 4 * (label % 2) :] += 0.4
    return Batch(images, labels)


@pytest.fixture
def context():
    """Make the context of a search of a narrow space."""

    def make(seed=0, images=48, space=None, device="cpu"):
        space = space or Narrow(installed_plugins().search_space("nasbench201").info)
        return SupernetContext(space, BLOBS, blobs(images), blobs(30, 1), torch.device(device), seed)

    return make


@pytest.fixture
def settings():
    """Read the settings of a strategy, small ones where nothing else is given."""

    def make(strategy, **given):
        name, _, own = strategy.partition(":")
        texts = dict(pair.split("=") for pair in own.split(",") if pair) | {k: str(v) for k, v in given.items()}
        kind = installed_plugins().search_strategy(name).info.settings
        known = {field.name for field in dataclasses.fields(kind)}
        small = {key: value for key, value in SMALL.items() if key in known}
        return parse_settings(name, kind, {"epochs": "3", **small, **texts})

    return make


@pytest.fixture
def begin(context, settings):
    """Make a strategy at its beginning."""

    def make(strategy, seed=0, space=None, images=48, device="cpu", **given):
        info = installed_plugins().search_strategy(strategy.partition(":")[0]).info
        return info.begin(context(seed, images, space, device), settings(strategy, **given))

    return make


@pytest.fixture
def supernet(context):
    """A narrow supernet in double precision."""
    return context().supernet(SupernetNorm()).double()
