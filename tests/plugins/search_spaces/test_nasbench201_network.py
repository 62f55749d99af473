import random
from itertools import pairwise

import pytest
import torch
from nasbench_toolkit.plugins.search_spaces.nasbench201.cell import (
    OPERATIONS,
    format_arch_str,
    parse_arch_str,
)
from nasbench_toolkit.plugins.search_spaces.nasbench201.network import Cell, CellNetwork, ReductionBlock
from torch import nn
from torch.nn import functional

NEEDS_XAUTODL = "run 'pip install --no-deps xautodl==1.0.0'"

ARCH_13714 = "|nor_conv_3x3~0|+|nor_conv_3x3~0|nor_conv_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
DEAD_NODE = ("nor_conv_3x3", "nor_conv_1x1", "nor_conv_3x3", "avg_pool_3x3", "skip_connect", "none")
CONV_OF_ZERO = ("none", "skip_connect", "nor_conv_3x3", "none", "nor_conv_1x1", "skip_connect")
DISCONNECTED = ("none",) * 6


def random_cells(count):
    rng = random.Random(0)
    return [tuple(rng.choice(OPERATIONS) for _ in range(6)) for _ in range(count)]


def build(ops, *, stem_channels=4, cells_per_stage=1, variant="benchmark"):
    with torch.random.fork_rng(devices=()):
        torch.manual_seed(0)
        return CellNetwork(
            ops,
            input_channels=3,
            stem_channels=stem_channels,
            cells_per_stage=cells_per_stage,
            num_classes=10,
            variant=variant,
        )


def images(batch, side=32):
    return torch.randn(batch, 3, side, side, generator=torch.Generator().manual_seed(1))


def count_macs(network, batch):
    """Multiply-accumulates of convolutions and linear layers for one image, from the shapes that run."""
    total = 0

    def add(module, inputs, output):
        nonlocal total
        total += output[0].numel() * module.weight[0].numel()

    for module in network.modules():
        if isinstance(module, nn.Conv2d | nn.Linear):
            module.register_forward_hook(add)
    network(batch)
    return total


def test_network_has_the_benchmarks_size():
    network = build(parse_arch_str(ARCH_13714), stem_channels=16, cells_per_stage=5)
    assert sum(parameter.numel() for parameter in network.parameters()) == 1_073_466
    assert count_macs(network, images(1)) == 153_272_960


def test_network_stage_shapes():
    network = build(parse_arch_str(ARCH_13714), stem_channels=16)
    stages = network.forward_stages(images(2))
    assert [tuple(stage.shape) for stage in stages] == [(2, 16, 32, 32), (2, 32, 16, 16), (2, 64, 8, 8)]


def test_blocks_are_stem_cells_and_reductions_each_fed_by_the_one_before():
    network = build(random_cells(1)[0], cells_per_stage=2).eval()
    batch = images(2)
    blocks, stages = network.forward_blocks(batch), network.forward_stages(batch)
    assert [block.shape[1] for block in blocks] == [4] * 3 + [8] * 3 + [16] * 3
    assert torch.equal(blocks[0], network.stem(batch))
    assert all(torch.equal(blocks[last], stage) for last, stage in zip((2, 5, 8), stages, strict=True))
    for source, output in pairwise(blocks):
        (gradient,) = torch.autograd.grad(output.sum(), source, retain_graph=True, allow_unused=True)
        assert gradient is not None


def test_network_logits_come_from_the_last_stage():
    network = build(parse_arch_str(ARCH_13714)).eval()
    batch = images(2)
    last = network.forward_stages(batch)[-1]
    expected = network.classifier(network.final_activation(last).mean(dim=(2, 3)))
    torch.testing.assert_close(network(batch), expected, rtol=0, atol=0)


def normalised(values):
    """Batch normalisation in training, as it begins."""
    mean = values.mean(dim=(0, 2, 3), keepdim=True)
    return (values - mean) / (values.var(dim=(0, 2, 3), correction=0, keepdim=True) + 1e-5).sqrt()


def sum_of_neighbours(values):
    side, padded = values.shape[-1], functional.pad(values, (1, 1, 1, 1))
    return sum(padded[:, :, row : row + side, column : column + side] for row in range(3) for column in range(3))


