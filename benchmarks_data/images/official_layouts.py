"""What the official files of CIFAR-10, CIFAR-100 and the downsampled ImageNet look like.

Sources: the description of the python and binary versions at https://www.cs.toronto.edu/~kriz/cifar.html
(Krizhevsky, 2009); Chrabaszcz et al., A Downsampled Variant of ImageNet, 2017 (the python version of CIFAR with labels
from 1 on). The digests of single files are those that torchvision and NAS-Bench-201's code check; the official pages
give digests of the archives only.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

Split = Literal["train", "test"]


@dataclass(frozen=True)
class BatchFile:
    """One official file.

    Attributes:
        name: Its name.
        split: What it holds.
        md5: Digest of the official file in hexadecimal, empty if not known.
    """

    name: str
    split: Split
    md5: str = ""


@dataclass(frozen=True)
class ImageLayout:
    """How a set of square colour images is laid out in its official files.

    Attributes:
        title: Name of the set in prose.
        side: Height and width of an image.
        num_classes: Classes that are kept; their labels are the first in the files.
        python_files: Files of the python version, pickled dictionaries.
        labels_key: Where the labels are in a pickled dictionary.
        first_label: Lowest label in the files.
        num_file_labels: Number of labels in the files.
        binary_files: Files of the binary version; empty if there is none.
        label_bytes: In the binary version, bytes in front of each image; the last one is its label.
        homepage: Where the official files are to be had.
    """

    title: str
    side: int
    num_classes: int
    python_files: tuple[BatchFile, ...]
    labels_key: str
    first_label: int
    num_file_labels: int
    binary_files: tuple[BatchFile, ...]
    label_bytes: int
    homepage: str

    @property
    def image_bytes(self) -> int:
        """Size of an image: three channels, one byte a value."""
        return 3 * self.side**2


_CIFAR_PAGE = "https://www.cs.toronto.edu/~kriz/cifar.html"

_CIFAR10_MD5 = (
    "c99cafc152244af753f735de768cd75f",
    "d4bba439e000b95fd0a9bffe97cbabec",
    "54ebc095f3ab1f0389bbae665268c751",
    "634d18415352ddfa80567beed471001a",
    "482c414d41f54cd18b22e5b47cb7c3cb",
)

_IMAGENET16_MD5 = (
    "27846dcaa50de8e21a7d1a35f30f0e91",
    "c7254a054e0e795c69120a5727050e3f",
    "4333d3df2e5ffb114b05d2ffc19b1e87",
    "1620cdf193304f4a92677b695d70d10f",
    "348b3c2fdbb3940c4e9e834affd3b18d",
    "6e765307c242a1b3d7d5ef9139b48945",
    "564926d8cbf8fc4818ba23d2faac7564",
    "f4755871f718ccb653440b9dd0ebac66",
    "bb6dd660c38c58552125b1a92f86b5d4",
    "8f03f34ac4b42271a294f91bf480f29b",
)

CIFAR10 = ImageLayout(
    title="CIFAR-10",
    side=32,
    num_classes=10,
    python_files=(
        *(BatchFile(f"data_batch_{number}", "train", md5) for number, md5 in enumerate(_CIFAR10_MD5, start=1)),
        BatchFile("test_batch", "test", "40351d587109b95175f43aff81a1287e"),
    ),
    labels_key="labels",
    first_label=0,
    num_file_labels=10,
    binary_files=(
        *(BatchFile(f"data_batch_{number}.bin", "train") for number in range(1, 6)),
        BatchFile("test_batch.bin", "test"),
    ),
    label_bytes=1,
    homepage=_CIFAR_PAGE,
)

CIFAR100 = ImageLayout(
    title="CIFAR-100",
    side=32,
    num_classes=100,
    python_files=(
        BatchFile("train", "train", "16019d7e3df5f24257cddd939b257f8d"),
        BatchFile("test", "test", "f0ef6b0ae62326f3e7ffdfab6717acfc"),
    ),
    labels_key="fine_labels",
    first_label=0,
    num_file_labels=100,
    binary_files=(BatchFile("train.bin", "train"), BatchFile("test.bin", "test")),
    label_bytes=2,
    homepage=_CIFAR_PAGE,
)

IMAGENET16_120 = ImageLayout(
    title="ImageNet16",
    side=16,
    num_classes=120,
    python_files=(
        *(BatchFile(f"train_data_batch_{number}", "train", md5) for number, md5 in enumerate(_IMAGENET16_MD5, start=1)),
        BatchFile("val_data", "test", "3410e3017fdaefba8d5073aaa65e4bd6"),
    ),
    labels_key="labels",
    first_label=1,
    num_file_labels=1000,
    binary_files=(),
    label_bytes=0,
    homepage="https://image-net.org/download-images.php",
)

LAYOUTS = {"cifar10": CIFAR10, "cifar100": CIFAR100, "imagenet16-120": IMAGENET16_120}
