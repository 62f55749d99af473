"""Whatever a search space does wrong, the error names it, its plugin and its distribution."""

import re
import types

import numpy as np
import pytest
from nasbench_toolkit import (
    Direction,
    GroundTruth,
    InvalidArchitectureError,
    Metric,
    Network,
    SearchSpace,
    SearchSpaceInfo,
    hookimpl,
)
from nasbench_toolkit.core.errors import PluginError
from nasbench_toolkit.core.plugin_manager import PluginManager

ACCURACY = Metric("mnist", "test", "accuracy", 3, Direction.MAXIMIZE, "percent")


class Letters(SearchSpace):
    """Architectures 'a0' to 'a99', which does everything right."""

    size = 100

    def canonicalize(self, text):
        if not text.startswith("a"):
            raise InvalidArchitectureError(f"'{text}' does not begin with a")
        return text

    def _sample(self, count, rng):
        return [f"a{number}" for number in rng.choice(100, count, replace=False)]

    def _build_network(self, arch_id, dataset, variant):
        from torch import nn

        return nn.Flatten()

    def _mutate(self, text, rng):
        return self._sample(1, rng)[0]


class Table(GroundTruth):
    metrics = (ACCURACY,)

    def values(self, metric, arch_ids):
        return [1.0] * len(arch_ids)


def raise_key_error(*_):
    raise KeyError("lost")


def exit_at_once(*_):
    raise SystemExit("bye")


def space_with(**written):
    """Return a space whose class writes some methods in another way, as a plugin provides it."""
    cls = type("Faulty", (Letters,), written)
    info = SearchSpaceInfo(
        name="faulty", summary="For a test.", source="the tests", factory=cls, datasets=("mnist",),
        provides=frozenset({Network}),
    )  # fmt: skip
    plugin = types.ModuleType("plugin")
    plugin.nasbench_search_spaces = hookimpl(specname="nasbench_search_spaces")(lambda: [info])
    manager = PluginManager()
    manager.register("letters", "letters-package 1.0", lambda: plugin)
    return manager.search_space("faulty").info.create()


def table_with(**written):
    return type("FaultyTable", (Table,), written)()


def sample(space):
    return space.sample(5, np.random.default_rng(0))


def mutate(space):
    return space.mutate("a1", np.random.default_rng(0))


def build(space):
    return space.build_network("a1", None)


def look_up(space):
    return space.ground_truth().values(ACCURACY, ["a1", "a2"])


@pytest.mark.parametrize(
    ("written", "use", "message"),
    [
        ({"size": "many"}, sample, "has as 'size' str 'many', expected a whole number above 0 or None"),
        ({"size": property(raise_key_error)}, sample, "failed in 'size' with KeyError: 'lost'"),
        ({"_sample": lambda *_: ["a1"] * 5}, sample, "was asked for 5 distinct architectures and returned 5, 1 of"),
        ({"_sample": lambda *_: [1, 2, 3, 4, 5]}, sample, "returned from '_sample' a list with int 1, expected texts"),
        ({"_sample": lambda *_: list("zyxwv")}, sample, "sampled 'z', which is none of its architectures"),
        ({"_sample": exit_at_once}, sample, "failed in '_sample' with SystemExit: bye"),
        ({"canonicalize": lambda _, text: text + "x"}, sample, "sampled 'a61', whose canonical string"),
        ({"canonicalize": raise_key_error}, sample, "failed in 'canonicalize' with KeyError: 'lost'"),
        ({"canonicalize": lambda *_: 3}, sample, "returned from 'canonicalize' int 3, expected a text"),
        ({"_mutate": lambda *_: "zz"}, mutate, "mutated 'a1' to 'zz', which is none of its architectures"),
        ({"_mutate": lambda *_: None}, mutate, "returned from '_mutate' NoneType None, expected a text"),
        ({"_mutate": raise_key_error}, mutate, "failed in '_mutate' with KeyError: 'lost'"),
        ({"_build_network": lambda *_: None}, build, "returned from '_build_network' NoneType, expected a torch"),
        ({"_build_network": raise_key_error}, build, "failed in '_build_network' with KeyError: 'lost'"),
        ({"cell_graphs": lambda *_: ["x"]}, lambda space: space.cell_graphs("a1"), "returned from 'cell_graphs' ['x']"),
        ({"ground_truth": lambda _: 3}, look_up, "returned from 'ground_truth' int, expected a GroundTruth or None"),
        ({"ground_truth": raise_key_error}, look_up, "failed in 'ground_truth' with KeyError: 'lost'"),
        (
            {"ground_truth": lambda _: table_with(metrics=())}, look_up,
            "returned from 'ground_truth' a table whose 'metrics' are (), expected a tuple of one Metric or more",
        ),
    ],
)  # fmt: skip
def test_fault_of_a_space_names_it_and_its_plugin(written, use, message) -> None:
    expected = "The search space 'faulty' (plugin 'letters' of letters-package 1.0) " + message
    with pytest.raises(PluginError, match=f"^{re.escape(expected)}"):
        use(space_with(**written))


@pytest.mark.parametrize(
    ("values", "message"),
    [
        (lambda *_: [1.0], "returned from 'values' 1 values for 2 architectures"),
        (lambda *_: ["a", "b"], "returned from 'values' the value 'a', expected numbers"),
        (raise_key_error, "failed in 'values' with KeyError: 'lost'"),
    ],
)
def test_fault_of_a_table_names_its_space(values, message) -> None:
    space = space_with(ground_truth=lambda _: table_with(values=values))
    owner = "The ground truth of the search space 'faulty' (plugin 'letters' of letters-package 1.0) "
    with pytest.raises(PluginError, match=f"^{re.escape(owner + message)}"):
        look_up(space)


def test_space_without_fault_works_and_what_it_prints_goes_to_stderr(capsys) -> None:
    def print_and_sample(_, count, rng):
        print("sampling")
        return [f"a{number}" for number in range(count)]

    assert sample(space_with(_sample=print_and_sample)) == ["a0", "a1", "a2", "a3", "a4"]
    captured = capsys.readouterr()
    assert (captured.out, captured.err) == ("", "sampling\n")
