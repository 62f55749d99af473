"""Time every zero-cost evaluator against the straightforward definition that its test checks it with.

Run by hand from a checkout, tests included:

    python -m nasbench_toolkit.benchmarks.zero_cost_speed [--cells 5] [--repeats 3] [--evaluator zen --evaluator meco]

Each evaluator scores sampled NAS-Bench-201 cells with its default settings, on one thread, with images of ``photos``.
The definition is a function of the evaluator's test module, in plain PyTorch with module hooks, copies and loops. Both
get the same ready-made networks, images and random streams and run in turn; of each the least processor time of all
turns counts, which other work on the machine changes least. Cells without a score are left out. Prints for each
evaluator the mean seconds of a cell, ours and the definition's, their ratio, and how far the values differ at most
(relative to the definition's). ``swap`` is timed for one draw of weights, because its definition takes most of a
minute for 32.
"""

from __future__ import annotations

import importlib.util
import math
import time
from collections.abc import Callable, Mapping, Sequence
from contextlib import suppress
from dataclasses import dataclass, replace
from functools import cache
from pathlib import Path
from types import ModuleType
from typing import Any

import click
import numpy as np
import torch
from torch import Tensor, nn

from ..core.context import EvaluationContext, WorkerCache
from ..core.descriptions import DatasetInfo, EvaluatorInfo, SearchSpaceInfo
from ..core.domain import JobKey
from ..core.errors import EvaluationError
from ..core.seeding import derive_seed, torch_generator
from ..core.settings import parse_settings
from ..plugins.datasets import PHOTOS
from ..plugins.evaluators.zero_cost import EVALUATORS
from ..plugins.evaluators.zero_cost.activations import az_nas_features
from ..plugins.evaluators.zero_cost.activations.te_nas_regions import random_crops
from ..plugins.search_spaces import NASBENCH201

TESTS = Path(__file__).parents[1] / "tests/plugins/evaluators/zero_cost"
CELL_SEED = 2021

SHORTER: Mapping[str, Mapping[str, str]] = {"swap": {"repeats": "1"}}
"""Settings that are not the default ones, by evaluator."""

Score = Callable[[ModuleType, EvaluationContext, Any], float]
"""Calls the definition in a test module for a job with settings."""


@dataclass(frozen=True)
class Oracle:
    """Where an evaluator's straightforward definition is.

    Attributes:
        path: Of the test module, below ``TESTS``.
        score: Calls it.
    """

    path: str
    score: Score


@dataclass(frozen=True)
class Comparison:
    """One evaluator on one cell; the oracle's numbers are NaN if there is none.

    Attributes:
        seconds: Processor time of the evaluator, the least of all turns.
        oracle_seconds: That of the definition.
        score: What the evaluator returned.
        oracle_score: What the definition returned.
    """

    seconds: float
    oracle_seconds: float
    score: float
    oracle_score: float

    @property
    def difference(self) -> float:
        """Relative to the oracle's score."""
        return abs(self.score - self.oracle_score) / abs(self.oracle_score)


class PreparedContext(EvaluationContext):
    """A job whose networks are built once, so that no time includes that; evaluators leave them as found."""

    def network(
        self,
        variant: str = "benchmark",
        *,
        num_classes: int | None = None,
        input_shape: tuple[int, ...] | None = None,
        bare: bool = False,
    ) -> nn.Module:
        """Return the network of the first call with these arguments."""
        build = super().network
        key = ("network", variant, num_classes, input_shape, bare)
        return self._cache.get(key, lambda: build(variant, num_classes=num_classes, input_shape=input_shape, bare=bare))


