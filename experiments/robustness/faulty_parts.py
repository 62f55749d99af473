"""A plugin whose parts misbehave when they are used, and the commands that use them.

Installed by ``misbehaving_plugins`` and by a test, never by the package.
"""

from __future__ import annotations

import itertools
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Any

import numpy as np
from nasbench_toolkit import (
    Aggregate,
    AggregateInfo,
    Dataset,
    DatasetInfo,
    DataSource,
    DataSourceInfo,
    Direction,
    Evaluator,
    EvaluatorInfo,
    GroundTruth,
    GroundTruthTable,
    Images,
    ImportSummary,
    InvalidArchitectureError,
    Metric,
    Network,
    PartialEvaluation,
    SearchableSetting,
    SearchSpace,
    SearchSpaceInfo,
    SearchStrategy,
    SearchStrategyInfo,
    Settings,
    hookimpl,
    setting,
)

PLUGIN = "faulty-parts"
DISTRIBUTION = f"{PLUGIN} 1.0"

ENDING_MODULE = "ends_at_import"
"""Name of a module that whoever installs this plugin adds: it ends the process that imports it."""

ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")


@dataclass(frozen=True)
class Part:
    """Something that a plugin provides and that misbehaves.

    Attributes:
        info: Its description.
        command: The command that uses it.
        says: What is said of it, besides its plugin and distribution.
        exit_code: How the command ends.
        others_score: Whether other evaluators have scores nevertheless.
    """

    info: Any
    command: tuple[str, ...]
    says: str
    exit_code: int = 1
    others_score: bool = False


def _raise(*_: Any, **__: Any) -> Any:
    raise KeyError("lost")


def _exit(*_: Any, **__: Any) -> Any:
    sys.exit(0)


def _returning(value: Any) -> Callable[..., Any]:
    return lambda *_, **__: value


class Letters(SearchSpace):
    """Architectures 'a0' to 'a99', which does everything right."""

    size: Any = 100

    def canonicalize(self, text: str) -> str:
        """Return the text itself."""
        if not text.startswith("a"):
            raise InvalidArchitectureError(f"'{text}' does not begin with a")
        return text

    def _sample(self, count: int, rng: Any) -> list[str]:
        return [f"a{number}" for number in rng.choice(100, count, replace=False)]

    def _build_network(self, arch_id: str, dataset: DatasetInfo, variant: str) -> Any:
        from torch import nn

        return nn.Sequential(nn.Flatten(), nn.Linear(int(np.prod(dataset.input_shape)), dataset.num_classes), nn.ReLU())

    def _mutate(self, text: str, rng: Any) -> str:
        return self._sample(1, rng)[0]


class Table(GroundTruth):
    """Knows every architecture."""

    metrics: Any = (ACCURACY,)

    def values(self, metric: Metric, arch_ids: Any) -> list[float]:
        """Return the numbers in the names."""
        return [float(arch_id[1:]) for arch_id in arch_ids]


class Noise(Dataset):
    """Sixty-four images that are right."""

    def labels(self) -> Any:
        """Return two labels in turn."""
        return np.arange(64) % 2

    def inputs(self, positions: Any) -> Any:
        """Return noise."""
        return np.random.default_rng(0).random((64, 1, 8, 8), np.float32)[positions]


class First(SearchStrategy[Settings]):
    """Proposes samples."""

    def ask(self, count: int) -> Any:
        """Propose the same at every call."""
        return self.space.sample(count, np.random.default_rng(self.seed))

    def tell(self, architecture: str, fitness: float | None) -> None:
        """Learn nothing."""


class One(Evaluator[Settings]):
    """Scores everything the same."""

    def _evaluate(self, context: Any) -> float:
        return 1.0


class Sum(Aggregate):
    """Adds ranks up."""

    def combine(self, ranks: Any) -> Any:
        """Return the sum."""
        return ranks.sum(0)


class Nothing(DataSource):
    """Imports nothing."""

    def import_from(self, path: Any, folder: Any, progress: Any) -> ImportSummary:
        """Say that it did."""
        return ImportSummary(1, "things")

    def verify(self, folder: Any, progress: Any) -> ImportSummary:
        """Say that it did."""
        return ImportSummary(1, "things")


class Abstract:
    """No class of the toolkit's."""

    def __init__(self, *_: Any) -> None:
        pass


