"""Built-in search spaces and their benchmark tables."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.capabilities import (
    BlockNetwork,
    GroundTruthTable,
    Images,
    LanguageNetwork,
    Network,
    SequenceNetwork,
    StagedNetwork,
    Supernets,
    Tokens,
)
from ...core.descriptions import NO_INPUTS, DataSourceInfo, SearchSpaceInfo
from ...core.hookspecs import hookimpl
from ..references import references
from .data_sources import (
    NASBENCH101_SOURCE,
    NASBENCH201_SOURCE,
    NASBENCH_NLP_EMBEDDING_SOURCE,
    NASBENCH_NLP_SOURCE,
)
from .nds.descriptions import DARTS_IMAGENET_MOBILE, NDS_SOURCES, NDS_SPACES

# The benchmarks' own data sets, and the images that need no download.
_CIFAR_LIKE = ("cifar10", "cifar100", "imagenet16-120", "photos")

_NETWORK_VARIANTS = {
    "benchmark": "NAS-Bench-201's cells: batch norm affine and tracked, convolutions without bias",
    "gennas": "the GenNAS authors' cells: batch norm neither affine nor tracked, biased convolutions",
    "narrow": "the benchmark's cells with 3 channels behind the stem and one cell a stage, as TE-NAS takes them",
    "reduced": "the benchmark's cells with a quarter of the channels, as EcoNAS takes them",
    "single-cell": "one cell with as many channels as the images have, no stem, as SWAP takes it",
    "te-nas": "the single cell with batch norm and ReLU behind it, in which TE-NAS counts regions",
}

_NASBENCH201_IDENTITY = (
    "Cells are one if their networks are, without parts that get zeros alone or never reach the output, in any order "
    "of nodes: 5,260 of 15,625. NAS-Bench-201's own rule, which counts 6,466, can be asked for."
)

_NASBENCH201_ALSO_READ = (
    "A cell's number in NAS-Bench-201 and NATS-Bench, 0 to 15624, and NASLib's six indices, such as (4, 0, 3, 1, 4, 3)."
)

_NASBENCH201_PROVIDES = frozenset({Network, StagedNetwork, BlockNetwork, GroundTruthTable, Supernets})

NASBENCH101 = SearchSpaceInfo(
    name="nasbench101",
    summary="NAS-Bench-101: 423,624 unique cells of up to seven vertices, 3 cells in each of 3 stacks.",
    source="Ying et al., NAS-Bench-101, ICML 2019",
    references=references("ying2019nasbench101"),
    factory=f"{__name__}.nasbench101.space:Nasbench101",
    datasets=_CIFAR_LIKE,
    takes=frozenset({Images}),
    requires="nasbench101",
    identity="Isomorphic cells are one, without the vertices that lie on no path from input to output. The network is "
    "that of the spelling that the benchmark trained.",
    also_read="NASLib's numbers of a cell: the adjacency matrix row by row, then the index of each vertex's operation.",
    provides=frozenset({Network, StagedNetwork, BlockNetwork, GroundTruthTable}),
    network_variants={
        "benchmark": "the benchmark's networks: 128 channels behind the stem, batch norm with momentum 0.003",
        "gennas": "the GenNAS authors' networks: 16 channels, batch norm with momentum 0.1",
        "narrow": "the benchmark's networks with 8 channels and one cell a stage, after TE-NAS",
        "reduced": "the benchmark's networks with 32 channels, a quarter, as EcoNAS takes them",
        "single-cell": "one cell with 8 channels, no stem, after SWAP",
        "te-nas": "the single cell with batch norm and ReLU behind it, after TE-NAS",
        "stem16": "the benchmark's networks with 16 channels",
        "reference": "the benchmark's networks as the package nasbench-pytorch builds and initialises them",
    },
)

NASBENCH201 = SearchSpaceInfo(
    name="nasbench201",
    summary="NAS-Bench-201: the 5,260 networks of its cells of four nodes, 16 channels, 5 cells in each of 3 stages.",
    source="Dong & Yang, NAS-Bench-201, ICLR 2020",
    references=references("dong2020nasbench201"),
    factory=f"{__name__}.nasbench201.space:Nasbench201",
    datasets=_CIFAR_LIKE,
    takes=frozenset({Images}),
    requires="nasbench201",
    identity=_NASBENCH201_IDENTITY,
    also_read=_NASBENCH201_ALSO_READ,
    provides=_NASBENCH201_PROVIDES,
    network_variants=_NETWORK_VARIANTS,
)

NASBENCH201_TINY = SearchSpaceInfo(
    name="nasbench201-tiny",
    summary="NAS-Bench-201 cells in small networks, with an embedded table of how they train on MNIST.",
    source="cells of Dong & Yang, NAS-Bench-201, ICLR 2020; the table is this project's own",
    references=references("dong2020nasbench201"),
    factory=f"{__name__}.nasbench201.space:Nasbench201Tiny",
    datasets=("mnist",),
    identity=_NASBENCH201_IDENTITY,
    also_read=_NASBENCH201_ALSO_READ,
    provides=_NASBENCH201_PROVIDES,
    network_variants=_NETWORK_VARIANTS,
)

NASBENCH_NLP = SearchSpaceInfo(
    name="nasbench-nlp",
    summary="NAS-Bench-NLP: recurrent cells in three layers of a language model.",
    source="Klyuchnikov et al., NAS-Bench-NLP, 2020 (arXiv:2006.07116)",
    references=references("klyuchnikov2020nasbenchnlp", "merity2018awdlstm"),
    factory=f"{__name__}.nasbench_nlp.space:NasbenchNlp",
    datasets=(NO_INPUTS, "ptb", "wikitext-2", "alice", "own-text"),
    takes=frozenset({Tokens}),
    requires="nasbench-nlp",
    identity="Cells are one if they differ only in the names of nodes and states and in the order of nodes, or of "
    "inputs where it has no meaning.",
    provides=frozenset({Network, SequenceNetwork, LanguageNetwork, GroundTruthTable}),
    network_variants={
        "benchmark": "the benchmark's language model, or its layers without a text, with the dropouts of its "
        "trainings: those on WikiText-2 for this text, on Penn Treebank for others",
        "wikitext-2": "the same with the dropouts of its trainings on WikiText-2 for any text",
        "all-trained": "the same, all matrices trained: the benchmark's code cuts the gradient of those not fed by x",
    },
    version=2,
)


@hookimpl
def nasbench_search_spaces() -> Iterable[SearchSpaceInfo]:
    """Yield the search spaces that come with the toolkit."""
    yield NASBENCH101
    yield NASBENCH201
    yield NASBENCH201_TINY
    yield NASBENCH_NLP
    yield from NDS_SPACES
    yield DARTS_IMAGENET_MOBILE


@hookimpl
def nasbench_data_sources() -> Iterable[DataSourceInfo]:
    """Yield the benchmark tables that users can import."""
    yield NASBENCH101_SOURCE
    yield NASBENCH201_SOURCE
    yield NASBENCH_NLP_SOURCE
    yield NASBENCH_NLP_EMBEDDING_SOURCE
    yield from NDS_SOURCES
