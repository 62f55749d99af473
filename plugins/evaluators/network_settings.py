"""Which of a search space's networks an evaluator scores, in a module that does not import torch."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

from ...core.settings import Settings, setting

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
