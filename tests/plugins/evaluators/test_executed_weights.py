import copy
import gc
import weakref

import pytest
import torch
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.plugins.evaluators.executed_weights import ExecutedWeights
from nasbench_toolkit.plugins.evaluators.macs import count_macs
from nasbench_toolkit.plugins.evaluators.observe import observe_calls
from nasbench_toolkit.plugins.evaluators.probing import run_weights
from nasbench_toolkit.plugins.evaluators.stand_ins import run_with
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.naswot import naswot_score
from nasbench_toolkit.plugins.evaluators.zero_cost.activations.zen import zen_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.fisher import fisher_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.grad_norm import grad_norm_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.grasp import grasp_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.plain import plain_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.snip import snip_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.synflow import log_synaptic_flow
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.zico import split_batch, zico_score
from nasbench_toolkit.plugins.evaluators.zero_cost.jacobian.jacob_cov import jacob_cov_score
from nasbench_toolkit.plugins.evaluators.zero_cost.jacobian.te_nas_ntk import te_nas_ntk_score
from nasbench_toolkit.plugins.evaluators.zero_cost.layer_sizes import count_params
from nasbench_toolkit.plugins.evaluators.zero_cost.reinitialization import drawable_parameters
from nasbench_toolkit.plugins.evaluators.zero_cost.size.l2_norm import l2_norm_score
from torch import nn
from torch.nn import functional
from torch.nn.utils import parametrizations, prune
from torch.utils.checkpoint import checkpoint

IMAGE_SHAPE = (3, 8, 8)

SCORES = {
    "flops": lambda network, _: count_macs(network, IMAGE_SHAPE),
    "l2_norm": lambda network, _: l2_norm_score(run_weights(network, IMAGE_SHAPE)),
    "grad_norm": grad_norm_score,
    "snip": snip_score,
    "plain": plain_score,
    "grasp": grasp_score,
    "fisher": fisher_score,
    "synflow": lambda network, _: log_synaptic_flow(network, IMAGE_SHAPE),
    "zico": lambda network, batch: zico_score(network, split_batch(batch, 2)),
}


class Plain(nn.Module):
    def __init__(self):
        super().__init__()
        self.conv1 = nn.Conv2d(3, 6, 3, padding=1)
        self.norm = nn.BatchNorm2d(6)
        self.conv2 = nn.Conv2d(6, 6, 3, padding=1)
        self.fc = nn.Linear(6, 4)

    def features(self, images):
        return functional.relu(self.conv2(functional.relu(self.norm(self.conv1(images)))))

    def forward(self, images):
        return self.fc(self.features(images).mean((2, 3)))


class Bare(nn.Module):
    """The functions of torch.nn.functional with parameters of its own."""

    def __init__(self, plain):
        super().__init__()
        names = [name.replace(".", "_") for name, _ in plain.named_parameters()]
        for name, parameter in zip(names, plain.parameters(), strict=True):
            setattr(self, name, nn.Parameter(parameter.detach().clone()))

    def forward(self, images):
        maps = functional.conv2d(images, self.conv1_weight, self.conv1_bias, padding=1)
        maps = functional.batch_norm(maps, None, None, self.norm_weight, self.norm_bias, training=True).relu()
        maps = functional.conv2d(maps, self.conv2_weight, self.conv2_bias, padding=1).relu()
        return functional.linear(maps.mean((2, 3)), self.fc_weight, self.fc_bias)


class Product(Plain):
    def forward(self, images):
        return self.features(images).mean((2, 3)) @ self.fc.weight.T + self.fc.bias


class Checkpointed(Plain):
    reentrant = False

    def features(self, images):
        return checkpoint(super().features, images, use_reentrant=self.reentrant)


class Reentrant(Checkpointed):
    reentrant = True


class Empty(Plain):
    """A layer without outputs behind the pooling, and one without inputs."""

    def __init__(self):
        super().__init__()
        self.without_outputs = nn.Linear(6, 0)
        self.without_inputs = nn.Linear(0, 4, bias=False)

    def forward(self, images):
        pooled = self.features(images).mean((2, 3))
        nothing = self.without_outputs(pooled)
        return self.fc(torch.cat([pooled, nothing], 1)) + self.without_inputs(nothing)


class TwoNames(Plain):
    def __init__(self):
        super().__init__()
        self.alias = self.conv2


