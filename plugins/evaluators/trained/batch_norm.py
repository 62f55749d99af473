"""Statistics of batch normalisation for the weights at hand, instead of an average over the training's past."""

from __future__ import annotations

from collections.abc import Iterable

import torch
from torch import Tensor, nn
from torch.nn.modules.batchnorm import _BatchNorm


@torch.no_grad()
def set_precise_statistics(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace running means and variances by those of several batches, in training mode, weights fixed.

    Mean: average of the batches' means. Variance: average of the batches' variances (of ``n - 1``) plus the variance of
    their means, all batches having one size (released code of Liu et al., ECCV 2020). Layers without running statistics
    are left alone. The training itself never reads running statistics, so it goes on as if nothing had happened.

    Args:
        network: Changed in place and left in training mode.
        batches: Inputs, at least one batch.
    """
    running = {
        layer: (layer.running_mean, layer.running_var)
        for layer in network.modules()
        if isinstance(layer, _BatchNorm) and layer.running_mean is not None and layer.running_var is not None
    }
    momenta = [layer.momentum for layer in running]
    for layer in running:
        layer.momentum = 1.0
    network.train()
    samples = []
    for inputs in batches:
        network(inputs)
        # Float64, in which a mean far from 0 leaves the variance its digits; a copy, also of what is float64 already.
        samples.append(
            [
                (mean.to(torch.float64, copy=True), variance.to(torch.float64, copy=True))
                for mean, variance in running.values()
            ]
        )
    for layer, momentum, statistics in zip(running, momenta, zip(*samples, strict=True), strict=True):
        layer.momentum = momentum
        means, variances = (torch.stack(values) for values in zip(*statistics, strict=True))
        mean, variance = running[layer]
        mean.copy_(means.mean(dim=0))
        variance.copy_(variances.mean(dim=0) + means.var(dim=0, correction=0))
