"""The cell spaces of NDS: which architectures are one, and how they are drawn and changed."""

import math
import re

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.errors import PluginError, SampleSizeError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.plugins.search_spaces.nds.definition import CellSpaceDefinition
from nasbench_toolkit.plugins.search_spaces.nds.operations import NONE, SEP3, SKIP
from nasbench_toolkit.plugins.search_spaces.nds.space import CellSpace
from nasbench_toolkit.plugins.search_spaces.nds.spaces import AMOEBA, DARTS, ENAS, NASNET, PNAS

NAMES = [
    "nds-darts", "nds-darts-f", "nds-amoeba", "nds-enas", "nds-enas-f", "nds-nasnet", "nds-pnas", "nds-pnas-f",
]  # fmt: skip
SKIPS = "skip~0+skip~1,skip~0+skip~1,skip~0+skip~1,skip~0+skip~1"


def space(name: str):
    return installed_plugins().search_space(name).info.create()


def darts(normal: str) -> str:
    return space("nds-darts").canonicalize(f"w16d4/normal={normal}/reduce={SKIPS}")


@pytest.mark.parametrize(
    ("definition", "billions"), [(NASNET, 71_465_842), (AMOEBA, 556_628), (PNAS, 556_628), (ENAS, 5_063), (DARTS, 242)]
)
def test_cells_are_as_many_as_the_paper_says(definition: CellSpaceDefinition, billions: int) -> None:
    options = [len(names) for names in definition.choices()[2:]]
    # One of the two cells; the paper rounds.
    cells = math.prod(options[: len(options) // 2])
    assert (cells + 5 * 10**8) // 10**9 == billions


def test_order_of_edges_and_numbers_of_nodes_do_not_matter() -> None:
    first = darts("sep3~0+dil5~1,max3~2+skip~0,avg3~1+avg3~1,sep5~3+none~1")
    # Edges swapped, nodes 2, 3, 4 and 5 renumbered to 3, 4, 2 and 5, and none works on something else.
    second = darts("avg3~1+avg3~1,dil5~1+sep3~0,skip~0+max3~3,none~4+sep5~4")
    assert first == second
    assert first == darts(first.split("normal=")[1].split("/")[0])


def test_different_cells_stay_apart() -> None:
    cells = [
        "sep3~0+sep3~1,sep3~0+sep3~1,sep3~2+sep3~2,skip~0+skip~1",
        # Two equal nodes, of which both are used, or one twice.
        "sep3~0+sep3~1,sep3~0+sep3~1,sep3~2+sep3~3,skip~0+skip~1",
        "sep3~0+sep3~1,sep3~0+sep3~1,sep3~2+sep3~2,skip~1+skip~1",
        "sep3~0+sep5~1,sep3~0+sep3~1,sep3~2+sep3~2,skip~0+skip~1",
        "sep3~0+sep5~1,sep3~0+sep3~1,sep3~3+sep3~3,skip~0+skip~1",
    ]
    assert len({darts(cell) for cell in cells}) == len(cells)


@pytest.mark.parametrize(
    ("cell", "other"),
    [
        # Of two equal poolings both are used, or one twice.
        (
            "max3~0+max3~1,max3~0+max3~1,sep3~2+sep3~3,skip~0+skip~1",
            "max3~0+max3~1,max3~0+max3~1,sep3~2+sep3~2,skip~0+skip~1",
        ),
        # Zeros pass through a skip connection, or there are none.
        (
            "none~0+none~0,skip~0+skip~1,skip~0+skip~1,skip~2+sep3~2",
            "none~0+none~0,skip~0+skip~1,skip~0+skip~1,none~0+sep3~2",
        ),
    ],
)
def test_cells_of_one_function_stay_apart_if_their_operations_differ(cell: str, other: str) -> None:
    outputs = []
    for text in (darts(cell), darts(other)):
        torch.manual_seed(0)
        network = space("nds-darts").build_network(text, installed_plugins().dataset("photos").info, "narrow")
        outputs.append(network(torch.randn(2, 3, 8, 8, generator=torch.Generator().manual_seed(0))))
    assert darts(cell) != darts(other)
    assert torch.allclose(outputs[0], outputs[1])


def test_what_none_works_on_counts_among_loose_ends() -> None:
    definition = CellSpaceDefinition(
        operations=(NONE, SKIP, SEP3), num_nodes=2, output="loose ends", widths=(16,), depths=(4,)
    )
    edges = [*["sep3", "0"] * 3, "none", "2"]
    architecture = definition.assemble(["16", "4", *edges, *edges])
    assert definition.outputs(architecture.normal) == (3,)
    assert definition.canonical(architecture).normal[1] == ((0, "sep3"), (2, "none"))


@pytest.mark.parametrize("name", NAMES)
def test_sizes_are_those_of_the_benchmark(name: str) -> None:
    sample = space(name).sample(200, np.random.default_rng(0))
    sizes = {re.match(r"w(\d+)d(\d+)/", arch_id).groups() for arch_id in sample}
    fixed = {("16", "20")}
    free = {(str(width), str(depth)) for width in (16, 24, 32) for depth in (4, 8, 12, 16, 20)}
    assert sizes == (fixed if name.endswith("-f") else free)


@pytest.mark.parametrize("name", NAMES)
def test_mutation_changes_one_decision(name: str) -> None:
    made, rng = space(name), np.random.default_rng(0)
    parent = made.example()
    before = made.definition.decisions(made._parse(parent))
    for _ in range(50):
        after = made.definition.decisions(made._parse(made.mutate(parent, rng)))
        assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


def test_a_small_space_is_exhausted() -> None:
    class Skips(CellSpace):
        definition = CellSpaceDefinition(
            operations=(SKIP,), num_nodes=1, output="all nodes", widths=(2,), depths=(3, 4)
        )

    made = Skips(installed_plugins().search_space("nds-darts").info)
    # Two depths, and of each cell the sources 0 and 0, 0 and 1, or 1 and 1.
    assert len(set(made.sample(18, np.random.default_rng(0)))) == 18
    with pytest.raises(SampleSizeError, match="Of 19 architectures of 'nds-darts' only 18 were found"):
        made.sample(19, np.random.default_rng(0))


def test_neighbours_are_all_that_differ_in_one_decision() -> None:
    # 2 other widths, 4 depths; of each edge 7 operations, and sources: 2, 3, 4 or 5 less one.
    assert len(space("nds-darts").neighbours(f"w16d4/normal={SKIPS}/reduce={SKIPS}")) == 2 + 4 + 2 * 2 * (
        4 * 7 + 1 + 2 + 3 + 4
    )
    # A size that is none of the benchmark's has one more.
    assert len(space("nds-darts").neighbours(f"w18d5/normal={SKIPS}/reduce={SKIPS}")) == 3 + 5 + 152


def test_description_says_size_and_operations() -> None:
    text = f"w36d20/normal={SKIPS.replace('skip~1', 'sep3~1')}/reduce={SKIPS}"
    assert space("nds-darts").describe(text) == (
        "36 channels, 20 cells; normal cell: 4 skip, 4 sep3; reduction cell: 8 skip"
    )


def test_picture_shows_both_cells() -> None:
    normal, reduction = space("nds-enas").cell_graphs(space("nds-enas").example())
    assert (normal.name, reduction.name) == ("normal cell", "reduction cell")
    assert [node.label for node in normal.nodes] == ["cell k-2", "cell k-1", "2", "3", "4", "5", "6", "concat"]
    assert sum(edge.label != "" for edge in normal.edges) == 10
    assert [edge.target for edge in normal.edges if edge.label == ""] == ["output"] * (len(normal.edges) - 10)


@pytest.mark.parametrize(
    ("changes", "message"),
    [
        ({"operations": ()}, "needs operations with different names"),
        ({"operations": (SKIP, SKIP)}, "needs operations with different names"),
        ({"num_nodes": 0}, "at least one node, got 0"),
        ({"widths": (15,)}, "Widths must be even numbers from 2 to 1024, got (15,)"),
        ({"widths": ()}, "Widths must be even numbers"),
        ({"depths": (2,)}, "Depths must be numbers from 3 to 100, got (2,)"),
    ],
)
def test_impossible_definitions_are_refused(changes: dict[str, object], message: str) -> None:
    fields = {"operations": (SKIP,), "num_nodes": 2, "output": "all nodes", "widths": (16,), "depths": (4,)}
    with pytest.raises(PluginError) as raised:
        CellSpaceDefinition(**(fields | changes))
    assert message in str(raised.value)
