"""Turns what a user asks for into a plan; every name and option is checked here, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..descriptions import DatasetInfo
from ..errors import UsageError
from ..interfaces import SearchSpace
from ..plan import Plan, PlanHeader
from ..plugin_manager import PluginManager
from ..seeding import check_seed
from .datasets import choose_dataset, dataset_version
from .evaluators import EvaluatorFactory
from .ground_truth import compared_space, ground_truth_columns
from .listed import read_architectures
from .own_labels import LabelFile, OwnLabels, check_one_truth, read_own_labels, require_labels
from .sampling import sample_architectures, sample_list

DEFAULT_SAMPLES = 100


@dataclass(frozen=True)
class KnownSample:
    """The architectures of a run that is continued.

    Attributes:
        arch_ids: Canonical strings.
        sampling: How they were chosen, in words.
    """

    arch_ids: tuple[str, ...]
    sampling: str


@dataclass(frozen=True)
class RunRequest:
    """What a user asks for.

    Attributes:
        space: Name of a search space.
        evaluators: Texts such as ``naswot`` or ``gennas-combo:preset=paper,iterations=50``.
        dataset: Name of a data set, None for the first of the space's whose images are at hand.
        images: The user's own image set instead.
        samples: Number of architectures to sample; None for 100, or for all that have labels.
        seed: Seed of the run, and of the sample.
        seeds: With how many run seeds every evaluator scores every architecture: ``seed`` and those after it.
        known: Architectures that are there already and come first; ``samples`` counts them, too.
        architectures: A file that lists the architectures instead.
        metric: The metric to compare with, as in :func:`find_metric`; None for the default.
        labels: The user's own labels: the default to compare with, and the architectures if no others are given.
    """

    space: str
    evaluators: tuple[str, ...]
    dataset: str | None = None
    images: DatasetInfo | None = None
    samples: int | None = None
    seed: int = 0
    architectures: Path | None = None
    metric: str | None = None
    labels: LabelFile | None = None
    seeds: int = 1
    known: KnownSample | None = None


def make_plan(request: RunRequest, plugins: PluginManager) -> Plan:
    """Check a request against the installed plugins and fix its architectures.

    Raises:
        UsageError: Something in the request does not exist, does not fit or is given twice.
    """
    check_seed(request.seed)
    if request.seeds < 1:
        raise UsageError(f"A run has one seed or more, got {request.seeds}.")
    check_seed(request.seed + request.seeds - 1)
    check_one_truth(request.labels, request.metric)
    provided_space = plugins.search_space(request.space)
    dataset = choose_dataset(provided_space.info, request.dataset, request.images, plugins)
    factory = EvaluatorFactory(provided_space.info, dataset, plugins, request.metric)
    evaluators, aggregates = factory.make_all(request.evaluators)
    space = compared_space(provided_space.info.create(), dataset.name, request.metric)
    own = read_own_labels(request.labels, space, dataset.name) if request.labels else None
    arch_ids, sampling = _choose_architectures(request, space, own)
    header = PlanHeader(
        request.space, dataset.name, request.seed, sampling, provided_space.version,
        dataset_version(dataset, request.images, plugins),
        tuple(range(request.seed + 1, request.seed + request.seeds)),
    )  # fmt: skip
    ground_truth = ground_truth_columns(space, provided_space, arch_ids, dataset.name, request.metric)
    if own:
        ground_truth = (require_labels(own.column(arch_ids)), *ground_truth)
    return Plan(header, arch_ids, evaluators, ground_truth, request.images, aggregates)


def _choose_architectures(
    request: RunRequest, space: SearchSpace, own: OwnLabels | None
) -> tuple[tuple[str, ...], str]:
    """Return the architectures, and how they were chosen, in words."""
    if request.known is None:
        return _choose_new(request, space, own)
    if request.samples is None and request.architectures is None:
        return request.known.arch_ids, request.known.sampling
    chosen, sampling = _choose_new(request, space, own)
    arch_ids = tuple(dict.fromkeys((*request.known.arch_ids, *chosen)))
    if request.architectures is None:
        return arch_ids[: request.samples], request.known.sampling
    return arch_ids, f"{request.known.sampling}, and others {sampling}"


def _choose_new(request: RunRequest, space: SearchSpace, own: OwnLabels | None) -> tuple[tuple[str, ...], str]:
    if request.architectures:
        return read_architectures(request.architectures, space), "given as a list"
    if own:
        arch_ids = sample_list(tuple(own.labels), request.samples, request.seed)
        return arch_ids, "those with labels" if request.samples is None else "sampled from those with labels"
    samples = DEFAULT_SAMPLES if request.samples is None else request.samples
    return sample_architectures(space, samples, request.seed), space.sampling
