"""Turns what a user asks for into a plan; every name and option is checked here, before anything is computed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from .aggregation import find_aggregate
from .data_home import how_to_get, stored_folder
from .descriptions import NO_IMAGES, DatasetInfo, EvaluatorInfo, SearchSpaceInfo
from .errors import UnsupportedSearchSpaceError, UsageError
from .interfaces import SearchSpace
from .metric_names import by_relevance, find_metric
from .plan import EvaluatorHeader, EvaluatorSpec, GroundTruthColumn, Plan, PlanHeader
from .plugin_manager import PluginManager, Provided
from .sampling import read_architectures, sample_architectures
from .settings import Settings, parse_settings, seed_hash, settings_hash, suffix_field


@dataclass(frozen=True)
class RunRequest:
    """What a user asks for.

    Attributes:
        space: Name of a search space.
        evaluators: Texts such as ``naswot`` or ``gennas-combo:preset=paper,iterations=50``.
        dataset: Name of a data set, None for the first of the space's whose images are at hand.
        images: The user's own image set instead.
        samples: Number of architectures to sample.
        seed: Seed of the run.
        architectures: A file that lists the architectures instead.
        metric: The metric to compare with, as in :func:`find_metric`; None for the default.
    """

    space: str
    evaluators: tuple[str, ...]
    dataset: str | None = None
    images: DatasetInfo | None = None
    samples: int = 100
    seed: int = 0
    architectures: Path | None = None
    metric: str | None = None


def make_plan(request: RunRequest, plugins: PluginManager) -> Plan:
    """Check a request against the installed plugins and fix its architectures.

    Raises:
        UsageError: Something in the request does not exist, does not fit or is given twice.
    """
    provided_space = plugins.search_space(request.space)
    dataset = choose_dataset(provided_space.info, request.dataset, request.images, plugins)
    evaluators, aggregates = _make_evaluators(request.evaluators, provided_space.info, dataset, plugins)
    space = provided_space.info.create()
    if request.architectures:
        arch_ids = read_architectures(request.architectures, space)
        sampling = "given as a list"
    else:
        arch_ids = sample_architectures(space, request.samples, request.seed)
        sampling = space.sampling
    header = PlanHeader(request.space, dataset.name, request.seed, sampling)
    ground_truth = ground_truth_columns(space, provided_space, arch_ids, dataset.name, request.metric)
    return Plan(header, arch_ids, evaluators, ground_truth, request.images, aggregates)


def choose_dataset(
    space: SearchSpaceInfo, name: str | None, images: DatasetInfo | None, plugins: PluginManager
) -> DatasetInfo:
    """Return the image set that evaluators see.

    Args:
        space: The search space.
        name: What the user named, None for the first of the space's whose images are at hand.
        images: The user's own image set instead.
        plugins: Where data sets come from.

    Raises:
        UsageError: It does not exist, is not at hand, or the space has no networks for it.
    """
    if not space.datasets:
        raise UsageError(f"The search space '{space.name}' names no dataset: this is a fault of its plugin.")
    if images is not None:
        return _check_takes_images(space, images)
    if name is None:
        infos = [plugins.dataset(own).info for own in space.datasets]
        return next((info for info in infos if _is_at_hand(info)), infos[0])
    info = plugins.dataset(name).info
    if info.name not in space.datasets:
        _check_takes_images(space, info)
    if not _is_at_hand(info):
        raise UsageError(f"The images of '{info.name}' are not at hand. {how_to_get(str(info.requires))}")
    return info


def _check_takes_images(space: SearchSpaceInfo, images: DatasetInfo) -> DatasetInfo:
    if not space.takes_any_images or images.name == NO_IMAGES:
        raise UsageError(
            f"The search space '{space.name}' has no networks for the dataset '{images.name}'. Choose one of: "
            f"{', '.join(space.datasets)}."
        )
    return images


def _is_at_hand(info: DatasetInfo) -> bool:
    return info.requires is None or stored_folder(info.requires) is not None


def _make_evaluators(
    texts: Sequence[str], space: SearchSpaceInfo, dataset: DatasetInfo, plugins: PluginManager
) -> tuple[tuple[EvaluatorSpec, ...], tuple[str, ...]]:
    """Return the evaluators that texts name, components of aggregates last, and the labels of the aggregates."""
    found = {text: find_aggregate(text, plugins) for text in texts}
    aggregates = {text: spec for text, spec in found.items() if spec is not None}
    own = [make_evaluator(text, space, dataset, plugins) for text in texts if text not in aggregates]
    components = [component for spec in aggregates.values() for component in spec.components]
    known = {(spec.header.name, spec.header.settings_hash) for spec in own}
    for text in dict.fromkeys(components):
        made = make_evaluator(text, space, dataset, plugins)
        if (made.header.name, made.header.settings_hash) not in known:
            own.append(made)
    evaluators = tuple(own)
    _refuse_duplicates(evaluators)
    return evaluators, tuple(aggregates)


def make_evaluator(
    text: str,
    space: SearchSpaceInfo,
    dataset: DatasetInfo,
    plugins: PluginManager,
    values: Mapping[str, Any] | None = None,
) -> EvaluatorSpec:
    """Return the evaluator that a text such as ``gennas-combo:preset=paper`` names.

    Args:
        text: Name and settings.
        space: The search space.
        dataset: The images.
        plugins: Where evaluators come from.
        values: Further settings, as they are stored and not as users write them; the label leaves them out.

    Raises:
        UsageError: It does not exist, does not support the space, or its settings cannot be read.
    """
    spelled_name, _, settings_text = text.partition(":")
    name, suffix = split_name(spelled_name, plugins)
    provided = plugins.evaluator(name)
    given = split_settings(text, settings_text, suffix)
    settings = dataclasses.replace(parse_settings(name, provided.info.settings, given), **(values or {}))
    reason = provided.info.reason_unsupported(space, dataset)
    if reason:
        raise UnsupportedSearchSpaceError(
            f"Evaluator '{name}' does not support search space '{space.name}': {reason}. "
            f"'nasbench spaces {space.name}' says which evaluators do."
        )
    _check_network(name, settings, space)
    _check_metric(settings, space, dataset)
    header = EvaluatorHeader(
        label=_label(provided.info, given, settings),
        name=name,
        direction=provided.info.direction,
        version=provided.info.version,
        settings=settings.effective(),
        settings_hash=settings_hash(provided.info.version, settings),
        distribution=provided.distribution,
    )
    return EvaluatorSpec(header, settings)


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


def _check_metric(settings: Settings, space: SearchSpaceInfo, dataset: DatasetInfo) -> None:
    """Refuse a metric that the space's table does not have."""
    for field in dataclasses.fields(settings):
        value = getattr(settings, field.name)
        if field.metadata.get("metric") and value is not None:
            table = space.create().ground_truth()
            find_metric(value, table.metrics if table else (), dataset.name)


