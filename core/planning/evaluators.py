"""Makes the evaluators that users name, for one search space and data set."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any

from ..descriptions import DatasetInfo, EvaluatorInfo, SearchSpaceInfo
from ..errors import UnsupportedSearchSpaceError, UsageError
from ..plain_text import printable
from ..plan import EvaluatorHeader, EvaluatorSpec
from ..plugin_manager import PluginManager
from ..settings import BATCH_SIZE, Settings, course_hash, settings_hash, suffix_field
from .aggregation import find_aggregate
from .metric_names import find_metric
from .spellings import Spelling, parse_evaluator_spelling


@dataclass(frozen=True)
class EvaluatorFactory:
    """Makes evaluators for one search space and data set.

    Attributes:
        space: The search space.
        dataset: The data set.
        plugins: Where evaluators come from.
        metric: The metric that the user named to compare with, as in :func:`find_metric`; None for the default.
    """

    space: SearchSpaceInfo
    dataset: DatasetInfo
    plugins: PluginManager
    metric: str | None = None

    def make(self, text: str, values: Mapping[str, Any] | None = None) -> EvaluatorSpec:
        """Return the evaluator that a text such as ``gennas-combo:preset=paper`` names.

        Args:
            text: Name and settings.
            values: Further settings, as they are stored and not as users write them; the label leaves them out.

        Raises:
            UsageError: It does not exist, does not support the space, or its settings cannot be read.
        """
        spelling = parse_evaluator_spelling(text, self.plugins)
        provided = self.plugins.evaluator(spelling.name)
        parsed = provided.info.parse_settings(spelling.settings)
        settings = provided.info.change_settings(parsed, values or {})
        self._check_support(provided.info)
        self._check_batch(spelling, provided.info, settings)
        _check_network(spelling.name, settings, self.space)
        settings = self._with_metric(provided.info, settings)
        header = EvaluatorHeader(
            label=_label(provided.info, spelling.settings, settings),
            name=spelling.name,
            direction=provided.info.direction,
            version=provided.info.version,
            settings=provided.info.effective_settings(settings),
            settings_hash=settings_hash(provided.info.version, settings),
            distribution=provided.distribution,
        )
        return EvaluatorSpec(header, settings)

    def make_all(self, texts: Sequence[str]) -> tuple[tuple[EvaluatorSpec, ...], tuple[str, ...]]:
        """Return the evaluators that texts name, components of aggregates last, and the labels of the aggregates.

        Raises:
            UsageError: None is named, one is named twice, or one cannot be made.
        """
        found = {text: find_aggregate(text, self.plugins) for text in texts}
        aggregates = {text: spec for text, spec in found.items() if spec is not None}
        made = [self.make(text) for text in texts if text not in aggregates]
        known = {spec.header.identity for spec in made}
        components = dict.fromkeys(component for spec in aggregates.values() for component in spec.components)
        made += [spec for spec in map(self.make, components) if spec.header.identity not in known]
        _refuse_duplicates(made)
        return tuple(made), tuple(aggregates)

    def has_enough_inputs(self, name: str) -> bool:
        """Return whether the data set has as many inputs as an evaluator draws by default."""
        info = self.plugins.evaluator(name).info
        return self._enough(info, info.parse_settings({}))

    def _enough(self, info: EvaluatorInfo, settings: Settings) -> bool:
        drawn = info.inputs_drawn(settings) if self.dataset.has_inputs else 0
        return not drawn or drawn <= self._num_inputs

    def _check_support(self, info: EvaluatorInfo) -> None:
        reason = info.reason_unsupported(self.space, self.dataset)
        if reason:
            raise UnsupportedSearchSpaceError(
                f"Evaluator '{info.name}' does not support search space '{self.space.name}': {reason}. "
                f"{self._remedy(info)}"
            )

    def _check_batch(self, spelling: Spelling, info: EvaluatorInfo, settings: Settings) -> None:
        """Refuse a batch of more inputs than the data set has, which would fail every job."""
        if self._enough(info, settings):
            return
        drawn, unit = info.inputs_drawn(settings), self.dataset.unit
        smaller = _smaller_batch(spelling, info, settings, self._num_inputs / drawn)
        remedy = f"Bring more {unit}." if smaller is None else f"Take -e {smaller}, or bring more {unit}."
        raise UsageError(
            f"Evaluator '{info.name}' draws a batch of {drawn} {unit}, and the dataset '{self.dataset.name}' has "
            f"{self._num_inputs}. {remedy}"
        )

    def _with_metric(self, info: EvaluatorInfo, settings: Settings) -> Settings:
        """Name in full the metrics that settings name; where they name none, it is the one to compare with, if any.

        Raises:
            UsageError: The space's table has no such metric.
        """
        fields = [field.name for field in dataclasses.fields(settings) if field.metadata.get("metric")]
        named = {name: text for name in fields if (text := getattr(settings, name) or self.metric)}
        if not named:
            return settings
        table = self.space.create().ground_truth()
        metrics = table.metrics if table else ()
        found = {name: find_metric(text, metrics, self.dataset.name).key for name, text in named.items()}
        return info.change_settings(settings, found)

    @cached_property
    def _num_inputs(self) -> int:
        return len(self.dataset.create().labels())

    def _remedy(self, info: EvaluatorInfo) -> str:
        """Name the data sets of the space with which it would support it, or how to find another evaluator."""
        installed = self.plugins.datasets()
        fitting = [
            name
            for name in self.space.datasets
            if name in installed and info.reason_unsupported(self.space, installed[name].info) is None
        ]
        if fitting:
            return f"It does with --dataset {' or '.join(fitting)}."
        return f"'nasbench spaces {self.space.name}' says which evaluators do."


def _smaller_batch(spelling: Spelling, info: EvaluatorInfo, settings: Settings, share: float) -> str | None:
    """Return the evaluator with the largest batch that is small enough, None if no setting gives one."""
    field = next((field for field in dataclasses.fields(settings) if field.name == BATCH_SIZE), None)
    taken = info.effective_settings(settings).get(BATCH_SIZE)
    # A plugin's own 'inputs_drawn' may say a number where the setting has none.
    if field is None or not isinstance(taken, int):
        return None
    size = int(taken * share)
    return spelling.with_setting(BATCH_SIZE, str(size)).text if size >= field.metadata.get("minimum", 1) else None


def _check_network(name: str, settings: Settings, space: SearchSpaceInfo) -> None:
    """Refuse a network that the space does not have; only a default may fall back to the benchmark's."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        chosen = field.metadata.get("network_variant") and value != field.default
        if chosen and value not in space.network_variants:
            raise UsageError(
                f"Evaluator '{name}' was asked to score the network '{value}', which the search space '{space.name}' "
                f"does not have. It has: {', '.join(space.network_variants)}."
            )


