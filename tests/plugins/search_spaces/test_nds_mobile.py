"""DARTS cells for ImageNet under the mobile limit: widths, counts, and what the networks are."""

import json
import re
from dataclasses import replace

import numpy as np
import pytest
import torch
from nasbench_toolkit.core.errors import InvalidArchitectureError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.plugins.search_spaces.nds.counts import count
from nasbench_toolkit.plugins.search_spaces.nds.image_sets import IMAGENET_IMAGES
from nasbench_toolkit.plugins.search_spaces.nds.mobile import MILLION, MOBILE

SPACE = installed_plugins().search_space("darts-imagenet-mobile").info.create()
DARTS = installed_plugins().search_space("nds-darts").info.create()

# Of Liu et al., ICLR 2019; with 48 channels and 14 cells their code counts 4.718752 M parameters.
DARTS_V2 = (
    "normal=sep3~0+sep3~1,sep3~0+sep3~1,sep3~1+skip~0,skip~0+dil3~2/"
    "reduce=max3~0+max3~1,skip~2+max3~1,max3~0+skip~2,skip~2+max3~1"
)
SEP5 = "sep5~0+sep5~1,sep5~0+sep5~1,sep5~0+sep5~1,sep5~0+sep5~1"
NONE = SEP5.replace("sep5", "none")


def width(arch_id: str) -> int:
    return int(re.search(r" (\d+) channels", SPACE.describe(arch_id))[1])


def test_darts_itself_has_the_parameters_of_its_authors() -> None:
    arch_id = DARTS.canonicalize(f"w48d14/{DARTS_V2}")
    assert count(DARTS, arch_id, IMAGENET_IMAGES, "imagenet") == (4_718_752, 529_911_552)


@pytest.mark.parametrize(
    "arch_id",
    [*SPACE.sample(6, np.random.default_rng(0)), f"normal={SEP5}/reduce={SEP5}", f"normal={NONE}/reduce={NONE}"],
)
def test_counts_are_those_of_the_network(arch_id: str) -> None:
    counted = count(SPACE, SPACE.canonicalize(arch_id), IMAGENET_IMAGES, "benchmark")
    assert MOBILE.count(SPACE._parse(arch_id)) == counted
    assert 500 * MILLION <= counted[1] <= 600 * MILLION
    assert f"{counted[0] / MILLION:.2f} M parameters, {counted[1] / MILLION:.1f} M multiply-adds" in SPACE.describe(
        arch_id
    )


def test_width_is_the_greatest_within_the_limit() -> None:
    for arch_id in SPACE.sample(200, np.random.default_rng(1)):
        architecture = SPACE._parse(arch_id)
        wider = replace(architecture, width=architecture.width + 2)
        assert 500 * MILLION <= MOBILE.count(architecture)[1] <= 600 * MILLION < MOBILE.count(wider)[1]


def test_every_genotype_has_a_width() -> None:
    # From width 22 on, one more step costs less than what the limit leaves: (24 / 22)**2 < 600 / 500.
    assert 22 <= width(f"normal={SEP5}/reduce={SEP5}") <= width(f"normal={NONE}/reduce={NONE}") < 1024


def test_genotype_without_a_width_is_named() -> None:
    narrow = replace(MOBILE, multiply_adds=(599 * MILLION, 600 * MILLION))
    cells = SPACE._parse(DARTS_V2)
    with pytest.raises(InvalidArchitectureError) as raised:
        narrow.architecture(None, cells.normal, cells.reduction)
    assert str(raised.value) == (
        f"no width gives '{DARTS_V2}' 599 to 600 M multiply-adds in 14 cells: it has 573.5 M at width 50 and "
        "618.8 M at width 52"
    )
    low = replace(MOBILE, multiply_adds=(MILLION // 4, MILLION // 2))
    with pytest.raises(
        InvalidArchitectureError, match=r"0.25 to 0.5 M multiply-adds in 14 cells: it has .* at width 2$"
    ):
        low.architecture(None, cells.normal, cells.reduction)


def test_a_size_is_read_if_it_is_that_of_the_cells() -> None:
    assert SPACE.canonicalize(f"w50d14/{DARTS_V2}") == SPACE.canonicalize(DARTS_V2)
    with pytest.raises(InvalidArchitectureError) as raised:
        SPACE.canonicalize(f"w48d14/{DARTS_V2}")
    assert str(raised.value) == (
        "Architecture of 'darts-imagenet-mobile': width and depth are 48 and 14, and these cells have 50 and 14, with "
        "573.5 M multiply-adds: leave width and depth away."
    )


def test_a_record_is_read() -> None:
    names = {"sep3": "sep_conv_3x3", "skip": "skip_connect", "dil3": "dil_conv_3x3", "max3": "max_pool_3x3"}
    normal, reduction = (
        [(names[edge[:4]], int(edge[5:])) for edge in re.split("[,+]", cell.partition("=")[2])]
        for cell in DARTS_V2.split("/")
    )
    genotype = {"normal": normal, "normal_concat": [2, 3, 4, 5], "reduce": reduction, "reduce_concat": [2, 3, 4, 5]}
    net = {"width": 50, "depth": 14, "genotype": genotype}
    assert SPACE.canonicalize(json.dumps(net)) == SPACE.canonicalize(DARTS_V2)
    with pytest.raises(InvalidArchitectureError, match="width and depth are 50 and 20, and these cells have 50 and 14"):
        SPACE.canonicalize(json.dumps(net | {"depth": 20}))


def test_a_text_of_another_form_is_told_the_form() -> None:
    with pytest.raises(
        InvalidArchitectureError, match=r"no architecture of this space: expected 'normal=OPERATION~SOURCE"
    ):
        SPACE.canonicalize("w48d14")


def test_decisions_are_those_of_the_cells() -> None:
    assert len(SPACE.choices()) == len(DARTS.choices()) - 2
    # As for nds-darts, without widths and depths.
    assert len(SPACE.neighbours(SPACE.canonicalize(DARTS_V2))) == 2 * 2 * (4 * 7 + 1 + 2 + 3 + 4)
    parent, rng = SPACE.canonicalize(DARTS_V2), np.random.default_rng(0)
    before = MOBILE.decisions(SPACE._parse(parent))
    for _ in range(50):
        after = MOBILE.decisions(SPACE._parse(SPACE.mutate(parent, rng)))
        assert sum(old != new for old, new in zip(before, after, strict=True)) == 1


def test_gennas_scores_the_network_for_imagenet_at_full_resolution() -> None:
    photos = installed_plugins().dataset("photos").info
    arch_id = SPACE.canonicalize(DARTS_V2)
    with torch.device("meta"):
        images = torch.zeros(2, 3, 32, 32)
        stages = {
            name: SPACE.build_network(arch_id, photos, name).forward_stages(images)
            for name in ("gennas", "gennas-small")
        }
    assert [tuple(stage.shape) for stage in stages["gennas"]] == [(2, 200, 32, 32), (2, 400, 16, 16), (2, 800, 8, 8)]
    assert [tuple(stage.shape) for stage in stages["gennas-small"]] == [
        (2, 48, 32, 32),
        (2, 96, 16, 16),
        (2, 192, 8, 8),
    ]


def test_picture_shows_both_cells() -> None:
    normal, reduction = SPACE.cell_graphs(SPACE.canonicalize(DARTS_V2))
    assert (normal.name, reduction.name) == ("normal cell", "reduction cell")
    assert {edge.label for edge in reduction.edges} == {"max pool 3×3", "skip", ""}
