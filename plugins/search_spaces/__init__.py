"""Built-in search spaces."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.descriptions import SearchSpaceInfo
from ...core.hookspecs import hookimpl

_NETWORK_VARIANTS = {
    "benchmark": "NAS-Bench-201's cells: batch norm affine and tracked, convolutions without bias",
    "gennas": "the GenNAS authors' cells: batch norm neither affine nor tracked, biased convolutions",
}

NASBENCH201 = SearchSpaceInfo(
    name="nasbench201",
    summary="NAS-Bench-201: 6,466 unique cells of four nodes, 16 channels, 5 cells in each of 3 stages.",
    source="Dong & Yang, NAS-Bench-201, ICLR 2020",
    factory=f"{__name__}.nasbench201.space:Nasbench201",
    datasets=("photos",),
    provides=frozenset({"network", "images", "labels", "stages"}),
    network_variants=_NETWORK_VARIANTS,
)

NASBENCH201_TINY = SearchSpaceInfo(
    name="nasbench201-tiny",
    summary="NAS-Bench-201 cells in small networks, with an embedded table of how they train on MNIST.",
    source="cells of Dong & Yang, NAS-Bench-201, ICLR 2020; the table is this project's own",
    factory=f"{__name__}.nasbench201.space:Nasbench201Tiny",
    datasets=("mnist",),
    provides=frozenset({"network", "images", "labels", "stages", "ground_truth"}),
    network_variants=_NETWORK_VARIANTS,
)


@hookimpl
def nasbench_search_spaces() -> Iterable[SearchSpaceInfo]:
    """Yield the search spaces that come with the toolkit."""
    yield NASBENCH201
    yield NASBENCH201_TINY
