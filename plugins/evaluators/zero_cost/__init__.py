"""Zero-cost proxies: scores of the untrained network, from a few forward and backward passes.

Each family is a package that lists its evaluators; an evaluator is a module.
"""

from __future__ import annotations

from ....core.descriptions import EvaluatorInfo
from . import activations, gradients, jacobian, size

# The order of what a run compares by default: rivals before size and chance.
EVALUATORS: tuple[EvaluatorInfo, ...] = (
    *gradients.EVALUATORS,
    *jacobian.EVALUATORS,
    *activations.EVALUATORS,
    *size.EVALUATORS,
)
