"""Every installed built-in passes its kind's contract; a new one is covered without a line here."""

import dataclasses
import functools
import re
from pathlib import Path

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.data.data_home import import_data
from nasbench_toolkit.core.descriptions import WeightSharingInfo
from nasbench_toolkit.core.interfaces import Dataset
from nasbench_toolkit.core.jobs.evaluation import JobRunner
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.testing.network_identity import other_spellings
from nasbench_toolkit.plugins.search_spaces.nasbench101.cell import parse_cell
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.generator import draw_recipe
from nasbench_toolkit.testing import (
    AggregateContract,
    DatasetContract,
    EvaluatorContract,
    SearchSpaceContract,
    SearchStrategyContract,
)

PLUGINS = installed_plugins()
SPACE = "nasbench201-tiny"
DATA = Path(__file__).parents[2] / "../shared/data"

# datasets/test_imported.py and test_texts.py import small files in their layout.
# There is nothing to test in the set without images.
DATASETS_TESTED_ELSEWHERE = {"cifar100", "imagenet16-120", "ptb", "wikitext-2", "own-text", "none"}

# Settings that make an evaluator quick, or without which it has no default.
GENNAS = {"iterations": "2", "score_interval": "2", "batch_size": "4"}
TRAINING = {"epochs": "1", "train_images": "48", "test_images": "32", "batch_size": "16"}
SETTINGS = {
    **{name: GENNAS for name in PLUGINS.evaluators() if "gennas" in name},
    **dict.fromkeys(("cls", "rot", "jig", "col", "econas"), TRAINING),
    "gennas-rnn": GENNAS | {"task": str(Path(__file__).parent / "evaluators/gennas/example_recurrent_task.json")},
    "gennas": GENNAS | {"task": str(Path(__file__).parent / "evaluators/gennas/example_task.json")},
    "epe_nas": {"batch_size": "24"},
    "eproxy": {"network": "gennas", "iterations": "2", "batch_size": "4", "head_channels": "8", "target_channels": "4"},
    "one-shot": {
        "preset": "tiny",
        "epochs": "1",
        "train_images": "8",
        "batch_size": "4",
        "judging_images": "4",
        "measure": "cross_entropy",
    },
    "meco": {"image_size": "16", "repeats": "1"},
    "swap": {"batch_size": "16", "repeats": "1"},
    "te_nas_ntk": {"batch_size": "4", "repeats": "1"},
    "te_nas_regions": {"batch_size": "4", "crops": "50", "repeats": "1"},
    "zen": {"batch_size": "4", "repeats": "1"},
    "ppl": {"epochs": "1", "train_tokens": "300", "test_tokens": "150", "test_batch_size": "5"},
}
# Settings with which a dozen proposals reach all that a strategy does.
SHORT_SETTINGS = {
    "regularized-evolution": {"population_size": "4", "tournament_size": "2"},
    "nsga2": {"population_size": "4"},
    "optuna": {"startup": "3"},
    "successive-halving": {"starts": "3", "rungs": "2"},
}
SMALL_BATCH = {"batch_size": "8"}

# All of the contract of evaluators is tested on these, the main part on the others, which are many and not quick.
SPACES_TESTED_IN_FULL = {"nasbench201-tiny", "nasbench101", "nasbench-nlp"}

MOBILE = "darts-imagenet-mobile"
NDS_CELL_SPACES = [name for name in PLUGINS.search_spaces() if name.startswith("nds-") and "resne" not in name]
ANYNET_SPACES = [name for name in PLUGINS.search_spaces() if name.startswith("nds-resne")]
NDS_SPACES = {*NDS_CELL_SPACES, *ANYNET_SPACES, MOBILE}
MAIN_TESTS = ("test_space_is_supported", "test_score_is_finite_or_has_a_reason")
# Language models are not small.
TEXT_TESTS = (*MAIN_TESTS, "test_score_does_not_depend_on_order_or_company")
SMALL_CELL = '{"node_0":{"op":"linear","input":["x","h_prev_0"]},"h_new_0":{"op":"activation_tanh","input":["node_0"]}}'


