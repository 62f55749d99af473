"""Networks of the NDS cells: parameters as published, shapes of features, forms for CIFAR and ImageNet."""

import dataclasses
import gzip
import json
from pathlib import Path

import pytest
import torch
from nasbench_toolkit.core.descriptions import DatasetInfo
from nasbench_toolkit.core.errors import UnsupportedSearchSpaceError
from nasbench_toolkit.core.plugin_manager import installed_plugins
from nasbench_toolkit.plugins.search_spaces.nds.cell_network import CellNetwork
from nasbench_toolkit.plugins.search_spaces.nds.definition import CellSpaceDefinition, Form
from nasbench_toolkit.plugins.search_spaces.nds.notation import parse_architecture
from nasbench_toolkit.plugins.search_spaces.nds.operation_modules import make_operation
from nasbench_toolkit.plugins.search_spaces.nds.spaces import AMOEBA, DARTS, ENAS, NASNET, PNAS

DATA = Path(__file__).parents[3] / "../shared/data/nds"

DARTS_V2 = (
    "w36d20/normal=sep3~0+sep3~1,sep3~0+sep3~1,sep3~1+skip~0,skip~0+dil3~2"
    "/reduce=max3~0+max3~1,skip~2+max3~1,max3~0+skip~2,skip~2+max3~1"
)
AMOEBA_RECORD = (
    "w32d12/normal=avg3~0+conv7x1~1,sep3~2+sep5~0,dilsep3~2+dilsep3~2,skip~4+dilsep3~4,conv7x1~2+sep3~4"
    "/reduce=avg3~0+dilsep3~1,sep3~0+sep3~0,skip~2+sep7~0,conv7x1~4+skip~4,conv7x1~0+conv7x1~5"
)
RELEASED = [
    ("Amoeba_in", AMOEBA), ("DARTS_in", DARTS), ("DARTS_fix-w-d_in", DARTS), ("DARTS_lr-wd_in", DARTS),
    ("ENAS_in", ENAS), ("NASNet_in", NASNET), ("PNAS_in", PNAS),
]  # fmt: skip


def build(text: str, definition: CellSpaceDefinition, form: Form = "cifar", **options: object) -> CellNetwork:
    architecture = parse_architecture(text, definition)
    return CellNetwork(architecture, definition, **{"input_channels": 3, "num_classes": 10, "form": form} | options)


def image_set(side: int) -> DatasetInfo:
    return dataclasses.replace(installed_plugins().dataset("photos").info, input_shape=(3, side, side))


def parameters(network: torch.nn.Module) -> int:
    return sum(parameter.numel() for parameter in network.parameters())


def resized(text: str, size: str) -> str:
    return f"{size}/{text.split('/', 1)[1]}"


@pytest.mark.parametrize(
    ("text", "definition", "expected"), [(AMOEBA_RECORD, AMOEBA, 4_190_314), (DARTS_V2, DARTS, 3_349_342)]
)
def test_parameters_are_those_published(text: str, definition: CellSpaceDefinition, expected: int) -> None:
    with torch.device("meta"):
        assert parameters(build(text, definition)) == expected