# What any kind of class can get wrong, and what is said of it.
_WRONG_CLASSES: dict[str, tuple[Any, str]] = {
    "init-raises": ({"__init__": _raise}, "cannot be made: KeyError: 'lost'"),
    "init-exits": ({"__init__": _exit}, "cannot be made: SystemExit: 0"),
    "is-foreign": (Abstract, "its factory returned Abstract, which is no"),
    "is-no-class": (3, "cannot be made"),
    "is-missing": ("json:Missing", "the module 'json' has no 'Missing'"),
    "ends-at-import": (f"{ENDING_MODULE}:It", f"importing '{ENDING_MODULE}' failed with SystemExit: 0"),
    "is-abstract": (None, "Can't instantiate abstract class"),
}


def _factories(good: type, base: type) -> Iterator[tuple[str, Any, str]]:
    """Yield for every wrong class its way, factory, and what is said of it."""
    for way, (wrong, says) in _WRONG_CLASSES.items():
        if isinstance(wrong, dict):
            yield way, type("Wrong", (good,), wrong), says
        elif wrong is None:
            yield way, type("Wrong", (base,), {}), says
        elif wrong == 3:
            yield way, _returning(3), "its factory returned int, which is no"
        else:
            yield way, wrong, says


def _cell(**written: Any) -> type:
    return type("Wrong", (Letters,), written)


def _with_table(**written: Any) -> type:
    table = type("WrongTable", (Table,), written)
    return _cell(ground_truth=lambda self: table())


def _remake_late(*_: Any) -> Any:
    raise KeyError("lost")
    yield


def _info(kind: type, name: str, factory: Any, **fields: Any) -> Any:
    return kind(name=name, summary="For an experiment.", source="it", factory=factory, **fields)


_RUN = ("run", "-e", "params", "-n", "3")
_SEARCH = ("search", "-e", "params", "-n", "6", "-j", "1")
_EVOLVE = (*_SEARCH, "-s", "regularized-evolution:population_size=2,tournament_size=1")
_CLIMB = (*_SEARCH, "-s", "local-search")
_DECIDE = (*_SEARCH, "-s", "reinforce")
_DRAW = ("draw", "a1", "-o", "picture.svg")

