"""Zero-cost measures of language models, against plain definitions."""

import dataclasses
import math

import pytest
import torch
from nasbench_toolkit.core.batches import Batch
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.plugins.evaluators.probing import run_weights
from nasbench_toolkit.plugins.evaluators.zero_cost.forward_graph import gradients_of_batch
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.grad_norm import grad_norm_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.grasp import grasp_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.plain import plain_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.snip import snip_score
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.synflow import log_synaptic_flow
from nasbench_toolkit.plugins.evaluators.zero_cost.gradients.zico import zico_score
from nasbench_toolkit.plugins.evaluators.zero_cost.jacobian.jacob_cov import jacob_cov_score
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.language_model import LanguageModel, WordDropouts
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.recipe import parse_recipe
from torch import nn
from torch.nn import functional

GRU = (
    '{"r":{"op":"linear","input":["x","h_prev_0"]},"ra":{"op":"activation_sigm","input":["r"]},'
    '"z":{"op":"linear","input":["h_prev_0","x"]},"za":{"op":"activation_sigm","input":["z"]},'
    '"rh":{"op":"elementwise_prod","input":["ra","h_prev_0"]},"n":{"op":"linear","input":["x","rh"]},'
    '"na":{"op":"activation_leaky_relu","input":["n"]},"h_new_0":{"op":"blend","input":["za","h_prev_0","na"]}}'
)
WORDS, LENGTH = 31, 6
TEXT = torch.arange(8 * (LENGTH + 1)).reshape(8, LENGTH + 1) ** 2 % WORDS
BATCH = Batch(TEXT[:, :-1].clone(), TEXT[:, 1:].clone())


def language_model(variant: str = "benchmark", *, dropouts: bool = False) -> LanguageModel:
    torch.manual_seed(1)
    network = LanguageModel(parse_recipe(GRU), WORDS, variant)
    if not dropouts:
        network.word_dropouts = WordDropouts(0.0, 0.0)
        none = dataclasses.replace(network.recurrent.dropouts, weights=0.0, between=0.0, output=0.0)
        for part in (network.recurrent, *network.recurrent.layers):
            part.dropouts = none
    return network


def weights_of(network: LanguageModel) -> list[torch.Tensor]:
    """All matrices, recurrent ones too; the one that embeds and decodes once."""
    return [parameter for parameter in network.parameters() if parameter.dim() == 2]


def loss_of(network: LanguageModel, batch: Batch = BATCH) -> torch.Tensor:
    network.train()
    return functional.cross_entropy(network(batch.inputs).reshape(-1, WORDS), batch.labels.reshape(-1))


def plain_gradients(network: LanguageModel, batch: Batch = BATCH, *, again: bool = False) -> list[torch.Tensor]:
    for parameter in network.parameters():
        parameter.requires_grad_()
    return list(torch.autograd.grad(loss_of(network, batch), weights_of(network), create_graph=again))


def test_weights_are_all_matrices_each_once() -> None:
    # Six matrices in each of three layers, and the embedding.
    assert len(weights_of(language_model())) == 19
    assert len(gradients_of_batch(language_model(), BATCH)) == 19
    assert len(run_weights(language_model(), (LENGTH,), discrete=True)) == 19


@pytest.mark.parametrize("variant", ["benchmark", "all-trained"])
def test_gradient_measures_are_those_of_their_definitions_frozen_or_not(variant: str) -> None:
    expected = plain_gradients(language_model(variant))
    pairs = list(zip(weights_of(language_model(variant)), expected, strict=True))
    network = language_model(variant)
    assert grad_norm_score(network, BATCH) == pytest.approx(sum(float(g.norm()) for g in expected), rel=1e-5)
    assert snip_score(network, BATCH) == pytest.approx(
        sum(float((w * g).detach().abs().sum()) for w, g in pairs), rel=1e-5
    )
    assert plain_score(network, BATCH) == pytest.approx(
        sum(float((w * g).detach().sum()) for w, g in pairs), rel=1e-3, abs=1e-6
    )