@pytest.mark.parametrize(("name", "definition"), RELEASED)
def test_parameters_are_those_of_the_released_records(name: str, definition: CellSpaceDefinition) -> None:
    if not DATA.is_dir():
        pytest.skip("reads nds in ../shared/data")
    records = json.loads(gzip.decompress((DATA / f"{name}.json.gz").read_bytes()))
    for record in records[:: len(records) // 4]:
        with torch.device("meta"):
            network = build(json.dumps(record["net"]), definition, "imagenet", num_classes=1000)
        assert parameters(network) == record["params"]


def test_stages_are_the_cells_before_the_reductions_and_the_last() -> None:
    network = build(resized(DARTS_V2, "w4d7"), DARTS)
    images = torch.randn(2, 3, 32, 32)
    # Reductions are the cells 2 and 4; the stem counts as the first block.
    shapes = [tuple(features.shape[1:]) for features in network.eval().forward_blocks(images)]
    assert shapes == [
        (12, 32, 32), (16, 32, 32), (16, 32, 32), (32, 16, 16), (32, 16, 16), (64, 8, 8), (64, 8, 8), (64, 8, 8),
    ]  # fmt: skip
    blocks, stages = network.forward_blocks(images), network.forward_stages(images)
    assert all(torch.equal(blocks[index], stage) for index, stage in zip((2, 4, 7), stages, strict=True))
    assert torch.equal(network(images), network.classifier(stages[-1].mean(dim=(2, 3))))


@pytest.mark.parametrize("depth", [3, 4, 5, 8, 20])
@pytest.mark.parametrize("side", [32, 17])
def test_stages_halve_the_resolution(depth: int, side: int) -> None:
    stages = build(resized(DARTS_V2, f"w2d{depth}"), DARTS).eval().forward_stages(torch.zeros(1, 3, side, side))
    half = (side + 1) // 2
    assert [stage.shape[2] for stage in stages] == [side, half, (half + 1) // 2]
    assert [stage.shape[1] for stage in stages] == [8, 16, 32]


@pytest.mark.parametrize(
    ("variant", "width", "depth"), [("benchmark", 36, 20), ("narrow", 4, 3), ("reduced", 8, 20)]
)  # fmt: skip
def test_variants_have_their_width_and_depth(variant: str, width: int, depth: int) -> None:
    # A quarter of 36 is 9: the width is even.
    space = installed_plugins().search_space("nds-darts").info.create()
    with torch.device("meta"):
        network = space.build_network(space.canonicalize(DARTS_V2), image_set(32), variant)
    assert (network.stem.out_channels, len(network.cells)) == (3 * width, depth)


def test_forms_for_imagenet() -> None:
    images = torch.zeros(1, 3, 64, 64)
    strided = build(resized(DARTS_V2, "w4d3"), DARTS, "imagenet").eval()
    assert [tuple(features.shape[1:]) for features in strided.forward_blocks(images)] == [
        (4, 8, 8), (16, 8, 8), (32, 4, 4), (64, 2, 2),
    ]  # fmt: skip
    unstrided = build(resized(DARTS_V2, "w4d3"), DARTS, "imagenet-unstrided").eval()
    assert [stage.shape[2] for stage in unstrided.forward_stages(images)] == [64, 32, 16]
    # What replaces the factorised reduction in front of the first cell has as many parameters.
    assert parameters(strided) == parameters(unstrided)


def test_auxiliary_heads() -> None:
    network = build(resized(DARTS_V2, "w4d4"), DARTS, auxiliary=True)
    logits, auxiliary = network(torch.zeros(2, 3, 32, 32))
    assert logits.shape == auxiliary.shape == (2, 10)
    assert network.eval()(torch.zeros(2, 3, 32, 32)).shape == (2, 10)
    # DARTS's head for CIFAR: two convolutions without bias, two batch normalisations, a linear layer.
    assert parameters(network.auxiliary) == 64 * 128 + 2 * 128 + 128 * 768 * 4 + 2 * 768 + 768 * 10 + 10
    imagenet = build(resized(DARTS_V2, "w4d4"), DARTS, "imagenet", auxiliary=True)
    _, auxiliary = imagenet(torch.zeros(2, 3, 224, 224))
    assert auxiliary.shape == (2, 10)
    assert parameters(imagenet.auxiliary) == parameters(network.auxiliary) - 2 * 768


def test_auxiliary_head_leaves_all_else_as_it_is() -> None:
    space, photos = installed_plugins().search_space("nds-darts").info.create(), image_set(32)
    arch_id = space.canonicalize(resized(DARTS_V2, "w4d4"))
    networks = []
    for build_network in (space.build_network, space.build_with_auxiliary_head):
        torch.manual_seed(0)
        networks.append(build_network(arch_id, photos).eval())
    images = torch.randn(2, 3, 32, 32)
    assert torch.equal(*(network(images) for network in networks))


@pytest.mark.parametrize(
    ("name", "variant", "least", "greatest"),
    [
        ("nds-darts", "benchmark", 29, 40),
        ("nds-darts", "imagenet", 193, 256),
        ("darts-imagenet-mobile", "gennas-small", 25, 32),
    ],
)
def test_auxiliary_head_takes_some_sizes_of_images(name: str, variant: str, least: int, greatest: int) -> None:
    space = installed_plugins().search_space(name).info.create()
    for side in (least, greatest):
        with torch.device("meta"):
            network = space.build_with_auxiliary_head(space.example(), image_set(side), variant)
            logits, auxiliary = network(torch.zeros(2, 3, side, side))
        assert logits.shape == auxiliary.shape == (2, 10)
    for side in (least - 1, greatest + 1):
        with pytest.raises(UnsupportedSearchSpaceError, match=f"images of {least} to {greatest} pixels, not {side} x"):
            space.build_with_auxiliary_head(space.example(), image_set(side), variant)


def test_spaces_without_auxiliary_head_say_so() -> None:
    for name, variant in (("nds-resnet", "benchmark"), ("nds-darts", "te-nas")):
        space = installed_plugins().search_space(name).info.create()
        with pytest.raises(UnsupportedSearchSpaceError, match=name):
            space.build_with_auxiliary_head(space.example(), image_set(32), variant)


def test_none_lets_nothing_pass_and_keeps_the_graph() -> None:
    cell = ",".join(["none~0+none~1"] * 4)
    network = build(f"w4d3/normal={cell}/reduce={cell}", DARTS)
    images = torch.randn(2, 3, 32, 32, requires_grad=True)
    network(images).sum().backward()
    assert torch.equal(images.grad, torch.zeros_like(images))
    assert torch.equal(network.forward_stages(images)[-1], torch.zeros(2, 64, 8, 8))


@pytest.mark.parametrize("name", ["nds-nasnet", "nds-amoeba", "nds-enas", "nds-pnas", "nds-darts"])
def test_every_operation_keeps_channels_and_halves_at_stride_two(name: str) -> None:
    definition = installed_plugins().search_space(name).info.create().definition
    for operation in definition.operations:
        for stride, side in ((1, 9), (2, 5)):
            module = make_operation(operation, 4, stride)
            assert module(torch.randn(2, 4, 9, 9)).shape == (2, 4, side, side)