def split_name(spelled: str, plugins: PluginManager) -> tuple[str, dict[str, str]]:
    """Split a name such as ``cls@ep5`` into the evaluator's and the setting that is written behind it.

    A name that no evaluator has is returned as it is.
    """
    evaluators = plugins.evaluators()
    if spelled in evaluators:
        return spelled, {}
    for name, provided in evaluators.items():
        field = suffix_field(provided.info.settings)
        if field is not None and spelled.startswith(name + field.metadata["name_suffix"]):
            return name, {field.name: spelled.removeprefix(name + field.metadata["name_suffix"])}
    return spelled, {}


def split_settings(text: str, settings_text: str, elsewhere: Mapping[str, str]) -> dict[str, str]:
    """Split settings as users write them.

    Args:
        text: All that the user wrote, for messages.
        settings_text: Such as ``preset=paper,iterations=50``.
        elsewhere: Settings that were given in another way.

    Returns:
        Texts by name of the setting.

    Raises:
        UsageError: A setting has no value or is given twice.
    """
    given = dict(elsewhere)
    for part in filter(None, settings_text.split(",")):
        key, equals, value = part.partition("=")
        if not equals or key in given:
            problem = "is given twice" if key in given else "has no '='"
            raise UsageError(
                f"Cannot read '{text}': '{part}' {problem}. Write settings as NAME:setting=value,setting=value."
            )
        given[key] = value
    return given


