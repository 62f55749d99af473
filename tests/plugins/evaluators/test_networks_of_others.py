import pytest
import torch
from nasbench_toolkit.core.capabilities import GroundTruthTable, SequenceNetwork, Supernets, Tokens
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.experiments.robustness.kinds_of_networks import EVALUATORS, KINDS
from nasbench_toolkit.experiments.robustness.networks_of_others import EQUAL, LOST, REFUSED, compare

# On each kind: counts, gradients, patterns, new weights, a regression and a training.
SOME_EVALUATORS = (
    "params",
    "flops",
    "synflow",
    "fisher",
    "snip",
    "naswot",
    "meco",
    "te_nas_ntk",
    "gennas-single",
    "cls",
)

# With every evaluator: other classes and names, computed weights, a ReLU of another name, and what shows no layers.
SOME_KINDS = ("modules: own", "modules: two names", "weights: weight_norm", "ReLU: mask", "run: scripted convolution")


@pytest.fixture(autouse=True)
def one_thread():
    """These networks are too small to share."""
    threads = torch.get_num_threads()
    torch.set_num_threads(1)
    yield
    torch.set_num_threads(threads)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", KINDS)
def test_scores_are_equal_or_refused(name):
    outcomes = {evaluator: compare(KINDS[name], evaluator) for evaluator in SOME_EVALUATORS}
    assert {evaluator: outcome.text for evaluator, outcome in outcomes.items() if outcome.verdict == LOST} == {}


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("name", SOME_KINDS)
@pytest.mark.parametrize("evaluator", EVALUATORS)
def test_every_evaluator_scores_the_same_or_refuses(evaluator, name):
    outcome = compare(KINDS[name], evaluator)
    assert outcome.verdict != LOST, outcome.text


def test_other_names_and_classes_change_no_bit():
    assert {compare(KINDS["modules: own"], evaluator).verdict for evaluator in SOME_EVALUATORS} == {EQUAL}


def test_frozen_network_is_scored_and_not_trained():
    assert compare(KINDS["modules: frozen"], "params").verdict == EQUAL
    outcome = compare(KINDS["modules: frozen"], "gennas-single")
    assert (outcome.verdict, "'backbone.stages.0.convolution.weight' is frozen" in outcome.text) == (REFUSED, True)


@pytest.mark.filterwarnings("ignore")
@pytest.mark.parametrize("evaluator", ["naswot", "meco", "swap", "te_nas_regions", "col", "jig"])
def test_layers_that_are_mapped_over_images_are_refused_by_those_who_look_at_outputs(evaluator):
    outcomes = [compare(KINDS[kind], evaluator) for kind in ("run: mapped layers", "run: mapped ReLU")]
    assert {outcome.verdict for outcome in outcomes} == {REFUSED}
    assert all("inside torch.func.vmap" in outcome.text for outcome in outcomes)


def test_all_evaluators_for_images_are_tried():
    needs = {name: provided.info.needs for name, provided in installed_plugins().evaluators().items()}
    others = {name for name in needs if {GroundTruthTable, SequenceNetwork, Supernets, Tokens} & needs[name]}
    assert needs.keys() - others == EVALUATORS.keys()
