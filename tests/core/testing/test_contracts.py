"""Contracts accept every legal plugin, and find what they are there to find."""

import math
import os
from dataclasses import dataclass

import numpy as np
import pytest
import torch
from nasbench_toolkit import (
    Aggregate,
    AggregateInfo,
    Dataset,
    DatasetInfo,
    DataSource,
    DataSourceInfo,
    DegenerateError,
    Direction,
    Evaluation,
    Evaluator,
    EvaluatorInfo,
    ImportSummary,
    InvalidArchitectureError,
    Network,
    SearchSpace,
    SearchSpaceInfo,
    SearchStrategy,
    SearchStrategyInfo,
    Settings,
    StagedNetwork,
    hookimpl,
    setting,
)
from nasbench_toolkit.core.errors import EvaluationError, PluginError, UnknownNameError
from nasbench_toolkit.core.testing.other_process import in_other_process
from nasbench_toolkit.testing import (
    AggregateContract,
    DatasetContract,
    DataSourceContract,
    EvaluatorContract,
    SearchSpaceContract,
    SearchStrategyContract,
)


class InOrder(SearchStrategy):
    """Deterministic: proposes widths in rising order, whatever the seed."""

    def __init__(self, space, settings, seed):
        super().__init__(space, settings, seed)
        self.proposed = 0

    def ask(self, count):
        first, self.proposed = self.proposed, self.proposed + count
        return [f"width-{width + 1}" for width in range(first, self.proposed)]

    def tell(self, architecture, fitness):
        pass


class Unseeded(InOrder):
    """Takes its numbers from NumPy's global generator."""

    def ask(self, count):
        return [f"width-{width}" for width in np.random.randint(1, 3000, count)]


@dataclass(frozen=True)
class PictureSettings(Settings):
    pictures: int = setting(6, "How many images to look at.", minimum=1)


class Brightness(Evaluator):
    """Its number of images is not called batch_size."""

    def _evaluate(self, context):
        return float(context.batch(self.settings.pictures).inputs.mean())


class Forgets(Evaluator):
    """Its score depends on how often it was asked."""

    asked = 0

    def _evaluate(self, context):
        self.asked += 1
        return float(self.asked)


class Careful(Evaluator):
    """Returns what is converted: a tensor, and curves that are arrays."""

    def _evaluate(self, context):
        import torch

        return Evaluation(torch.tensor(0.5), {"train loss": np.array([1.0, 0.5], np.float32), "none": []})


class Wordy(Evaluator):
    """Its message is cut."""

    def _evaluate(self, context):
        raise DegenerateError("m" * 10_000)


class Escaped(Evaluator):
    """The name of its curve is stored as another one."""

    def _evaluate(self, context):
        return Evaluation(0.5, {"train\nloss": [1.0]})


class Global(Evaluator):
    """Changes the type of numbers for everybody."""

    def _evaluate(self, context):
        import torch

        torch.set_default_dtype(torch.float64)
        return 0.5


class OneOrTwo(SearchSpace):
    """Two architectures, fewer than a contract draws by default."""

    size = 2

    def canonicalize(self, text):
        if text not in ("1", "2"):
            raise InvalidArchitectureError(f"'{text}' is neither 1 nor 2")
        return text

    def _sample(self, count, rng):
        return [str(number + 1) for number in rng.choice(2, count, replace=False)]

    def _build_network(self, arch_id, dataset, variant):
        from torch import nn

        return nn.Linear(int(arch_id), 1)


class Numbers(SearchSpace):
    """Ten architectures, each a linear layer, whose every method is right."""

    size = 10

    def canonicalize(self, text):
        if not text.isascii() or not text.isdigit() or int(text) > 9:
            raise InvalidArchitectureError(f"'{text}' is no digit")
        return str(int(text))

    def _sample(self, count, rng):
        return [str(number) for number in rng.choice(10, count, replace=False)]

    def _build_network(self, arch_id, dataset, variant):
        from torch import nn

        width = math.prod(dataset.input_shape)
        return nn.Sequential(nn.Flatten(), nn.Linear(width, int(arch_id) + 1), nn.Linear(int(arch_id) + 1, 10))

    def neighbours(self, text):
        return [str(number) for number in range(10) if number != int(text)]