def nasbench101_spellings(contract: SearchSpaceContract) -> list[str]:
    """Return spellings of cells in which the order of the vertices decides no channels.

    search_spaces/test_nasbench101_identity.py has the others.
    """
    space = contract.make_space()
    spelled = other_spellings(space, 3 * contract.samples)
    return [text for text in spelled if not order_matters(space.canonicalize(text))][: contract.samples]


def order_matters(canonical: str) -> bool:
    """Say whether vertices share the output's channels unevenly, or are added to a projection of the input."""
    cell = parse_cell(canonical)
    num_feeding = len(set(cell.sources(cell.output)) - {0})
    return num_feeding in (3, 5) or (num_feeding > 1 and 0 in cell.sources(cell.output))


def nasbench_nlp_spellings(contract: SearchSpaceContract) -> list[str]:
    rng = np.random.default_rng(0)
    return sorted((draw_recipe(rng) for _ in range(20)), key=len)[:2]


# How to compare spellings of one architecture quickly. NAS-Bench-NLP's own networks cut most gradients.
COMPARISONS = {
    "nasbench101": {"compared_network": "narrow", "spellings": nasbench101_spellings},
    "nasbench201": {"compared_network": "narrow"},
    "nasbench-nlp": {"compared_network": "all-trained", "spellings": nasbench_nlp_spellings},
    **{name: {"compared_network": "narrow", "samples": 4} for name in [*NDS_CELL_SPACES, MOBILE]},
}


def built_in(provided) -> list[str]:
    return [name for name, item in provided.items() if item.distribution.startswith("nasbench-toolkit ")]


# weight_sharing/ tests those that train a supernet, on a narrow one.
PROPOSING = [
    name
    for name in built_in(PLUGINS.search_strategies())
    if not isinstance(PLUGINS.search_strategy(name).info, WeightSharingInfo)
]


def each_test(contract: type) -> list[str]:
    return [name for name in vars(contract) if name.startswith("test_")]


def check(contract: type, test: str, **attributes: object) -> None:
    getattr(type("Contract", (contract,), attributes)(), test)()


def data_set(evaluator: str, space: str) -> str | None:
    """Return the first of a space's data sets with which an evaluator supports it and that needs no import."""
    info, asked = PLUGINS.search_space(space).info, PLUGINS.evaluator(evaluator).info
    described = [PLUGINS.dataset(name).info for name in info.datasets]
    return next(
        (each.name for each in described if each.requires is None and asked.reason_unsupported(info, each) is None),
        None,
    )


def cases_of(evaluator: str, space: str) -> tuple[str, ...] | list[str]:
    if data_set(evaluator, space) == "alice":
        return TEXT_TESTS
    return each_test(EvaluatorContract) if space in SPACES_TESTED_IN_FULL else MAIN_TESTS


def quick_settings(evaluator: str, space: str = SPACE) -> dict[str, str]:
    """Return settings that let a small network be scored in a fraction of a second."""
    fields = PLUGINS.evaluator(evaluator).info.settings.__dataclass_fields__
    takes_any_network = "network" in fields and "network_variant" in fields["network"].metadata
    is_large = takes_any_network and (fields["network"].default == "benchmark" or space == MOBILE)
    network = {"network": "narrow"} if is_large else {}
    batch = {"batch_size": "2"} if data_set(evaluator, space) == "alice" else SMALL_BATCH
    return {**(batch if "batch_size" in fields else {}), **network, **SETTINGS.get(evaluator, {})}


class SmallPhotos(Dataset):
    """Every other pixel of the photographs."""

    def labels(self) -> np.ndarray:
        return PLUGINS.dataset("photos").info.create().labels()

    def inputs(self, positions: np.ndarray) -> np.ndarray:
        return np.ascontiguousarray(PLUGINS.dataset("photos").info.create().inputs(positions)[:, :, ::2, ::2])


SMALL_PHOTOS = dataclasses.replace(
    PLUGINS.dataset("photos").info, name="small-photos", input_shape=(3, 16, 16), factory=SmallPhotos
)


