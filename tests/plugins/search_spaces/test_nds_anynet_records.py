import gzip
import json
from pathlib import Path

import pytest
import torch
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.plugins.search_spaces.nds.anynet.design import RESNET, RESNEXT_A, RESNEXT_B
from nasbench_toolkit.plugins.search_spaces.nds.anynet.layout import benchmark_layout
from nasbench_toolkit.plugins.search_spaces.nds.anynet.network import AnyNet
from nasbench_toolkit.plugins.search_spaces.nds.anynet.records import design_of_record

FOLDER = Path(__file__).parents[3] / "../shared/data/nds"

NET = {
    "block_type": "res_bottleneck_block",
    "bot_muls": [0.0, 0.25, 0.25, 0.25],
    "ds": [1, 16, 1, 4],
    "num_gs": [1, 2, 1, 2],
    "ss": [1, 1, 2, 2],
    "ws": [16, 64, 128, 16],
}
BASIC = {
    "block_type": "res_basic_block",
    "bot_muls": [],
    "ds": [1, 12, 12, 12],
    "num_gs": [],
    "ss": [1, 1, 2, 2],
    "ws": [16, 24, 24, 40],
}


def test_designs_of_documented_records():
    assert design_of_record(RESNEXT_A, NET) == "d16w64r4g2 d1w128r4g1 d4w16r4g2"
    assert design_of_record(RESNET, BASIC) == "d12w24 d12w24 d12w40"


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"block_type": "double_plain_block"}, "'net.block_type' is 'double_plain_block', .* 'res_bottleneck_block'"),
        ({"block_type": None}, "'net.block_type' is None"),
        ({"ds": [1, 16, 1]}, r"'net.ds' is \[1, 16, 1\], expected a list of 4 numbers: of the stem and of 3 stages"),
        ({"ds": "1,16,1,4"}, "'net.ds' is '1,16,1,4', expected a list"),
        ({"ws": [16, 64, None, 16]}, "'net.ws' is .*, which are not all numbers"),
        ({"ws": [16, 64, True, 16]}, "'net.ws' is .*, which are not all numbers"),
        ({"ws": [16, 64, float("nan"), 16]}, "'net.ws' has .*, expected whole numbers"),
        ({"ws": [16, 64, float("inf"), 16]}, "'net.ws' has .*, expected whole numbers"),
        ({"ws": [16, 64, 2.5, 16]}, "'net.ws' has .*, expected whole numbers"),
        ({"ws": [16, 64, 2048, 16]}, "'net': stage 2 has the width 2048; choose from 16, 32"),
        ({"num_gs": [1, 2, 3, 2]}, "'net': stage 2 has the groups 3"),
        ({"bot_muls": [0.0, 0.25, 0.0, 0.25]}, "'net.bot_muls' has .*, expected one divided by a whole number each"),
        ({"bot_muls": [0.0, 0.25, 0.3, 0.25]}, "'net.bot_muls' has .*, expected one divided by a whole number each"),
        ({"bot_muls": [0.0, 0.25, float("nan"), 0.25]}, "'net.bot_muls' has"),
        ({"ss": [1, 1, 2, 1]}, r"'net.ss' ends with the strides \[1, 2, 1\], expected \[1, 2, 2\]"),
    ],
)
def test_records_of_nothing_are_refused_with_the_field(change, message):
    with pytest.raises(InvalidArchitectureError, match=message):
        design_of_record(RESNEXT_A, {**NET, **change})
    with pytest.raises(InvalidArchitectureError, match="'net"):
        design_of_record(RESNEXT_A, {name: value for name, value in NET.items() if name not in change})


@pytest.mark.parametrize(
    ("name", "definition", "num_classes"),
    [("ResNeXt-A_in", RESNEXT_A, 1000), ("ResNeXt-B_in", RESNEXT_B, 1000), ("ResNet_reruns", RESNET, 10)],
)
def test_parameters_of_genuine_records(name, definition, num_classes):
    path = FOLDER / f"{name}.json.gz"
    if not path.exists():
        pytest.skip("reads ../shared/data/nds")
    records = json.loads(gzip.decompress(path.read_bytes()))
    if isinstance(records, dict):
        records = [records["top"][0], records["mid"][0]]
    for record in records[::20]:
        stages = definition.parse(design_of_record(definition, record["net"]))
        with torch.device("meta"):
            layout = benchmark_layout(definition, stages, imagenet=num_classes == 1000)
            network = AnyNet(layout, input_channels=3, num_classes=num_classes)
        assert sum(parameter.numel() for parameter in network.parameters()) == record["params"]
