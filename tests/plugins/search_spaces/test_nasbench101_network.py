from itertools import pairwise

import numpy as np
import pytest
import torch
from nasbench_pytorch.model import Network
from nasbench_pytorch.model.model import Cell as ReferenceCell
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.plugins.evaluators.gennas.regression_network import probe_stages
from nasbench_toolkit.plugins.search_spaces.nasbench101.cell import parse_cell, prune
from nasbench_toolkit.plugins.search_spaces.nasbench101.enumeration import sample_cells
from nasbench_toolkit.plugins.search_spaces.nasbench101.network import VARIANTS, CellModule, CellNetwork
from nasbench_toolkit.plugins.search_spaces.nasbench101.parameters import count_trainable_parameters
from nasbench_toolkit.plugins.search_spaces.nasbench101.reference import ReferenceNetwork, model_spec
from nasbench_toolkit.plugins.search_spaces.nasbench101.structure import stage_channels, vertex_channels
from torch import nn

# They differ in how many interior vertices share the output, in whether the input is projected to it, and in whether
# an edge passes one channel less than its source has.
CELLS = {
    "no-interior-vertex": "1:",
    "chain": "1000100101:maxpool3x3,conv3x3-bn-relu,maxpool3x3",
    "one-and-input": "111101:conv1x1-bn-relu,conv3x3-bn-relu",
    "two": "1000101101:conv3x3-bn-relu,maxpool3x3,conv1x1-bn-relu",
    "three-truncated": "1100111011:conv3x3-bn-relu,conv1x1-bn-relu,conv1x1-bn-relu",
    "three-and-input-truncated": "110010101001101:conv3x3-bn-relu,conv3x3-bn-relu,conv1x1-bn-relu,conv3x3-bn-relu",
    "three-truncated-at-128-only": "110000001110011:conv3x3-bn-relu,maxpool3x3,conv1x1-bn-relu,maxpool3x3",
    "four": "101101001001011:conv3x3-bn-relu,maxpool3x3,conv3x3-bn-relu,conv3x3-bn-relu",
    "dangling-vertices": "100110100100010:conv3x3-bn-relu,maxpool3x3,conv1x1-bn-relu,maxpool3x3",
}


def build(text, variant="gennas", *, input_channels=3, num_classes=10):
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return CellNetwork(parse_cell(text), VARIANTS[variant], input_channels=input_channels, num_classes=num_classes)


def images(batch, side=32):
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(1))


def weighted_layers(module):
    return [layer for layer in module.modules() if isinstance(layer, nn.Conv2d | nn.BatchNorm2d | nn.Linear)]


def reference_network(text, stem_channels):
    """Build the same cell's network with the independent package."""
    return Network(model_spec(parse_cell(text)), stem_out_channels=stem_channels)


def paired_layers(network, reference):
    """Pair layers by their place in the cell, whatever their order in the module."""
    pairs = [(network.stem, reference.layers[0]), (network.classifier, reference.classifier)]
    cells = [module for module in network.modules() if isinstance(module, CellModule)]
    reference_cells = [module for module in reference.modules() if isinstance(module, ReferenceCell)]
    for cell, reference_cell in zip(cells, reference_cells, strict=True):
        pairs += [(layer, reference_cell.input_op[int(vertex)]) for vertex, layer in cell.projections.items()]
        pairs += zip(cell.operations, reference_cell.vertex_op[1:], strict=True)
    for ours, theirs in pairs:
        yield from zip(weighted_layers(ours), weighted_layers(theirs), strict=True)


def assert_same_function(text, variant, batch):
    network = build(text, variant).double()
    reference = reference_network(text, VARIANTS[variant].stem_channels).double()
    layers = list(paired_layers(network, reference))
    assert sum(p.numel() for ours, _ in layers for p in ours.parameters()) == sum(
        p.numel() for p in network.parameters()
    )
    for ours, theirs in layers:
        theirs.load_state_dict(ours.state_dict())
        if isinstance(theirs, nn.BatchNorm2d):
            theirs.momentum = ours.momentum
    outputs, reference_outputs = network(batch), reference(batch)
    torch.testing.assert_close(outputs, reference_outputs, rtol=1e-10, atol=1e-12)
    weights = torch.randn(outputs.shape, dtype=torch.double, generator=torch.Generator().manual_seed(2))
    (outputs * weights).sum().backward()
    (reference_outputs * weights).sum().backward()
    for ours, theirs in layers:
        for parameter, reference_parameter in zip(ours.parameters(), theirs.parameters(), strict=True):
            torch.testing.assert_close(parameter.grad, reference_parameter.grad, rtol=1e-8, atol=1e-10)
        for buffer, reference_buffer in zip(ours.buffers(), theirs.buffers(), strict=True):
            torch.testing.assert_close(buffer, reference_buffer, rtol=1e-10, atol=1e-12)