class TableOnly(Numbers):
    """Has no networks."""

    def _build_network(self, arch_id, dataset, variant):
        raise AssertionError("there is no network to build")


class CrashesOnTypos(Numbers):
    def canonicalize(self, text):
        return str(range(10)[int(text)])


class TakesAnything(Numbers):
    def canonicalize(self, text):
        return text


class CarelessWithMany(Numbers):
    """Strips spaces from one text and not from many."""

    def canonicalize(self, text):
        return super().canonicalize(text.strip())

    def canonicalize_many(self, texts):
        return list(texts)

    def _mutate(self, text, rng):
        return f" {rng.integers(10)}"


class KeepsNetworks(Numbers):
    """Hands out the same network at every call."""

    def _build_network(self, arch_id, dataset, variant):
        return kept_network(arch_id, dataset, super()._build_network)


class LastOnesCrash(Numbers):
    """Whose networks cannot be built of every architecture."""

    def _build_network(self, arch_id, dataset, variant):
        from torch import nn

        if int(arch_id) > 7:
            return nn.Linear(1, 1)
        return super()._build_network(arch_id, dataset, variant)


class SeedsItself(Numbers):
    """Gives all run seeds the same initial weights."""

    def _build_network(self, arch_id, dataset, variant):
        import torch

        torch.manual_seed(0)
        return super()._build_network(arch_id, dataset, variant)


class OwnNeighbour(Numbers):
    def neighbours(self, text):
        return [str(number) for number in range(10)]


NETWORKS: dict[str, object] = {}


def kept_network(arch_id, dataset, build):
    if arch_id not in NETWORKS:
        NETWORKS[arch_id] = build(arch_id, dataset, "benchmark")
    return NETWORKS[arch_id]


class Halves(Dataset):
    """Sixty images, and others to test on."""

    held_out_inputs = 20

    def labels(self):
        return np.arange(60) % 2

    def inputs(self, positions):
        return np.random.default_rng(0).random((60, 1, 4, 4), np.float32)[positions]

    def held_out(self):
        return HeldOut(self.held_out_inputs)


class NothingHeldOut(Halves):
    held_out_inputs = 0


class HeldOut(Dataset):
    def __init__(self, count):
        self.count = count

    def labels(self):
        return np.arange(self.count) % 2

    def inputs(self, positions):
        return np.random.default_rng(1).random((self.count, 1, 4, 4), np.float32)[positions]


class Backwards(Aggregate):
    """Lower ranks get higher scores."""

    def combine(self, ranks):
        return -ranks.sum(axis=0)


class Careless(DataSource):
    """Takes every file and checks nothing."""

    def import_from(self, path, folder, progress):
        (folder / "copy").write_bytes(path.read_bytes() if path.is_file() else b"")
        return ImportSummary(1, "files")

    def verify(self, folder, progress):
        return ImportSummary(1, "files")


NUMBERS = (
    Numbers, TableOnly, CrashesOnTypos, TakesAnything, CarelessWithMany, KeepsNetworks, LastOnesCrash, SeedsItself,
    OwnNeighbour,
)  # fmt: skip


