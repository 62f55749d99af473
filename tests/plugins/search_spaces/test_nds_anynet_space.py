import json
import subprocess
import sys
from collections import Counter
from pathlib import Path

import numpy as np
import pytest
from nasbench_toolkit.core.data.data_home import import_data
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.plugins.datasets import PHOTOS
from nasbench_toolkit.plugins.search_spaces import other_records
from nasbench_toolkit.plugins.search_spaces.nds.anynet.infos import ANYNET_SPACES

DATA = Path(__file__).parents[3] / "../shared/data/nds"
SPACES = {info.name: info for info in ANYNET_SPACES}


@pytest.fixture(params=SPACES)
def space(request):
    return SPACES[request.param].create()


@pytest.mark.parametrize(
    ("name", "size"), [("nds-resnet", 1_259_712), ("nds-resnext-a", 11_390_625), ("nds-resnext-b", 52_734_375)]
)
def test_sizes_are_the_papers(name, size):
    assert SPACES[name].create().size == size


def test_samples_are_uniform_over_each_decision(space):
    sample = space.sample(4000, np.random.default_rng(0))
    assert len(set(sample)) == 4000
    decided = np.array([space.definition.decided(space.definition.parse(text)) for text in sample])
    for column, values in zip(decided.T, space.definition.decisions, strict=True):
        counts = Counter(column.tolist())
        assert set(counts) == set(values)
        assert max(abs(count / 4000 - 1 / len(values)) for count in counts.values()) < 0.03


def test_mutants_differ_in_about_one_decision(space):
    rng = np.random.default_rng(0)
    parent = space.definition.decided(space.definition.parse(space.example()))
    children = [space.mutate(space.example(), rng) for _ in range(3000)]
    decided = np.array([space.definition.decided(space.definition.parse(text)) for text in children])
    differing = (decided != parent).sum(axis=1)
    assert differing.min() == 1
    # 1 in all expected, and 1 more where none was chosen.
    places = len(parent)
    expected = 1 + (1 - 1 / places) ** places
    assert differing.mean() == pytest.approx(expected, rel=0.05)
    assert (decided != parent).mean(axis=0) == pytest.approx(expected / places, abs=0.03)


def test_neighbours_are_all_designs_that_differ_in_one_decision(space):
    neighbours = space.neighbours(space.example())
    parent = space.definition.decided(space.definition.parse(space.example()))
    decided = np.array([space.definition.decided(space.definition.parse(text)) for text in neighbours])
    assert ((decided != parent).sum(axis=1) == 1).all()
    assert len(set(neighbours)) == sum(len(values) - 1 for values in space.definition.decisions)


def test_choices_spell_designs():
    space = SPACES["nds-resnext-a"].create()
    choices = space.choices()
    assert choices[:4] == (
        ("d1", "d2", "d4", "d8", "d16"),
        ("w16", "w32", "w64", "w128", "w256"),
        ("r1", "r2", "r4"),
        ("g1", "g2", "g4"),
    )
    assert choices == choices[:4] * 3
    assert space.assemble([4, 2, 2, 1, 0, 3, 2, 0, 2, 0, 2, 1]) == "d16w64r4g2 d1w128r4g1 d4w16r4g2"


def test_a_design_is_described_in_words():
    assert SPACES["nds-resnet"].create().describe("d12w24 d12w24 d12w40") == (
        "74 layers, blocks x channels 12 x 24, 12 x 24, 12 x 40"
    )


@pytest.mark.parametrize(
    ("variant", "count"),
    [("benchmark", 83_002), ("gennas", 61_046), ("gennas-imagenet", 66_470), ("naswot", 62_486), ("imagenet", 138_634)],
)
def test_build_network_of_each_variant(variant, count):
    space = SPACES["nds-resnext-a"].create()
    network = space.build_network("d16w64r4g2 d1w128r4g1 d4w16r4g2", PHOTOS, variant)
    assert sum(parameter.numel() for parameter in network.parameters()) == count


