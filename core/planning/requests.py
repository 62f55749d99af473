"""Turns what a user asks for into a plan; every name and option is checked here, before anything is computed."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

from ..descriptions import DatasetInfo
from ..plan import Plan, PlanHeader
from ..plugin_manager import PluginManager
from ..seeding import check_seed
from .datasets import choose_dataset, dataset_version
from .evaluators import EvaluatorFactory
from .ground_truth import compared_space, ground_truth_columns
from .own_labels import LabelFile, read_own_labels, require_labels
from .sampling import read_architectures, sample_architectures, sample_list

DEFAULT_SAMPLES = 100


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


def make_plan(request: RunRequest, plugins: PluginManager) -> Plan:
    """Check a request against the installed plugins and fix its architectures.

    Raises:
        UsageError: Something in the request does not exist, does not fit or is given twice.
    """
    check_seed(request.seed)
    check_seed(request.seed + request.seeds - 1)
    provided_space = plugins.search_space(request.space)
    dataset = choose_dataset(provided_space.info, request.dataset, request.images, plugins)
    factory = EvaluatorFactory(provided_space.info, dataset, plugins)
    evaluators, aggregates = factory.make_all(request.evaluators)
    space = compared_space(provided_space.info.create(), dataset.name, request.metric)
    own = read_own_labels(request.labels, space, dataset.name) if request.labels else None
    if request.architectures:
        arch_ids = read_architectures(request.architectures, space)
        sampling = "given as a list"
    elif own:
        arch_ids = sample_list(tuple(own.labels), request.samples, request.seed)
        sampling = "those with labels" if request.samples is None else "sampled from those with labels"
    else:
        arch_ids = sample_architectures(
            space, DEFAULT_SAMPLES if request.samples is None else request.samples, request.seed
        )
        sampling = space.sampling
    header = PlanHeader(
        request.space, dataset.name, request.seed, sampling, provided_space.version,
        dataset_version(dataset, request.images, plugins),
        tuple(range(request.seed + 1, request.seed + request.seeds)),
    )  # fmt: skip
    ground_truth = ground_truth_columns(space, provided_space, arch_ids, dataset.name, request.metric)
    if own:
        ground_truth = (require_labels(own.column(arch_ids)), *ground_truth)
    return Plan(header, arch_ids, evaluators, ground_truth, request.images, aggregates)
