from pathlib import Path

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.descriptions import DatasetInfo, SearchSpaceInfo
from nasbench_toolkit.core.domain import JobKey
from nasbench_toolkit.core.interfaces import Dataset, SearchSpace
from nasbench_toolkit.core.jobs.evaluation import JobRunner
from nasbench_toolkit.core.settings import parse_settings, settings_hash
from nasbench_toolkit.plugins.evaluators.gennas import EVALUATORS
from torch import nn


class StagedNetwork(nn.Module):
    """Three stages of one convolution, at full, half and quarter resolution."""

    def __init__(self, colours=3, width=8, num_stages=3):
        super().__init__()
        widths = [colours, *(width * 2**stage for stage in range(num_stages))]
        self.stages = nn.ModuleList(
            nn.Sequential(
                nn.Conv2d(widths[i], widths[i + 1], 3, stride=1 if i == 0 else 2, padding=1, bias=False),
                nn.BatchNorm2d(widths[i + 1]),
                nn.ReLU(),
            )
            for i in range(num_stages)
        )
        self.classifier = nn.Linear(widths[-1], 2)

    def forward_stages(self, images):
        features = []
        for stage in self.stages:
            images = stage(images)
            features.append(images)
        return features

    def forward(self, images):
        return self.classifier(self.forward_stages(images)[-1].mean(dim=(2, 3)))


class Widths(SearchSpace):
    size = 16

    def canonicalize(self, text):
        return text

    def _sample(self, count, rng):
        return [str(width + 1) for width in rng.choice(self.size, count, replace=False)]

    def _build_network(self, arch_id, dataset, variant):
        return StagedNetwork(dataset.input_shape[0], int(arch_id) + (1 if variant == "gennas" else 0))


class RandomImages(Dataset):
    def labels(self):
        return np.arange(64) % 2

    def inputs(self, positions):
        return np.random.default_rng(0).random((64, 1, 16, 16), np.float32)[positions]


@pytest.fixture(autouse=True)
def one_thread():
    """These networks are too small to share."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def make_network():
    def make(seed=0, **options):
        torch.manual_seed(seed)
        return StagedNetwork(**options)

    return make


@pytest.fixture
def images():
    return torch.randn(4, 3, 32, 32, generator=torch.Generator().manual_seed(3))


@pytest.fixture
def example_task_file():
    return Path(__file__).parent / "example_task.json"


@pytest.fixture
def score():
    """Score one architecture by an evaluator given by name and settings, through the engine."""
    variants = {"benchmark": "as trained", "gennas": "one channel wider"}

    def run(evaluator, arch_id="4", seed=0, variants=variants, **given):
        info = next(info for info in EVALUATORS if info.name == evaluator)
        settings = parse_settings(evaluator, info.settings, {name: str(text) for name, text in given.items()})
        space = SearchSpaceInfo(
            name="widths", summary="Widths.", source="here", factory=Widths, network_variants=variants
        ).create()
        dataset = DatasetInfo(
            name="noise",
            summary="Noise.",
            source="here",
            factory=RandomImages,
            input_shape=(1, 16, 16),
            num_classes=2,
            mean=(0.5,),
            std=(0.3,),
        )
        key = JobKey("widths", "noise", arch_id, evaluator, settings_hash(info.version, settings), seed)
        runner = JobRunner(space, dataset, dataset.create(), torch.device("cpu"))
        return runner.run(key, info.create(settings))

    return run