_SPACES: dict[str, tuple[type, tuple[str, ...], str]] = {
    "size-text": (_cell(size="many"), _RUN, "has as 'size' str 'many'"),
    "size-raises": (_cell(size=property(_raise)), _RUN, "failed in 'size' with KeyError: 'lost'"),
    "sample-raises": (_cell(_sample=_raise), _RUN, "failed in '_sample' with KeyError"),
    "sample-exits": (_cell(_sample=_exit), _RUN, "failed in '_sample' with SystemExit: 0"),
    "sample-few": (_cell(_sample=_returning(["a1"])), _RUN, "asked for 3 distinct architectures and returned 1"),
    "sample-repeats": (_cell(_sample=_returning(["a1"] * 3)), _RUN, "returned 3, 1 of them distinct"),
    "sample-numbers": (_cell(_sample=_returning([1, 2, 3])), _RUN, "a list with int 1, expected texts"),
    "sample-none": (_cell(_sample=_returning(None)), _RUN, "NoneType None, expected a list of texts"),
    "sample-foreign": (_cell(_sample=_returning(["z", "y", "x"])), _RUN, "sampled 'z', which is none of its"),
    "canonical-raises": (_cell(canonicalize=_raise), _RUN, "failed in 'canonicalize' with KeyError"),
    "canonical-number": (_cell(canonicalize=_returning(3)), _RUN, "returned from 'canonicalize' int 3"),
    "canonical-other": (_cell(canonicalize=lambda _, text: f"{text}x"), _RUN, "whose canonical string is another one"),
    "network-raises": (_cell(_build_network=_raise), _RUN, "failed in '_build_network' with KeyError"),
    "network-none": (_cell(_build_network=_returning(None)), _RUN, "returned from '_build_network' NoneType"),
    "mutation-raises": (_cell(_mutate=_raise), _EVOLVE, "failed in '_mutate' with KeyError"),
    "mutation-foreign": (_cell(_mutate=_returning("z")), _EVOLVE, "to 'z', which is none of its architectures"),
    "mutation-none": (_cell(_mutate=_returning(None)), _EVOLVE, "returned from '_mutate' NoneType None"),
    "neighbours-raise": (_cell(neighbours=_raise), _CLIMB, "failed in 'neighbours' with KeyError"),
    "neighbours-foreign": (_cell(neighbours=_returning(["z"])), _CLIMB, "has as a neighbour 'z', which is none"),
    "neighbours-number": (_cell(neighbours=_returning(3)), _CLIMB, "returned from 'neighbours' int 3"),
    "choices-raise": (_cell(choices=_raise), _DECIDE, "failed in 'choices' with KeyError"),
    "choices-flat": (_cell(choices=_returning(("a", "b"))), _DECIDE, "expected a tuple of texts for each decision"),
    "choices-empty": (_cell(choices=_returning((("a",), ()))), _DECIDE, "expected a tuple of texts for each decision"),
    "assemble-missing": (_cell(choices=_returning((("a", "b"),))), _DECIDE, "has 'choices' and no 'assemble'"),
    "assemble-foreign": (
        _cell(choices=_returning((("a", "b"),)), assemble=_returning("z")), _DECIDE, "assembled 'z', which is none",
    ),
    "cells-raise": (_cell(cell_graphs=_raise), _DRAW, "failed in 'cell_graphs' with KeyError"),
    "cells-text": (_cell(cell_graphs=_returning(["x"])), _DRAW, "returned from 'cell_graphs' ['x']"),
    "table-raises": (_cell(ground_truth=_raise), _RUN, "failed in 'ground_truth' with KeyError"),
    "table-number": (_cell(ground_truth=_returning(3)), _RUN, "returned from 'ground_truth' int"),
    "metrics-empty": (_with_table(metrics=()), _RUN, "whose 'metrics' are ()"),
    "metrics-raise": (_with_table(metrics=property(_raise)), _RUN, "failed in 'metrics' with KeyError"),
    "values-short": (_with_table(values=_returning([1.0])), _RUN, "1 values for 3 architectures"),
    "values-text": (_with_table(values=_returning(["a"] * 3)), _RUN, "the value 'a', expected numbers"),
    "values-raise": (_with_table(values=_raise), _RUN, "failed in 'values' with KeyError"),
    "ceiling-text": (_with_table(noise_ceiling=_returning("high")), _RUN, "returned from 'noise_ceiling' str 'high'"),
    "all-values-text": (_with_table(all_values=_returning("all")), _SEARCH, "returned from 'all_values' str"),
    "remake-raises": (_with_table(remake=_raise), ("data", "rebuild"), "failed in 'remake' with KeyError"),
    "remake-raises-late": (_with_table(remake=_remake_late), ("data", "rebuild"), "failed in 'remake' with KeyError"),
}  # fmt: skip


def _spaces() -> Iterator[Part]:
    provides = frozenset({Network, GroundTruthTable})
    ways = [(way, cls, command, says) for way, (cls, command, says) in _SPACES.items()]
    ways += [(way, factory, _RUN, says) for way, factory, says in _factories(Letters, SearchSpace)]
    for way, factory, command, says in ways:
        name = f"space-{way}"
        info = _info(SearchSpaceInfo, name, factory, datasets=("mnist",), provides=provides)
        yield Part(info, (*command, "--space", name), says)
    lost = _info(SearchSpaceInfo, "space-without-images", Letters, datasets=("nowhere",), provides=provides)
    yield Part(lost, (*_RUN, "--space", lost.name), "names the datasets nowhere, none of which is installed", 2)
    none = _info(SearchSpaceInfo, "space-of-no-images", Letters, provides=provides)
    yield Part(none, (*_RUN, "--space", none.name), "names no dataset", 2)


def _strategy(**written: Any) -> type:
    return type("Wrong", (First,), written)


