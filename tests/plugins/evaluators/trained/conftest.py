import numpy as np
import pytest
import torch
from nasbench_toolkit.core.capabilities import Network, StagedNetwork
from nasbench_toolkit.core.context import EvaluationContext, WorkerCache
from nasbench_toolkit.core.descriptions import DatasetInfo, SearchSpaceInfo
from nasbench_toolkit.core.domain import JobKey
from nasbench_toolkit.core.interfaces import Dataset, SearchSpace
from nasbench_toolkit.core.jobs.evaluation import JobRunner
from nasbench_toolkit.core.settings import parse_settings, settings_hash
from nasbench_toolkit.plugins.evaluators.trained import EVALUATORS
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import parse_arch_str
from nasbench_toolkit.plugins.search_spaces.nasbench201.network import CellNetwork

CONV = "|nor_conv_3x3~0|+|nor_conv_3x3~0|none~1|+|skip_connect~0|nor_conv_1x1~1|avg_pool_3x3~2|"
DEAD = "|none~0|+|none~0|none~1|+|none~0|none~1|none~2|"


class SmallCells(SearchSpace):
    """NAS-Bench-201 cells in networks of four channels and one cell a stage."""

    size = None

    def canonicalize(self, text):
        return text

    def _sample(self, count, rng):
        return [CONV, DEAD][:count]

    def _build_network(self, arch_id, dataset, variant):
        return CellNetwork(
            parse_arch_str(arch_id),
            input_channels=dataset.input_shape[0],
            stem_channels=2 if variant == "reduced" else 4,
            cells_per_stage=1,
            num_classes=dataset.num_classes,
        )


SPACE = SearchSpaceInfo(
    name="small-cells",
    summary="Small cells.",
    source="here",
    factory=SmallCells,
    network_variants={"benchmark": "four channels", "reduced": "two channels"},
    provides=frozenset({Network, StagedNetwork}),
)


class Stripes(Dataset):
    """Horizontal or vertical stripes in random colours, with noise: 80 images."""

    channels, side, count = 3, 16, 80

    def labels(self):
        return np.arange(self.count, dtype=np.int64) % 2

    def inputs(self, positions):
        rng = np.random.default_rng(0)
        stripes = np.zeros((self.count, self.channels, self.side, self.side), np.float32)
        stripes[0::2, :, ::4] = 1
        stripes[1::2, :, :, ::4] = 1
        colours = rng.random((self.count, self.channels, 1, 1), np.float32)
        noise = rng.random(stripes.shape, np.float32)
        return (0.7 * stripes * colours + 0.3 * noise)[positions]


class GreyStripes(Stripes):
    channels, side = 1, 12


STRIPES = DatasetInfo(
    name="stripes",
    summary="Stripes.",
    source="here",
    factory=Stripes,
    input_shape=(3, 16, 16),
    num_classes=2,
    mean=(0.3, 0.3, 0.3),
    std=(0.2, 0.25, 0.3),
)
GREY_STRIPES = DatasetInfo(
    name="grey",
    summary="Grey stripes.",
    source="here",
    factory=GreyStripes,
    input_shape=(1, 12, 12),
    num_classes=2,
    mean=(0.3,),
    std=(0.2,),
    horizontal_flip=False,
)


@pytest.fixture(autouse=True)
def one_thread():
    """These networks are too small to share."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.fixture
def stripes():
    return STRIPES


@pytest.fixture
def make_context():
    """Make the context of a job, and its evaluator."""

    def make(evaluator="cls", arch_id=CONV, seed=0, dataset=STRIPES, space=SPACE, **given):
        info = next(info for info in EVALUATORS if info.name == evaluator)
        settings = parse_settings(evaluator, info.settings, {name: str(text) for name, text in given.items()})
        key = JobKey(space.name, dataset.name, arch_id, evaluator, settings_hash(info.version, settings), seed)
        images, device = dataset.create(), torch.device("cpu")
        return EvaluationContext(key, space.create(), dataset, images, device, WorkerCache({})), info.create(settings)

    return make


@pytest.fixture
def score(make_context):
    """Score one architecture by an evaluator given by name and settings, through the engine."""

    def run(evaluator="cls", arch_id=CONV, seed=0, dataset=STRIPES, space=SPACE, **given):
        context, created = make_context(evaluator, arch_id, seed, dataset, space, **given)
        runner = JobRunner(context.space, dataset, dataset.create(), torch.device("cpu"))
        return runner.run(context.key, created)

    return run


@pytest.fixture
def dead_cell():
    return DEAD


@pytest.fixture
def grey_stripes():
    return GREY_STRIPES
