"""Settings of the zero-cost proxies, in a module that does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ....core.settings import Settings, setting

DEFAULT_NETWORK = "benchmark"


@dataclass(frozen=True)
class NetworkSettings(Settings):
    """Which of a search space's networks to score."""

    network: str = setting(
        DEFAULT_NETWORK,
        "Network to score: the one that the benchmark trained, or another that 'nasbench spaces NAME' lists.",
        network_variant=True,
    )

    def effective(self) -> dict[str, Any]:
        """Return the values that decide a score; the benchmark's network goes without saying."""
        values = super().effective()
        if self.network == DEFAULT_NETWORK:
            del values["network"]
        return values


@dataclass(frozen=True)
class BatchSettings(NetworkSettings):
    """Settings of a proxy that looks at one batch of images."""

    batch_size: int = setting(64, "Number of images in the batch.", minimum=2)


@dataclass(frozen=True)
class NaswotSettings(NetworkSettings):
    """Settings of ``naswot``; 128 images as in the authors' code."""

    batch_size: int = setting(128, "Number of images whose activation patterns are compared.", minimum=2)
