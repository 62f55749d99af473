"""REINFORCE (Williams 1992) as the authors of NAS-Bench-201 search with it: Dong & Yang, ICLR 2020; NATS-Bench, 2021.

One categorical distribution for each decision, of logits alpha, without a controller network (Zoph & Le, ICLR 2017,
have a recurrent one). Every proposal is a sample; its fitness r moves the baseline b, a moving average of r (corrected
for its start at 0, this r included), and then alpha by one step of Adam along the gradient of (r - b) * log p(sample).
Adam makes the steps independent of the fitness's scale, as long as gradients are far above its 1e-8.

As in their released code (NATS-Bench): logits start at 0.001 * N(0, 1), momentum of the baseline 0.9, learning rate
0.01, Adam with betas 0.9 and 0.999; the result is the best of the history, not the policy's mode. Different here: the
gradient is written out, in float64.

An architecture without a score teaches nothing. Where several proposals may wait for their fitness, the gradient is the
one at the logits that the proposal was sampled from.
"""

from __future__ import annotations

from collections import deque

import numpy as np
import numpy.typing as npt

from ...core.errors import UnsupportedSearchSpaceError
from ...core.interfaces import DesignSpace, SearchStrategy
from ...core.seeding import derive_seed
from .settings import ReinforceSettings

INITIAL_SCALE = 1e-3

# Adam's own (Kingma & Ba, ICLR 2015, algorithm 1), which the authors keep.
BETA_1 = 0.9
BETA_2 = 0.999
EPSILON = 1e-8

Vector = npt.NDArray[np.float64]


class Reinforce(SearchStrategy[ReinforceSettings]):
    """Learns which options are worth choosing, each decision on its own."""

    def __init__(self, space: DesignSpace, settings: ReinforceSettings, seed: int) -> None:
        super().__init__(space, settings, seed)
        choices = space.choices()
        if choices is None:
            raise UnsupportedSearchSpaceError(
                f"The strategy 'reinforce' cannot search '{space.name}', whose architectures are no free choice "
                "of options: not every combination is one. Use 'regularized-evolution'."
            )
        self._rng = np.random.default_rng(derive_seed("reinforce", space.name, seed))
        # One vector holds the logits of all decisions; `splits` says where the next decision begins.
        self._splits = np.cumsum([len(options) for options in choices])[:-1]
        self._logits = INITIAL_SCALE * self._rng.standard_normal(sum(len(options) for options in choices))
        self._adam = Adam(self._logits, settings.learning_rate)
        self._baseline = MovingAverage(settings.baseline_momentum)
        self._waiting: deque[Vector] = deque()

    def ask(self, count: int) -> list[str]:
        """Sample architectures from the policy."""
        return [self._sample() for _ in range(count)]

    def tell(self, architecture: str, fitness: float | None) -> None:
        """Make the proposal more likely if it is better than the average, less if it is worse."""
        score_gradient = self._waiting.popleft()
        if fitness is not None:
            self._baseline.update(fitness)
            self._adam.ascend((fitness - self._baseline.value) * score_gradient)

    def _sample(self) -> str:
        """Sample an architecture and keep the gradient of its log-probability for when its fitness is known."""
        options, gradients = [], []
        for logits in np.split(self._logits, self._splits):
            weights = np.exp(logits - logits.max())
            probabilities = weights / weights.sum()
            option = int(self._rng.choice(len(logits), p=probabilities))
            options.append(option)
            gradients.append(np.eye(len(logits))[option] - probabilities)
        self._waiting.append(np.concatenate(gradients))
        return self.space.assemble(options)


class MovingAverage:
    """Exponential moving average, corrected for its start at 0: the first value is the first average.

    Written so that equal values have exactly that average: Adam makes a full step of a rounding error of large scores.
    """

    def __init__(self, momentum: float) -> None:
        self._momentum = momentum
        self._weight = 0.0
        self.value = 0.0

    def update(self, value: float) -> None:
        """Take the next value."""
        self._weight = self._momentum * self._weight + (1 - self._momentum)
        self.value += (1 - self._momentum) / self._weight * (value - self.value)


class Adam:
    """Adam (Kingma & Ba, ICLR 2015, algorithm 1) on one vector, which it changes in place."""

    def __init__(self, parameters: Vector, learning_rate: float) -> None:
        self._parameters = parameters
        self._learning_rate = learning_rate
        self._mean = np.zeros_like(parameters)
        self._square = np.zeros_like(parameters)
        self._steps = 0

    def ascend(self, gradient: Vector) -> None:
        """Take a step uphill."""
        self._steps += 1
        self._mean += (1 - BETA_1) * (gradient - self._mean)
        self._square += (1 - BETA_2) * (gradient**2 - self._square)
        mean = self._mean / (1 - BETA_1**self._steps)
        root = np.sqrt(self._square / (1 - BETA_2**self._steps))
        self._parameters += self._learning_rate * mean / (root + EPSILON)
