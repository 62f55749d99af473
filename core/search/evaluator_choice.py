"""Makes the evaluators that a search needs: of its fitness, of costs, and of lower fidelities."""

from __future__ import annotations

import dataclasses
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

from ..descriptions import DatasetInfo, EvaluatorInfo, SearchSpaceInfo
from ..errors import PluginError, UsageError
from ..plan import EvaluatorSpec
from ..planning.evaluators import EvaluatorFactory
from ..planning.spellings import parse_evaluator_spelling, split_name
from ..plugin_manager import PluginManager


@dataclass(frozen=True)
class EvaluatorChoice:
    """What evaluators are chosen from and for.

    Attributes:
        space: The search space.
        dataset: The images.
        plugins: Where evaluators come from.
    """

    space: SearchSpaceInfo
    dataset: DatasetInfo
    plugins: PluginManager

    def make(self, text: str, purpose: str) -> EvaluatorSpec:
        """Make an evaluator.

        Args:
            text: Such as ``gennas-combo:preset=paper``.
            purpose: What the search wants it for, as in "maximise".

        Raises:
            UsageError: It does not exist, does not fit, or is an aggregate.
        """
        name = split_name(text)[0]
        if self.is_aggregate(name):
            raise UsageError(
                f"A search cannot {purpose} the aggregate '{name}': it is made of ranks within a cohort, so it changes "
                "with every architecture that joins. Search with one of the evaluators that it is made of."
            )
        return EvaluatorFactory(self.space, self.dataset, self.plugins).make(text)

    def is_aggregate(self, name: str) -> bool:
        """Whether this is the name of an aggregate."""
        return name in self.plugins.aggregates()

    def lower_fidelities(self, text: str, strategy: str, shares: Sequence[float]) -> tuple[EvaluatorSpec, ...]:
        """Make an evaluator at lower fidelities: with shares of the setting that says when to stop.

        Args:
            text: The evaluator in full.
            strategy: Name of the strategy that wants them, for messages.
            shares: Ascending, the last of them 1.

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
        spelling = parse_evaluator_spelling(text, self.plugins)
        field = _stopping_field(self.plugins.evaluator(spelling.name).info)
        if field is None:
            able = [name for name, other in self.plugins.evaluators().items() if _stopping_field(other.info)]
            raise UsageError(
                f"The strategy '{strategy}' stops evaluations early, which the evaluator '{spelling.name}' cannot: it "
                f"has no setting that says when to stop. Use one that has: {', '.join(sorted(able))}."
            )
        full = getattr(self.make(text, "maximise").settings, field)
        values = [max(1, round(full * share)) for share in shares]
        if len(set(values)) < len(values):
            raise UsageError(
                f"'{text}' is too short for '{strategy}': its {len(shares)} fidelities would be {field} "
                f"{', '.join(map(str, values))}, which are not all different. Give '{field}' a larger value, or the "
                "strategy fewer fidelities."
            )
        lower = [spelling.with_setting(field, str(value)) for value in values[:-1]]
        return tuple(self.make(fidelity.text, "maximise") for fidelity in lower)


def _stopping_field(info: EvaluatorInfo) -> str | None:
    """Return the whole-number setting that says when to stop, or None."""
    stopping: list[dataclasses.Field[Any]] = [
        field for field in dataclasses.fields(info.settings) if field.metadata.get("stopping_point")
    ]
    return next((field.name for field in stopping if isinstance(field.default, int)), None)