def _label(info: EvaluatorInfo, given: dict[str, str], settings: Settings) -> str:
    """Name an evaluator and the settings that were given; a file goes by its name, wherever it lies."""
    files = {field.name for field in dataclasses.fields(info.settings) if "reader" in field.metadata}
    field = suffix_field(info.settings)
    name, in_name = info.name, set()
    if field is not None and getattr(settings, field.name) is not None:
        name, in_name = f"{name}{field.metadata['name_suffix']}{getattr(settings, field.name)}", {field.name}
    others = sorted(given.keys() - in_name)
    shown = [f"{key}={Path(given[key]).name if key in files else given[key]}" for key in others]
    return f"{name}:{','.join(shown)}" if shown else name


def _refuse_duplicates(evaluators: Sequence[EvaluatorSpec]) -> None:
    if not evaluators:
        raise UsageError("No evaluator was given. Name one with --evaluator; 'nasbench evaluators' lists them.")
    keys = Counter((spec.header.name, spec.header.settings_hash) for spec in evaluators)
    labels = Counter(spec.header.label for spec in evaluators)
    for spec in evaluators:
        if keys[spec.header.name, spec.header.settings_hash] > 1 or labels[spec.header.label] > 1:
            raise UsageError(
                f"Evaluator '{spec.header.label}' is given twice. Leave one out, or give it other settings."
            )
    _refuse_parts_of_others(evaluators)


def _refuse_parts_of_others(evaluators: Sequence[EvaluatorSpec]) -> None:
    """Refuse evaluators that differ only in when they stop: the longest one's curve has the others' scores."""
    by_seed: dict[tuple[str, str], EvaluatorSpec] = {}
    for spec in evaluators:
        key = (spec.header.name, seed_hash(spec.header.version, spec.settings))
        other = by_seed.setdefault(key, spec)
        if other is not spec:
            raise UsageError(
                f"'{other.header.label}' and '{spec.header.label}' are one training, stopped at two points. Give the "
                "longer one alone: 'nasbench report --curves' shows every point of it."
            )


def ground_truth_columns(
    space: SearchSpace,
    provided: Provided[SearchSpaceInfo],
    arch_ids: Sequence[str],
    dataset: str,
    metric_text: str | None,
) -> tuple[GroundTruthColumn, ...]:
    """Look architectures up in the space's table: one column a metric, the chosen or else the most relevant first.

    Returns:
        No column if there is no table.

    Raises:
        UsageError: There is no such metric.
    """
    table = space.ground_truth()
    if table is None:
        if metric_text is not None:
            raise UsageError(f"There is no metric '{metric_text}': {_no_ground_truth(provided.info)}")
        return ()
    metrics = by_relevance(table.metrics, dataset)
    if metric_text is not None:
        chosen = find_metric(metric_text, table.metrics, dataset)
        metrics = [chosen, *(metric for metric in metrics if metric != chosen)]
    return tuple(
        GroundTruthColumn(
            metric, tuple(table.values(metric, arch_ids)), table.noise_ceiling(metric), provided.distribution
        )
        for metric in metrics
    )


def _no_ground_truth(info: SearchSpaceInfo) -> str:
    if info.requires is None:
        return f"the search space '{info.name}' has no ground truth."
    return f"the table of '{info.name}' is not at hand. {how_to_get(info.requires)}"