_STRATEGIES: dict[str, tuple[type, str]] = {
    "ask-raises": (_strategy(ask=_raise), "failed with KeyError: 'lost'"),
    "ask-exits": (_strategy(ask=_exit), "failed with SystemExit: 0"),
    "ask-none": (_strategy(ask=_returning(None)), "failed with TypeError"),
    "ask-nothing": (_strategy(ask=_returning([])), "made no proposal at all"),
    "ask-number": (_strategy(ask=_returning([3])), "proposed 3, which is no text"),
    "ask-too-many": (_strategy(ask=_returning(["a1"] * 9)), "was asked for 1 proposals and made more"),
    "ask-without-end": (_strategy(ask=lambda *_: itertools.repeat("a1")), "and made more"),
    "ask-foreign": (_strategy(ask=_returning(["z"])), "proposed what is not of 'letters'"),
    "ask-odd-fidelity": (_strategy(ask=_returning([PartialEvaluation("a1", "low")])), "at fidelity 'low'"),  # type: ignore[arg-type]
    "ask-far-fidelity": (_strategy(ask=_returning([PartialEvaluation("a1", 7)])), "at fidelity 7"),
    "tell-raises": (_strategy(tell=_raise), "failed with KeyError"),
    "fidelities-raise": (_strategy(fidelities=property(_raise)), "failed in 'fidelities' with KeyError"),
    "fidelities-none": (_strategy(fidelities=property(_returning(()))), "returned from 'fidelities' tuple ()"),
    "fidelities-text": (_strategy(fidelities=property(_returning("all"))), "returned from 'fidelities' str 'all'"),
    "fidelities-fall": (
        _strategy(fidelities=property(_returning((1.0, 0.5)))),
        "tuple (1.0, 0.5), expected a tuple of numbers above 0 that ascend to 1",
    ),
}


def _strategies() -> Iterator[Part]:
    ways = [(way, cls, says) for way, (cls, says) in _STRATEGIES.items()]
    for way, factory, says in [*ways, *_factories(First, SearchStrategy)]:
        info = _info(SearchStrategyInfo, f"strategy-{way}", factory)
        yield Part(info, (*_SEARCH, "--space", "letters", "-s", info.name), says)


def _dataset(**written: Any) -> type:
    return type("Wrong", (Noise,), written)


def _images(change: Callable[[Any], Any]) -> type:
    return _dataset(inputs=lambda self, positions: change(Noise.inputs(self, positions)))


def _with_nan(images: Any) -> Any:
    images[0] = np.nan
    return images


_DATASETS: dict[str, tuple[type, str]] = {
    "labels-raise": (_dataset(labels=_raise), "failed in 'labels' with KeyError"),
    "labels-exit": (_dataset(labels=_exit), "failed in 'labels' with SystemExit"),
    "labels-list": (_dataset(labels=_returning([0, 1])), "returned from 'labels' list"),
    "labels-floats": (_dataset(labels=_returning(np.zeros(64))), "an array of float64 of the shape (64,)"),
    "labels-square": (_dataset(labels=_returning(np.zeros((8, 8), int))), "an array of int64 of the shape (8, 8)"),
    "labels-too-high": (_dataset(labels=_returning(np.arange(64))), "labels from 0 to 63, expected those of 2 classes"),
    "labels-negative": (_dataset(labels=_returning(np.arange(64) % 2 - 1)), "labels from -1 to 0"),
    "images-raise": (_dataset(inputs=_raise), "failed in 'inputs' with KeyError"),
    "images-none": (_images(_returning(None)), "returned from 'inputs' NoneType"),
    "images-few": (_images(lambda images: images[1:]), "inputs for"),
    "images-other-size": (_images(lambda images: images[:, :, :4]), "the shape (1, 4, 8), expected (1, 8, 8)"),
    "images-other-type": (_images(lambda images: images.astype(float)), "an array of float64"),
    "images-bytes": (_images(lambda images: (images * 255).astype(np.uint8)), "an array of uint8"),
    "images-too-bright": (_images(lambda images: images * 255), "expected those of [0, 1]"),
    "images-nan": (_images(_with_nan), "expected those of [0, 1]"),
}  # fmt: skip


def _datasets() -> Iterator[Part]:
    ways = [(way, cls, says) for way, (cls, says) in _DATASETS.items()]
    for way, factory, says in [*ways, *_factories(Noise, Dataset)]:
        info = _info(
            DatasetInfo, f"images-{way}", factory, input_shape=(1, 8, 8), num_classes=2, mean=(0.5,), std=(0.3,)
        )
        command = ("run", "-e", "grad_norm:batch_size=8", "-n", "2", "--space", "letters", "--dataset", info.name)
        yield Part(info, command, says)


