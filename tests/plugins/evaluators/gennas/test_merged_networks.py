"""Networks of a space that says where layers read the same input train as they would without that.

In double precision: in single precision a channel that is dead behind its ReLU is rounding noise, which batch
normalisation makes large, and gradients differ by some per cent between any two orders of a sum.
"""

from __future__ import annotations

import copy

import pytest
from nasbench_toolkit.plugins.evaluators.gennas import evaluator
from nasbench_toolkit.plugins.evaluators.gennas.merged_branches import _MergedBranches, merge_branches
from nasbench_toolkit.plugins.evaluators.gennas.momentum_descent import Group, MomentumDescent
from nasbench_toolkit.plugins.evaluators.gennas.settings import ComboSettings
from nasbench_toolkit.testing import make_context
from torch import Tensor, nn

# Cells whose input is read by one vertex, by three of unequal widths, and by a vertex and the output.
CELLS = [
    ("100000101001110001101:conv3x3-bn-relu,conv1x1-bn-relu,conv1x1-bn-relu,conv3x3-bn-relu,conv1x1-bn-relu", 0),
    ("110101001100101:conv1x1-bn-relu,conv3x3-bn-relu,conv3x3-bn-relu,conv1x1-bn-relu", 9),
    ("100001100011001100101:maxpool3x3,conv3x3-bn-relu,maxpool3x3,conv1x1-bn-relu,conv1x1-bn-relu", 9),
]


def count_merged(network: nn.Module) -> int:
    return sum(isinstance(module, _MergedBranches) for module in network.modules())


def train(network: nn.Module, groups: list[Group], images: Tensor) -> list[float]:
    """Return the losses before each of four steps, and one in evaluation mode."""
    optimizer, losses = MomentumDescent(groups, 0.05, 0.9), []
    for training in (True, True, True, True, False):
        loss = sum(features.square().mean() for features in network.train(training).forward_stages(images))
        losses.append(loss.item())
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
    return losses


@pytest.mark.parametrize(("cell", "merged"), CELLS)
def test_nasbench101_networks_train_alike(cell: str, merged: int) -> None:
    context = make_context("nasbench101", cell, dataset="photos")
    network = context.network("gennas", input_shape=(3, 16, 16)).double()
    images = context.batch(3, resolution=16).inputs.double()
    other = copy.deepcopy(network)
    groups: list[Group] = [(list(network.parameters()), 0.1)]
    other_groups = merge_branches(other, [(list(other.parameters()), 0.1)])
    assert count_merged(other) == merged
    assert train(other, other_groups, images) == pytest.approx(train(network, groups, images), rel=1e-6)


def test_gennas_merges(monkeypatch: pytest.MonkeyPatch) -> None:
    compile_layers, seen = evaluator.compile_layers, []

    def noting(network: nn.Module) -> None:
        seen.append(count_merged(network))
        compile_layers(network)

    monkeypatch.setattr(evaluator, "compile_layers", noting)
    cell, merged = CELLS[1]
    settings = ComboSettings(iterations=1, batch_size=2)
    context = make_context("nasbench101", cell, dataset="photos", evaluator="gennas-combo", settings=settings)
    assert evaluator.Gennas(settings).evaluate(context).score > 0
    assert seen == [merged]
