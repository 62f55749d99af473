"""Descriptions of the cell spaces of NDS, in a module that is quick to import."""

from __future__ import annotations

from ....core.capabilities import BlockNetwork, GroundTruthTable, Images, Network, StagedNetwork
from ....core.descriptions import DataSourceInfo, OfficialFile, SearchSpaceInfo
from ...references import references
from .anynet.infos import ANYNET_SPACES
from .image_sets import IMAGENET_IMAGES
from .space import IDENTITY, NETWORK_VARIANTS

_PAPER = "Radosavovic et al., On Network Design Spaces for Visual Recognition (NDS), ICCV 2019"

# The benchmark's own data set, and the images that need no download.
_DATASETS = ("cifar10", "cifar100", "imagenet16-120", "photos")


def _describe(name: str, factory: str, summary: str, cells: str) -> SearchSpaceInfo:
    return SearchSpaceInfo(
        name=name,
        summary=summary,
        source=f"{_PAPER}; cells of {cells}",
        references=references("radosavovic2019nds"),
        factory=f"{__package__}.spaces:{factory}",
        datasets=_DATASETS,
        takes=frozenset({Images}),
        requires=name,
        identity=IDENTITY,
        provides=frozenset({Network, StagedNetwork, BlockNetwork, GroundTruthTable}),
        network_variants=NETWORK_VARIANTS,
    )


_DARTS = "Liu, Simonyan, Yang, DARTS, ICLR 2019"
_AMOEBA = "Real et al., Regularized Evolution for Image Classifier Architecture Search, AAAI 2019"
_ENAS = "Pham et al., ENAS, ICML 2018"
_NASNET = "Zoph et al., NASNet, CVPR 2018"
_PNAS = "Liu et al., Progressive Neural Architecture Search, ECCV 2018"

CELL_SPACES = (
    _describe(
        "nds-darts",
        "NdsDarts",
        "DARTS cells of NDS: 4 nodes and 8 operations, width 16 to 32, depth 4 to 20.",
        _DARTS,
    ),
    _describe(
        "nds-darts-f",
        "NdsDartsFixed",
        "DARTS cells of NDS at fixed width and depth.",
        _DARTS,
    ),
    _describe(
        "nds-amoeba",
        "NdsAmoeba",
        "AmoebaNet cells of NDS: 5 nodes and 8 operations, width 16 to 32, depth 4 to 20.",
        _AMOEBA,
    ),
    _describe(
        "nds-enas",
        "NdsEnas",
        "ENAS cells of NDS: 5 nodes and 5 operations, width 16 to 32, depth 4 to 20.",
        _ENAS,
    ),
    _describe(
        "nds-enas-f",
        "NdsEnasFixed",
        "ENAS cells of NDS at fixed width and depth.",
        _ENAS,
    ),
    _describe(
        "nds-nasnet",
        "NdsNasnet",
        "NASNet cells of NDS: 5 nodes and 13 operations, width 16 to 32, depth 4 to 20.",
        _NASNET,
    ),
    _describe(
        "nds-pnas",
        "NdsPnas",
        "PNASNet cells of NDS: 5 nodes and 8 operations, width 16 to 32, depth 4 to 20.",
        _PNAS,
    ),
    _describe(
        "nds-pnas-f",
        "NdsPnasFixed",
        "PNASNet cells of NDS at fixed width and depth.",
        _PNAS,
    ),
)

NDS_SPACES = (*CELL_SPACES, *ANYNET_SPACES)

DARTS_IMAGENET_MOBILE = SearchSpaceInfo(
    name="darts-imagenet-mobile",
    summary="DARTS cells in networks for ImageNet of 14 cells, as wide as 600 M multiply-adds allow.",
    source=f"Li et al., GenNAS, NeurIPS 2021, section 4.4; cells of {_DARTS}",
    references=references("li2021gennas", "liu2019darts"),
    factory=f"{__package__}.mobile:DartsImagenetMobile",
    # What the paper searched on, and the images that need no download.
    datasets=("cifar10", "photos"),
    takes=frozenset({Images}),
    identity=f"{IDENTITY} The width follows from the cells.",
    provides=frozenset({Network, StagedNetwork, BlockNetwork}),
    network_variants={
        "benchmark": "the networks for ImageNet: two stems, which leave an eighth of the images' resolution",
        "gennas": "the same with stems that keep the resolution, as GenNAS scores networks for ImageNet",
        "gennas-small": "a smaller proxy of these, with a quarter of the width and 5 cells, to score without a GPU",
        "narrow": "the networks for CIFAR with width 4 and three cells, one of them normal, after TE-NAS",
        "reduced": "the networks for ImageNet with a quarter of the width, after EcoNAS",
        "single-cell": "one normal cell with 4 channels, no stem, after SWAP",
        "te-nas": "the single cell with batch norm and ReLU behind it, after TE-NAS",
    },
    exported_for=IMAGENET_IMAGES,
)


def _describe_source(space: SearchSpaceInfo, *names: str) -> DataSourceInfo:
    return DataSourceInfo(
        name=space.name,
        summary=f"NDS: the networks of '{space.name}' trained on CIFAR-10, and others on ImageNet.",
        source=_PAPER,
        references=references("radosavovic2019nds"),
        factory=f"{__package__}.source:NdsSource",
        content="table",
        licence="MIT",
        homepage="https://github.com/facebookresearch/nds",
        files=tuple(OfficialFile(f"{name}.json", None, None, None) for name in names),
        accepts=f"Takes {', '.join(f'{name}.json' for name in names)} of the NDS release (also gzipped), one after the "
        "other, or an interchange table (.csv, .csv.gz, .parquet).",
    )


RELEASED = {
    "nds-darts": ("DARTS", "DARTS_in", "DARTS_lr-wd", "DARTS_lr-wd_in"),
    "nds-darts-f": ("DARTS_fix-w-d", "DARTS_fix-w-d_in"),
    "nds-amoeba": ("Amoeba", "Amoeba_in"),
    "nds-enas": ("ENAS", "ENAS_in"),
    "nds-enas-f": ("ENAS_fix-w-d",),
    "nds-nasnet": ("NASNet", "NASNet_in"),
    "nds-pnas": ("PNAS", "PNAS_in"),
    "nds-pnas-f": ("PNAS_fix-w-d",),
    "nds-resnet": ("ResNet", "ResNet_reruns"),
    "nds-resnext-a": ("ResNeXt-A", "ResNeXt-A_in"),
    "nds-resnext-b": ("ResNeXt-B", "ResNeXt-B_in"),
}
NDS_SOURCES = tuple(_describe_source(space, *RELEASED[space.name]) for space in NDS_SPACES)