def _on_layers(change):
    def make(plain):
        network = copy.deepcopy(plain)
        for layer in (network.conv1, network.conv2, network.fc):
            change(layer)
        return network

    return make


def _as_class(kind):
    def make(plain):
        network = kind()
        network.load_state_dict(plain.state_dict(), strict=False)
        return network

    return make


OTHERS = {
    "weight_norm": _on_layers(parametrizations.weight_norm),
    "legacy-weight_norm": _on_layers(torch.nn.utils.weight_norm),
    "pruned": _on_layers(lambda layer: prune.identity(layer, "weight")),
    "bare-parameters": Bare,
    "matrix-product": _as_class(Product),
    "checkpointed": _as_class(Checkpointed),
    "checkpointed-reentrant": _as_class(Reentrant),
    "layers-without-weights": _as_class(Empty),
    "two-names": _as_class(TwoNames),
    "frozen": lambda plain: copy.deepcopy(plain).requires_grad_(False),
}


@pytest.fixture
def plain():
    torch.manual_seed(0)
    return Plain()


@pytest.fixture
def batch():
    images = torch.randn(8, *IMAGE_SHAPE, generator=torch.Generator().manual_seed(1))
    return Batch(images, torch.arange(8) % 4)


@pytest.mark.filterwarnings("ignore::FutureWarning", "ignore:Initializing zero-element tensors")
@pytest.mark.parametrize("score", SCORES)
@pytest.mark.parametrize("other", OTHERS)
def test_score_of_the_same_function_is_equal(plain, batch, other, score):
    if other == "matrix-product" and score in {"flops", "fisher"}:
        with pytest.raises(EvaluationError, match="multiplies by a weight outside of convolutions and linear layers"):
            SCORES[score](OTHERS[other](plain), batch)
        return
    expected = SCORES[score](plain, batch)
    # Behind batch normalisation the terms of some measures are rounding errors of sums of size 1.
    assert SCORES[score](OTHERS[other](plain), batch) == pytest.approx(expected, rel=2e-4, abs=1e-6)


@pytest.mark.parametrize("score", SCORES)
def test_score_of_torchscript_is_refused(plain, batch, score):
    with pytest.raises(EvaluationError, match="TorchScript, whose layers are not seen"):
        SCORES[score](torch.jit.script(plain), batch)


class Attention(nn.Module):
    def __init__(self):
        super().__init__()
        self.patch = nn.Conv2d(1, 16, 4, stride=4, bias=False)
        self.attention = nn.MultiheadAttention(16, 2, batch_first=True)
        self.fc = nn.Linear(16, 10)

    def forward(self, images):
        tokens = self.patch(images).flatten(2).transpose(1, 2)
        return self.fc(self.attention(tokens, tokens, tokens, need_weights=False)[0].mean(1))


def test_attention_counts_its_projections():
    network = Attention()
    assert count_macs(network, (1, 12, 12)) == 2304 + 9 * 16 * 48 + 9 * 16 * 16 + 160
    shapes = {tuple(weight.shape) for weight in run_weights(network, (1, 12, 12))}
    assert shapes == {(16, 1, 4, 4), (48, 16), (16, 16), (10, 16)}


def test_products_of_the_images_alone_are_no_weights(batch):
    class ByHand(Plain):
        def forward(self, images):
            tokens = self.features(images).flatten(2)
            return self.fc(((tokens @ tokens.transpose(1, 2)).softmax(-1) @ tokens).mean(2))

    for score in SCORES.values():
        assert score(ByHand(), batch) != 0.0


def test_new_weights_are_refused_where_it_is_not_known_which(plain):
    with pytest.raises(EvaluationError, match="draws new weights .* cannot tell what 'conv1.parametri"):
        zen_score(OTHERS["weight_norm"](plain), IMAGE_SHAPE, torch.Generator())


@pytest.mark.parametrize("score", SCORES)
def test_einsum_is_a_matrix_product(plain, batch, score):
    class Einsum(Plain):
        def forward(self, images):
            return torch.einsum("bc,oc->bo", [self.features(images).mean((2, 3)), self.fc.weight]) + self.fc.bias

    network = _as_class(Einsum)(plain)
    if score in {"flops", "fisher"}:
        with pytest.raises(EvaluationError, match="multiplies by a weight outside of convolutions and linear layers"):
            SCORES[score](network, batch)
    else:
        assert SCORES[score](network, batch) == pytest.approx(SCORES[score](plain, batch), rel=2e-4, abs=1e-6)


