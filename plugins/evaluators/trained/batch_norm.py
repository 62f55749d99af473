"""Statistics of batch normalisation for the weights at hand, instead of an average over the training's past."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import replace
from typing import Any

import torch
from torch import Tensor, nn
from torch.nn import functional

from ....core.errors import EvaluationError
from ..observe import Call, observe_calls

# Where running mean, running variance, whether to update them, and momentum stand among the arguments.
_BATCH_NORMS = {functional.batch_norm: (1, 2, 5, 6), torch.batch_norm: (3, 4, 5, 6)}


class _Statistics:
    """Lets batch normalisation replace its running statistics by those of its batch, and keeps them."""

    def __init__(self) -> None:
        self.running: dict[int, tuple[Tensor, Tensor]] = {}
        self.samples: list[dict[int, tuple[Tensor, Tensor]]] = []

    def observe(self, call: Call) -> Any:
        if call.function not in _BATCH_NORMS:
            return call()
        first, second, third, fourth = _BATCH_NORMS[call.function]
        mean, variance = call.argument(first, "running_mean"), call.argument(second, "running_var")
        if not call.argument(third, "training", False) or mean is None:
            return call()
        self.running[id(mean)] = mean, variance
        args, kwargs = list(call.args), dict(call.kwargs)
        if len(args) > fourth:
            args[fourth] = 1.0
        else:
            kwargs["momentum"] = 1.0
        return replace(call, args=args, kwargs=kwargs)()

    def keep(self) -> None:
        # Float64, in which a mean far from 0 leaves the variance its digits; a copy, also of what is float64 already.
        self.samples.append(
            {
                identity: (mean.to(torch.float64, copy=True), variance.to(torch.float64, copy=True))
                for identity, (mean, variance) in self.running.items()
            }
        )


@torch.no_grad()
def set_precise_statistics(network: nn.Module, batches: Iterable[Tensor]) -> None:
    """Replace running means and variances by those of several batches, in training mode, weights fixed.

    Mean: average of the batches' means. Variance: average of the batches' variances (of ``n - 1``) plus the variance of
    their means, all batches having one size (released code of Liu et al., ECCV 2020). Layers without running statistics
    are left alone. The training itself never reads running statistics, so it goes on as if nothing had happened.

    Args:
        network: Changed in place and left in training mode.
        batches: Inputs, at least one batch.

    Raises:
        EvaluationError: The network changes other buffers in training mode, as normalisation of its own does.
    """
    network.train()
    statistics = _Statistics()
    before = {name: buffer.clone() for name, buffer in network.named_buffers() if buffer.is_floating_point()}
    with observe_calls(statistics.observe):
        for inputs in batches:
            network(inputs)
            statistics.keep()
    known = {id(tensor) for pair in statistics.running.values() for tensor in pair}
    for name, buffer in network.named_buffers():
        if name in before and id(buffer) not in known and not torch.equal(buffer, before[name]):
            raise EvaluationError(
                f"the network changes its buffer '{name}' in training mode itself, whose precise value is not known: "
                "call torch.nn.functional.batch_norm"
            )
    for identity, (mean, variance) in statistics.running.items():
        samples = [sample[identity] for sample in statistics.samples if identity in sample]
        means, variances = (torch.stack(values) for values in zip(*samples, strict=True))
        mean.copy_(means.mean(dim=0))
        variance.copy_(variances.mean(dim=0) + means.var(dim=0, correction=0))