def _batch_score(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    score: float = tests.naive_score(context.network(settings.network), context.batch(settings.batch_size))
    return score


def _fisher(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    batch = context.batch(settings.batch_size)
    score: float = tests.naive_score(context.network(settings.network), batch, settings.weighting)
    return score


def _synflow(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    score: float = tests.naive_log_synaptic_flow(context.network(settings.network), context.dataset.input_shape)
    return score


def _zico(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    batches = tests.split_batch(context.batch(settings.batches * settings.batch_size), settings.batches)
    score: float = tests.naive_score(context.network(settings.network), batches)
    return score


def _jacob_cov(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    images = context.batch(settings.batch_size).inputs
    score: float = tests.naive_jacob_cov_score(context.network(settings.network), images)
    return score


def _epe_nas(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    batch, num_classes = context.batch(settings.batch_size), context.dataset.num_classes
    network = context.network(settings.network)
    score: float = tests.naive_epe_nas_score(network, batch.inputs, batch.labels, num_classes)
    return score


def _te_nas_ntk(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    network, images = context.network(settings.network), context.batch(settings.batch_size).inputs
    score: float = tests.naive_te_nas_ntk_score(network, images, context.generator("weights"), settings.repeats)
    return score


def _naswot(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    images = context.batch(settings.batch_size).inputs
    return float(tests.naive_naswot_score(context.network(settings.network), images))


def _swap(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    network, images = context.network(settings.network), context.batch(settings.batch_size).inputs
    score: float = tests.naive_swap_score(network, images, context.generator("weights"), settings.repeats)
    return score


def _te_nas_regions(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    images, side = context.batch(settings.batch_size).inputs, settings.side

    def cut(generator: torch.Generator) -> Tensor:
        crops = random_crops(images, settings.repeats * settings.crops, side, generator)
        return crops.reshape(settings.repeats, settings.crops, *crops.shape[1:])

    network = context.network(settings.network, input_shape=(1, side, side))
    crops = context.shared("te_nas_regions crops", cut)
    score: float = tests.naive_te_nas_regions_score(network, crops, context.generator("weights"))
    return score


def _zen(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    score: float = tests.naive_zen_score(
        context.network(settings.network),
        context.dataset.input_shape,
        context.generator("zen"),
        settings.variance,
        settings.batch_size,
        settings.repeats,
    )
    return score


def _meco(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    network, draws = context.network(settings.network), context.generator("images")
    shape = (1, context.dataset.input_shape[0], settings.image_size, settings.image_size)
    images = [torch.randn(shape, generator=draws) for _ in range(settings.repeats)]
    return float(np.mean([tests.naive_meco_score(network, image) for image in images]))


def _entropies(tests: ModuleType, context: EvaluationContext, settings: Any) -> Any:
    network, shape = context.network(settings.network), context.dataset.input_shape
    # The noise is that of the pass that both evaluators share.
    function = az_nas_features.features_of_job
    key = replace(context.key, evaluator=f"{function.__module__}:{function.__qualname__}")
    noise = torch_generator(derive_seed("az_nas", *key.own_seed_parts))
    return tests.naive_entropies(network, shape, settings.batch_size, noise)


def _az_nas_trainability(tests: ModuleType, context: EvaluationContext, settings: Any) -> float:
    network, shape = context.network(settings.network), context.dataset.input_shape
    draws, signs = context.generator("az_nas"), context.generator("signs")
    return float(tests.naive_trainability(network, shape, settings.batch_size, draws, signs))


ORACLES: Mapping[str, Oracle] = {
    "grad_norm": Oracle("gradients/test_grad_norm.py", _batch_score),
    "snip": Oracle("gradients/test_snip.py", _batch_score),
    "plain": Oracle("gradients/test_plain.py", _batch_score),
    "grasp": Oracle("gradients/test_grasp.py", _batch_score),
    "fisher": Oracle("gradients/test_fisher.py", _fisher),
    "synflow": Oracle("gradients/test_synflow.py", _synflow),
    "zico": Oracle("gradients/test_zico.py", _zico),
    "jacob_cov": Oracle("jacobian/test_jacob_cov.py", _jacob_cov),
    "epe_nas": Oracle("jacobian/test_epe_nas.py", _epe_nas),
    "te_nas_ntk": Oracle("jacobian/test_te_nas_ntk.py", _te_nas_ntk),
    "naswot": Oracle("activations/test_naswot.py", _naswot),
    "swap": Oracle("activations/test_swap.py", _swap),
    "te_nas_regions": Oracle("activations/test_te_nas_regions.py", _te_nas_regions),
    "zen": Oracle("activations/test_zen.py", _zen),
    "meco": Oracle("activations/test_meco.py", _meco),
    "az_nas_expressivity": Oracle("activations/test_az_nas_features.py", lambda *job: float(_entropies(*job).sum())),
    "az_nas_progressivity": Oracle(
        "activations/test_az_nas_features.py", lambda *job: float(np.diff(_entropies(*job)).min())
    ),
    "az_nas_trainability": Oracle("activations/test_az_nas_trainability.py", _az_nas_trainability),
}
"""By evaluator. The size baselines and the random control are their own straightforward definitions."""


@cache
def load_tests(path: str) -> ModuleType:
    """Import a test module of the checkout, which is in no package.

    Raises:
        click.ClickException: The tests are not there.
    """
    file = TESTS / path
    if not file.exists():
        raise click.ClickException(f"{file} is missing: run this from a checkout, whose tests have the definitions.")
    spec = importlib.util.spec_from_file_location(f"zero_cost_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def compare(
    info: EvaluatorInfo,
    given: Mapping[str, str],
    arch_id: str,
    repeats: int,
    space: SearchSpaceInfo = NASBENCH201,
    dataset: DatasetInfo = PHOTOS,
) -> Comparison:
    """Run an evaluator and its oracle in turn, ``repeats`` times, on one architecture.

    Args:
        info: The evaluator.
        given: Settings that are not the default ones, as texts.
        arch_id: The architecture.
        repeats: Number of turns of both.
        space: Search space of the architecture.
        dataset: Where the images come from.

    Raises:
        EvaluationError: The architecture has no score.
    """
    settings = parse_settings(info.name, info.settings, given)
    key = JobKey(space.name, dataset.name, arch_id, info.name, "0" * 16, 0)
    parts = space.create(), dataset, dataset.create(), torch.device("cpu"), WorkerCache({})
    evaluator = info.create(settings)
    # A context for each turn, since one keeps the passes that evaluators share.
    turns = [lambda: evaluator.evaluate(PreparedContext(key, *parts)).score]
    if info.name in ORACLES:
        oracle = ORACLES[info.name]
        tests = load_tests(oracle.path)
        turns.append(lambda: oracle.score(tests, PreparedContext(key, *parts), settings))
    runs = [[_timed(turn) for turn in turns] for _ in range(repeats)]
    (seconds, score), *oracles = (min(times) for times in zip(*runs, strict=True))
    oracle_seconds, oracle_score = oracles[0] if oracles else (math.nan, math.nan)
    return Comparison(seconds, oracle_seconds, score, oracle_score)


def _timed(function: Callable[[], float]) -> tuple[float, float]:
    start = time.process_time()
    score = function()
    return time.process_time() - start, score


def compare_cells(info: EvaluatorInfo, cells: Sequence[str], repeats: int) -> list[Comparison]:
    """Compare on those of the NAS-Bench-201 cells that have a score."""
    comparisons = []
    for arch_id in cells:
        with suppress(EvaluationError):
            comparisons.append(compare(info, SHORTER.get(info.name, {}), arch_id, repeats))
    return comparisons


def format_row(name: str, comparisons: Sequence[Comparison]) -> str:
    """Write what was measured on one line."""
    if not comparisons:
        return f"{name:22} no score on any cell"
    ours, oracles = (
        sum(times) / len(times) for times in ([c.seconds for c in comparisons], [c.oracle_seconds for c in comparisons])
    )
    if math.isnan(oracles):
        return f"{name:22} {len(comparisons):5} {ours:9.4f}"
    difference = max(comparison.difference for comparison in comparisons)
    return f"{name:22} {len(comparisons):5} {ours:9.4f} {oracles:10.4f} {ours / oracles:6.2f} {difference:10.0e}"


@click.command()
@click.option("--cells", default=5, show_default=True, type=click.IntRange(min=1), help="Number of cells.")
@click.option("--repeats", default=3, show_default=True, type=click.IntRange(min=2), help="Turns of both on a cell.")
@click.option(
    "--evaluator",
    "names",
    multiple=True,
    type=click.Choice([info.name for info in EVALUATORS]),
    help="Only this one; may be given several times.",
)
def main(cells: int, repeats: int, names: tuple[str, ...]) -> None:
    """Time the zero-cost evaluators and their straightforward definitions."""
    torch.set_num_threads(1)
    sampled = NASBENCH201.create().sample(cells, np.random.default_rng(CELL_SEED))
    click.echo(f"{'evaluator':22} cells   seconds definition  ratio difference")
    for info in EVALUATORS:
        if not names or info.name in names:
            click.echo(format_row(info.name, compare_cells(info, sampled, repeats)))


if __name__ == "__main__":
    main()
