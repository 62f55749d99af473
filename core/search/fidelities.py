"""Makes an evaluator at lower fidelities, for strategies that stop evaluations early."""

from __future__ import annotations

import dataclasses
from typing import Any

from ..descriptions import EvaluatorInfo
from ..errors import UsageError
from ..interfaces import SearchStrategy
from ..loading.faults import expect_shares, fault
from ..plan import EvaluatorSpec
from ..planning.evaluators import EvaluatorFactory
from ..planning.spellings import parse_evaluator_spelling


def lower_fidelities(
    text: str, made: SearchStrategy[Any], strategy: str, factory: EvaluatorFactory
) -> tuple[EvaluatorSpec, ...]:
    """Make an evaluator with shares of the setting that says when to stop.

    Args:
        text: The evaluator in full.
        made: The strategy that wants them.
        strategy: Its name, for messages.
        factory: Makes evaluators.

    Returns:
        One for each of the strategy's fidelities but the last.

    Raises:
        UsageError: It has no such setting, or so small a one that two fidelities are the same.
        PluginError: The strategy has no fidelities that ascend to 1.
    """
    shares = made.fidelities
    if problem := expect_shares(made, (), shares):  # often an attribute, which no guard sees
        raise fault(made, f"has as 'fidelities' {problem}")
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