def _aggregate(**written: Any) -> type:
    return type("Wrong", (Sum,), written)


_AGGREGATES: dict[str, tuple[type, str]] = {
    "combine-raises": (_aggregate(combine=_raise), "failed in 'combine' with KeyError"),
    "combine-exits": (_aggregate(combine=_exit), "failed in 'combine' with SystemExit"),
    "combine-none": (_aggregate(combine=_returning(None)), "returned from 'combine' NoneType"),
    "combine-one": (_aggregate(combine=_returning(1.0)), "expected an array of one number for each"),
    "combine-short": (_aggregate(combine=lambda _, ranks: ranks[0, 1:]), "expected an array of one number for each"),
    "combine-wide": (_aggregate(combine=lambda _, ranks: ranks), "expected an array of one number for each"),
    "combine-nan": (_aggregate(combine=lambda _, ranks: ranks[0] * np.nan), "a score that is not finite"),
    "combine-text": (_aggregate(combine=lambda _, ranks: ranks[0].astype(str)), "expected an array of one number"),
    "figures-raise": (_aggregate(figures=_raise), "failed in 'figures' with KeyError"),
    "figures-number": (_aggregate(figures=_returning(3)), "returned from 'figures' int 3"),
    "figures-text": (_aggregate(figures=_returning({"best": "high"})), "expected numbers by name"),
}


def _aggregates() -> Iterator[Part]:
    ways = [(way, cls, says) for way, (cls, says) in _AGGREGATES.items()]
    for way, factory, says in [*ways, *_factories(Sum, Aggregate)]:
        info = _info(AggregateInfo, f"aggregate-{way}", factory, components=("params", "random"))
        yield Part(info, ("run", "-e", info.name, "-n", "3", "--space", "letters"), says, 0, others_score=True)


def _evaluators() -> Iterator[Part]:
    for way, factory, says in _factories(One, Evaluator):
        info = _info(EvaluatorInfo, f"score-{way}", factory, direction=Direction.MAXIMIZE)
        command = ("run", "-e", info.name, "-e", "params", "-n", "2", "--space", "letters")
        yield Part(info, command, says, others_score=True)
    reasons = {"raises": (_raise, "failed with KeyError: 'lost'"), "exits": (_exit, "failed with SystemExit: 0")}
    for way, (reason, says) in (reasons | {"number": (_returning(3), "it returned int")}).items():
        info = _info(EvaluatorInfo, f"reason-{way}", One, direction=Direction.MAXIMIZE, why_unsupported=reason)
        yield Part(info, ("run", "-e", info.name, "-n", "2", "--space", "letters"), says, 2)


def _settings(reader: Callable[[str], Any] = int, **written: Any) -> type:
    """Return a settings class with the whole number 'a'."""
    declared = setting(1, "For an experiment.", reader=reader)
    own = {"__annotations__": {"a": int}, "__module__": __name__, "a": declared, **written}
    return dataclass(frozen=True)(type("Wrong", (Settings,), own))


_SETTINGS: dict[str, tuple[type, str]] = {
    "reader-raises": (_settings(_raise), "failed in reading its settings with KeyError: 'lost'"),
    "reader-exits": (_settings(_exit), "failed in reading its settings with SystemExit: 0"),
    "reader-text": (_settings(str), "the reader of 'a' gave str '2', expected integer"),
    "init-raises": (_settings(__post_init__=_raise), "failed in reading its settings with KeyError: 'lost'"),
    "preset-raises": (_settings(preset_values=_raise), "failed in reading its settings with KeyError: 'lost'"),
    "preset-none": (_settings(preset_values=_returning(None)), "failed in reading its settings with"),
    "preset-foreign": (_settings(preset_values=_returning({"b": 1})), "got an unexpected keyword argument 'b'"),
    "preset-text": (_settings(preset_values=_returning({"a": "x"})), "the preset of 'a' gave str 'x', expected"),
    "drawn-raises": (_settings(inputs_drawn=_raise), "failed in 'inputs_drawn' of its settings with KeyError"),
    "drawn-text": (_settings(inputs_drawn=_returning("many")), "from 'inputs_drawn' of its settings str 'many'"),
    "drawn-negative": (_settings(inputs_drawn=_returning(-1)), "int -1, expected a whole number of at least 0"),
    "effective-raises": (_settings(effective=_raise), "of its settings with KeyError: 'lost'"),
    "effective-object": (
        _settings(effective=_returning({"a": [{2}]})), "returned from 'effective' of its settings dict {'a': [{2}]}",
    ),
    "effective-numbered": (
        _settings(effective=_returning({1: 1})), "returned from 'effective' of its settings dict {1: 1}",
    ),
}  # fmt: skip


