"""The image sets that networks of NDS were trained on, as far as they shape networks."""

from __future__ import annotations

from typing import NoReturn

from ....core.descriptions import DatasetInfo


def _no_images() -> NoReturn:
    raise AssertionError("networks are only built for it")


CIFAR_IMAGES = DatasetInfo(
    name="cifar10",
    summary="Size of CIFAR-10's images.",
    source="Krizhevsky 2009",
    factory=_no_images,
)
IMAGENET_IMAGES = DatasetInfo(
    name="imagenet",
    summary="Size and normalisation of ImageNet's images, as networks are trained on them.",
    source="Russakovsky et al., IJCV 2015",
    factory=_no_images,
    input_shape=(3, 224, 224),
    num_classes=1000,
    mean=(0.485, 0.456, 0.406),
    std=(0.229, 0.224, 0.225),
)