def test_network_that_returns_a_tuple_is_refused(batch):
    class Pair(Plain):
        def forward(self, images):
            return super().forward(images), images

    with pytest.raises(EvaluationError, match="the network returns a tuple"):
        snip_score(Pair(), batch)


def _zeros(features, weight):
    return features.new_zeros(len(features), len(weight))


PRODUCTS = {
    "addmm_": lambda features, weight: _zeros(features, weight).addmm_(features, weight.T),
    "addmv_": lambda features, weight: torch.stack(
        [_zeros(features, weight)[0].addmv_(weight, row) for row in features]
    ),
    "addbmm_": lambda features, weight: _zeros(features, weight).addbmm_(features[None], weight.T[None]),
    "baddbmm_": lambda features, weight: _zeros(features, weight)[None].baddbmm_(features[None], weight.T[None])[0],
    "multi_dot": lambda features, weight: torch.linalg.multi_dot([features, weight.T]),
    "chain_matmul": lambda features, weight: torch.chain_matmul(features, weight.T),
    "vecdot": lambda features, weight: torch.linalg.vecdot(features[:, None], weight[None]),
    "dot": lambda features, weight: torch.stack(
        [torch.stack([row.dot(other) for other in weight]) for row in features]
    ),
    "vdot": lambda features, weight: torch.stack(
        [torch.stack([torch.vdot(row, other) for other in weight]) for row in features]
    ),
    "conv_tbc": lambda features, weight: torch.conv_tbc(features[None], weight.T[None], weight.new_zeros(len(weight)))[
        0
    ],
}


def _with_product(product, plain):
    class Written(Plain):
        def forward(self, images):
            return product(self.features(images).mean((2, 3)), self.fc.weight) + self.fc.bias

    return _as_class(Written)(plain)


@pytest.mark.filterwarnings("ignore:.*chain_matmul:UserWarning")
@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
@pytest.mark.parametrize("score", ["l2_norm", "grad_norm", "synflow"])
def test_weight_of_any_matrix_product_counts(plain, batch, product, score):
    expected = SCORES[score](plain, batch)
    assert SCORES[score](_with_product(product, plain), batch) == pytest.approx(expected, rel=1e-5)


@pytest.mark.filterwarnings("ignore:.*chain_matmul:UserWarning")
@pytest.mark.parametrize("product", PRODUCTS.values(), ids=PRODUCTS)
def test_no_matrix_product_is_left_out_of_multiply_adds(plain, batch, product):
    with pytest.raises(EvaluationError, match="multiplies by a weight outside of convolutions and linear layers"):
        SCORES["flops"](_with_product(product, plain), batch)


class Memory(Plain):
    """Attends to keys and values that are parameters."""

    def __init__(self):
        super().__init__()
        self.keys, self.values = nn.Parameter(torch.randn(5, 6)), nn.Parameter(torch.randn(5, 6))

    def attend(self, queries):
        return (queries @ self.keys.T / 6**0.5).softmax(-1) @ self.values

    def forward(self, images):
        return self.fc(self.attend(self.features(images).mean((2, 3))))


class FusedMemory(Memory):
    def attend(self, queries):
        return functional.scaled_dot_product_attention(queries, self.keys, self.values)


def test_attention_to_parameters_is_a_product_with_them(plain, batch):
    by_hand = Memory()
    assert snip_score(_as_class(FusedMemory)(by_hand), batch) == pytest.approx(snip_score(by_hand, batch), rel=1e-5)


class LearnedQuery(Plain):
    """Pools tokens by attention with a query of its own."""

    def __init__(self):
        super().__init__()
        self.query = nn.Parameter(torch.randn(1, 1, 6))
        self.attention = nn.MultiheadAttention(6, 2, batch_first=True)

    def attend(self, query, tokens):
        return self.attention(query, tokens, tokens, need_weights=False)[0]

    def forward(self, images):
        tokens = self.features(images).flatten(2).transpose(1, 2)
        return self.fc(self.attend(self.query.expand(len(tokens), -1, -1), tokens)[:, 0])


class LearnedQueryWithWeights(LearnedQuery):
    def attend(self, query, tokens):
        return self.attention(query, tokens, tokens, need_weights=True)[0]


