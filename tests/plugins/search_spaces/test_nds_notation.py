import json

import pytest
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.plugins.search_spaces.nds.notation import format_architecture, parse_architecture
from nasbench_toolkit.plugins.search_spaces.nds.spaces import AMOEBA, DARTS, PNAS

# Liu, Simonyan, Yang, DARTS, ICLR 2019, figures 4 and 5, as their code spells it (DARTS_V2).
DARTS_V2_NET = {
    "aux": False,
    "depth": 20,
    "drop_prob": 0.0,
    "genotype": {
        "normal": [
            ["sep_conv_3x3", 0], ["sep_conv_3x3", 1], ["sep_conv_3x3", 0], ["sep_conv_3x3", 1],
            ["sep_conv_3x3", 1], ["skip_connect", 0], ["skip_connect", 0], ["dil_conv_3x3", 2],
        ],
        "normal_concat": [2, 3, 4, 5],
        "reduce": [
            ["max_pool_3x3", 0], ["max_pool_3x3", 1], ["skip_connect", 2], ["max_pool_3x3", 1],
            ["max_pool_3x3", 0], ["skip_connect", 2], ["skip_connect", 2], ["max_pool_3x3", 1],
        ],
        "reduce_concat": [2, 3, 4, 5],
    },
    "width": 36,
}  # fmt: skip
DARTS_V2 = (
    "w36d20/normal=sep3~0+sep3~1,sep3~0+sep3~1,sep3~1+skip~0,skip~0+dil3~2"
    "/reduce=max3~0+max3~1,skip~2+max3~1,max3~0+skip~2,skip~2+max3~1"
)
CELL = "skip~0+skip~1,skip~0+skip~1,skip~0+skip~1,skip~0+skip~1"
SPACE = installed_plugins().search_space("nds-darts").info.create()


def with_genotype(**changes: object) -> str:
    return json.dumps({**DARTS_V2_NET, "genotype": {**DARTS_V2_NET["genotype"], **changes}})


def test_text_and_record_are_one_architecture() -> None:
    architecture = parse_architecture(DARTS_V2, DARTS)
    assert architecture == parse_architecture(json.dumps(DARTS_V2_NET), DARTS)
    assert format_architecture(architecture, DARTS) == DARTS_V2
    assert (architecture.width, architecture.depth) == (36, 20)
    assert architecture.normal[3] == ((0, "skip"), (2, "dil3"))