def test_grasp_is_minus_weights_times_hessian_times_gradient() -> None:
    network = language_model().double()
    gradients = plain_gradients(network, again=True)
    flow = sum((gradient.detach() * gradient).sum() for gradient in gradients)
    products = torch.autograd.grad(flow, weights_of(network))
    expected = -sum(float((w * h).detach().sum()) for w, h in zip(weights_of(network), products, strict=True))
    assert grasp_score(language_model().double(), BATCH) == pytest.approx(expected, rel=1e-6)


def test_zico_is_its_definition_over_two_batches() -> None:
    batches = [Batch(BATCH.inputs[:4], BATCH.labels[:4]), Batch(BATCH.inputs[4:], BATCH.labels[4:])]
    pairs = zip(*(plain_gradients(language_model().double(), batch) for batch in batches), strict=True)
    expected = 0.0
    for first, second in pairs:
        differs = first != second
        means, deviations = (first.abs() + second.abs())[differs] / 2, (first - second).abs()[differs] / 2
        expected += math.log(float((means / deviations).sum()))
    assert zico_score(language_model().double(), batches) == pytest.approx(expected, rel=1e-5)


def test_jacob_cov_differentiates_by_the_vectors_of_the_words() -> None:
    network = language_model()
    vectors = functional.embedding(BATCH.inputs, network.embedding.weight).detach().requires_grad_()
    outputs = network.recurrent(vectors.transpose(0, 1)).transpose(0, 1)
    logits = functional.linear(outputs, network.embedding.weight, network.bias)
    (rows,) = torch.autograd.grad(logits.sum(), vectors)
    eigenvalues = torch.linalg.eigvalsh(torch.corrcoef(rows.flatten(1).double())) + 1e-5
    expected = -float((eigenvalues.log() + 1 / eigenvalues).sum())
    assert jacob_cov_score(language_model(), BATCH.inputs) == pytest.approx(expected, rel=1e-4)


def test_synflow_begins_with_vectors_of_ones() -> None:
    network = language_model(dropouts=True).double().eval()
    for parameter in network.parameters():
        parameter.data.abs_()
        parameter.requires_grad_()
    outputs = network.recurrent(torch.ones(LENGTH, 1, 400, dtype=torch.float64)).transpose(0, 1)
    logits = functional.linear(outputs, network.embedding.weight, network.bias)
    gradients = torch.autograd.grad(logits.sum(), weights_of(network))
    flow = sum(float((w * g).abs().sum()) for w, g in zip(weights_of(network), gradients, strict=True))
    found = log_synaptic_flow(language_model(dropouts=True), (LENGTH,), discrete=True)
    assert found == pytest.approx(math.log(flow), rel=1e-9)


def test_dropped_matrices_count_as_layers_receive_them() -> None:
    found = gradients_of_batch(language_model(dropouts=True), BATCH)
    dropped = [weight for name, (weight, _) in found.items() if "computed" in name]
    assert (len(found), len(dropped)) == (19, 9)
    assert all(float((weight == 0).float().mean()) == pytest.approx(0.5, abs=0.01) for weight in dropped)


class TwoTables(nn.Module):
    def __init__(self):
        super().__init__()
        self.even, self.odd = nn.Embedding(WORDS, 4), nn.Embedding(WORDS, 4)
        self.decoder = nn.Linear(4, WORDS)

    def forward(self, tokens):
        return self.decoder(self.even(tokens[:, ::2]) + self.odd(tokens[:, 1::2]))


def test_networks_that_look_up_something_else_have_gradients_by_weights_alone() -> None:
    network = TwoTables()
    batch = Batch(BATCH.inputs, BATCH.labels[:, ::2])
    assert math.isfinite(grad_norm_score(network, batch))
    for measure in (lambda: jacob_cov_score(network, batch.inputs),
                    lambda: log_synaptic_flow(network, (LENGTH,), discrete=True)):  # fmt: skip
        with pytest.raises(EvaluationError, match="the network was not seen to look up vectors for them"):
            measure()
