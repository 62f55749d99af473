"""Proxies made of the gradients of an untrained network with respect to its weights.

Where an input has several labels, as a piece of text has the token that follows each of its own, the cross-entropy is
the mean over all of them.
"""

from __future__ import annotations

from .....core.capabilities import Images, Inputs, Labels, Network
from .....core.descriptions import EvaluatorInfo
from .....core.domain import Direction
from ....references import references
from ...network_settings import NetworkSettings
from ..settings import BatchSettings, FisherSettings, ZicoSettings

EVALUATORS: tuple[EvaluatorInfo, ...] = (
    EvaluatorInfo(
        name="synflow",
        summary="Logarithm of the synaptic flow through all weights, without data.",
        source="Tanaka et al., NeurIPS 2020; as an architecture score Abdelfattah et al., ICLR 2021",
        references=references("tanaka2020synflow", "abdelfattah2021zerocost"),
        factory=f"{__name__}.synflow:Synflow",
        direction=Direction.MAXIMIZE,
        formula="log sum |theta dR/dtheta|, R = sum of logits of an input of ones through absolute weights",
        needs=frozenset({Network, Inputs}),
        settings=NetworkSettings,
        compared_by_default=True,
    ),
    EvaluatorInfo(
        name="grad_norm",
        summary="Sum of the norms of the weights' gradients.",
        source="Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021",
        references=references("abdelfattah2021zerocost"),
        factory=f"{__name__}.grad_norm:GradNorm",
        direction=Direction.MAXIMIZE,
        formula="sum over weight tensors of ||g_l||_2, g = gradient of the mean cross-entropy of one batch",
        needs=frozenset({Network, Inputs, Labels}),
        settings=BatchSettings,
    ),
    EvaluatorInfo(
        name="snip",
        summary="Sensitivity of the loss to the removal of single weights.",
        source="Lee et al., ICLR 2019; as an architecture score Abdelfattah et al., ICLR 2021",
        references=references("lee2019snip", "abdelfattah2021zerocost"),
        factory=f"{__name__}.snip:Snip",
        direction=Direction.MAXIMIZE,
        formula="sum |theta g|, g = gradient of the mean cross-entropy of one batch",
        needs=frozenset({Network, Inputs, Labels}),
        settings=BatchSettings,
    ),
    EvaluatorInfo(
        name="plain",
        summary="Signed sum of weight times gradient, a control.",
        source="Mozer & Smolensky, NIPS 1988; as an architecture score Abdelfattah et al., ICLR 2021, code",
        references=references("mozer1988skeletonization", "abdelfattah2021zerocost"),
        factory=f"{__name__}.plain:Plain",
        direction=Direction.MAXIMIZE,
        formula="sum theta g, g = gradient of the mean cross-entropy of one batch",
        needs=frozenset({Network, Inputs, Labels}),
        settings=BatchSettings,
    ),
    EvaluatorInfo(
        name="grasp",
        summary="Effect of the removal of weights on the gradient flow.",
        source="Wang et al., ICLR 2020; as an architecture score Abdelfattah et al., ICLR 2021",
        references=references("wang2020grasp", "abdelfattah2021zerocost"),
        factory=f"{__name__}.grasp:Grasp",
        direction=Direction.MAXIMIZE,
        formula="-theta^T H g, g and H = gradient and Hessian of the mean cross-entropy of one batch",
        needs=frozenset({Network, Inputs, Labels}),
        settings=BatchSettings,
    ),
    EvaluatorInfo(
        name="fisher",
        summary="Effect of the removal of channels on the loss.",
        source="Theis et al., 2018; Turner et al., ICLR 2020; as an architecture score Abdelfattah et al., ICLR 2021",
        references=references("theis2018fisher", "turner2020blockswap", "abdelfattah2021zerocost"),
        factory=f"{__name__}.fisher:Fisher",
        direction=Direction.MAXIMIZE,
        formula="sum over channels of w_c / 2 x mean over images of (sum over places of a dL/da)^2",
        needs=frozenset({Network, Images, Labels}),
        settings=FisherSettings,
    ),
    EvaluatorInfo(
        name="zico",
        summary="Inverse coefficient of variation of gradients between batches.",
        source="Li et al., ZiCo, ICLR 2023",
        references=references("li2023zico"),
        factory=f"{__name__}.zico:Zico",
        direction=Direction.MAXIMIZE,
        formula="sum over weight tensors of log sum over entries of mean|g| / sd(g) over batches",
        needs=frozenset({Network, Inputs, Labels}),
        settings=ZicoSettings,
    ),
)