class Plugin:
    @hookimpl
    def nasbench_search_strategies(self):
        for factory in (InOrder, Unseeded):
            yield SearchStrategyInfo(name=factory.__name__.lower(), summary="S.", source="here", factory=factory)

    @hookimpl
    def nasbench_evaluators(self):
        common = {"summary": "E.", "source": "here", "direction": Direction.MAXIMIZE, "needs": frozenset()}
        yield EvaluatorInfo(name="brightness", factory=Brightness, settings=PictureSettings, **common)
        for factory in (Forgets, Careful, Wordy, Escaped, Global):
            yield EvaluatorInfo(name=factory.__name__.lower(), factory=factory, **common)

    @hookimpl
    def nasbench_search_spaces(self):
        common = {"summary": "S.", "source": "here", "factory": OneOrTwo, "datasets": ("none",)}
        yield SearchSpaceInfo(name="one-or-two", provides=frozenset({Network}), **common)
        yield SearchSpaceInfo(name="promising", provides=frozenset({Network, StagedNetwork}), **common)
        common |= {"datasets": ("mnist",)}
        for factory in NUMBERS:
            provides = frozenset() if factory is TableOnly else frozenset({Network})
            yield SearchSpaceInfo(name=factory.__name__.lower(), provides=provides, **common | {"factory": factory})

    @hookimpl
    def nasbench_datasets(self):
        common = {"summary": "D.", "source": "here", "input_shape": (1, 4, 4), "num_classes": 2, "mean": (), "std": ()}
        for factory in (Halves, NothingHeldOut):
            yield DatasetInfo(name=factory.__name__.lower(), factory=factory, **common)

    @hookimpl
    def nasbench_aggregates(self):
        yield AggregateInfo(name="backwards", summary="A.", source="here", factory=Backwards)

    @hookimpl
    def nasbench_data_sources(self):
        yield DataSourceInfo(name="careless", summary="D.", source="here", factory=Careless)


@pytest.fixture(autouse=True)
def plugin(toy_plugins):
    toy_plugins.register("contracts", "contracts 1.0", Plugin)


def check(contract: type, only: str = "", **attributes: object) -> None:
    """Run a contract's tests, or one of them."""
    made = type("Contract", (contract,), attributes)
    for name in [name for name in dir(made) if name.startswith("test_")]:
        if name == only or (not only and not name.endswith("in_another_process")):
            getattr(made(), name)()


def test_deterministic_strategy_is_legal() -> None:
    check(SearchStrategyContract, strategy="inorder", space="toy")


def test_strategy_that_uses_the_global_generator_is_found() -> None:
    with pytest.raises(AssertionError):
        check(SearchStrategyContract, strategy="unseeded", space="toy")


def test_evaluator_whose_images_are_not_called_batch_size_is_legal() -> None:
    check(EvaluatorContract, evaluator="brightness", space="toy", settings={"pictures": "5"})


def test_evaluator_with_a_memory_is_found() -> None:
    with pytest.raises(AssertionError):
        check(EvaluatorContract, evaluator="forgets", space="toy")


def test_evaluator_that_returns_tensors_and_arrays_is_legal() -> None:
    check(EvaluatorContract, evaluator="careful", space="toy")


@pytest.mark.parametrize(
    ("evaluator", "only", "message"),
    [
        ("wordy", "test_outcome_is_stored_as_it_is", "the message is too long, and was cut"),
        ("escaped", "test_outcome_is_stored_as_it_is", "names of curves with escapes"),
        ("global", "test_process_is_left_as_it_was", "it changes torch's default type"),
    ],
)
def test_evaluator_that_returns_or_changes_what_it_must_not_is_found(evaluator: str, only: str, message: str) -> None:
    with pytest.raises(AssertionError, match=message):
        check(EvaluatorContract, only, evaluator=evaluator, space="toy")


def test_small_space_is_legal() -> None:
    check(SearchSpaceContract, space="one-or-two")


@pytest.mark.parametrize("space", ["numbers", "tableonly"])
def test_space_that_does_everything_right_and_one_without_networks_are_legal(space: str) -> None:
    check(SearchSpaceContract, space=space)