RANDOM_CELLS = sample_cells(8, np.random.default_rng(0))


@pytest.mark.parametrize("text", [*CELLS.values(), *RANDOM_CELLS], ids=[*CELLS, *RANDOM_CELLS])
def test_network_agrees_with_the_independent_package(text):
    assert_same_function(text, "gennas", images(2, side=16).double())


@pytest.mark.parametrize("name", ["three-truncated-at-128-only", "three-and-input-truncated"])
def test_network_of_the_benchmarks_width_agrees_with_the_independent_package(name):
    assert_same_function(CELLS[name], "benchmark", images(2, side=8).double())


@pytest.mark.parametrize("name", ["no-interior-vertex", "three-and-input-truncated", "dangling-vertices"])
def test_reference_variant_is_the_benchmarks_network_with_initial_weights_of_its_own(name):
    cell = parse_cell(CELLS[name])
    ours = build(CELLS[name], "benchmark").eval()
    reference = ReferenceNetwork(cell, input_channels=3, num_classes=10).eval()
    assert sum(p.numel() for p in reference.parameters()) == sum(p.numel() for p in ours.parameters())
    assert reference(images(2)).shape == (2, 10)
    for layer, theirs in paired_layers(ours, reference.network):
        theirs.load_state_dict(layer.state_dict())
    batch = images(2, side=8)
    torch.testing.assert_close(reference(batch), ours(batch))
    for method in ("forward_stages", "forward_blocks"):
        for stage, expected in zip(getattr(reference, method)(batch), getattr(ours, method)(batch), strict=True):
            torch.testing.assert_close(stage, expected)


def test_every_parameter_of_the_reference_variant_matters():
    network = ReferenceNetwork(parse_cell(CELLS["four"]), input_channels=3, num_classes=10)
    network(images(2, side=8)).square().sum().backward()
    assert all(p.grad is not None for p in network.parameters() if p.numel())


def test_network_parameters_are_those_counted_without_building():
    texts = [*CELLS.values(), *sample_cells(21, np.random.default_rng(1))]
    built = [sum(p.numel() for p in build(text).parameters()) for text in texts]
    assert count_trainable_parameters(texts, stem_channels=16).tolist() == built


def test_network_parameters_of_another_dataset():
    network = build(CELLS["four"], input_channels=1, num_classes=7)
    counted = count_trainable_parameters([CELLS["four"]], stem_channels=16, input_channels=1, num_classes=7)
    assert counted.tolist() == [sum(parameter.numel() for parameter in network.parameters())]
    assert network(torch.zeros(2, 1, 12, 12)).shape == (2, 7)


def test_vertex_channels_first_ones_take_one_more():
    cell = parse_cell(CELLS["three-truncated"])
    assert vertex_channels(cell, 8, 16) == [8, 6, 5, 5, 16]
    assert vertex_channels(cell, 64, 128) == [64, 43, 43, 42, 128]


def test_vertex_channels_are_the_widest_targets():
    # Vertices 1 and 2 do not feed the output; 2 feeds vertex 4 of 43 channels, 3 is the first that feeds.
    assert vertex_channels(parse_cell(CELLS["three-truncated-at-128-only"]), 128, 128) == [128, 43, 43, 43, 42, 128]


def test_stage_channels_double_in_the_first_cell():
    assert stage_channels(16) == [[(16, 16)] * 3, [(16, 32), (32, 32), (32, 32)], [(32, 64), (64, 64), (64, 64)]]


