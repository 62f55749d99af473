"""Settings of the zero-cost proxies, in a module that does not import torch."""

from __future__ import annotations

from dataclasses import dataclass

from ....core.settings import Settings, setting


@dataclass(frozen=True)
class NaswotSettings(Settings):
    """Settings of ``naswot``; 128 images as in the authors' code."""

    batch_size: int = setting(128, "Number of images whose activation patterns are compared.", minimum=2)
