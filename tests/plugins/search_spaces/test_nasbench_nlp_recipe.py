import json
from collections.abc import Iterator

import networkx
import numpy as np
import pytest
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.canonical import canonical_recipe
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.generator import draw_recipe
from nasbench_toolkit.plugins.search_spaces.nasbench_nlp.recipe import COMMUTATIVE

LSTM = json.dumps(
    {
        "i": {"op": "linear", "input": ["x", "h_prev_0"]},
        "i_act": {"op": "activation_sigm", "input": ["i"]},
        "j": {"op": "linear", "input": ["x", "h_prev_0"]},
        "j_act": {"op": "activation_tanh", "input": ["j"]},
        "f": {"op": "linear", "input": ["x", "h_prev_0"]},
        "f_act": {"op": "activation_sigm", "input": ["f"]},
        "o": {"op": "linear", "input": ["x", "h_prev_0"]},
        "o_act": {"op": "activation_sigm", "input": ["o"]},
        "kept": {"op": "elementwise_prod", "input": ["f_act", "h_prev_1"]},
        "added": {"op": "elementwise_prod", "input": ["i_act", "j_act"]},
        "h_new_1": {"op": "elementwise_sum", "input": ["kept", "added"]},
        "squashed": {"op": "activation_tanh", "input": ["h_new_1"]},
        "h_new_0": {"op": "elementwise_prod", "input": ["squashed", "o_act"]},
    }
)


def drawn(count: int, seed: int = 0) -> Iterator[str]:
    rng = np.random.default_rng(seed)
    for _ in range(count):
        yield draw_recipe(rng)


def respell(text: str, rng: np.random.Generator) -> str:
    """Return the same cell with other names, states, orders of nodes and of inputs that have none."""
    recipe = json.loads(text)
    states = sorted(name for name in recipe if name.startswith("h_new"))
    order = [0, *(1 + rng.permutation(len(states) - 1))]
    names = {f"h_{side}_{old}": f"h_{side}_{new}" for old, new in enumerate(order) for side in ("new", "prev")}
    inner = [name for name in recipe if name not in names]
    names |= {name: f"v{number}" for name, number in zip(inner, rng.permutation(100), strict=False)}
    nodes = []
    for name, node in recipe.items():
        inputs = [names.get(source, source) for source in node["input"]]
        if node["op"] in COMMUTATIVE:
            rng.shuffle(inputs)
        nodes.append((names[name], {"input": inputs, "op": node["op"]}))
    rng.shuffle(nodes)  # type: ignore[arg-type]
    return json.dumps(dict(nodes), indent=1)


def graph(text: str) -> networkx.DiGraph:
    """Return the cell for networkx: states before come from new ones, inputs of a blend carry their place."""
    recipe, cell = json.loads(text), networkx.MultiDiGraph()
    for name, node in recipe.items():
        cell.add_node(name, kind=(node["op"], name == "h_new_0"))
        for place, source in enumerate(node["input"]):
            cell.add_edge(source, name, place=place if node["op"] == "blend" else 0)
        if name.startswith("h_new"):
            cell.add_edge(name, name.replace("new", "prev"), place="step")
    for name in cell.nodes:
        if name not in recipe:
            cell.nodes[name]["kind"] = name if name == "x" else "state"
    return cell


def are_isomorphic(first: str, second: str) -> bool:
    return networkx.is_isomorphic(
        graph(first),
        graph(second),
        node_match=networkx.algorithms.isomorphism.categorical_node_match("kind", None),
        edge_match=networkx.algorithms.isomorphism.categorical_multiedge_match("place", None),
    )


@pytest.mark.parametrize("text", [LSTM, *drawn(40)])
def test_spelling_does_not_matter(text: str) -> None:
    canonical = canonical_recipe(text)
    assert canonical_recipe(canonical) == canonical
    assert are_isomorphic(text, canonical)
    rng = np.random.default_rng(1)
    for _ in range(3):
        assert canonical_recipe(respell(text, rng)) == canonical


def test_different_cells_have_different_spellings() -> None:
    """Cells of few nodes, among which there are many pairs that nearly are the same."""
    texts = [text for text in drawn(400, seed=2) if len(json.loads(text)) <= 7]
    spellings = [canonical_recipe(text) for text in texts]
    equal = 0
    for first in range(len(texts)):
        for second in range(first):
            same = spellings[first] == spellings[second]
            assert same == are_isomorphic(texts[first], texts[second])
            equal += same
    assert equal > 0


def test_order_of_inputs_matters_to_a_blend_only() -> None:
    def cell(operation: str, inputs: list[str]) -> str:
        return json.dumps(
            {
                "a": {"op": "linear", "input": ["x", "h_prev_0"]},
                "b": {"op": "activation_sigm", "input": ["a"]},
                "c": {"op": "activation_tanh", "input": ["a"]},
                "h_new_0": {"op": operation, "input": inputs},
            }
        )

    assert canonical_recipe(cell("elementwise_sum", ["b", "c"])) == canonical_recipe(
        cell("elementwise_sum", ["c", "b"])
    )
    blends = {canonical_recipe(cell("blend", inputs)) for inputs in (["a", "b", "c"], ["a", "c", "b"], ["b", "a", "c"])}
    assert len(blends) == 3


def chains(count: int) -> str:
    """Return a cell of equal chains, whose order does not matter."""
    nodes = {}
    for number in range(count):
        nodes[f"a{number}"] = {"op": "linear", "input": ["x", "h_prev_0"]}
        nodes[f"b{number}"] = {"op": "activation_tanh", "input": [f"a{number}"]}
    nodes["h_new_0"] = {"op": "linear", "input": [f"b{number}" for number in range(count)]}
    return json.dumps(nodes)