def logits_by_definition(ops, kernels, classifier, batch, cells_per_stage):
    """Write out the network in training mode; ``kernels`` are those of its convolutions in the order they run."""

    def unit(values, stride=1):
        kernel = next(kernels)
        return normalised(functional.conv2d(values.relu(), kernel, None, stride, kernel.shape[-1] // 2))

    def cell(values):
        nodes, remaining = [values], iter(ops)
        for target in (1, 2, 3):
            nodes.append(torch.zeros_like(values))
            for source in range(target):
                match next(remaining):
                    case "skip_connect":
                        nodes[target] = nodes[target] + nodes[source]
                    case "avg_pool_3x3":
                        counts = sum_of_neighbours(torch.ones_like(values))
                        nodes[target] = nodes[target] + sum_of_neighbours(nodes[source]) / counts
                    case "nor_conv_1x1" | "nor_conv_3x3":
                        nodes[target] = nodes[target] + unit(nodes[source])
        return nodes[3]

    values = normalised(functional.conv2d(batch, next(kernels), padding=1))
    for stage in range(3):
        if stage:
            quarters = [values[:, :, row::2, column::2] for row in (0, 1) for column in (0, 1)]
            residual = unit(unit(values, stride=2))
            values = residual + functional.conv2d(sum(quarters) / 4, next(kernels))
        for _ in range(cells_per_stage):
            values = cell(values)
    return normalised(values).relu().mean(dim=(2, 3)) @ classifier.weight.T + classifier.bias


@pytest.mark.parametrize("variant", ["benchmark", "gennas", "tracked"])
@pytest.mark.parametrize("ops", [*random_cells(5), DEAD_NODE, CONV_OF_ZERO, DISCONNECTED], ids=format_arch_str)
def test_network_is_that_of_its_definition(ops, variant):
    network, batch = build(ops, cells_per_stage=2, variant=variant).double(), images(4, side=16).double()
    # A convolution's bias is taken out again by the batch normalisation that follows.
    kernels = iter([layer.weight for layer in network.modules() if isinstance(layer, nn.Conv2d)])
    expected = logits_by_definition(ops, kernels, network.classifier, batch, 2)
    assert next(kernels, None) is None
    torch.testing.assert_close(network(batch), expected)


def reference_network(ops, state_of, cells_per_stage):
    """The benchmark authors' network with our weights; both register modules in the same order."""
    genotypes = pytest.importorskip("xautodl.models.cell_searchs.genotypes", reason=NEEDS_XAUTODL)
    tiny = pytest.importorskip("xautodl.models.cell_infers.tiny_network", reason=NEEDS_XAUTODL)
    reference = tiny.TinyNetwork(4, cells_per_stage, genotypes.Structure.str2structure(format_arch_str(ops)), 10)
    ours, theirs = state_of.state_dict().values(), reference.state_dict().keys()
    reference.load_state_dict(dict(zip(theirs, ours, strict=True)))
    return reference


@pytest.mark.parametrize("ops", [*random_cells(5), DEAD_NODE, CONV_OF_ZERO, DISCONNECTED], ids=format_arch_str)
def test_network_agrees_with_the_benchmark_authors_package(ops):
    network = build(ops, cells_per_stage=2)
    reference = reference_network(ops, network, cells_per_stage=2)
    batch = images(4, side=16)
    logits, (_, reference_logits) = network(batch), reference(batch)
    torch.testing.assert_close(logits, reference_logits, rtol=1e-4, atol=1e-5)
    weights = torch.randn(logits.shape, generator=torch.Generator().manual_seed(2))
    (logits * weights).sum().backward()
    (reference_logits * weights).sum().backward()
    for ours, theirs in zip(network.parameters(), reference.parameters(), strict=True):
        # The benchmark multiplies by 0 where we leave an edge out: its gradient of 0 is a missing one here.
        gradient = torch.zeros_like(ours) if ours.grad is None else ours.grad
        torch.testing.assert_close(gradient, theirs.grad, rtol=1e-3, atol=1e-4)
    for ours, theirs in zip(network.buffers(), reference.buffers(), strict=True):
        torch.testing.assert_close(ours, theirs)


def cell_modules(network, kind):
    return [
        module
        for cell in network.modules()
        if isinstance(cell, Cell)
        for module in cell.modules()
        if isinstance(module, kind)
    ]


def test_gennas_variant_changes_the_cells():
    network = build(parse_arch_str(ARCH_13714), variant="gennas")
    norms, convs = cell_modules(network, nn.BatchNorm2d), cell_modules(network, nn.Conv2d)
    assert len(norms) == len(convs) == 15
    assert all(norm.weight is None and norm.bias is None and norm.running_mean is None for norm in norms)
    assert all(conv.bias is not None for conv in convs)


def test_tracked_variant_has_running_statistics_besides():
    network = build(parse_arch_str(ARCH_13714), variant="tracked")
    norms, convs = cell_modules(network, nn.BatchNorm2d), cell_modules(network, nn.Conv2d)
    assert len(norms) == len(convs) == 15
    assert all(not norm.affine and norm.track_running_stats for norm in norms)
    assert all(conv.bias is not None for conv in convs)


def test_gennas_variant_keeps_stem_and_reduction_blocks():
    network = build(parse_arch_str(ARCH_13714), variant="gennas")
    outside = [network.stem, *(module for module in network.modules() if isinstance(module, ReductionBlock))]
    layers = [layer for block in outside for layer in block.modules()]
    norms = [layer for layer in layers if isinstance(layer, nn.BatchNorm2d)]
    convs = [layer for layer in layers if isinstance(layer, nn.Conv2d)]
    assert len(norms) == 5
    assert len(convs) == 7
    assert all(norm.affine and norm.track_running_stats for norm in norms)
    assert all(conv.bias is None for conv in convs)


def test_gennas_variant_equals_benchmark_in_train_mode_at_default_norm_weights():
    benchmark = build(DEAD_NODE)
    gennas = build(DEAD_NODE, variant="gennas")
    shared = {name: value for name, value in benchmark.state_dict().items() if name in gennas.state_dict()}
    gennas.load_state_dict(shared, strict=False)
    # A convolution's bias is taken out again by the batch normalisation that follows.
    torch.testing.assert_close(gennas(images(4)), benchmark(images(4)), rtol=1e-3, atol=1e-4)


@pytest.mark.parametrize("ops", [DISCONNECTED, CONV_OF_ZERO], ids=["disconnected", "conv-of-zero"])
def test_network_input_gradient_exists_for_dead_cells(ops):
    network = build(ops)
    batch = images(2).requires_grad_()
    network(batch).sum().backward()
    assert batch.grad is not None


def test_network_uses_standard_modules_only():
    standard = (nn.Conv2d, nn.BatchNorm2d, nn.ReLU, nn.AvgPool2d, nn.Linear, nn.Identity)
    network = build(random_cells(1)[0])
    leaves = [module for module in network.modules() if not list(module.children())]
    assert all(isinstance(leaf, (*standard, Cell)) for leaf in leaves)