class LearnedQueryByHand(LearnedQuery):
    def attend(self, query, tokens):
        weights, biases = self.attention.in_proj_weight.chunk(3), self.attention.in_proj_bias.chunk(3)
        projected = map(functional.linear, (query, tokens, tokens), weights, biases)
        queries, keys, values = (part.unflatten(2, (2, 3)).transpose(1, 2) for part in projected)
        attended = (queries @ keys.transpose(2, 3) / 3**0.5).softmax(3) @ values
        return self.attention.out_proj(attended.transpose(1, 2).flatten(2))


@pytest.mark.parametrize("kind", [LearnedQuery, LearnedQueryWithWeights, LearnedQueryByHand])
def test_a_learned_query_is_projected_by_a_layer(batch, kind):
    network = LearnedQuery()
    saliency, multiply_adds = snip_score(network, batch), count_macs(network, (3, 8, 8))
    information = fisher_score(network, batch)
    network = _as_class(kind)(network)
    assert count_params(network, (3, 8, 8)) == sum(parameter.numel() for parameter in network.parameters())
    assert snip_score(network, batch) == pytest.approx(saliency, rel=1e-5)
    assert count_macs(network, (3, 8, 8)) == multiply_adds
    assert fisher_score(network, batch) == pytest.approx(information, rel=1e-5)


class Scales(Plain):
    """Scales maps and vectors by parts of matrices."""

    def __init__(self):
        super().__init__()
        self.of_maps, self.of_vectors = nn.Parameter(torch.ones(3, 6)), nn.Parameter(torch.ones(2, 2))

    def forward(self, images):
        maps = self.features(images) * self.of_maps[0].view(1, -1, 1, 1) / self.of_maps[1, 0]
        return self.fc(maps.mean((2, 3)) * self.of_vectors[1, 0])


def test_parts_of_a_matrix_may_be_scales(batch):
    network, plain = Scales(), Plain()
    plain.load_state_dict({name: value for name, value in network.state_dict().items() if not name.startswith("of_")})
    assert snip_score(network, batch) == pytest.approx(snip_score(plain, batch), rel=1e-5)


class Sliced(Plain):
    """Adds biases, some of which it takes from a list by slicing it."""

    def __init__(self):
        super().__init__()
        self.biases = nn.ParameterList([nn.Parameter(torch.zeros(6)) for _ in range(3)])

    def forward(self, images):
        features = self.features(images).mean((2, 3))
        for bias in self.biases[1:]:
            features = features + bias
        return self.fc(features)


def test_a_slice_of_a_list_of_parameters_is_no_layer(batch):
    network = Sliced()
    assert run_with(network, {}, batch.inputs).equal(network(batch.inputs))
    with pytest.raises(EvaluationError, match="index the list, do not slice it"):
        snip_score(network, batch)


NUMBER_BY_NUMBER = {
    "mul": lambda features, weight: (features[:, None] * weight).sum(2),
    "div": lambda features, weight: (features[:, None] / (1 / weight)).sum(2),
    "addcmul": lambda features, weight: torch.addcmul(weight.new_zeros(()), features[:, None], weight).sum(2),
    "rows": lambda features, weight: torch.stack([(features * row).sum(1) for row in weight], 1),
}


@pytest.mark.parametrize("product", NUMBER_BY_NUMBER.values(), ids=NUMBER_BY_NUMBER)
def test_product_number_by_number_is_refused(plain, batch, product):
    with pytest.raises(EvaluationError, match="outside of convolutions and linear layers, number by number"):
        snip_score(_with_product(product, plain), batch)


class Closure(Plain):
    """Holds on to the parameters of its classifier."""

    def __init__(self):
        super().__init__()
        weight, bias = self.fc.weight, self.fc.bias
        self.classify = lambda features: functional.linear(features, weight, bias)

    def forward(self, images):
        return self.classify(self.features(images).mean((2, 3)))


class Cached(Closure):
    """Holds on to what it has computed of a parameter."""

    def __init__(self):
        super().__init__()
        transposed = self.fc.weight.T
        self.classify = lambda features: features @ transposed + self.fc.bias


class Hidden(Closure):
    """Holds on to a module whose parameters it registers by other names."""

    def __init__(self):
        super().__init__()
        hidden = nn.Linear(6, 4)
        self.parts = nn.ParameterList(hidden.parameters())
        self.classify = lambda features: hidden(features)


OF_WEIGHTS = ["l2_norm", "grad_norm", "snip", "plain", "grasp", "synflow", "zico"]