def small_jobs(space: str) -> dict[str, object]:
    """Return attributes that replace images by small ones and, where any size can be spelled, also architectures."""
    if space == "nasbench-nlp":
        return {"draw": lambda self: [PLUGINS.search_space(space).info.create().canonicalize(SMALL_CELL)]}
    if space not in NDS_SPACES:
        return {}
    made = PLUGINS.search_space(space).info.create()
    example = re.sub(r"^w\d+d\d+", "w4d3", made.example()) if space in NDS_CELL_SPACES else made.example()
    return {
        "draw": lambda self: [example],
        "make_runner": lambda self: JobRunner(made, SMALL_PHOTOS, SMALL_PHOTOS.create(), torch.device("cpu")),
    }


PAIRS = [
    pytest.param(evaluator, space, test, id=f"{test}-{evaluator}-{space}")
    for space in built_in(PLUGINS.search_spaces())
    for evaluator in built_in(PLUGINS.evaluators())
    if data_set(evaluator, space) is not None
    for test in cases_of(evaluator, space)
]


@functools.cache
def evaluator_contract(evaluator: str, space: str) -> EvaluatorContract:
    """Return a contract whose tests share the records of its sample."""
    attributes = {
        "evaluator": evaluator,
        "space": space,
        "dataset": data_set(evaluator, space),
        "settings": quick_settings(evaluator, space),
        "samples": 2 if space == SPACE else 1,
    }
    return type("Contract", (EvaluatorContract,), attributes | small_jobs(space))()


@pytest.mark.parametrize("test", each_test(SearchSpaceContract))
@pytest.mark.parametrize("space", built_in(PLUGINS.search_spaces()))
def test_search_space_keeps_its_contract(space: str, test: str) -> None:
    check(SearchSpaceContract, test, space=space, **COMPARISONS.get(space, {}))


@pytest.mark.parametrize(("evaluator", "space", "test"), PAIRS)
def test_evaluator_keeps_its_contract_on_every_space(evaluator: str, space: str, test: str) -> None:
    getattr(evaluator_contract(evaluator, space), test)()


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason="needs a CUDA device")
def test_evaluators_score_alike_on_a_gpu() -> None:
    for evaluator in built_in(PLUGINS.evaluators()):
        check(EvaluatorContract, "check_gpu", evaluator=evaluator, space=SPACE, settings=quick_settings(evaluator))


@pytest.mark.parametrize("test", each_test(SearchStrategyContract))
@pytest.mark.parametrize("strategy", PROPOSING)
def test_search_strategy_keeps_its_contract(strategy: str, test: str) -> None:
    settings = SHORT_SETTINGS.get(strategy, {})
    check(SearchStrategyContract, test, strategy=strategy, space="nasbench201", settings=settings)


@pytest.mark.parametrize("strategy", PROPOSING)
def test_built_in_strategies_use_their_seed(strategy: str) -> None:
    settings = SHORT_SETTINGS.get(strategy, {})
    attributes = {"strategy": strategy, "space": "nasbench201", "settings": settings}
    contract = type("Contract", (SearchStrategyContract,), attributes)()
    assert contract.propose(1, 1) != contract.propose(2, 1)


@pytest.mark.parametrize("test", each_test(AggregateContract))
@pytest.mark.parametrize("aggregate", built_in(PLUGINS.aggregates()))
def test_aggregate_keeps_its_contract(aggregate: str, test: str) -> None:
    check(AggregateContract, test, aggregate=aggregate)


@pytest.mark.parametrize("test", each_test(DatasetContract))
@pytest.mark.parametrize("dataset", sorted(set(built_in(PLUGINS.datasets())) - DATASETS_TESTED_ELSEWHERE))
def test_dataset_keeps_its_contract(dataset: str, test: str) -> None:
    requires = PLUGINS.dataset(dataset).info.requires
    if requires is not None:
        if not (DATA / requires).is_dir():
            pytest.skip(f"reads {requires} in ../shared/data")
        import_data(PLUGINS.data_source(requires).info.create(), DATA / requires, lambda done, total: None)
    check(DatasetContract, test, dataset=dataset)