def _label(info: EvaluatorInfo, given: Mapping[str, str], settings: Settings) -> str:
    """Name an evaluator and the settings that were given; a file goes by its name, wherever it lies."""
    files = {field.name for field in dataclasses.fields(info.settings) if "reader" in field.metadata}
    field = suffix_field(info.settings)
    name, in_name = info.name, set()
    if field is not None and getattr(settings, field.name) is not None:
        name, in_name = f"{name}{field.metadata['name_suffix']}{getattr(settings, field.name)}", {field.name}
    others = sorted(given.keys() - in_name)
    shown = [f"{key}={Path(given[key]).name if key in files else given[key]}" for key in others]
    return printable(f"{name}:{','.join(shown)}" if shown else name)


def _refuse_duplicates(evaluators: Sequence[EvaluatorSpec]) -> None:
    if not evaluators:
        raise UsageError("No evaluator was given. Name one with --evaluator; 'nasbench evaluators' lists them.")
    identities = Counter(spec.header.identity for spec in evaluators)
    labels = Counter(spec.header.label for spec in evaluators)
    for spec in evaluators:
        if identities[spec.header.identity] > 1 or labels[spec.header.label] > 1:
            raise UsageError(
                f"Evaluator '{spec.header.label}' is given twice. Leave one out, or give it other settings."
            )
    _refuse_parts_of_others(evaluators)


def _refuse_parts_of_others(evaluators: Sequence[EvaluatorSpec]) -> None:
    """Refuse evaluators that differ only in when they stop: the longest one's curve has the others' scores."""
    by_course: dict[tuple[str, str], EvaluatorSpec] = {}
    for spec in evaluators:
        key = (spec.header.name, course_hash(spec.header.version, spec.settings))
        other = by_course.setdefault(key, spec)
        if other is not spec:
            raise UsageError(
                f"'{other.header.label}' and '{spec.header.label}' are one training, stopped at two points. Give the "
                "longer one alone: 'nasbench report --curves' shows every point of it."
            )
