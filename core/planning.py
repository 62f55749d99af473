"""Turns what a user asks for into a plan; every name and option is checked here, before anything is computed."""

from __future__ import annotations

import dataclasses
from collections import Counter
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from .descriptions import DatasetInfo, EvaluatorInfo, SearchSpaceInfo
from .errors import UnsupportedSearchSpaceError, UsageError
from .interfaces import SearchSpace
from .plan import EvaluatorHeader, EvaluatorSpec, GroundTruthColumn, Plan, PlanHeader
from .plugin_manager import PluginManager, Provided
from .sampling import read_architectures, sample_architectures
from .settings import parse_settings, settings_hash


@dataclass(frozen=True)
class RunRequest:
    """What a user asks for.

    Attributes:
        space: Name of a search space.
        evaluators: Texts such as ``naswot`` or ``gennas-combo:preset=paper,iterations=50``.
        dataset: Name of a data set, None for the space's default.
        samples: Number of architectures to sample.
        seed: Seed of the run.
        architectures: A file that lists the architectures instead.
    """

    space: str
    evaluators: tuple[str, ...]
    dataset: str | None = None
    samples: int = 100
    seed: int = 0
    architectures: Path | None = None


def make_plan(request: RunRequest, plugins: PluginManager) -> Plan:
    """Check a request against the installed plugins and fix its architectures.

    Raises:
        UsageError: Something in the request does not exist, does not fit or is given twice.
    """
    provided_space = plugins.search_space(request.space)
    dataset = _choose_dataset(provided_space.info, request.dataset, plugins)
    evaluators = tuple(_make_evaluator(text, provided_space.info, plugins) for text in request.evaluators)
    _refuse_duplicates(evaluators)
    space = provided_space.info.create()
    if request.architectures:
        arch_ids = read_architectures(request.architectures, space)
        sampling = "given as a list"
    else:
        arch_ids = sample_architectures(space, request.samples, request.seed)
        sampling = "uniform over the space, without replacement"
    header = PlanHeader(request.space, dataset.name, request.seed, sampling)
    return Plan(header, arch_ids, evaluators, _ground_truth(space, provided_space, arch_ids))


def _choose_dataset(space: SearchSpaceInfo, name: str | None, plugins: PluginManager) -> DatasetInfo:
    if not space.datasets:
        raise UsageError(f"The search space '{space.name}' names no dataset: this is a fault of its plugin.")
    info = plugins.dataset(name or space.datasets[0]).info
    if info.name not in space.datasets:
        raise UsageError(
            f"The search space '{space.name}' has no networks for the dataset '{info.name}'. Choose one of: "
            f"{', '.join(space.datasets)}."
        )
    return info


def _make_evaluator(text: str, space: SearchSpaceInfo, plugins: PluginManager) -> EvaluatorSpec:
    name, _, settings_text = text.partition(":")
    provided = plugins.evaluator(name)
    given = _split_settings(text, settings_text)
    settings = parse_settings(name, provided.info.settings, given)
    reason = provided.info.reason_unsupported(space)
    if reason:
        raise UnsupportedSearchSpaceError(f"Evaluator '{name}' does not support search space '{space.name}': {reason}.")
    header = EvaluatorHeader(
        label=_label(provided.info, given),
        name=name,
        direction=provided.info.direction,
        version=provided.info.version,
        settings=settings.effective(),
        settings_hash=settings_hash(provided.info.version, settings),
        distribution=provided.distribution,
    )
    return EvaluatorSpec(header, settings)


def _split_settings(text: str, settings_text: str) -> dict[str, str]:
    given: dict[str, str] = {}
    for part in filter(None, settings_text.split(",")):
        key, equals, value = part.partition("=")
        if not equals or key in given:
            problem = "is given twice" if key in given else "has no '='"
            raise UsageError(
                f"Cannot read '{text}': '{part}' {problem}. Write settings as NAME:setting=value,setting=value."
            )
        given[key] = value
    return given


def _label(info: EvaluatorInfo, given: dict[str, str]) -> str:
    """Name an evaluator and the settings that were given; a file goes by its name, wherever it lies."""
    files = {field.name for field in dataclasses.fields(info.settings) if "reader" in field.metadata}
    shown = [f"{key}={Path(value).name if key in files else value}" for key, value in sorted(given.items())]
    return f"{info.name}:{','.join(shown)}" if shown else info.name


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


def _ground_truth(
    space: SearchSpace, provided: Provided[SearchSpaceInfo], arch_ids: Sequence[str]
) -> tuple[GroundTruthColumn, ...]:
    table = space.ground_truth()
    if table is None:
        return ()
    return tuple(
        GroundTruthColumn(
            metric, tuple(table.values(metric, arch_ids)), table.noise_ceiling(metric), provided.distribution
        )
        for metric in table.metrics
    )
