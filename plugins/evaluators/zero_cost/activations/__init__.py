"""Proxies made of the features and activation patterns of an untrained network."""

from __future__ import annotations

from .....core.descriptions import EvaluatorInfo
from .....core.domain import Direction
from ..settings import NaswotSettings

EVALUATORS: tuple[EvaluatorInfo, ...] = (
    EvaluatorInfo(
        name="naswot",
        summary="How differently the ReLU units respond to the images of one batch.",
        source="Mellor et al., Neural Architecture Search without Training, ICML 2021, section 3",
        factory=f"{__name__}.naswot:Naswot",
        direction=Direction.MAXIMIZE,
        formula="log |det K|, K_ij = number of ReLU units on for both or off for both of images i and j",
        needs=frozenset({"network", "images"}),
        settings=NaswotSettings,
    ),
)