def test_long_names_and_spaces_are_read() -> None:
    spelled = (
        DARTS_V2.replace("sep3", "sep_conv_3x3").replace("skip", "skip_connect").replace(",", "  , ").replace("~", " ~")
    )
    assert format_architecture(parse_architecture(spelled, DARTS), DARTS) == DARTS_V2


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "'' is no architecture of this space: expected 'w16d8/normal="),
        ("w16d8", "=OPERATION~SOURCE+OPERATION~SOURCE,.../reduce=...'"),
        (f"w1 6d8/normal={CELL}/reduce={CELL}", "is no architecture of this space"),
        (DARTS_V2.replace("skip", "s kip", 1), "has the unknown operation 's kip'"),
        (" " * 1_000_000, "'    "),
        ("resnet", "'resnet' is no architecture of this space"),
        (f"w16d8/normal={CELL}", "is no architecture of this space"),
        (f"w15d8/normal={CELL}/reduce={CELL}", "the width is 15, expected an even number from 2 to 1024"),
        (f"w16d2/normal={CELL}/reduce={CELL}", "the depth is 2, expected 3 to 100 cells"),
        (f"w16d999999999/normal={CELL}/reduce={CELL}", "the depth is 999999999, expected 3 to 100 cells"),
        (f"w16d8/normal={CELL},skip~0+skip~1/reduce={CELL}", "the normal cell has 5 nodes, expected 4"),
        (f"w16d8/normal={CELL}/reduce=", "the reduction cell has 0 nodes, expected 4"),
        (f"w16d8/normal={CELL}/reduce={CELL}".replace("reduce=skip~0+skip~1", "reduce=skip~0"),
         "node 2 of the reduction cell is 'skip~0', expected the sum of two edges"),
        (DARTS_V2.replace("dil3~2", "dil3"), "node 5 of the normal cell has the edge 'dil3' without a source"),
        (DARTS_V2.replace("dil3~2", "dil3~-1"), "node 5 of the normal cell has the edge 'dil3~-1' without a source"),
        (DARTS_V2.replace("dil3~2", "dil3~٢"), "has the edge 'dil3~٢' without a source"),
        (DARTS_V2.replace("dil3~2", "dil3~5"),
         "node 5 of the normal cell works on 5, expected an input or earlier node, 0 to 4"),
        (DARTS_V2.replace("dil3~2", "sep7~2"),
         "node 5 of the normal cell has the unknown operation 'sep7'. Did you mean 'sep5' or 'sep3' or 'skip'? "
         "This space has none, max3, avg3, skip, sep3, sep5, dil3, dil5"),
        (DARTS_V2.replace("dil3~2", "dil_conv_3x4~2"), "Did you mean 'dil_conv_3x3'"),
    ],
)  # fmt: skip
def test_bad_texts_are_refused_with_the_place(text: str, message: str) -> None:
    with pytest.raises(InvalidArchitectureError) as raised:
        SPACE.canonicalize(text)
    assert message in str(raised.value)
    assert str(raised.value).startswith("Architecture of 'nds-darts': ")


@pytest.mark.parametrize(
    ("net", "message"),
    [
        ("{", "is not JSON"),
        ("{}", "'net' has no 'genotype'"),
        ('{"block_type": "res_basic_block", "ds": [1]}', "no record of a cell network. It has block_type, ds."),
        (json.dumps({**DARTS_V2_NET, "width": "36"}), "'net.width' is '36', expected a whole number"),
        (json.dumps({**DARTS_V2_NET, "depth": None}), "'net.depth' is None, expected a whole number"),
        (with_genotype(normal=[]), "the normal cell has 0 nodes, expected 4"),
        (with_genotype(normal=[["skip_connect", 0]]), "'net.genotype.normal' has 1 operations, expected two for each"),
        (with_genotype(normal=None), "'net.genotype.normal' is None, expected pairs of operation and source"),
        (with_genotype(normal=[["skip_connect", 0], ["skip_connect"]] * 4),
         "'net.genotype.normal[1]' is ['skip_connect'], expected a pair of operation and source"),
        (with_genotype(reduce=[["skip_connect", 2]] * 8), "node 2 of the reduction cell works on 2"),
        (with_genotype(reduce=[["skip_connect", -1]] * 8), "node 2 of the reduction cell works on -1"),
        (with_genotype(reduce=[["sep_conv_7x7", 0]] * 8), "unknown operation 'sep_conv_7x7'"),
        (with_genotype(reduce_concat=None), "'net.genotype.reduce_concat' is None, expected indices of nodes"),
        (with_genotype(reduce_concat=[2, 3]),
         "'net.genotype.reduce_concat' is [2, 3], expected [2, 3, 4, 5]: cells of this space concatenate all their "
         "nodes"),
        ("[" * 100_000, "is no architecture of this space"),
        ('{"a":' * 100_000, "is not JSON"),
    ],
)  # fmt: skip
def test_bad_records_are_refused_with_the_field(net: str, message: str) -> None:
    with pytest.raises(InvalidArchitectureError) as raised:
        parse_architecture(net, DARTS)
    assert message in str(raised.value)


def test_cells_of_other_spaces_are_refused() -> None:
    for definition in (AMOEBA, PNAS):
        with pytest.raises(InvalidArchitectureError, match="the normal cell has 4 nodes, expected 5"):
            parse_architecture(DARTS_V2, definition)