def test_stages_are_what_gennas_takes():
    network = build(CELLS["three-truncated"]).train()
    pooled = []
    for module in network.modules():
        if isinstance(module, nn.MaxPool2d) and module.kernel_size == 2:
            module.register_forward_pre_hook(lambda _, inputs: pooled.append(inputs[0]))
    stages = network.forward_stages(images(2))
    assert [tuple(stage.shape) for stage in stages] == [(2, 16, 32, 32), (2, 32, 16, 16), (2, 64, 8, 8)]
    assert pooled[0] is stages[0]
    assert pooled[1] is stages[1]
    assert probe_stages(network, images(2)) == [16, 32, 64]


def test_blocks_are_stem_and_cells_each_fed_by_the_one_before():
    network = build(CELLS["three-truncated"]).eval()
    batch = images(2)
    blocks, stages = network.forward_blocks(batch), network.forward_stages(batch)
    assert [tuple(block.shape[1:]) for block in blocks] == [(16, 32, 32)] * 4 + [(32, 16, 16)] * 3 + [(64, 8, 8)] * 3
    assert torch.equal(blocks[0], network.stem(batch))
    assert all(torch.equal(blocks[last], stage) for last, stage in zip((3, 6, 9), stages, strict=True))
    for source, output in pairwise(blocks):
        (gradient,) = torch.autograd.grad(output.sum(), source, retain_graph=True, allow_unused=True)
        assert gradient is not None


def test_logits_come_from_the_last_stage():
    network = build(CELLS["two"]).eval()
    expected = network.classifier(network.forward_stages(images(2))[-1].mean(dim=(2, 3)))
    torch.testing.assert_close(network(images(2)), expected, rtol=0, atol=0)


@pytest.mark.parametrize(
    ("variant", "channels", "momentum"), [("benchmark", 128, 0.003), ("stem16", 16, 0.003), ("gennas", 16, 0.1)]
)
def test_variant_width_and_batch_norm(variant, channels, momentum):
    network = build(CELLS["no-interior-vertex"], variant)
    norms = [module for module in network.modules() if isinstance(module, nn.BatchNorm2d)]
    assert network.stem[0].out_channels == channels
    assert {(norm.momentum, norm.eps, norm.affine, norm.track_running_stats) for norm in norms} == {
        (momentum, 1e-5, True, True)
    }


def test_convolutions_have_no_bias():
    assert all(layer.bias is None for layer in build(CELLS["four"]).modules() if isinstance(layer, nn.Conv2d))


def test_tensorflow_initialization():
    network = build(CELLS["chain"], "stem16")
    kernel = network.stages[2][3].operations[1][0].weight.detach()
    fan_in = 64 * 9
    assert kernel.shape == (64, 64, 3, 3)
    assert kernel.std().item() == pytest.approx(fan_in**-0.5, rel=0.02)
    # Cut off at two standard deviations of the uncut distribution, whose share of the cut one's is 0.8796.
    assert 0.95 * 2 < kernel.abs().max().item() * fan_in**0.5 * 0.87962566 <= 2.0 + 1e-5
    limit = (6 / (64 + 10)) ** 0.5
    assert 0.95 * limit < network.classifier.weight.abs().max().item() <= limit
    assert network.classifier.weight.std().item() == pytest.approx(limit / 3**0.5, rel=0.1)
    assert not network.classifier.bias.any()


def test_gennas_initialization():
    network = build(CELLS["one-and-input"], "gennas")
    cell = network.stages[2][1]
    projection, kernel = cell.projections["3"][0].weight.detach(), cell.operations[1][0].weight.detach()
    assert projection.shape == (64, 32, 1, 1)
    assert projection.std().item() == pytest.approx((2 / 64) ** 0.5, rel=0.05)
    assert kernel.shape == (64, 64, 3, 3)
    assert kernel.std().item() == pytest.approx((2 / (9 * 64)) ** 0.5, rel=0.02)
    assert network.classifier.weight.std().item() == pytest.approx(0.01, rel=0.1)
    assert not network.classifier.bias.any()


def test_network_leaves_out_dangling_vertices():
    text = CELLS["dangling-vertices"]
    assert len(prune(parse_cell(text)).ops) < len(parse_cell(text).ops)
    pruned = build(str(prune(parse_cell(text))))
    torch.testing.assert_close(build(text)(images(2)), pruned(images(2)), rtol=0, atol=0)


def test_network_refuses_a_cell_without_a_path():
    with pytest.raises(InvalidArchitectureError, match="no path leads from the input to the output"):
        build("100:maxpool3x3")
