"""Settings of the zero-cost proxies, in a module that does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from ....core.errors import InvalidSettingError
from ....core.settings import setting
from ..network_settings import NetworkSettings

MINIMUM_SWAP_IMAGES = 8
"""With fewer images every network has all 2^images activation patterns."""


@dataclass(frozen=True)
class BatchSettings(NetworkSettings):
    """Settings of a proxy that looks at one batch of images."""

    batch_size: int = setting(64, "Number of images in the batch.", minimum=2)


@dataclass(frozen=True)
class AzNasSettings(NetworkSettings):
    """Settings of AZ-NAS's measures."""

    batch_size: int = setting(64, "Number of Gaussian images in the batch.", minimum=2)

    def inputs_drawn(self) -> int:
        """Return 0: the images are noise."""
        return 0


@dataclass(frozen=True)
class NaswotSettings(NetworkSettings):
    """Settings of ``naswot``; 128 images as in the authors' code."""

    batch_size: int = setting(128, "Number of images whose activation patterns are compared.", minimum=2)


@dataclass(frozen=True)
class ZenSettings(NetworkSettings):
    """Settings of ``zen``; 16 images as in the authors' code."""

    batch_size: int = setting(16, "Number of Gaussian images in a batch.", minimum=1)
    repeats: int = setting(
        4, "Number of draws of weights, images and noise to average over; 32 in the paper.", minimum=1
    )
    variance: Literal["batch", "running"] = setting(
        "batch",
        "Variance of the batch-norm layers: of the batch (paper), or the running one after both passes (code).",
    )

    def inputs_drawn(self) -> int:
        """Return 0: the images are noise."""
        return 0


@dataclass(frozen=True)
class MecoSettings(NetworkSettings):
    """Settings of ``meco``; images of 64x64 pixels as in the authors' code."""

    image_size: int = setting(64, "Height and width of the Gaussian image.", minimum=2)
    repeats: int = setting(3, "Number of images to average over; the authors take one.", minimum=1)


@dataclass(frozen=True)
class FisherSettings(BatchSettings):
    """Settings of ``fisher``."""

    weighting: Literal["fanin", "channel"] = setting(
        "fanin", "Count each channel as often as it has weights (fanin), or once (channel)."
    )


@dataclass(frozen=True)
class ZicoSettings(NetworkSettings):
    """Settings of ``zico``; two batches as in the authors' code."""

    batch_size: int = setting(64, "Number of images in each batch.", minimum=2)
    batches: int = setting(2, "Number of batches whose gradients are compared.", minimum=2)

    def inputs_drawn(self) -> int:
        """Return the images of all batches, which are drawn together."""
        return self.batches * self.batch_size


@dataclass(frozen=True)
class EpeNasSettings(NetworkSettings):
    """Settings of ``epe_nas``; 256 images as in the authors' code."""

    batch_size: int = setting(256, "Number of images, some of which must share their label.", minimum=2)


@dataclass(frozen=True)
class TeNasNtkSettings(BatchSettings):
    """Settings of ``te_nas_ntk``; network and repeats as in the authors' code, which takes 72 images."""

    network: str = setting(
        "narrow", "Network to score: by default one with few channels, if the space has it.", network_variant=True
    )
    repeats: int = setting(3, "Number of draws of weights to average over.", minimum=1)


@dataclass(frozen=True)
class TeNasRegionsSettings(NetworkSettings):
    """Settings of ``te_nas_regions``; repeats and crops as in the authors' code."""

    network: str = setting(
        "te-nas", "Network to score: by default TE-NAS's single cell, if the space has it.", network_variant=True
    )
    batch_size: int = setting(256, "Number of images that the crops come from.", minimum=1)
    crops: int = setting(3000, "Number of crops whose activation patterns are counted.", minimum=2)
    side: int = setting(3, "Height and width of a crop; a network that halves it twice needs 4.", minimum=1)
    repeats: int = setting(3, "Number of draws of crops and weights to average over.", minimum=1)


@dataclass(frozen=True)
class SwapSettings(NetworkSettings):
    """Settings of ``swap``; 32 repeats as in the authors' code."""

    batch_size: int = setting(32, "Number of images; the authors take 16.", minimum=MINIMUM_SWAP_IMAGES)
    repeats: int = setting(32, "Number of draws of weights to average over.", minimum=1)
    mu: float | None = setting(None, "Preferred number of parameters in thousands; needs sigma.")
    sigma: float | None = setting(None, "Width of the preference for mu, in thousands squared.")

    def __post_init__(self) -> None:
        """Check what the limits of single fields cannot say."""
        if (self.mu is None) != (self.sigma is None):
            raise InvalidSettingError("The settings 'mu' and 'sigma' of 'swap' are given together, or neither.")
        if self.sigma is not None and self.sigma <= 0.0:
            raise InvalidSettingError(f"The setting 'sigma' of 'swap' must be above 0, got {self.sigma}.")
