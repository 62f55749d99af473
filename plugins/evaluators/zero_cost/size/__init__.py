"""Baselines that look at no image: counts and norms of the untrained network, and chance."""

from __future__ import annotations

from .....core.capabilities import Images, Network
from .....core.descriptions import EvaluatorInfo
from .....core.domain import Direction
from ....references import references
from ...network_settings import NetworkSettings

EVALUATORS: tuple[EvaluatorInfo, ...] = (
    EvaluatorInfo(
        name="params",
        summary="Number of parameters.",
        source="size baseline, by definition",
        factory=f"{__name__}.params:Params",
        direction=Direction.MAXIMIZE,
        formula="number of scalars of the parameters in use",
        unit="parameters",
        needs=frozenset({Network}),
        settings=NetworkSettings,
        compared_by_default=True,
    ),
    EvaluatorInfo(
        name="flops",
        summary="Multiply-adds of all convolutions and linear layers for one image.",
        source="size baseline, by definition",
        factory=f"{__name__}.flops:Flops",
        direction=Direction.MAXIMIZE,
        formula="sum over executed convolutions and linear layers of (outputs x fan-in)",
        unit="multiply-adds",
        needs=frozenset({Network, Images}),
        settings=NetworkSettings,
        compared_by_default=True,
    ),
    EvaluatorInfo(
        name="l2_norm",
        summary="Sum of the norms of the initial weights.",
        source="Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021, code",
        references=references("abdelfattah2021zerocost"),
        factory=f"{__name__}.l2_norm:L2Norm",
        direction=Direction.MAXIMIZE,
        formula="sum over weight tensors of ||theta_l||_2",
        needs=frozenset({Network}),
        settings=NetworkSettings,
    ),
    EvaluatorInfo(
        name="random",
        summary="A random number: the control that every proxy has to beat.",
        source="control, by definition",
        factory=f"{__name__}.random_score:RandomScore",
        direction=Direction.MAXIMIZE,
        formula="uniform on [0, 1)",
        needs=frozenset(),
        compared_by_default=True,
    ),
)
