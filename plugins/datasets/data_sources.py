"""Where the image and text sets that users bring come from, and what an import takes.

Links, sizes and digests: the page of the CIFAR sets; torchtext's WikiText-2 and Penn Treebank.
"""

from __future__ import annotations

from ...core.descriptions import DataSourceInfo, OfficialFile

_PACKAGE = __name__.removesuffix(".plugins.datasets.data_sources")
_IMAGE_SOURCE = f"{_PACKAGE}.benchmarks_data.images.source:ImageSource"
_TEXT_SOURCE = f"{_PACKAGE}.benchmarks_data.text.source:TokenSource"
_CIFAR_URL = "https://www.cs.toronto.edu/~kriz"

DATA_SOURCES = (
    DataSourceInfo(
        name="cifar10",
        summary="CIFAR-10, 60,000 colour images at 32x32 pixels, ten classes.",
        source="Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
        factory=_IMAGE_SOURCE,
        content="images",
        licence="none stated",
        homepage=f"{_CIFAR_URL}/cifar.html",
        files=(
            OfficialFile(
                name="cifar-10-python.tar.gz",
                url=f"{_CIFAR_URL}/cifar-10-python.tar.gz",
                size_bytes=170_498_071,
                checksum="md5:c58f30108f718f92721af3b95e74349a",
            ),
            OfficialFile(
                name="cifar-10-binary.tar.gz",
                url=f"{_CIFAR_URL}/cifar-10-binary.tar.gz",
                size_bytes=None,
                checksum="md5:c32a1d4ab5d03f1284b67883e8d87530",
            ),
        ),
        accepts="Takes the folder 'cifar-10-batches-py' or 'cifar-10-batches-bin', or the archive of one of them.",
    ),
    DataSourceInfo(
        name="cifar100",
        summary="CIFAR-100, 60,000 colour images at 32x32 pixels, a hundred classes.",
        source="Krizhevsky, Learning Multiple Layers of Features from Tiny Images, 2009",
        factory=_IMAGE_SOURCE,
        content="images",
        licence="none stated",
        homepage=f"{_CIFAR_URL}/cifar.html",
        files=(
            OfficialFile(
                name="cifar-100-python.tar.gz",
                url=f"{_CIFAR_URL}/cifar-100-python.tar.gz",
                size_bytes=169_001_437,
                checksum="md5:eb9058c3a382ffc7106e4002c42a8d85",
            ),
            OfficialFile(
                name="cifar-100-binary.tar.gz",
                url=f"{_CIFAR_URL}/cifar-100-binary.tar.gz",
                size_bytes=None,
                checksum="md5:03b5dce01913d631647c71ecec9e9cb8",
            ),
        ),
        accepts="Takes the folder 'cifar-100-python' or 'cifar-100-binary', or the archive of one of them.",
    ),
    DataSourceInfo(
        name="imagenet16-120",
        summary="ImageNet at 16x16 pixels, its first 120 classes: 151,700 training and 6,000 validation images.",
        source="Chrabaszcz et al., A Downsampled Variant of ImageNet as an Alternative to the CIFAR datasets, 2017",
        factory=_IMAGE_SOURCE,
        content="images",
        licence="ImageNet's terms of access: non-commercial research and education",
        homepage="https://image-net.org/download-images.php",
        files=(
            OfficialFile(name="Imagenet16_train.zip", url=None, size_bytes=None, checksum=None),
            OfficialFile(name="Imagenet16_val.zip", url=None, size_bytes=None, checksum=None),
        ),
        accepts=(
            "Takes a folder with the unzipped files train_data_batch_1 to train_data_batch_10 and val_data of the "
            "16x16 images, to be had there after registration."
        ),
    ),
    DataSourceInfo(
        name="wikitext-2",
        summary="WikiText-2, two million words of Wikipedia for language modelling.",
        source="Merity et al., Pointer Sentinel Mixture Models, 2016",
        factory=_TEXT_SOURCE,
        content="text",
        licence="CC BY-SA 3.0",
        homepage="https://wikitext.smerity.com",
        files=(
            OfficialFile(
                name="wikitext-2-v1.zip",
                url="https://wikitext.smerity.com/wikitext-2-v1.zip",
                size_bytes=None,
                checksum="md5:542ccefacc6c27f945fb54453812b3cd",
            ),
        ),
        accepts="Takes the folder with wiki.train.tokens, wiki.valid.tokens and wiki.test.tokens, or its archive.",
    ),
    DataSourceInfo(
        name="ptb",
        summary="The Penn Treebank's million words for language modelling, 10,000 different ones.",
        source="Marcus et al., 1993; prepared by Mikolov et al., 2010",
        factory=_TEXT_SOURCE,
        content="text",
        licence="Linguistic Data Consortium's user agreement",
        homepage="https://catalog.ldc.upenn.edu/LDC99T42",
        files=(
            OfficialFile("ptb.train.txt", None, None, "md5:f26c4b92c5fdc7b3f8c7cdcb991d8420"),
            OfficialFile("ptb.valid.txt", None, None, "md5:aa0affc06ff7c36e977d7cd49e3839bf"),
            OfficialFile("ptb.test.txt", None, None, "md5:8b80168b89c18661a38ef683c0dc3721"),
        ),
        accepts="Takes the folder with ptb.train.txt, ptb.valid.txt and ptb.test.txt, or an archive with them.",
    ),
    DataSourceInfo(
        name="own-text",
        summary="A text of your own for language modelling.",
        source="the user",
        factory=_TEXT_SOURCE,
        content="text",
        licence="the user's own",
        accepts=(
            "Takes a folder or an archive with train.txt, valid.txt and test.txt (or .tokens): UTF-8, words separated "
            "by spaces, those of the other parts all in the training part. A later import takes its place."
        ),
    ),
)
"""All of them."""
