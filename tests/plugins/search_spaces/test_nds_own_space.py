"""The cell space of the documentation, made with our builder, works as it stands there."""

import re
import types
from pathlib import Path

import pytest
import torch
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.core.testing.network_identity import assert_same_network
from nasbench_toolkit.plugins.search_spaces.nds.space import CellSpace

PAGE = Path(__file__).parents[3] / "docs/nds.md"


@pytest.fixture(scope="module")
def source() -> str:
    (block,) = re.findall(r"```python\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL)
    return block


@pytest.fixture(scope="module")
def space(source: str) -> CellSpace:
    plugin = types.ModuleType("grouped")
    exec(source, vars(plugin))
    (info,) = plugin.nasbench_search_spaces()
    return info.create()


def test_it_has_less_than_forty_lines(source: str) -> None:
    assert len(source.splitlines()) < 40


def test_its_architectures_can_be_named_drawn_and_changed(space: CellSpace) -> None:
    text = "w8d4/normal=group3~0+skip~1,sep3~2+max3~1,skip~0+skip~1/reduce=skip~0+skip~1,skip~0+skip~1,sep3~2+group3~3"
    assert space.canonicalize(text.replace("group3~0", "group_conv_3x3~0")) == space.canonicalize(text)
    normal, reduction = space.cell_graphs(text)
    assert "group conv 3×3" in {edge.label for edge in normal.edges}
    assert [edge.source for edge in reduction.edges if edge.target == "output"] == ["4"]
    assert len(space.neighbours(text)) == 1 + 1 + 2 * 2 * (3 * 3 + 1 + 2 + 3)
    assert_same_network(space, text, space.canonicalize(text), "narrow")


def test_its_networks_are_built(space: CellSpace) -> None:
    text = "w8d4/normal=group3~0+skip~1,sep3~2+max3~1,skip~0+skip~1/reduce=skip~0+skip~1,skip~0+skip~1,sep3~2+group3~3"
    photos = installed_plugins().dataset("photos").info
    for variant in space.info.network_variants:
        logits = space.build_network(text, photos, variant)(torch.zeros(2, *photos.input_shape))
        assert logits.shape == (2, photos.num_classes)
    network = space.build_network(text, photos)
    assert any(module.groups == 2 for module in network.modules() if isinstance(module, torch.nn.Conv2d))
