import itertools
import time
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.core.errors import PluginError, UnsupportedSearchSpaceError, UsageError
from nasbench_toolkit.core.pictures.cell_layout import _smallest_squares, lay_out
from nasbench_toolkit.core.pictures.cells import draw_cells, write_picture
from nasbench_toolkit.core.pictures.files import picture_of
from nasbench_toolkit.core.pictures.graph import CellEdge, CellGraph, CellNode, NodeKind, OperationFamily
from nasbench_toolkit.core.plugin_manager import installed_plugins
from scipy.optimize import lsq_linear

CONV, SKIP = ("sep conv 3×3", OperationFamily.CONVOLUTION), ("skip", OperationFamily.IDENTITY)


def darts_like(name):
    """A cell with two inputs, four sums of two operations each, and their concatenation."""
    inputs = [CellNode("c0", "c(k-2)", NodeKind.INPUT), CellNode("c1", "c(k-1)", NodeKind.INPUT)]
    sums = [CellNode(str(number), str(number), NodeKind.SUM) for number in range(4)]
    output = CellNode("out", "concat", NodeKind.CONCAT)
    edges = [
        *(CellEdge(source, str(number), *CONV) for number, source in ((0, "c0"), (1, "c0"), (2, "c1"), (3, "0"))),
        *(CellEdge(source, str(number), *SKIP) for number, source in ((0, "c1"), (1, "c1"), (2, "0"), (3, "c0"))),
        *(CellEdge(str(number), "out") for number in range(4)),
    ]
    return CellGraph(name, (*inputs, *sums, output), tuple(edges))


def chain(name):
    nodes = (CellNode("a", "input", NodeKind.INPUT), CellNode("b", "output", NodeKind.OUTPUT))
    return CellGraph(name, nodes, (CellEdge("a", "b", *CONV),))


def cells_of(space, count=8):
    import numpy as np

    space = installed_plugins().search_space(space).info.create()
    return [graph for arch_id in space.sample(count, np.random.default_rng(0)) for graph in space.cell_graphs(arch_id)]


def overlap(one, other):
    return (
        abs(one.x - other.x) < (one.width + other.width) / 2 - 1e-6
        and abs(one.y - other.y) < (one.height + other.height) / 2 - 1e-6
    )


@pytest.mark.parametrize("cells", ["nasbench101", "nasbench201", "darts"])
def test_nothing_covers_anything_else(cells) -> None:
    graphs = [darts_like("normal cell")] if cells == "darts" else cells_of(cells)
    for graph in graphs:
        layout = lay_out(graph)
        boxes = [*layout.nodes, *(label for label in layout.labels if label is not None)]
        assert len(boxes) == len(graph.nodes) + sum(bool(edge.label) for edge in graph.edges)
        assert not any(overlap(one, other) for one, other in itertools.combinations(boxes, 2))
        assert all(box.left >= 0 and box.right <= layout.width + 1e-6 for box in boxes)


@pytest.mark.parametrize(("suffix", "magic"), [(".svg", b"<?xml"), (".png", b"\x89PNG"), (".pdf", b"%PDF")])
def test_pictures_are_what_their_names_say_and_always_the_same(tmp_path, suffix, magic) -> None:
    files = [tmp_path / f"{number}{suffix}" for number in range(2)]
    for file in files:
        draw_cells([darts_like("normal cell"), chain("reduction cell")], file, "a title", about="the cells")
    assert files[0].read_bytes().startswith(magic)
    assert files[0].read_bytes() == files[1].read_bytes()


def test_users_matplotlib_settings_neither_matter_nor_change(tmp_path) -> None:
    import matplotlib

    draw_cells([chain("cell")], tmp_path / "plain.svg")
    with matplotlib.rc_context({"font.size": 30, "lines.linewidth": 9, "svg.fonttype": "none"}):
        draw_cells([chain("cell")], tmp_path / "own.svg")
        assert matplotlib.rcParams["font.size"] == 30
    assert (tmp_path / "own.svg").read_bytes() == (tmp_path / "plain.svg").read_bytes()


def fan(name):
    """A cell of forty equal chains."""
    ends = (CellNode("a", "input", NodeKind.INPUT), CellNode("b", "output", NodeKind.OUTPUT))
    nodes = [CellNode(f"{side} {number}", "conv", NodeKind.OPERATION) for number in range(40) for side in "pq"]
    edges = [
        edge
        for number in range(40)
        for edge in (
            CellEdge("a", f"p {number}"), CellEdge(f"p {number}", f"q {number}"), CellEdge(f"q {number}", "b")
        )
    ]  # fmt: skip
    return CellGraph(name, (ends[0], *nodes, ends[1]), tuple(edges))