def _configured() -> Iterator[Part]:
    for way, (settings, says) in _SETTINGS.items():
        info = _info(EvaluatorInfo, f"settings-{way}", One, direction=Direction.MAXIMIZE, settings=settings)
        yield Part(info, ("run", "-e", f"{info.name}:a=2", "-n", "2", "--space", "letters"), says)


@dataclass(frozen=True)
class TaskSettings(Settings):
    """A task to search for."""

    task: str = setting("", "The task.")


def _searched() -> Iterator[Part]:
    wrong = {
        "raises": (_raise, "cannot be made: KeyError: 'lost'"),
        "number": (_returning(3), "which is no DesignSpace"),
    }
    for way, (factory, says) in wrong.items():
        info = _info(
            EvaluatorInfo, f"task-{way}", One, direction=Direction.MAXIMIZE, settings=TaskSettings,
            searchable=SearchableSetting("task", factory),
        )  # fmt: skip
        yield Part(info, ("task-search", "-e", info.name, "--space", "letters", "-l", LABELLED), says)


def _source(**written: Any) -> type:
    return type("Wrong", (Nothing,), written)


_SOURCES: dict[str, tuple[type, str]] = {
    "import-raises": (_source(import_from=_raise), "failed in 'import_from' with KeyError"),
    "import-exits": (_source(import_from=_exit), "failed in 'import_from' with SystemExit"),
    "import-none": (_source(import_from=_returning(None)), "returned from 'import_from' NoneType"),
    "import-odd-summary": (_source(import_from=_returning(ImportSummary("many", 3))), "returned from 'import_from'"),  # type: ignore[arg-type]
}


def _sources() -> Iterator[Part]:
    ways = [(way, cls, says) for way, (cls, says) in _SOURCES.items()]
    for way, factory, says in [*ways, *_factories(Nothing, DataSource)]:
        info = _info(DataSourceInfo, f"source-{way}", factory)
        yield Part(info, ("data", "import", info.name, LABELLED), says)


LABELLED = "labelled.csv"
"""Name of the file that commands need in their directory: architectures of the space ``letters`` with labels."""

LABELLED_TEXT = "architecture,accuracy\n" + "".join(f"a{number},{number}\n" for number in range(6))

PARTS: dict[str, Part] = {
    part.info.name: part
    for part in (
        *_spaces(), *_strategies(), *_datasets(), *_aggregates(), *_evaluators(), *_configured(), *_searched(),
        *_sources(),
    )
}  # fmt: skip


def _infos(kind: type) -> Iterator[Any]:
    return (part.info for part in PARTS.values() if isinstance(part.info, kind))


@hookimpl
def nasbench_search_spaces() -> Iterator[SearchSpaceInfo]:
    """Yield those that misbehave, and one that does not."""
    yield _info(
        SearchSpaceInfo, "letters", _with_table(), datasets=("mnist",), takes=frozenset({Images}),
        provides=frozenset({Network, GroundTruthTable}),
    )  # fmt: skip
    yield from _infos(SearchSpaceInfo)


@hookimpl
def nasbench_evaluators() -> Iterator[EvaluatorInfo]:
    """Yield those that misbehave."""
    return _infos(EvaluatorInfo)


@hookimpl
def nasbench_aggregates() -> Iterator[AggregateInfo]:
    """Yield those that misbehave."""
    return _infos(AggregateInfo)


@hookimpl
def nasbench_search_strategies() -> Iterator[SearchStrategyInfo]:
    """Yield those that misbehave."""
    return _infos(SearchStrategyInfo)


@hookimpl
def nasbench_datasets() -> Iterator[DatasetInfo]:
    """Yield those that misbehave."""
    return _infos(DatasetInfo)


@hookimpl
def nasbench_data_sources() -> Iterator[DataSourceInfo]:
    """Yield those that misbehave."""
    return _infos(DataSourceInfo)
