"""``random``: a number that knows nothing of the architecture, the control of every comparison.

Formula: one draw from [0, 1), from a generator seeded by run seed, space, data set and architecture.
Direction: higher counts as better; its expected rank correlation with anything is 0.
"""

from __future__ import annotations

import torch

from .....core.context import EvaluationContext
from .....core.interfaces import Evaluator
from .....core.settings import Settings


class RandomScore(Evaluator[Settings]):
    """Scores an architecture by a random number."""

    def _evaluate(self, context: EvaluationContext) -> float:
        return float(torch.rand((), dtype=torch.float64, generator=context.generator("score")))