@pytest.mark.parametrize(
    ("space", "only", "message"),
    [
        ("crashesontypos", "test_what_is_no_architecture_is_refused", "failed in 'canonicalize' with ValueError"),
        ("takesanything", "test_what_is_no_architecture_is_refused", "is taken for an architecture"),
        ("carelesswithmany", "test_many_architectures_have_the_canonical_strings_of_each", "among many"),
        ("keepsnetworks", "test_every_sampled_architecture_has_networks_of_its_own", "share parameters"),
        ("lastonescrash", "test_every_sampled_architecture_has_networks_of_its_own", "shapes cannot be multiplied"),
        ("seedsitself", "test_initial_weights_follow_the_global_generator", "seeds are ignored"),
        ("ownneighbour", "test_neighbours_are_architectures", "its own neighbour"),
    ],
)
def test_space_that_errs_is_found(space: str, only: str, message: str) -> None:
    check(SearchSpaceContract, only, space="numbers")
    with pytest.raises((AssertionError, PluginError, RuntimeError), match=message):
        check(SearchSpaceContract, only, space=space)


def test_dataset_with_a_test_part_is_legal() -> None:
    check(DatasetContract, dataset="halves")


def test_dataset_whose_test_part_is_empty_is_found() -> None:
    with pytest.raises(AssertionError, match="there are no inputs"):
        check(DatasetContract, "test_inputs_depend_on_their_position_only", dataset="nothingheldout")


def test_texts_have_other_hashes_and_the_environment_is_the_same_in_the_other_process(monkeypatch) -> None:
    assert in_other_process(hash, "text") != hash("text")
    monkeypatch.setenv("NASBENCH_DATA", "elsewhere")
    assert in_other_process(os.getenv, "NASBENCH_DATA") == "elsewhere"


def test_the_other_process_has_as_many_math_threads() -> None:
    before = torch.get_num_threads()
    try:
        for threads in (2, 1):
            torch.set_num_threads(threads)
            assert in_other_process(torch.get_num_threads) == threads
    finally:
        torch.set_num_threads(before)


class OfOtherNetworks(SearchSpaceContract):
    """Looks at other networks than a contract does by default."""

    space, samples = "nasbench201-tiny", 2

    def build_network(self, space: SearchSpace, variant: str = "benchmark") -> torch.nn.Module:
        return super().build_network(space, "narrow")

    def draw(self, seed: int = 0) -> list[str]:
        return super().draw(seed + 1)


def test_what_a_contract_overrides_makes_no_difference_to_another_process() -> None:
    contract = OfOtherNetworks()
    assert contract.draw(1) != SearchSpaceContract.draw(contract, 1)
    contract.test_space_is_the_same_in_another_process()


def test_space_without_what_it_promises_is_found() -> None:
    with pytest.raises(EvaluationError, match=r"\(StagedNetwork\), and this one, of the class 'Linear', is not"):
        check(SearchSpaceContract, "test_networks_are_what_the_space_provides", space="promising")


def test_toy_aggregate_keeps_the_contract() -> None:
    check(AggregateContract, aggregate="toy-larger")


def test_aggregate_that_is_not_installed_is_named() -> None:
    with pytest.raises(UnknownNameError, match="Unknown aggregate 'toy-large'. Did you mean 'toy-larger'"):
        check(AggregateContract, aggregate="toy-large")


def test_aggregate_with_a_wrong_direction_is_found() -> None:
    with pytest.raises(AssertionError):
        check(AggregateContract, "test_best_in_every_component_is_best", aggregate="backwards")


def test_toy_data_source_keeps_the_contract(tmp_path) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("1\n2\n3\n")
    check(DataSourceContract, data_source="toy-numbers", path=path)


@pytest.mark.parametrize("test", ["test_import_refuses_other_files", "test_verify_refuses_damaged_files"])
def test_data_source_that_checks_nothing_is_found(tmp_path, test) -> None:
    path = tmp_path / "numbers.txt"
    path.write_text("1\n")
    with pytest.raises(AssertionError, match="was not refused"):
        check(DataSourceContract, test, data_source="careless", path=path)
