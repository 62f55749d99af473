"""Proxies made of the gradients of an untrained network with respect to its weights."""

from __future__ import annotations

from .....core.descriptions import EvaluatorInfo
from .....core.domain import Direction
from ..settings import NetworkSettings

EVALUATORS: tuple[EvaluatorInfo, ...] = (
    EvaluatorInfo(
        name="synflow",
        summary="Logarithm of the synaptic flow through all weights, without data.",
        source="Tanaka et al., NeurIPS 2020; as an architecture score Abdelfattah et al., ICLR 2021",
        factory=f"{__name__}.synflow:Synflow",
        direction=Direction.MAXIMIZE,
        formula="log sum |theta dR/dtheta|, R = sum of logits of an all-ones image through absolute weights",
        needs=frozenset({"network", "images"}),
        settings=NetworkSettings,
    ),
)
