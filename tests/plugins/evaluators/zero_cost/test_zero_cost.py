import subprocess
import sys

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.capabilities import Labels
from nasbench_toolkit.core.domain import Direction
from nasbench_toolkit.core.errors import DegenerateError, EvaluationError, InvalidSettingError
from nasbench_toolkit.core.interfaces import Dataset
from nasbench_toolkit.core.settings import parse_settings
from nasbench_toolkit.plugins.evaluators.macs import count_macs
from nasbench_toolkit.plugins.evaluators.zero_cost import EVALUATORS
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.naswot import naswot_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.synflow import log_synaptic_flow
from nasbench_toolkit.plugins.evaluators.zero_cost.layer_sizes import count_params
from nasbench_toolkit.plugins.evaluators.zero_cost.settings import NaswotSettings

INFOS = {info.name: info for info in EVALUATORS}

EXPECTED = {
    "params": lambda context: count_params(context.network(), (3, 32, 32)),
    "flops": lambda context: count_macs(context.network(), (3, 32, 32)),
    "synflow": lambda context: log_synaptic_flow(context.network(), (3, 32, 32)),
    "naswot": lambda context: naswot_score(context.network(), context.batch(8).inputs),
    "random": lambda context: torch.rand((), dtype=torch.float64, generator=context.generator("score")).item(),
}


DEFAULTS = {
    **{name: {"batch_size": 64} for name in ("plain", "grad_norm", "snip", "grasp", "jacob_cov")},
    **{f"az_nas_{part}": {"batch_size": 64} for part in ("expressivity", "progressivity", "trainability")},
    "fisher": {"batch_size": 64, "weighting": "fanin"},
    "zico": {"batch_size": 64, "batches": 2},
    "epe_nas": {"batch_size": 256},
    "naswot": {"batch_size": 128},
    "swap": {"batch_size": 32, "repeats": 32, "mu": None, "sigma": None},
    "zen": {"batch_size": 16, "repeats": 4, "variance": "batch"},
    "meco": {"image_size": 64, "repeats": 3},
    "te_nas_ntk": {"batch_size": 64, "repeats": 3},
    "te_nas_regions": {"batch_size": 256, "crops": 3000, "side": 3, "repeats": 3},
}
"""Of the settings but the network, as the measures' modules state them."""


@pytest.mark.parametrize("name", DEFAULTS)
def test_defaults_are_those_stated(name):
    networks = {"te_nas_ntk": {"network": "narrow"}, "te_nas_regions": {"network": "te-nas"}}
    assert INFOS[name].settings().effective() == DEFAULTS[name] | networks.get(name, {})


def create(name):
    settings = NaswotSettings(batch_size=8) if name == "naswot" else INFOS[name].settings()
    return INFOS[name].create(settings)


def test_evaluators_names_and_directions():
    assert set(INFOS) == {
        *("params", "flops", "l2_norm", "random"),
        *("grad_norm", "snip", "plain", "grasp", "fisher", "synflow", "zico"),
        *("jacob_cov", "epe_nas", "te_nas_ntk"),
        *("naswot", "swap", "te_nas_regions", "zen", "meco"),
        *("az_nas_expressivity", "az_nas_progressivity", "az_nas_trainability"),
    }
    assert [name for name, info in INFOS.items() if info.direction is not Direction.MAXIMIZE] == ["te_nas_ntk"]


LABELLED = {"grad_norm", "snip", "plain", "grasp", "fisher", "zico", "epe_nas"}


def test_evaluators_that_look_at_labels_say_so():
    assert {name for name, info in INFOS.items() if Labels in info.needs} == LABELLED


class OneClass(Dataset):
    """Three hundred images of noise, all of one class."""

    def labels(self):
        return np.zeros(300, np.int64)

    def inputs(self, positions):
        noise = np.random.default_rng(0).random((300, 3, 32, 32), np.float32)
        return noise[positions]


@pytest.mark.parametrize("name", sorted(LABELLED))
def test_one_class_in_the_batch_has_no_score(make_context, name):
    context = make_context(images=OneClass())
    with pytest.raises(DegenerateError, match="same label"):
        INFOS[name].create(INFOS[name].settings()).evaluate(context)


@pytest.mark.parametrize("name", EXPECTED)
def test_evaluate_scores_the_benchmark_network(make_context, name):
    assert create(name).evaluate(make_context()).score == EXPECTED[name](make_context())


@pytest.mark.parametrize("name", EXPECTED)
def test_evaluate_is_reproducible_and_leaves_global_generator(make_context, name):
    evaluator = create(name)
    state = torch.get_rng_state()
    scores = {evaluator.evaluate(make_context()).score for _ in range(2)}
    assert len(scores) == 1
    assert torch.equal(torch.get_rng_state(), state)


@pytest.mark.parametrize(
    ("name", "depends"), [("params", False), ("flops", False), ("synflow", True), ("random", True)]
)
def test_evaluate_dependence_on_seed(make_context, name, depends):
    first, second = (create(name).evaluate(make_context(seed=seed)).score for seed in (0, 1))
    assert (first != second) is depends


def test_random_is_uniform_and_differs_between_architectures(make_context):
    evaluator = create("random")
    scores = [evaluator.evaluate(make_context(arch_id=f"arch {number}")).score for number in range(400)]
    assert len(set(scores)) == 400
    assert all(0.0 <= score < 1.0 for score in scores)
    # Five standard errors of the mean of 400 uniform numbers.
    assert sum(scores) / 400 == pytest.approx(0.5, abs=5 * (1 / 12 / 400) ** 0.5)


def test_naswot_refuses_one_image():
    with pytest.raises(InvalidSettingError, match="'naswot' setting 'batch_size' must be at least 2, got 1"):
        parse_settings("naswot", NaswotSettings, {"batch_size": "1"})


def test_naswot_refuses_batch_larger_than_dataset(make_context):
    with pytest.raises(EvaluationError, match=r"a batch of 1001 images and the dataset 'photos' has 1000"):
        INFOS["naswot"].create(NaswotSettings(batch_size=1001)).evaluate(make_context())


def test_listing_does_not_import_torch():
    code = (
        "import sys, nasbench_toolkit.plugins.evaluators.zero_cost, nasbench_toolkit.plugins.datasets, "
        "nasbench_toolkit.plugins.search_spaces; sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


@pytest.mark.parametrize("name", ["params", "naswot", "synflow"])
def test_evaluate_scores_another_network_of_the_space_when_asked(make_context, name):
    settings = parse_settings(name, INFOS[name].settings, {"network": "gennas"})
    benchmark = create(name).evaluate(make_context()).score
    assert INFOS[name].create(settings).evaluate(make_context()).score != benchmark
