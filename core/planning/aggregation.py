"""Aggregates by the texts that users type: which evaluators' scores they are made of."""

from __future__ import annotations

import dataclasses
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from ..descriptions import AggregateInfo
from ..errors import UsageError
from ..plan import EvaluatorHeader
from ..plugin_manager import PluginManager, Provided
from .spellings import parse_evaluator_spelling, split_name

SEPARATOR = "+"


@dataclass(frozen=True)
class Component:
    """An evaluator that an aggregate is made of.

    Attributes:
        text: As users type it.
        name: Its name, empty if it is not installed, or has no such settings.
        settings: Its effective settings, as results files have them.
        open_settings: Those that the space decides, among ``settings`` or not.
    """

    text: str
    name: str = ""
    settings: Mapping[str, Any] = field(default_factory=dict)
    open_settings: frozenset[str] = frozenset()

    def is_evaluator(self, header: EvaluatorHeader) -> bool:
        """Say whether an evaluator is this one, however its settings were spelled."""
        return header.name == self.name and self._decided(header.settings) == self._decided(self.settings)

    def _decided(self, settings: Mapping[str, Any]) -> Mapping[str, Any]:
        decided: Mapping[str, Any] = json.loads(
            json.dumps({name: value for name, value in settings.items() if name not in self.open_settings})
        )
        return decided


@dataclass(frozen=True)
class AggregateSpec:
    """An aggregate with its components.

    Attributes:
        label: What the user typed, such as ``vote`` or ``rank_sum:naswot+synflow``.
        parts: What it is made of.
        provided: Its description.
    """

    label: str
    parts: tuple[Component, ...]
    provided: Provided[AggregateInfo]

    @property
    def components(self) -> tuple[str, ...]:
        """The evaluators that it is made of, as users type them."""
        return tuple(part.text for part in self.parts)


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
        return AggregateSpec(text, tuple(_read(each, plugins) for each in fixed), provided)
    components = tuple(filter(None, given.split(SEPARATOR)))
    if len(set(components)) < 2 or len(set(components)) != len(components):
        raise UsageError(
            f"'{name}' needs two or more different evaluators, got '{text}'. Write it as in '{name}:naswot+synflow'."
        )
    return AggregateSpec(text, tuple(_read(each, plugins) for each in components), provided)


def _read(text: str, plugins: PluginManager) -> Component:
    try:
        spelling = parse_evaluator_spelling(text, plugins)
        info = plugins.evaluator(spelling.name).info
        settings = info.parse_settings(spelling.settings)
        effective = info.effective_settings(settings)
    except UsageError:
        return Component(text)
    metrics = (each.name for each in dataclasses.fields(info.settings) if each.metadata.get("metric"))
    undecided = frozenset(name for name in metrics if getattr(settings, name) is None)
    return Component(text, spelling.name, effective, undecided)


def aggregates_to_show(
    stored: Sequence[str], asked: Sequence[str], headers: Sequence[EvaluatorHeader], plugins: PluginManager
) -> tuple[list[AggregateSpec], list[str]]:
    """Return the aggregates that a report is to show, and why some that a run asked for are left out.

    Args:
        stored: What the run asked for. One that is not installed here, or whose evaluators are not among those of the
            file, is left out: what was computed is to be shown.
        asked: What the user asks for now.
        headers: The evaluators of the file.
        plugins: Where aggregates come from.

    Raises:
        UnknownNameError: The user asks for one that does not exist.
    """
    specs, left_out = [], []
    for text in dict.fromkeys((*stored, *asked)):
        spec = find_aggregate(text, plugins)
        if spec is None and text in asked:
            plugins.aggregate(split_name(text)[0])  # is not there, and raises
        problem = "which is not installed here" if spec is None else ""
        if spec is not None and text not in asked:
            problem = _why_not_made(spec, headers)
        if problem:
            left_out.append(f"the run asked for the aggregate '{text}', {problem}.")
        elif spec is not None:
            specs.append(spec)
    return specs, left_out


def _why_not_made(spec: AggregateSpec, headers: Sequence[EvaluatorHeader]) -> str:
    """Return why an aggregate cannot be made of these evaluators, empty if it can."""
    try:
        match_components(spec, headers)
    except UsageError as error:
        return f"which cannot be made: {str(error).rstrip('.')}"
    return ""


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


def match_components(spec: AggregateSpec, headers: Sequence[EvaluatorHeader]) -> tuple[int, ...]:
    """Find an aggregate's components among the evaluators of a results file.

    Args:
        spec: The aggregate.
        headers: The evaluators.

    Returns:
        Their positions. A component that was run with other settings counts if it is the only one of its name.

    Raises:
        UsageError: One is missing, or there are several and none has the settings of the component.
    """
    return tuple(_match_component(spec, part, headers) for part in spec.parts)


def _match_component(spec: AggregateSpec, part: Component, headers: Sequence[EvaluatorHeader]) -> int:
    labels = [header.label for header in headers]
    if part.text in labels:
        return labels.index(part.text)
    same = [place for place, header in enumerate(headers) if part.is_evaluator(header)]
    of_name = [place for place, header in enumerate(headers) if header.name == part.text]
    for found in (same, of_name):
        if len(found) == 1:
            return found[0]
    problem = f"has {len(of_name)} of them, none with these settings" if of_name else "does not have it"
    raise UsageError(
        f"'{spec.label}' is made of {', '.join(spec.components)}; '{part.text}' is needed, and the file {problem}. It "
        f"has {', '.join(labels)}. Score the same architectures with 'nasbench run --evaluator {spec.label}'."
    )
