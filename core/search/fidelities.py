"""Makes an evaluator at lower fidelities, for strategies that stop evaluations early."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence

from ..descriptions import EvaluatorInfo
from ..errors import PluginError, UsageError
from ..plan import EvaluatorSpec
from ..planning.evaluators import EvaluatorFactory
from ..planning.spellings import parse_evaluator_spelling


def lower_fidelities(
    text: str, strategy: str, shares: Sequence[float], factory: EvaluatorFactory
) -> tuple[EvaluatorSpec, ...]:
    """Make an evaluator with shares of the setting that says when to stop.

    Args:
        text: The evaluator in full.
        strategy: Name of the strategy that wants them, for messages.
        shares: Ascending, the last of them 1.
        factory: Makes evaluators.

    Returns:
        One for each share but the last.

    Raises:
        UsageError: It has no such setting, or so small a one that two fidelities are the same.
        PluginError: These are no shares.
    """
    if list(shares) != sorted(set(shares)) or shares[0] <= 0 or shares[-1] != 1:
        raise PluginError(
            f"The search strategy '{strategy}' has the fidelities {', '.join(map(str, shares))}: they must ascend "
            "to 1. This is a fault of its plugin."
        )
    if len(shares) == 1:
        return ()
    spelling = parse_evaluator_spelling(text, factory.plugins)
    field = _stopping_field(factory.plugins.evaluator(spelling.name).info)
    if field is None:
        able = [name for name, other in factory.plugins.evaluators().items() if _stopping_field(other.info)]
        raise UsageError(
            f"The strategy '{strategy}' stops evaluations early, which the evaluator '{spelling.name}' cannot: it has "
            f"no setting that says when to stop. Use one that has: {', '.join(sorted(able))}."
        )
    full = getattr(factory.make(text).settings, field)
    values = [max(1, round(full * share)) for share in shares]
    if len(set(values)) < len(values):
        raise UsageError(
            f"'{text}' is too short for '{strategy}': its {len(shares)} fidelities would be {field} "
            f"{', '.join(map(str, values))}, which are not all different. Give '{field}' a larger value, or the "
            "strategy fewer fidelities."
        )
    return tuple(factory.make(spelling.with_setting(field, str(value)).text) for value in values[:-1])


def _stopping_field(info: EvaluatorInfo) -> str | None:
    """Return the whole-number setting that says when to stop, or None."""
    stopping = [field for field in dataclasses.fields(info.settings) if field.metadata.get("stopping_point")]
    return next((field.name for field in stopping if isinstance(field.default, int)), None)
