"""Ten classes of 32x32 patches cut from ten photographs inside scikit-image and scikit-learn.

An offline stand-in with the shape of CIFAR-10 for evaluators that look at real images without training on
them: each photograph is one class, and nothing is downloaded. It is no classification benchmark.
"""

from __future__ import annotations

import importlib.util
from dataclasses import dataclass
from functools import cache
from pathlib import Path

import numpy as np
import numpy.typing as npt

from ...core.errors import DataError

PATCH_SIDE = 32
PATCHES_PER_PHOTO = 100
PATCH_SEED = 2021

MAX_SHRINKAGE = 8
"""A patch covers a square of 32 to 256 pixels; 256 still fits into the smallest photograph (451x300)."""

MIN_CONTRAST = 0.02
"""Least standard deviation over a patch's pixels, mean of the channels; the black rim of `retina` and empty
sky, whose patches are all alike, fall below it and are drawn again. Ours, chosen by looking at the
patches."""


@dataclass(frozen=True)
class Photo:
    """One photograph, installed with a package.

    Attributes:
        name: Name of the class.
        package: Python package that contains it.
        path: File within the package.
        licence: Licence or provenance as the package states it.
    """

    name: str
    package: str
    path: str
    licence: str


PHOTOS = (
    Photo("astronaut", "skimage", "data/astronaut.png", "public domain (NASA)"),
    Photo("cat", "skimage", "data/chelsea.png", "CC0 (Stefan van der Walt)"),
    Photo("coffee", "skimage", "data/coffee.png", "CC0 (Rachel Michetti)"),
    Photo("galaxies", "skimage", "data/hubble_deep_field.jpg", "public domain (NASA)"),
    Photo("tissue", "skimage", "data/ihc.png", "no known copyright restrictions (CMMI)"),
    Photo("retina", "skimage", "data/retina.jpg", "CC0 (Mikael Häggström)"),
    Photo("rocket", "skimage", "data/rocket.jpg", "public domain (SpaceX)"),
    Photo(
        "motorcycle",
        "skimage",
        "data/motorcycle_left.png",
        "Middlebury 2014 stereo benchmark, no licence stated",
    ),
    Photo("temple", "sklearn", "datasets/images/china.jpg", "CC BY 2.0 (danielbuechele)"),
    Photo("flower", "sklearn", "datasets/images/flower.jpg", "CC BY 2.0 (vultilion)"),
)
"""The photographs; a position in this tuple is the label."""

_DISTRIBUTIONS = {"skimage": "scikit-image", "sklearn": "scikit-learn"}


@cache
def load_photos() -> tuple[npt.NDArray[np.float32], npt.NDArray[np.int64]]:
    """Cut 100 patches from each photograph; always the same ones, in the order of ``PHOTOS``.

    A patch is a square of 32 k pixels at a random place, k uniform on 1..8, each of its 32x32 values the mean
    over k x k pixels. All sums are of whole numbers and therefore exact; five photographs are JPEG files,
    whose decoding may differ by a grey level between versions of the decoder.

    Returns:
        Images of shape (1000, 3, 32, 32) in [0, 1] and labels of shape (1000,). They are shared: do not
        change them.

    Raises:
        DataError: A package or its photograph is missing.
    """
    patches = [_cut_patches(_read_photo(photo), label) for label, photo in enumerate(PHOTOS)]
    images = np.concatenate(patches)
    labels = np.repeat(np.arange(len(PHOTOS), dtype=np.int64), PATCHES_PER_PHOTO)
    images.setflags(write=False)
    labels.setflags(write=False)
    return images, labels


def _read_photo(photo: Photo) -> npt.NDArray[np.uint8]:
    """Read a photograph of shape (height, width, 3), without importing its package."""
    distribution = _DISTRIBUTIONS[photo.package]
    spec = importlib.util.find_spec(photo.package)
    if spec is None or spec.origin is None:
        raise DataError(
            f"The photograph '{photo.name}' comes with the package {distribution}, which is not installed; "
            f"run 'pip install {distribution}'."
        )
    path = Path(spec.origin).parent / photo.path
    if not path.is_file():
        raise DataError(f"The photograph '{photo.name}' is missing: expected '{path}'. Reinstall {distribution}.")
    from PIL import Image

    with Image.open(path) as image:
        return np.asarray(image.convert("RGB"))


def _cut_patches(photo: npt.NDArray[np.uint8], label: int) -> npt.NDArray[np.float32]:
    rng = np.random.Generator(np.random.PCG64([PATCH_SEED, label]))
    patches: list[npt.NDArray[np.float32]] = []
    while len(patches) < PATCHES_PER_PHOTO:
        patch = _cut_patch(photo, rng)
        if patch.std(axis=(1, 2)).mean() >= MIN_CONTRAST:
            patches.append(patch)
    return np.stack(patches)


def _cut_patch(photo: npt.NDArray[np.uint8], rng: np.random.Generator) -> npt.NDArray[np.float32]:
    shrinkage = int(rng.integers(1, MAX_SHRINKAGE + 1))
    side = PATCH_SIDE * shrinkage
    top = int(rng.integers(photo.shape[0] - side + 1))
    left = int(rng.integers(photo.shape[1] - side + 1))
    square = photo[top : top + side, left : left + side]
    row_sums = square.reshape(PATCH_SIDE, shrinkage, side * 3).sum(axis=1, dtype=np.int32)
    sums = row_sums.reshape(PATCH_SIDE, PATCH_SIDE, shrinkage, 3).sum(axis=2)
    patch: npt.NDArray[np.float32] = (sums / (255.0 * shrinkage**2)).transpose(2, 0, 1).astype(np.float32)
    return patch
