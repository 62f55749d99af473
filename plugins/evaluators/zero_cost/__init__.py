"""Zero-cost proxies: scores of the untrained network, from at most one batch and one backward pass."""

from __future__ import annotations

from ....core.descriptions import EvaluatorInfo
from ....core.domain import Direction
from .settings import NaswotSettings, NetworkSettings

EVALUATORS: tuple[EvaluatorInfo, ...] = (
    EvaluatorInfo(
        name="params",
        summary="Number of trainable parameters.",
        source="size baseline, by definition",
        factory=f"{__name__}.params:Params",
        direction=Direction.MAXIMIZE,
        formula="number of trainable scalars",
        needs=frozenset({"network"}),
        settings=NetworkSettings,
    ),
    EvaluatorInfo(
        name="flops",
        summary="Multiply-adds of all convolutions and linear layers for one image.",
        source="size baseline, by definition",
        factory=f"{__name__}.flops:Flops",
        direction=Direction.MAXIMIZE,
        formula="sum over executed convolutions and linear layers of (outputs x fan-in)",
        needs=frozenset({"network", "images"}),
        settings=NetworkSettings,
    ),
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
    EvaluatorInfo(
        name="random",
        summary="A random number: the control that every proxy has to beat.",
        source="control, by definition",
        factory=f"{__name__}.random_score:RandomScore",
        direction=Direction.MAXIMIZE,
        formula="uniform on [0, 1)",
        needs=frozenset(),
    ),
)