def test_large_cells_are_laid_out_in_a_moment() -> None:
    """Exchanging any two of forty nodes, and least squares by active sets, took minutes."""
    started = time.process_time()
    layout = lay_out(fan("fan"))
    assert time.process_time() - started < 10
    columns = {}
    for box in layout.nodes:
        columns.setdefault(round(box.x, 3), []).append(box)
    assert sorted(map(len, columns.values())) == [1, 1, 40, 40]
    for boxes in columns.values():
        for lower, upper in itertools.pairwise(sorted(boxes, key=lambda box: box.y)):
            assert lower.y + lower.height / 2 < upper.y - upper.height / 2


def test_smallest_squares_are_those_of_another_method() -> None:
    rng = np.random.default_rng(0)
    matrix, smallest = rng.standard_normal((30, 8)), np.where(rng.random(8) < 0.4, -np.inf, rng.standard_normal(8))
    expected = lsq_linear(matrix, np.zeros(30), bounds=(smallest, np.inf), method="bvls").x
    np.testing.assert_allclose(_smallest_squares(matrix, smallest), expected, atol=1e-9)


def test_nasbench101_has_operations_on_nodes() -> None:
    space = installed_plugins().search_space("nasbench101").info.create()
    arch_id = space.canonicalize("100101:conv3x3-bn-relu,maxpool3x3")
    (graph,) = space.cell_graphs(arch_id)
    assert [(node.label, node.kind) for node in graph.nodes] == [
        ("input", NodeKind.INPUT), ("conv 3×3", NodeKind.OPERATION), ("max pool 3×3", NodeKind.OPERATION),
        ("output", NodeKind.OUTPUT),
    ]  # fmt: skip
    assert [(edge.source, edge.target, edge.label) for edge in graph.edges] == [
        ("0", "1", ""), ("1", "2", ""), ("2", "3", ""),
    ]  # fmt: skip


def test_nasbench201_has_operations_on_edges() -> None:
    space = installed_plugins().search_space("nasbench201").info.create()
    text = "|nor_conv_3x3~0|+|none~0|avg_pool_3x3~1|+|skip_connect~0|nor_conv_1x1~1|nor_conv_3x3~2|"
    (graph,) = space.cell_graphs(text)
    assert {(edge.source, edge.target): edge.label for edge in graph.edges} == {
        ("0", "1"): "conv 3×3", ("0", "2"): "none", ("1", "2"): "avg pool 3×3", ("0", "3"): "skip",
        ("1", "3"): "conv 1×1", ("2", "3"): "conv 3×3",
    }  # fmt: skip
    assert next(edge for edge in graph.edges if edge.label == "none").family is OperationFamily.ZERO


@pytest.mark.parametrize(
    ("edges", "message"),
    [
        ([CellEdge("b", "a")], "leads backwards"),
        ([CellEdge("a", "z")], "its nodes are a, b"),
    ],
)
def test_impossible_graphs_are_refused(edges, message) -> None:
    nodes = (CellNode("a", "a", NodeKind.INPUT), CellNode("b", "b", NodeKind.OUTPUT))
    with pytest.raises(PluginError, match=message):
        CellGraph("cell", nodes, tuple(edges))


def test_two_nodes_of_one_name_are_refused() -> None:
    nodes = (CellNode("a", "a", NodeKind.INPUT), CellNode("a", "b", NodeKind.OUTPUT))
    with pytest.raises(PluginError, match="several nodes 'a'"):
        CellGraph("cell", nodes, ())


@pytest.mark.parametrize(
    ("results", "picture"), [("a/s.h5", "a/s.svg"), ("s.svg", "s.svg.svg"), ("s.1", "s.1.svg"), ("s", "s.svg")]
)
def test_a_results_file_and_its_picture_have_different_names(results, picture) -> None:
    assert picture_of(Path(results)) == Path(picture)


def test_unknown_suffix_and_space_without_pictures_are_refused(tmp_path, toy_plugins) -> None:
    space = toy_plugins.search_space("toy").info.create()
    with pytest.raises(UsageError, match=r"End its name with \.svg, \.png or \.pdf"):
        write_picture(space, "width-1", tmp_path / "cell.gif")
    with pytest.raises(UnsupportedSearchSpaceError, match="does not say what its architectures look like"):
        write_picture(space, "width-1", tmp_path / "cell.svg")
