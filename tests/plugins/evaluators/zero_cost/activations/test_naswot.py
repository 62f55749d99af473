import copy
import math

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.errors import DegenerateError, DivergedError, EvaluationError
from nasbench_toolkit.plugins.evaluators.zero_cost.activations import naswot
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.naswot import count_agreements, naswot_score
from torch import nn
from torch.nn import functional

# On and off: 110, 100, 001 (0 is off). They differ in 1 (1st, 2nd), 3 (1st, 3rd) and 2 (2nd, 3rd) of 3 units:
# K = [[3, 2, 0], [2, 3, 1], [0, 1, 3]] and det K = 3 (9 - 1) - 2 (6 - 0) = 12.
CODES = torch.tensor([[0.5, 2.0, -1.0], [9.0, 0.0, -0.1], [-3.0, -1.0, 1.0]])
KERNEL = torch.tensor([[3.0, 2.0, 0.0], [2.0, 3.0, 1.0], [0.0, 1.0, 3.0]], dtype=torch.float64)
IMAGES = CODES.reshape(3, 1, 1, 3)


class Apply(nn.Module):
    """Network made of one function."""

    def __init__(self, function):
        super().__init__()
        self.function = function

    def forward(self, images):
        return self.function(images.clone())


RELUS = [
    pytest.param(nn.ReLU(), id="module"),
    pytest.param(nn.ReLU(inplace=True), id="module-in-place"),
    pytest.param(nn.ReLU6(), id="relu6-module"),
    pytest.param(nn.ReLU6(inplace=True), id="relu6-module-in-place"),
    pytest.param(functional.relu, id="functional"),
    pytest.param(lambda x: functional.relu(x, inplace=True), id="functional-in-place"),
    pytest.param(lambda x: functional.relu(input=x), id="functional-by-keyword"),
    pytest.param(functional.relu_, id="functional-underscore"),
    pytest.param(functional.relu6, id="functional-relu6"),
    pytest.param(lambda x: functional.hardtanh(x, min_val=0.0, max_val=6.0), id="functional-clipping"),
    pytest.param(torch.relu, id="torch"),
    pytest.param(torch.relu_, id="torch-underscore"),
    pytest.param(lambda x: x.relu(), id="method"),
    pytest.param(lambda x: x.relu_(), id="method-in-place"),
    pytest.param(lambda x: torch.maximum(input=x, other=torch.zeros_like(x)), id="maximum-by-keyword"),
    pytest.param(lambda x: torch.where(x > 0, input=x, other=0 * x), id="where-by-keyword"),
    pytest.param(nn.LeakyReLU(0.0, inplace=True), id="leaky-module-in-place"),
    pytest.param(lambda x: functional.leaky_relu(x, 0.0, inplace=True), id="leaky-in-place-by-keyword"),
    pytest.param(nn.ELU(0.0, inplace=True), id="elu-module-in-place"),
    pytest.param(nn.RReLU(0.0, 0.0, inplace=True), id="random-leaky-module-in-place"),
]


@pytest.mark.parametrize("relu", RELUS)
def test_naswot_score_three_images(relu):
    assert naswot_score(Apply(relu), IMAGES) == pytest.approx(math.log(12.0), rel=1e-14)


def test_naswot_score_adds_up_all_relus():
    # The second ReLU sees what the first one let through, hence the same codes: det 2K = 8 x 12.
    assert naswot_score(nn.Sequential(nn.ReLU(), nn.ReLU()), IMAGES) == pytest.approx(math.log(96.0), rel=1e-14)


def test_naswot_score_relu_run_by_a_function_in_a_module():
    class Both(nn.Module):
        def forward(self, images):
            return functional.relu(nn.functional.relu(images), inplace=True)

    assert naswot_score(Both(), IMAGES) == pytest.approx(math.log(96.0), rel=1e-14)


TOKENS = [
    pytest.param(lambda x: functional.relu(x.flatten(2)), id="images-first"),
    pytest.param(lambda x: functional.relu(x.flatten(2).transpose(0, 1)).transpose(0, 1), id="images-second"),
    pytest.param(lambda x: functional.relu(x.flatten(2).movedim(0, 2)).movedim(2, 0), id="images-last"),
    pytest.param(lambda x: functional.relu(x.flatten(0, 1)).unflatten(0, x.shape[:2]), id="parts-of-each-image"),
    pytest.param(
        lambda x: functional.relu(x.transpose(0, 1).flatten(0, 1)).unflatten(0, (x.shape[1], -1)),
        id="each-part-of-images",
    ),
    pytest.param(lambda x: functional.relu(torch.cat(x.chunk(2, 3))).sum((1, 2, 3)), id="halves-of-maps"),
    pytest.param(lambda x: functional.relu(x.reshape(-1)), id="numbers"),
]


@pytest.mark.parametrize("channels", [2, 4], ids=["fewer-channels", "as-many-channels-as-images"])
@pytest.mark.parametrize("relu", TOKENS)
def test_naswot_score_wherever_the_images_are(relu, channels):
    images = torch.randn(4, channels, 3, 4, generator=torch.Generator().manual_seed(0))
    expected = np.linalg.slogdet(count_agreements(images).numpy())[1]
    assert naswot_score(Apply(relu), images) == pytest.approx(expected, rel=1e-12)


