"""Aggregates by the texts that users type: which evaluators' scores they are made of."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from ..descriptions import AggregateInfo
from ..errors import UsageError
from ..plugin_manager import PluginManager, Provided
from .spellings import split_name

SEPARATOR = "+"


@dataclass(frozen=True)
class AggregateSpec:
    """An aggregate with its components.

    Attributes:
        label: What the user typed, such as ``vote`` or ``rank_sum:naswot+synflow``.
        components: Evaluators as users type them.
        provided: Its description.
    """

    label: str
    components: tuple[str, ...]
    provided: Provided[AggregateInfo]


def find_aggregate(text: str, plugins: PluginManager) -> AggregateSpec | None:
    """Return the aggregate that a text names, or None if it names none.

    Raises:
        UsageError: It is one that needs other components than it was given.
    """
    name, given = split_name(text)
    provided = plugins.aggregates().get(name)
    if provided is None:
        return None
    fixed = provided.info.components
    if fixed:
        if given:
            raise UsageError(f"'{name}' has no settings: it is made of {', '.join(fixed)} as they are by default.")
        return AggregateSpec(text, fixed, provided)
    components = tuple(filter(None, given.split(SEPARATOR)))
    if len(set(components)) < 2 or len(set(components)) != len(components):
        raise UsageError(
            f"'{name}' needs two or more different evaluators, got '{text}'. Write it as in '{name}:naswot+synflow'."
        )
    return AggregateSpec(text, components, provided)


def refuse_aggregate(text: str, purpose: str, plugins: PluginManager) -> None:
    """Refuse an aggregate where one score after the other is needed.

    Args:
        text: Names an evaluator, or an aggregate.
        purpose: What a search wants it for, as in "maximise".
        plugins: Where aggregates come from.

    Raises:
        UsageError: It is an aggregate.
    """
    name, _ = split_name(text)
    if name in plugins.aggregates():
        raise UsageError(
            f"A search cannot {purpose} the aggregate '{name}': it is made of ranks within a cohort, so it changes "
            "with every architecture that joins. Search with one of the evaluators that it is made of."
        )


def match_components(spec: AggregateSpec, labels: Sequence[str], names: Sequence[str]) -> tuple[int, ...]:
    """Find an aggregate's components among the evaluators of a results file.

    Args:
        spec: The aggregate.
        labels: Labels of the evaluators.
        names: Their names, in the same order.

    Returns:
        Their positions. A component that was run with other settings counts if it is the only one of its name.

    Raises:
        UsageError: One is missing, or there are several and none has the default settings.
    """
    return tuple(_match_component(spec, component, labels, names) for component in spec.components)


def _match_component(spec: AggregateSpec, component: str, labels: Sequence[str], names: Sequence[str]) -> int:
    if component in labels:
        return labels.index(component)
    positions = [position for position, name in enumerate(names) if name == component]
    if len(positions) == 1:
        return positions[0]
    problem = f"has {len(positions)} of them with settings, and none without" if positions else "does not have it"
    raise UsageError(
        f"'{spec.label}' is made of {', '.join(spec.components)}; '{component}' is needed, and the file {problem}. It "
        f"has {', '.join(labels)}. Score the same architectures with 'nasbench run --evaluator {spec.label}'."
    )