@pytest.mark.parametrize("kind", [Closure, Cached, Hidden])
@pytest.mark.parametrize("score", OF_WEIGHTS)
def test_parameter_that_nothing_can_stand_in_for_is_refused(batch, kind, score):
    with pytest.raises(EvaluationError, match="holds on to its parameter '(fc.weight|parts.0)'"):
        SCORES[score](kind(), batch)


@pytest.mark.parametrize("count", [count_params, drawable_parameters])
def test_any_parameter_that_nothing_can_stand_in_for_is_refused_where_all_count(count):
    network = Plain()
    norm = network.norm
    network.norm = nn.Module()
    network.norm.parts = nn.ParameterList(norm.parameters())
    network.norm.forward = lambda maps, kept=(norm,): kept[0](maps)
    with pytest.raises(EvaluationError, match="holds on to its parameter 'norm.parts.0'"):
        count(network, IMAGE_SHAPE)


class MakesLayers(Plain):
    """Makes its classifier in its first forward pass."""

    def __init__(self):
        super().__init__()
        self.fc = None

    def forward(self, images):
        pooled = self.features(images).mean((2, 3))
        if self.fc is None:
            self.fc = nn.Linear(pooled.shape[1], 4)
        return self.fc(pooled)


SCORES_AND_COUNTS = SCORES | {
    "params": lambda network, _: count_params(network, IMAGE_SHAPE),
    "naswot": lambda network, batch: naswot_score(network, batch.inputs),
    "jacob_cov": lambda network, batch: jacob_cov_score(network, batch.inputs),
    "zen": lambda network, _: zen_score(network, IMAGE_SHAPE, torch.Generator().manual_seed(0)),
}


@pytest.mark.parametrize("score", SCORES_AND_COUNTS)
def test_network_that_makes_layers_while_it_runs_is_refused(batch, score):
    with pytest.raises(EvaluationError, match=r"makes layers in its forward pass \(a Linear\)"):
        SCORES_AND_COUNTS[score](MakesLayers(), batch)


class Complex(Plain):
    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.randn(6, 6, 1, 1, dtype=torch.complex64))

    def weight(self):
        return self.kernel

    def features(self, images):
        return functional.conv2d(super().features(images).to(torch.complex64), self.weight()).abs()


class ComplexOfParts(Complex):
    def __init__(self):
        super().__init__()
        self.kernel = nn.Parameter(torch.view_as_real(self.kernel.detach()).clone())

    def weight(self):
        return torch.view_as_complex(self.kernel)


class ComplexProduct(ComplexOfParts):
    def features(self, images):
        maps = super(Complex, self).features(images).to(torch.complex64)
        return torch.einsum("bihw,oi->bohw", maps, self.weight()[:, :, 0, 0]).abs()


@pytest.mark.parametrize("kind", [Complex, ComplexOfParts, ComplexProduct])
@pytest.mark.parametrize("score", [*SCORES, "params", "zen"])
def test_complex_weight_is_refused(batch, kind, score):
    with pytest.raises(EvaluationError, match="has a complex weight"):
        SCORES_AND_COUNTS[score](kind(), batch)


@pytest.mark.parametrize("score", ["naswot", "jacob_cov"])
def test_complex_weight_is_taken_where_weights_do_not_count(batch, score):
    torch.manual_seed(0)
    network, parts = Complex(), ComplexOfParts()
    state = network.state_dict()
    parts.load_state_dict(state | {"kernel": torch.view_as_real(state["kernel"])})
    assert SCORES_AND_COUNTS[score](network, batch) == pytest.approx(SCORES_AND_COUNTS[score](parts, batch), rel=1e-5)


class Sequence(Plain):
    """A GRU along the pixels."""

    def __init__(self):
        super().__init__()
        self.recurrent = nn.GRU(6, 6, batch_first=True)
        self.spare = nn.GRU(6, 6)

    def read(self, tokens):
        return self.recurrent(tokens)[0]

    def forward(self, images):
        return self.fc(self.read(self.features(images).flatten(2).transpose(1, 2)).mean(1))


