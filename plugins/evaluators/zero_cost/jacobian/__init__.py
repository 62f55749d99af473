"""Proxies made of the gradients of an untrained network for each image of a batch."""

from __future__ import annotations

from .....core.capabilities import Images, Inputs, Labels, Network
from .....core.descriptions import EvaluatorInfo
from .....core.domain import Direction
from ....references import references
from ..settings import BatchSettings, EpeNasSettings, TeNasNtkSettings

EVALUATORS: tuple[EvaluatorInfo, ...] = (
    EvaluatorInfo(
        name="jacob_cov",
        summary="How differently the output reacts to each input of one batch.",
        source="Mellor et al., Neural Architecture Search without Training, arXiv 2006.04647v1, section 3",
        references=references("mellor2021naswot"),
        factory=f"{__name__}.jacob_cov:JacobCov",
        direction=Direction.MAXIMIZE,
        formula="- sum_i [log(lambda_i + k) + 1/(lambda_i + k)], lambda = eigenvalues of corr(d logits / d inputs)",
        needs=frozenset({Network, Inputs}),
        settings=BatchSettings,
    ),
    EvaluatorInfo(
        name="epe_nas",
        summary="How the output's reactions to images of the same class are correlated.",
        source="Lopes et al., EPE-NAS: Efficient Performance Estimation Without Training, ICANN 2021, section 3",
        references=references("lopes2021epenas"),
        factory=f"{__name__}.epe_nas:EpeNas",
        direction=Direction.MAXIMIZE,
        formula="sum_c |sum log(|corr_c| + k)|; over 100 classes mean_c sum_c' |difference of their means per image|",
        needs=frozenset({Network, Images, Labels}),
        settings=EpeNasSettings,
    ),
    EvaluatorInfo(
        name="te_nas_ntk",
        summary="Condition number of the neural tangent kernel of one batch.",
        source="Chen et al., Neural Architecture Search on ImageNet in Four GPU Hours, ICLR 2021, section 3.1.1",
        references=references("chen2021tenas"),
        factory=f"{__name__}.te_nas_ntk:TeNasNtk",
        direction=Direction.MINIMIZE,
        formula="lambda_max / lambda_min of G G^T, G_n = d (sum of the logits of image n) / d weights",
        needs=frozenset({Network, Images}),
        settings=TeNasNtkSettings,
    ),
)