@pytest.mark.parametrize("method", ["canonicalize", "neighbours", "describe", "cell_graphs"])
def test_what_is_no_design_is_refused(space, method):
    with pytest.raises(InvalidArchitectureError, match="has 1 stage, expected 3"):
        getattr(space, method)("resnet")


def test_a_picture_has_the_network_and_a_block_of_each_stage():
    graphs = SPACES["nds-resnext-a"].create().cell_graphs("d16w64r4g2 d1w128r4g1 d4w16r4g2")
    assert [node.label for node in graphs[0].nodes] == ["images", "stem", "16 × 64", "1 × 128", "4 × 16", "classifier"]
    assert [node.label for node in graphs[1].nodes[1:4]] == ["conv 1×1, 16", "conv 3×3, 16, 2 groups", "conv 1×1, 64"]
    assert len(graphs) == 4


def test_sampling_does_not_import_torch():
    code = (
        "import sys, numpy;"
        "from nasbench_toolkit.plugins.search_spaces.nds.anynet.infos import ANYNET_SPACES;"
        "space = ANYNET_SPACES[0].create(); space.sample(5, numpy.random.default_rng(0)); space.ground_truth();"
        "space.cell_graphs(space.example()); sys.exit('torch' in sys.modules)"
    )
    assert subprocess.run([sys.executable, "-c", code], check=False).returncode == 0


def test_reduced_networks_have_a_quarter_of_the_channels_where_they_can():
    space = SPACES["nds-resnext-b"].create()
    design = "d4w64r4g16 d1w256r4g16 d2w1024r1g1"
    reduced = space.network_layout(design, "reduced").stages
    assert [(stage.depth, stage.width, stage.inner, stage.groups) for stage in reduced] == [
        (4, 64, 16, 16),
        (1, 64, 16, 16),
        (2, 256, 256, 1),
    ]
    assert [(stage.depth, stage.width) for stage in space.network_layout(design, "narrow").stages] == [
        (1, 64),
        (1, 64),
        (1, 256),
    ]


NET = {
    "block_type": "res_basic_block",
    "bot_muls": [],
    "ds": [1, 12, 12, 12],
    "num_gs": [],
    "ss": [1, 1, 2, 2],
    "ws": [16, 24, 24, 40],
}


def test_the_net_of_a_record_is_an_architecture():
    space = SPACES["nds-resnet"].create()
    assert space.canonicalize(json.dumps(NET)) == "d12w24 d12w24 d12w40"
    assert space.canonicalize(space.mutate(json.dumps(NET), np.random.default_rng(0))) != "d12w24 d12w24 d12w40"
    for text, message in (
        (json.dumps(NET | {"ws": [16, 24, 24, 41]}), "Record of 'nds-resnet': 'net': stage 3 has the width 41; choose"),
        (json.dumps(NET | {"block_type": "double_plain_block"}), "'net.block_type' is 'double_plain_block'"),
        (
            json.dumps(NET | {"ws": [16, 24, 24, 1e308]}),
            "stage 3 has the width 1000000000000000010979063629440455417404; c",
        ),
        (
            json.dumps(NET | {"ds": [2, 12, 12, 12]}),
            "those of the stem, are ds 2, ws 16, ss 1, expected ds 1, ws 16, ss 1",
        ),
        (
            json.dumps(NET | {"ws": [64, 24, 24, 40]}),
            "are ds 1, ws 64, ss 1, expected ds 1, ws 16, ss 1 or ds 1, ws 64, ",
        ),
        ('{"ds": [1', "Record of 'nds-resnet': Expecting"),
        ('{"a":' * 100_000, "Record of 'nds-resnet'"),
    ):
        with pytest.raises(InvalidArchitectureError, match=message):
            space.canonicalize(text)


