"""Random recurrent cells against the authors' description, with exact probabilities where cells are small."""

import itertools
import json
from collections import Counter, defaultdict
from collections.abc import Iterator
from fractions import Fraction

import numpy as np
import pytest
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.canonical import canonical_recipe
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.generator import (
    MAX_DRAWN_NODES,
    NUM_FURTHER_NODES,
    NUM_STATES,
    _draw_nodes,
    draw_cell,
    draw_recipe,
)
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.recipe import parse_recipe

from .frequencies import fit

ACTIVATIONS = ("activation_tanh", "activation_sigm", "activation_leaky_relu")
WEIGHTS = {"linear": 3, "blend": 1, "elementwise_prod": 1, "elementwise_sum": 1}

Nodes = dict[str, tuple[str, tuple[str, ...]]]


def redundant(states: list[str], size: int, nodes: Nodes) -> Iterator[tuple[Fraction, Nodes]]:
    """Yield the probability of everything that may be drawn before states are chosen."""
    if len(nodes) >= size:
        yield Fraction(1), nodes
        return
    activations = [name for name, (operation, _) in nodes.items() if operation in ACTIVATIONS]
    name = f"n{len(nodes)}"
    possible: list[tuple[Fraction, Nodes]] = []
    for count, share in ((2, Fraction(4, 5)), (3, Fraction(1, 5))):
        seen = ["x", *states, *activations]
        choices = list(itertools.combinations(seen, min(count, len(seen))))
        for inputs, activation in itertools.product(choices, ACTIVATIONS):
            probability = WEIGHTS["linear"] * share / len(choices) / 3
            possible.append((probability, {name: ("linear", inputs), f"{name}a": (activation, (name,))}))
    for operation, count in (("blend", 3), ("elementwise_prod", 2), ("elementwise_sum", 2)):
        arrange = itertools.permutations if operation == "blend" else itertools.combinations
        choices = list(arrange([*states, *nodes], count))
        for inputs in choices:
            possible.append((Fraction(WEIGHTS[operation], len(choices)), {name: (operation, inputs)}))
    # What has too few inputs is drawn again, so the others share its probability.
    total = sum(probability for probability, _ in possible)
    for probability, new in possible:
        for rest, drawn in redundant(states, size, nodes | new):
            yield probability / total * rest, drawn


def exact_distribution(num_states: int, size: int) -> dict[str, float]:
    """Return the probability of each cell of this size, among those that count."""
    states = [f"h_prev_{index}" for index in range(num_states)]
    found: dict[str, Fraction] = defaultdict(Fraction)
    for probability, nodes in redundant(states, size, {}):
        orders = list(itertools.permutations(nodes, num_states))
        for chosen in orders:
            names = {name: f"h_new_{index}" for index, name in enumerate(chosen)}
            alive, waiting = set(), list(chosen)
            while waiting:
                name = waiting.pop()
                if name in nodes and name not in alive:
                    alive.add(name)
                    waiting.extend(nodes[name][1])
            used = {source for name in alive for source in nodes[name][1]}
            if {"x", *states} <= used and not any(set(nodes[name][1]) & set(states) for name in chosen):
                recipe = {
                    names.get(name, name): {"op": operation, "input": [names.get(each, each) for each in inputs]}
                    for name, (operation, inputs) in nodes.items()
                    if name in alive
                }
                found[canonical_recipe(json.dumps(recipe))] += probability / len(orders)
    total = sum(found.values())
    return {cell: float(probability / total) for cell, probability in found.items()}


@pytest.mark.parametrize(("num_states", "size"), [(1, 3), (1, 4)])
def test_small_cells_have_the_probabilities_of_the_description(num_states: int, size: int) -> None:
    expected = exact_distribution(num_states, size)
    rng = np.random.default_rng(0)
    drawn = [cell for cell in (draw_cell(num_states, size, rng) for _ in range(6000)) if cell is not None]
    assert fit(Counter(map(canonical_recipe, drawn)), expected) > 1e-3


@pytest.mark.parametrize(
    ("num_states", "expected"),
    [
        (1, {"linear": 1.0}),
        (2, {"linear": 0.6, "elementwise_prod": 0.2, "elementwise_sum": 0.2}),
        (3, {"linear": 1 / 2, "blend": 1 / 6, "elementwise_prod": 1 / 6, "elementwise_sum": 1 / 6}),
    ],
)
def test_the_first_operation_needs_inputs_enough(num_states: int, expected: dict[str, float]) -> None:
    """Only linear maps see x, and what has fewer inputs than it takes is drawn again."""
    rng, count = np.random.default_rng(5), 3000
    first = Counter(_draw_nodes(num_states, 1, rng)["node_0"].operation for _ in range(count))
    assert set(first) == set(expected)
    for operation, probability in expected.items():
        assert first[operation] / count == pytest.approx(probability, abs=4 * (0.25 / count) ** 0.5)


def test_a_linear_map_has_three_inputs_once_in_five_times() -> None:
    rng, count = np.random.default_rng(6), 3000
    nodes = [_draw_nodes(2, 1, rng)["node_0"] for _ in range(count)]
    inputs = Counter(len(node.inputs) for node in nodes if node.operation == "linear")
    # Some 1,800 of them are linear: the standard deviation of the share is below .01.
    assert set(inputs) == {2, 3}
    assert inputs[3] / inputs.total() == pytest.approx(1 / 5, abs=0.035)


def test_cells_keep_the_rules_of_the_description() -> None:
    rng = np.random.default_rng(3)
    recipes = [parse_recipe(draw_recipe(rng)) for _ in range(400)]
    assert {recipe.num_states for recipe in recipes} == {1, 2, 3}
    linear = [node for recipe in recipes for node in recipe.nodes.values() if node.operation == "linear"]
    assert {len(node.inputs) for node in linear} == {2, 3}
    for recipe in recipes:
        assert len(recipe.nodes) <= MAX_DRAWN_NODES
        used = {source for node in recipe.nodes.values() for source in node.inputs}
        before = {f"h_prev_{index}" for index in range(recipe.num_states)}
        activations = {name for name, node in recipe.nodes.items() if node.operation in ACTIVATIONS}
        assert {"x", *before} <= used
        for name, node in recipe.nodes.items():
            assert len(set(node.inputs)) == len(node.inputs)
            if node.operation == "linear":
                assert set(node.inputs) <= {"x", *before, *activations}
            if node.operation in ACTIVATIONS:
                assert recipe.nodes[node.inputs[0]].operation == "linear"
            if name.startswith("h_new"):
                assert not before.intersection(node.inputs)


def test_all_sizes_are_tried_equally_often() -> None:
    """So that the share of a number of states is that of its cells that count: few of three states do."""
    rng = np.random.default_rng(4)
    tries = 400
    counting = {
        states: sum(
            draw_cell(states, states + further, rng) is not None for further in NUM_FURTHER_NODES for _ in range(tries)
        )
        for states in NUM_STATES
    }
    drawn = Counter(parse_recipe(draw_recipe(rng)).num_states for _ in range(1500))
    for states in NUM_STATES:
        expected = counting[states] / sum(counting.values())
        assert drawn[states] / 1500 == pytest.approx(expected, abs=0.05)
    assert drawn[1] > drawn[2] > drawn[3] > 40
