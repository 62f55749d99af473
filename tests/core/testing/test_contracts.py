"""Contracts accept every legal plugin, and find what they are there to find."""

from dataclasses import dataclass

import numpy as np
import pytest
from nasbench_toolkit import (
    Aggregate,
    AggregateInfo,
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
from nasbench_toolkit.core.errors import EvaluationError
from nasbench_toolkit.testing import (
    AggregateContract,
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
        if name == only or (not only and name != "test_score_is_the_same_in_another_process"):
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


def test_space_without_what_it_promises_is_found() -> None:
    with pytest.raises(EvaluationError, match=r"\(StagedNetwork\), and this one, of the class 'Linear', is not"):
        check(SearchSpaceContract, "test_networks_are_what_the_space_provides", space="promising")


def test_toy_aggregate_keeps_the_contract() -> None:
    check(AggregateContract, aggregate="toy-larger")


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