def test_the_net_of_a_resnext_record_is_an_architecture():
    space = SPACES["nds-resnext-a"].create()
    net = {
        "block_type": "res_bottleneck_block", "ds": [1, 16, 1, 4], "ws": [16, 64, 128, 16], "ss": [1, 1, 2, 2],
        "num_gs": [1, 2, 1, 2], "bot_muls": [0.0, 0.25, 0.5, 1],
    }  # fmt: skip
    expected = "d16w64r4g2 d1w128r2g1 d4w16r1g2"
    assert space.canonicalize(json.dumps(net)) == expected
    for_imagenet = net | {"ws": [64, 64, 128, 16], "ss": [8, 1, 2, 2], "bot_muls": [1.0, 0.25, 0.5, 1]}
    assert space.canonicalize(json.dumps(for_imagenet)) == expected
    for changes, message in (
        ({"bot_muls": [0, 0.25, 0.5, 1e-320]}, "'net.bot_muls' has .*, expected one divided by a whole number each"),
        ({"bot_muls": [0, 0.25, 0.5, 0.3]}, "'net.bot_muls' has .*, expected one divided by a whole number each"),
        ({"bot_muls": [0, 0.25, 0.5, 1e-300]}, "stage 3 has the ratio 9{15}[0-9]{25}; choose from 1, 2, 4"),
        ({"bot_muls": [0.5, 0.25, 0.5, 1]}, "ds 1, ws 16, ss 1, bot_muls 0.5, num_gs 1, expected ds 1, ws 16"),
        ({"num_gs": [4, 2, 1, 2]}, "num_gs 4, expected"),
        ({"block_type": "x" * 3000}, "'net.block_type' is 'x{59}, expected"),
    ):
        with pytest.raises(InvalidArchitectureError, match=message):
            space.canonicalize(json.dumps(net | changes))


def record(error, **changes):
    """Return a record as the release has it."""
    return {
        "params": 594_138,
        "flops": 10**8,
        "net": NET | changes,
        "optim": {"base_lr": 0.1, "max_ep": 2, "wd": 0.0005},
        "test_ep_top1": [50.0, error],
        "min_test_top1": error,
    }


def test_imported_records_are_ground_truth_sample_and_mutants(tmp_path, monkeypatch):
    path = tmp_path / "ResNet.json"
    others = ({"ds": [1, 12, 12, 1]}, {"ds": [1, 1, 2, 3], "ws": [16, 16, 16, 16]})
    path.write_text(json.dumps([record(10.0), *(record(20.0 + n, **change) for n, change in enumerate(others))]))
    import_data(installed_plugins().data_source("nds-resnet").info.create(), path, lambda *_: None)
    space = SPACES["nds-resnet"].create()
    table = space.ground_truth()
    designs = ["d12w24 d12w24 d12w40", "d12w24 d12w24 d1w40", "d1w16 d2w16 d3w16"]
    assert table.values(table.metrics[0], designs) == [90.0, 80.0, 79.0]
    assert sorted(space.sample(3, np.random.default_rng(0))) == sorted(designs)
    assert space.size == 3
    # The nearest of those drawn, here of all, but not itself.
    monkeypatch.setattr(other_records, "DRAWN_SHARE", 1.0)
    assert space.mutate("d12w24 d12w24 d1w48", np.random.default_rng(0)) == "d12w24 d12w24 d1w40"
    assert space.mutate(designs[0], np.random.default_rng(0)) == designs[1]
    assert space.mutate(designs[1], np.random.default_rng(0)) == designs[0]


@pytest.mark.parametrize(
    ("name", "file", "count"),
    [
        ("nds-resnet", "ResNet_reruns", 2),
        ("nds-resnext-a", "ResNeXt-A_in", 130),
        ("nds-resnext-b", "ResNeXt-B_in", 164),
    ],
)
def test_released_files_are_imported_whole(name, file, count):
    path = DATA / f"{file}.json.gz"
    if not path.exists():
        pytest.skip("reads ../shared/data/nds")
    manifest = import_data(installed_plugins().data_source(name).info.create(), path, lambda *_: None)
    assert manifest.items == count
    assert "records were compared with those of the networks here: all equal." in manifest.notes[0]
    assert SPACES[name].create().size == count