def rings(*sizes: int) -> str:
    """Return a cell whose states are in rings, each new one made of its two neighbours before."""
    nodes = {}
    for size in sizes:
        first = len(nodes) + 1
        for number in range(size):
            neighbours = [first + (number + step) % size for step in (1, -1)]
            nodes[f"h_new_{first + number}"] = {"op": "linear", "input": ["x", *(f"h_prev_{n}" for n in neighbours)]}
    nodes["h_new_0"] = {"op": "linear", "input": ["x", *(f"h_prev_{index}" for index in range(len(nodes) + 1))]}
    return json.dumps(nodes)


@pytest.mark.parametrize("text", [chains(12), chains(31), rings(6, 6), rings(3, 3, 3, 3), rings(6, 3, 3)])
def test_recipes_of_many_equal_parts_have_one_spelling(text: str) -> None:
    """Twelve chains have 479,001,600 orders: symmetries spare all but a few."""
    canonical = canonical_recipe(text)
    assert canonical_recipe(canonical) == canonical
    assert canonical_recipe(respell(text, np.random.default_rng(0))) == canonical


def test_parts_that_look_alike_are_told_apart() -> None:
    """Each state has two neighbours in all three cells, which only their rings tell apart."""
    assert len({canonical_recipe(rings(*sizes)) for sizes in ((6, 6), (3, 3, 3, 3), (6, 3, 3))}) == 3


def test_too_much_to_compare_is_refused(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("nasbench_toolkit.plugins.search_spaces.nasbench_nlp.canonical.MAX_SPELLINGS", 1)
    with pytest.raises(InvalidArchitectureError, match="so many parts that look alike.*Leave some of these parts out"):
        canonical_recipe(rings(6, 3, 3))


RNN = {"f": {"op": "linear", "input": ["x", "h_prev_0"]}, "h_new_0": {"op": "activation_tanh", "input": ["f"]}}


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("linear(x)", "'linear\\(x\\)' is not JSON"),
        ('{"f": {"op": "linear", "input": NaN}}', "is not JSON: NaN is no JSON"),
        ('{"f": 1, "f": 2}', "a name is given twice"),
        ("[" * 100_000, "is not JSON"),
        ("[1, 2]", "is not a JSON object of nodes"),
        ("{}", "is not a JSON object of nodes"),
        ("1" * 100_001, "at most 100,000 characters"),
        ('{"f": {"op": "linear"}}', "node 'f': it is .*expected an object with 'op' and 'input'"),
        ('{"f": "linear"}', "node 'f': it is \"linear\""),
    ],
    ids=["no JSON", "NaN", "twice", "too deep", "list", "empty", "too long", "no input", "no object"],
)
def test_what_is_no_recipe_is_refused(text: str, message: str) -> None:
    with pytest.raises(InvalidArchitectureError, match=message):
        canonical_recipe(text)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"f": {"op": "linaer", "input": ["x"]}}, 'its operation is "linaer". Did you mean .linear'),
        ({"f": {"op": 3, "input": ["x"]}}, "its operation is 3"),
        ({"f": {"op": "linear", "input": []}}, "expected a list of names"),
        ({"f": {"op": "linear", "input": ["x", 1]}}, "expected a list of names"),
        (
            {"h_new_0": {"op": "activation_tanh", "input": ["f", "f"]}},
            "'activation_tanh' takes one input, got 2: .*Give it one",
        ),
        ({"h_new_0": {"op": "blend", "input": ["f", "f"]}}, "'h_new_0': 'blend' takes 3 inputs, got 2: .*Give it 3"),
        ({"f": {"op": "linear", "input": ["y"]}}, "node 'f': its input 'y' is neither a node nor one of h_prev_0, x"),
        ({"f": {"op": "linear", "input": ["h_new0", "x"]}}, "'h_new0' is neither.*Did you mean 'h_new_0'"),
        ({"f": {"op": "linear", "input": ["h_prev_1"]}}, "'h_prev_1' is neither.*Add the node 'h_new_1'"),
        ({"f": {"op": "activation_tanh", "input": ["x"]}}, "node 'f': 'activation_tanh' cannot take 'x'"),
        (
            {"f": {"op": "linear", "input": ["h_new_0"]}},
            "node 'f': it depends on itself: 'f' takes 'h_new_0' takes 'f'",
        ),
        ({"f": {"op": "linear", "input": ["x", "f"]}}, "node 'f': it depends on itself: 'f' takes 'f'. Take another"),
        ({"g": {"op": "linear", "input": ["x"]}}, "node 'g': it leads to no new state. Leave it out, or take it"),
        ({"h_new_2": {"op": "linear", "input": ["x"]}}, "there is no node 'h_new_1', since there are states of higher"),
        (
            {"h_new_1": {"op": "linear", "input": ["x"]}},
            "'h_new_1': nothing takes this state.*Take 'h_prev_1'.*or leave",
        ),
        ({"f": {"op": "linear", "input": ["x"]}}, "node 'h_new_0': nothing takes this state at the next step"),
        ({"f": {"op": "linear", "input": ["h_prev_0"]}}, "no node takes 'x'"),
        ({"x": {"op": "linear", "input": ["f"]}}, "node 'x': this is the name of an input"),
        ({f"g{number}": {"op": "linear", "input": ["x"]} for number in range(63)}, "at most 64 nodes, got 65"),
    ],
)
def test_a_recipe_that_builds_no_cell_is_refused(changes: dict[str, object], message: str) -> None:
    with pytest.raises(InvalidArchitectureError, match=message):
        canonical_recipe(json.dumps(RNN | changes))