def test_naswot_score_drops_the_same_in_a_second_pass():
    images = torch.randn(4, 2, 3, 4, generator=torch.Generator().manual_seed(0))
    scores = []
    for relu in (functional.relu, lambda x: x * (x > 0)):
        torch.manual_seed(0)
        scores.append(naswot_score(nn.Sequential(nn.Dropout(0.5), Apply(relu)), images))
    assert scores[0] == scores[1]


@pytest.mark.parametrize(
    "pairs",
    [
        pytest.param(lambda x: x[:, None] - x[None], id="pairs-of-images"),
        pytest.param(lambda x: x.roll(1, 0).mean(0, keepdim=True), id="mean-of-images"),
    ],
)
def test_naswot_score_of_units_that_no_image_has_is_refused(pairs):
    with pytest.raises(EvaluationError, match="in no order that is known"):
        naswot_score(Apply(lambda x: functional.relu(pairs(x))), IMAGES)


def test_naswot_score_of_a_transformer_does_not_depend_on_the_order_of_axes():
    class Transformer(nn.Module):
        def __init__(self, batch_first):
            super().__init__()
            torch.manual_seed(0)
            self.layer = nn.TransformerEncoderLayer(4, 1, 16, dropout=0.0, batch_first=batch_first)
            self.axes = (0, 2, 1) if batch_first else (2, 0, 1)

        def forward(self, images):
            return self.layer(images.flatten(2).permute(self.axes))

    images = torch.randn(6, 4, 3, 3, generator=torch.Generator().manual_seed(0))
    first, second = (naswot_score(Transformer(batch_first), images) for batch_first in (True, False))
    assert second == pytest.approx(first, rel=1e-12)


def test_naswot_score_leaves_images_to_a_network_that_begins_in_place():
    images = IMAGES.clone()
    naswot_score(nn.ReLU(inplace=True), IMAGES)
    assert torch.equal(IMAGES, images)


def test_count_agreements_by_hand():
    assert torch.equal(count_agreements(CODES), KERNEL)


def test_count_agreements_in_parts(monkeypatch):
    monkeypatch.setattr(naswot, "EXACT_UNITS", 2)
    assert torch.equal(count_agreements(CODES), KERNEL)


def naive_naswot_score(network, images):
    """Do the same the plain way: hooks on modules, the two products of the paper, NumPy."""
    network = copy.deepcopy(network).train()
    kernel = np.zeros((len(images), len(images)))

    def add_kernel(module, inputs, output):
        codes = (inputs[0].flatten(1) > 0).double().numpy()
        kernel[:] += codes @ codes.T + (1 - codes) @ (1 - codes).T

    for module in network.modules():
        if isinstance(module, nn.ReLU):
            module.register_forward_hook(add_kernel)
    with torch.no_grad():
        network(images)
    return np.linalg.slogdet(kernel)[1]


@pytest.mark.parametrize("variant", ["benchmark", "gennas"])
def test_naswot_score_equals_naive(make_network, images, variant):
    network = make_network(variant=variant)
    # In the same layout, since with other roundings a unit next to 0 is on where it was off.
    expected = naive_naswot_score(network, images.contiguous(memory_format=torch.channels_last))
    assert naswot_score(network, images) == pytest.approx(expected, rel=1e-12)


def test_score_hardly_depends_on_the_layout(make_network, images):
    network = make_network()
    assert naswot_score(network, images) == pytest.approx(naive_naswot_score(network, images), rel=1e-5)


def test_naswot_score_in_training_mode_whatever_the_network_is_in(make_network, images):
    trained, evaluated = make_network(), make_network().eval()
    assert naswot_score(evaluated, images) == naswot_score(trained, images)


def test_naswot_score_independent_of_number_of_outputs(make_network, images):
    assert naswot_score(make_network(num_classes=1), images) == naswot_score(make_network(), images)


@pytest.mark.parametrize(
    "activation",
    [
        pytest.param(nn.Identity(), id="none"),
        pytest.param(nn.LeakyReLU(), id="leaky-relu"),
        pytest.param(nn.Hardtanh(), id="hardtanh"),
        pytest.param(nn.GELU(), id="gelu"),
    ],
)
def test_naswot_score_without_relu_is_degenerate(activation):
    with pytest.raises(DegenerateError, match="no ReLU has run"):
        naswot_score(activation, IMAGES)


@pytest.mark.parametrize(
    ("images", "message"),
    [
        pytest.param(torch.stack([IMAGES[0], IMAGES[2], IMAGES[0]]), "3 images span only 2 dimensions", id="equal"),
        pytest.param(torch.ones(4, 1, 1, 5), "4 images span only 1 dimensions", id="all-on"),
    ],
)
def test_naswot_score_singular_kernel_is_degenerate(images, message):
    with pytest.raises(DegenerateError, match=message):
        naswot_score(nn.ReLU(), images)


def test_naswot_score_dead_cell_is_degenerate(make_network, images):
    network = make_network("|none~0|+|none~0|none~1|+|none~0|none~1|none~2|")
    with pytest.raises(DegenerateError, match="span only 1 dimensions"):
        naswot_score(network, images)


def test_naswot_score_not_finite_output_is_diverged():
    with pytest.raises(DivergedError, match="output is not finite"):
        naswot_score(Apply(lambda x: functional.relu(x) / 0.0), IMAGES)


def test_naswot_score_leaves_network_untouched(make_network, images, assert_untouched):
    network = make_network()
    network.stages[0].eval()
    assert_untouched(network, lambda network: naswot_score(network, images))
