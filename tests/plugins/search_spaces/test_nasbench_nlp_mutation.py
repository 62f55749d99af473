"""Mutants and neighbours of recurrent cells: rules, inverses, counts and probabilities."""

import json
from collections import Counter, defaultdict
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.settings import parse_settings
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.canonical import canonical_recipe
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.edits import CellEdits
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.generator import MAX_DRAWN_NODES, draw_recipe
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.mutation import mutate, neighbours
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.recipe import ACTIVATIONS, parse_recipe, spell_nodes

from .frequencies import fit
from .test_nasbench_nlp_recipe import LSTM

RNN = json.dumps(
    {"f": {"op": "linear", "input": ["x", "h_prev_0"]}, "h_new_0": {"op": "activation_tanh", "input": ["f"]}}
)


def drawn(count: int, seed: int, most_nodes: int) -> list[str]:
    rng, cells = np.random.default_rng(seed), []
    while len(cells) < count:
        cell = canonical_recipe(draw_recipe(rng))
        if len(json.loads(cell)) <= most_nodes:
            cells.append(cell)
    return cells


def assert_keeps_the_rules(text: str) -> None:
    recipe = parse_recipe(text)
    before = {f"h_prev_{index}" for index in range(recipe.num_states)}
    activations = {name for name, node in recipe.nodes.items() if node.operation in ACTIVATIONS}
    assert {"x", *before} <= {source for node in recipe.nodes.values() for source in node.inputs}
    assert len(recipe.nodes) <= MAX_DRAWN_NODES
    for name, node in recipe.nodes.items():
        assert len(set(node.inputs)) == len(node.inputs)
        if node.operation == "linear":
            assert len(node.inputs) in (2, 3)
            assert set(node.inputs) <= {"x", *before, *activations}
        if node.operation in ACTIVATIONS:
            assert recipe.nodes[node.inputs[0]].operation == "linear"
        if name.startswith("h_new"):
            assert not before.intersection(node.inputs)


def children(text: str) -> dict[str, Counter[str]]:
    """Return how many edits of each kind make which other cell."""
    counts: dict[str, Counter[str]] = defaultdict(Counter)
    for kind in CellEdits(parse_recipe(text)).kinds():
        for nodes in kind():
            child = canonical_recipe(spell_nodes(nodes))
            if child != text:
                counts[kind.__name__][child] += 1
    return counts


def test_the_simplest_cell_has_fourteen_neighbours() -> None:
    """Counted by hand. A linear map takes x and the state before, tanh of it is the new state."""
    counts = {kind: cells.total() for kind, cells in children(canonical_recipe(RNN)).items()}
    # Two other activations; before the map, x or the state mixed with the other, by three activations; behind it, sum
    # and product with the map, and a map with x or the state before, by three activations.
    assert counts == {"operations": 2, "insertions": 2 * 3 + 2 + 2 * 3}
    # With tanh twice, it is the same whether the second map comes before or behind the first.
    assert len(neighbours(RNN)) == 16 - 2


@pytest.mark.parametrize("text", drawn(6, seed=0, most_nodes=9), ids=range(6))
def test_neighbours_keep_the_rules_and_are_neighbours_of_each_other(text: str) -> None:
    found = neighbours(text)
    assert len(set(found)) == len(found)
    assert text not in found
    for cell in found:
        assert canonical_recipe(cell) == cell
        assert_keeps_the_rules(cell)
    for index in np.random.default_rng(0).choice(len(found), min(6, len(found)), replace=False):
        assert text in neighbours(found[index])


def test_every_kind_of_edit_occurs() -> None:
    kinds = {kind for text in drawn(12, seed=1, most_nodes=12) for kind in children(text)}
    assert kinds == {"operations", "inputs", "matrices", "gates", "insertions", "removals", "states"}


def test_published_cells_that_break_a_rule_have_neighbours() -> None:
    """LSTM takes tanh of a sum, which no drawn cell does; edits of other nodes leave that as it is."""
    found = neighbours(LSTM)
    assert len(found) > 100
    assert all(canonical_recipe(cell) == cell for cell in found)


def test_a_mutant_is_a_random_edit_of_a_random_kind() -> None:
    text = next(cell for cell in drawn(40, seed=2, most_nodes=6) if "removals" in children(cell))
    kinds = children(text)
    weights = {kind: 2 if kind == "removals" else 1 for kind in kinds}
    expected: dict[str, float] = defaultdict(float)
    for kind, cells in kinds.items():
        for cell, edits in cells.items():
            expected[cell] += weights[kind] / sum(weights.values()) * edits / cells.total()
    rng = np.random.default_rng(3)
    assert fit(Counter(mutate(text, rng) for _ in range(2000)), expected) > 1e-3


def test_chains_of_mutants_are_other_cells_that_keep_the_rules() -> None:
    for seed in range(3):
        rng = np.random.default_rng(seed)
        cell = canonical_recipe(draw_recipe(rng))
        states = parse_recipe(cell).num_states
        for _ in range(60):
            child = mutate(cell, rng)
            assert child != cell
            assert canonical_recipe(child) == child
            cell = child
        assert_keeps_the_rules(cell)
        assert parse_recipe(cell).num_states == states


def test_any_spelling_has_the_same_mutants() -> None:
    spelled = json.dumps(dict(reversed(json.loads(RNN).items())))
    assert mutate(spelled, np.random.default_rng(0)) == mutate(RNN, np.random.default_rng(0))
    assert neighbours(spelled) == neighbours(RNN)


def test_a_cell_without_neighbours_is_its_own_mutant(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(CellEdits, "kinds", lambda self: (self.removals,))
    assert neighbours(RNN) == []
    assert mutate(RNN, np.random.default_rng(0)) == canonical_recipe(RNN)


def test_searches_move_from_cell_to_cell(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("NASBENCH_DATA", str(tmp_path))
    plugins = installed_plugins()
    space = plugins.search_space("nasbench-nlp").info.create()
    for name, settings in (
        ("regularized-evolution", {"population_size": "4", "tournament_size": "2"}),
        ("local-search", {"move": "first"}),
    ):
        info = plugins.search_strategy(name).info
        strategy = info.create(space, parse_settings(name, info.settings, settings), 0)
        proposed = []
        for _ in range(7):
            (text,) = strategy.ask(1)
            proposed.append(text)
            strategy.tell(text, float(len(parse_recipe(text).nodes)))
        assert len(set(proposed)) > 4


def test_cells_are_described_by_their_parts() -> None:
    space = installed_plugins().search_space("nasbench-nlp").info.create()
    assert space.describe(RNN) == "1 state; 1 linear, 1 tanh"
    assert space.describe(LSTM) == "2 states; 4 linear, 3 sigmoid, 3 product, 2 tanh, 1 sum"