class SequenceByHand(Sequence):
    def read(self, tokens):
        gru, states = self.recurrent, [torch.zeros_like(tokens[:, 0])]
        for token in tokens.unbind(1):
            ours = functional.linear(token, gru.weight_ih_l0, gru.bias_ih_l0).chunk(3, 1)
            theirs = functional.linear(states[-1], gru.weight_hh_l0, gru.bias_hh_l0).chunk(3, 1)
            reset, update = ((a + b).sigmoid() for a, b in zip(ours[:2], theirs[:2], strict=True))
            states.append((1 - update) * (ours[2] + reset * theirs[2]).tanh() + update * states[-1])
        return torch.stack(states[1:], 1)


class SequenceOfCells(Sequence):
    def read(self, tokens):
        gru, states = self.recurrent, [torch.zeros_like(tokens[:, 0])]
        for token in tokens.unbind(1):
            states.append(torch.gru_cell(token, states[-1], *gru._flat_weights))
        return torch.stack(states[1:], 1)


@pytest.mark.parametrize("kind", [Sequence, SequenceOfCells])
@pytest.mark.parametrize("score", ["l2_norm", "grad_norm", "snip"])
def test_recurrent_layer_has_the_weights_of_its_step_where_it_runs(batch, kind, score):
    by_hand = SequenceByHand()
    assert SCORES[score](_as_class(kind)(by_hand), batch) == pytest.approx(SCORES[score](by_hand, batch), rel=1e-5)


def test_recurrent_layer_counts_where_it_runs():
    assert count_params(Sequence(), IMAGE_SHAPE) == count_params(Plain(), IMAGE_SHAPE) + 2 * 18 * 6 + 2 * 18


@pytest.mark.parametrize("kind", [Sequence, SequenceOfCells])
@pytest.mark.parametrize("score", ["flops", "fisher"])
def test_recurrent_layer_is_refused_where_outputs_count(batch, kind, score):
    with pytest.raises(EvaluationError, match="recurrent layer, inside which outputs are not seen"):
        SCORES[score](kind(), batch)


def test_recurrent_layer_with_computed_weights_is_refused(batch):
    network = Sequence()
    parametrizations.weight_norm(network.recurrent, "weight_hh_l0")
    with pytest.raises(EvaluationError, match="recurrent layer whose weight is computed of parameters"):
        snip_score(network, batch)


class Gated(Plain):
    """Multiplies the features by one number for each image."""

    def __init__(self):
        super().__init__()
        self.gate = nn.Linear(6, 1, bias=False)

    def gate_values(self, features):
        return self.gate(features)

    def forward(self, images):
        pooled = self.features(images).mean((2, 3))
        return self.fc(pooled * self.gate_values(pooled))


class GatedByRow(Gated):
    def gate_values(self, features):
        return functional.linear(features, self.gate.weight[0])[:, None]


class GatedByVector(Gated):
    def __init__(self):
        super().__init__()
        self.gate = nn.Module()
        self.gate.weight = nn.Parameter(torch.zeros(6))

    def gate_values(self, features):
        return functional.linear(features, self.gate.weight)[:, None]


VECTOR_SCORES = SCORES | {
    "te_nas_ntk": lambda network, batch: te_nas_ntk_score(network, batch.inputs, torch.Generator().manual_seed(0)),
    "zen": lambda network, _: zen_score(network, IMAGE_SHAPE, torch.Generator().manual_seed(0)),
}


@pytest.mark.parametrize("score", VECTOR_SCORES)
@pytest.mark.parametrize("kind", [GatedByRow, GatedByVector])
def test_linear_layer_with_a_vector_has_one_channel(batch, kind, score):
    torch.manual_seed(0)
    gated, network = Gated(), kind()
    network.load_state_dict(
        {name: value.view(network.state_dict()[name].shape) for name, value in gated.state_dict().items()}
    )
    assert VECTOR_SCORES[score](network, batch) == pytest.approx(VECTOR_SCORES[score](gated, batch), rel=1e-6)


def test_what_a_network_throws_away_is_not_kept_alive() -> None:
    kept, layer = [], nn.Linear(4, 4)

    class Kept(torch.autograd.Function):
        @staticmethod
        def forward(ctx, inputs):
            ctx.token = nn.Identity()
            kept.append(weakref.ref(ctx.token))
            return inputs.clone()

        @staticmethod
        def backward(ctx, gradient):
            return gradient

    weights = ExecutedWeights(dict(layer.named_parameters()), layer)
    with observe_calls(weights.observe):
        layer(Kept.apply(torch.ones(2, 4, requires_grad=True))).detach()
    gc.collect()
    assert [made() for made in kept] == [None]
