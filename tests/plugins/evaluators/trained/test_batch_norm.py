import copy

import pytest
import torch
from nasbench_toolkit.plugins.evaluators.trained.batch_norm import set_precise_statistics
from torch import nn


def test_set_precise_statistics_by_hand():
    # Batches (1, 3) and (5, 9): means 2 and 7, variances of n - 1: 2 and 8. Mean 4.5; variance 5 + 2.5 ** 2.
    layer = nn.BatchNorm1d(1)
    set_precise_statistics(layer, [torch.tensor([[1.0], [3.0]]), torch.tensor([[5.0], [9.0]])])
    assert layer.running_mean.item() == pytest.approx(4.5)
    assert layer.running_var.item() == pytest.approx(11.25)
    assert layer.momentum == 0.1


def test_set_precise_statistics_of_float64_layers():
    layer = nn.BatchNorm1d(1).double()
    set_precise_statistics(layer, [torch.tensor([[1.0], [3.0]]).double(), torch.tensor([[5.0], [9.0]]).double()])
    assert (layer.running_mean.item(), layer.running_var.item()) == (4.5, 11.25)


def test_set_precise_statistics_uses_batch_statistics_in_front():
    network = nn.Sequential(nn.BatchNorm2d(2), nn.Conv2d(2, 3, 1), nn.BatchNorm2d(3)).eval()
    weights = copy.deepcopy(list(network.parameters()))
    batches = [torch.randn(8, 2, 4, 4) * 3 + 5 for _ in range(2)]
    set_precise_statistics(network, iter(batches))
    inner = [network[1](nn.functional.batch_norm(batch, None, None, *weights[:2], training=True)) for batch in batches]
    means = torch.stack([features.mean(dim=(0, 2, 3)) for features in inner])
    variances = torch.stack([features.var(dim=(0, 2, 3)) for features in inner])
    torch.testing.assert_close(network[2].running_mean, means.mean(dim=0), atol=1e-5, rtol=1e-5)
    expected = variances.mean(dim=0) + means.var(dim=0, correction=0)
    torch.testing.assert_close(network[2].running_var, expected, atol=1e-5, rtol=1e-5)
    assert all(torch.equal(now, then) for now, then in zip(network.parameters(), weights, strict=True))
    assert network[0].training


def test_set_precise_statistics_keeps_the_digits_of_a_small_variance():
    layer = nn.BatchNorm1d(1)
    batch = torch.tensor([[1000.0], [1000.5]])
    set_precise_statistics(layer, [batch, batch])
    assert layer.running_var.item() == pytest.approx(0.125, rel=1e-6)


def test_set_precise_statistics_without_running_statistics():
    network = nn.Sequential(nn.Linear(2, 2), nn.BatchNorm1d(2, track_running_stats=False))
    set_precise_statistics(network, [torch.randn(4, 2)])
    assert network[1].running_mean is None
