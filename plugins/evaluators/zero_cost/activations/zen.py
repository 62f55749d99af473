"""``zen``: how strongly an untrained network without its classifier reacts to noise on Gaussian images.

Source: Lin, Wang, Sun, Chen, Sun, Qian, Li, Jin, "Zen-NAS: A Zero-Shot NAS for High-Performance Image
Recognition", ICCV 2021, algorithm 1.
Formula: log mean_n sum |f(x_n) - f(x_n + 0.01 e_n)| + sum over batch-norm layers of log sqrt(mean_c var_c), averaged
over repeats. f is the feature map that the global average pooling takes, x and e are N(0, 1), and var_c is the
variance of channel c in the batch that the layer normalises. Layers behind the pooling, which are no part of f, do not
count.
Direction: higher is better.

Weights of convolutions and linear layers are N(0, 1), biases 0, normalisation scales by 1 and shifts by 0; training
mode; 16 images of the data set's size. Every repeat draws weights, images and noise anew. The second term makes up for
the scale that normalisation takes out of f. Deviations from the authors' code:

- ``variance=batch``: var_c is that of the first forward pass, as in the paper. The code reads the running variance
  after both passes, at momentum 0.1 a mixture of 0.81 parts of the initial 1 and 0.19 of the batches; that is
  ``variance=running``.
- A batch norm whose whole input is constant, as behind a node without input, is left out of the sum: it takes no scale
  out of f. (The running variance is 0.81 there.)
- Dropout, which the authors' networks lack, drops the same in both passes.
- Four repeats, for speed; the paper has 32, NASLib and AZ-NAS take 1.
- A network whose map does not react at all has no score (status ``degenerate``).
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any, Literal

import torch
from torch import Tensor, nn
from torch.nn import functional

from .....core.context import EvaluationContext
from .....core.errors import DegenerateError, DivergedError, EvaluationError
from .....core.interfaces import Evaluator
from .....core.seeding import seeded_global_rng
from ...layer_parameters import LayerParameters
from ...memory_layout import channels_last_inputs
from ...observe import Call, observe_calls
from ...probing import network_mode
from ...stand_ins import run_with
from ..images_apart import ImagesApart
from ..reinitialization import drawable_parameters, redrawn_state, standard_normal
from ..settings import ZenSettings

NOISE_LEVEL = 0.01
"""Standard deviation of the noise on the images (mixup coefficient of the authors' code)."""

# Where the running variance stands among the positional arguments.
_BATCH_NORMS: dict[Callable[..., Any], int] = {functional.batch_norm: 2, torch.batch_norm: 4}
_POOLINGS = (
    functional.adaptive_avg_pool1d,
    functional.adaptive_avg_pool2d,
    functional.adaptive_avg_pool3d,
    functional.avg_pool1d,
    functional.avg_pool2d,
    functional.avg_pool3d,
    torch.mean,
    Tensor.mean,
    torch.sum,
    Tensor.sum,
)


@dataclass(frozen=True)
class Norm:
    """One call of batch normalisation.

    Attributes:
        variance: Mean over channels of its input's variance, if it was asked for.
        running: Running variance that it updates, if there is one.
    """

    variance: Tensor | None
    running: Tensor | None


class FeatureProbe:
    """Catches what global average pooling and batch normalisation take.

    Attributes:
        features: Input of the mean or sum over all places behind the last map, shape (batch, channels, ...); None if
            there was none.
        norms: The calls of batch normalisation.
        norms_before: How many of them came before that mean or sum.
    """

    def __init__(self, *, with_variances: bool) -> None:
        self.with_variances = with_variances
        self.features: Tensor | None = None
        self.norms: list[Norm] = []
        self.norms_before = 0
        self._pooled: Tensor | None = None

    def observe(self, call: Call) -> Any:
        """Make the call and note its input."""
        if call.function in _BATCH_NORMS:
            self.norms.append(self._norm(call, _BATCH_NORMS[call.function]))
        output = call()
        if self.features is not None and _is_map(output, self.features):
            # What was pooled was not the last map: squeeze-and-excitation, for one, pools others.
            self.features = None
        if call.function in _POOLINGS and isinstance(output, Tensor):
            self._note_pooling(call.argument(0, "input"), output)
        return output

    def _norm(self, call: Call, position: int) -> Norm:
        variance = _channel_variance(call.argument(0, "input")) if self.with_variances else None
        return Norm(variance, call.argument(position, "running_var"))

    def _note_pooling(self, features: Tensor, output: Tensor) -> None:
        if features.dim() <= 2 or output.shape[:2] != features.shape[:2] or output.shape[2:].numel() != 1:
            return
        is_pooled = self._pooled is not None and features.data_ptr() == self._pooled.data_ptr()
        if not is_pooled:
            self.features, self._pooled, self.norms_before = features, output, len(self.norms)


def _is_map(output: Any, features: Tensor) -> bool:
    """Return whether a call's output has several places of each channel of each image, as a feature map has."""
    return (
        isinstance(output, Tensor)
        and output.dim() == features.dim()
        and len(output) == len(features)
        and output.shape[2:].numel() > 1
    )


def _channel_variance(features: Tensor) -> Tensor:
    """Return the mean over channels of the variance that batch normalisation divides by, float64."""
    # Normalisation's own statistics, several times faster than a variance over three axes.
    mean, variance = torch.batch_norm_update_stats(features.detach(), None, None, 0.0)
    rounding = (torch.finfo(mean.dtype).eps * mean) ** 2
    return torch.where(variance > rounding, variance, 0.0).double().mean()


def zen_score(
    network: nn.Module,
    input_shape: tuple[int, ...],
    generator: torch.Generator,
    *,
    batch_size: int = 16,
    repeats: int = 1,
    variance: Literal["batch", "running"] = "batch",
) -> float:
    """Return the mean zen-score of ``repeats`` draws; the network is left as found.

    Args:
        network: Takes images (batch, channels, height, width) and pools its last feature map globally.
        input_shape: ``(channels, height, width)``.
        generator: Source of weights, images and noise, on the CPU.
        batch_size: Images of each pass.
        repeats: Number of independent draws.
        variance: Which variance of the batch-norm layers to take.

    Raises:
        DegenerateError: The feature map does not react to the noise.
        DivergedError: A feature map or variance is not finite.
        EvaluationError: There is no global average pooling, ``running`` is asked of a layer without statistics, it is
            not known what a parameter is for, or the network normalises a batch by hand.
    """
    shape = (batch_size, *input_shape)
    parameters = drawable_parameters(network, input_shape)
    apart = ImagesApart(network, input_shape, training=True)
    scores = [_one_score(network, parameters, shape, generator, variance, apart) for _ in range(repeats)]
    return math.fsum(scores) / repeats


@torch.no_grad()
def _one_score(
    network: nn.Module,
    parameters: LayerParameters,
    shape: tuple[int, ...],
    generator: torch.Generator,
    variance: str,
    apart: ImagesApart,
) -> float:
    device = next((parameter.device for parameter in network.parameters()), torch.device("cpu"))
    state = redrawn_state(network, parameters, standard_normal, generator)
    images = torch.randn(shape, generator=generator)
    noisy_images = images + NOISE_LEVEL * torch.randn(shape, generator=generator)
    both = channels_last_inputs(network, torch.cat([images, noisy_images]).to(device))
    images, noisy_images = both.chunk(2)
    clean, noisy = FeatureProbe(with_variances=variance == "batch"), FeatureProbe(with_variances=False)
    with network_mode(network, training=True):
        for probe, batch in ((clean, images), (noisy, noisy_images)):
            # f is one function: what it drops at random it drops in both passes.
            with (
                seeded_global_rng(generator.initial_seed()),
                observe_calls(probe.observe),
                observe_calls(apart.observe),
            ):
                run_with(network, state, batch)
    apart.check()
    return _log_reaction(clean.features, noisy.features) + _log_scale(clean.norms[: clean.norms_before], variance)


def _log_reaction(clean: Tensor | None, noisy: Tensor | None) -> float:
    if clean is None or noisy is None:
        raise EvaluationError(
            "zen needs a network with global average pooling: no mean or sum to one value a channel ran behind the "
            "last map"
        )
    reaction = float((clean.double() - noisy.double()).abs().flatten(1).sum(1).mean())
    if not math.isfinite(reaction):
        raise DivergedError("the feature map before global pooling is not finite")
    if reaction == 0.0:
        raise DegenerateError(
            "noise on the images does not reach the feature map before global pooling: the network has no path"
        )
    return math.log(reaction)


def _log_scale(norms: Sequence[Norm], variance: str) -> float:
    """Sum log standard deviations over the batch-norm layers that normalise something."""
    if variance == "running":
        untracked = sum(norm.running is None for norm in norms)
        if untracked:
            raise EvaluationError(
                f"variance=running needs running statistics, which {untracked} batch-norm layers do not have"
            )
        running = {id(norm.running): norm.running for norm in norms if norm.running is not None}
        values = [statistics.double().mean() for statistics in running.values()]
    else:
        values = [norm.variance for norm in norms if norm.variance is not None]
    if not values:
        return 0.0
    scales = torch.stack(values)
    if not torch.isfinite(scales).all():
        raise DivergedError("the variance of a batch-norm layer is not finite")
    return float(0.5 * scales[scales > 0].log().sum())


class Zen(Evaluator[ZenSettings]):
    """Scores an architecture by its reaction to noise, Gaussian weights given."""

    def _evaluate(self, context: EvaluationContext) -> float:
        settings = self.settings
        return zen_score(
            context.network(settings.network),
            context.dataset.input_shape,
            context.generator("zen"),
            batch_size=settings.batch_size,
            repeats=settings.repeats,
            variance=settings.variance,
        )
