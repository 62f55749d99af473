"""Proxies made of the features and activation patterns of an untrained network."""

from __future__ import annotations

from .....core.capabilities import BlockNetwork, Images, Network
from .....core.descriptions import EvaluatorInfo
from .....core.domain import Direction
from ....references import references
from ..settings import AzNasSettings, MecoSettings, NaswotSettings, SwapSettings, TeNasRegionsSettings, ZenSettings

_AZ_NAS = "Lee & Ham, AZ-NAS: Assembling Zero-Cost Proxies for Network Architecture Search, CVPR 2024, section 3.2"

EVALUATORS: tuple[EvaluatorInfo, ...] = (
    EvaluatorInfo(
        name="naswot",
        summary="How differently the ReLU units respond to the images of one batch.",
        source="Mellor et al., Neural Architecture Search without Training, ICML 2021, section 3",
        references=references("mellor2021naswot"),
        factory=f"{__name__}.naswot:Naswot",
        direction=Direction.MAXIMIZE,
        formula="log |det K|, K_ij = number of ReLU units on for both or off for both of images i and j",
        needs=frozenset({Network, Images}),
        settings=NaswotSettings,
        compared_by_default=True,
    ),
    EvaluatorInfo(
        name="zen",
        summary="How strongly the last feature map reacts to noise on Gaussian images.",
        source="Lin et al., Zen-NAS: A Zero-Shot NAS for High-Performance Image Recognition, ICCV 2021, algorithm 1",
        references=references("lin2021zen"),
        factory=f"{__name__}.zen:Zen",
        direction=Direction.MAXIMIZE,
        formula="log mean_n sum |f(x_n) - f(x_n + 0.01 e_n)| + sum over batch norms of log sqrt(mean_c var_c)",
        needs=frozenset({Network, Images}),
        settings=ZenSettings,
    ),
    EvaluatorInfo(
        name="meco",
        summary="How far the channels of the feature maps of one image are from linear dependence.",
        source="Jiang et al., MeCo: Zero-Shot NAS with One Data and Single Forward Pass, NeurIPS 2023",
        references=references("jiang2023meco"),
        factory=f"{__name__}.meco:Meco",
        direction=Direction.MAXIMIZE,
        formula="sum over feature maps of lambda_min(correlation matrix of the channels)",
        needs=frozenset({Network, Images}),
        settings=MecoSettings,
    ),
    EvaluatorInfo(
        name="az_nas_expressivity",
        summary="How evenly the channels of all blocks' outputs spread over their principal directions.",
        source=_AZ_NAS,
        references=references("lee2024aznas"),
        factory=f"{__name__}.az_nas_features:AzNasExpressivity",
        direction=Direction.MAXIMIZE,
        formula="sum_i s_i, s_i = entropy of the normalised eigenvalues of the channel covariance of block i",
        needs=frozenset({Network, Images, BlockNetwork}),
        settings=AzNasSettings,
    ),
    EvaluatorInfo(
        name="az_nas_progressivity",
        summary="The smallest gain in expressivity from one block to the next.",
        source=_AZ_NAS,
        references=references("lee2024aznas"),
        factory=f"{__name__}.az_nas_features:AzNasProgressivity",
        direction=Direction.MAXIMIZE,
        formula="min_i (s_i - s_(i-1)), s_i as in az_nas_expressivity",
        needs=frozenset({Network, Images, BlockNetwork}),
        settings=AzNasSettings,
    ),
    EvaluatorInfo(
        name="az_nas_trainability",
        summary="How well the blocks keep gradients at their scale.",
        source=_AZ_NAS,
        references=references("lee2024aznas"),
        factory=f"{__name__}.az_nas_trainability:AzNasTrainability",
        direction=Direction.MAXIMIZE,
        formula="mean_i (2 - sigma_i - 1 / (sigma_i + 1e-6)), sigma_i = sigma_max(g_in^T g_out / pixels) of block i",
        needs=frozenset({Network, Images, BlockNetwork}),
        settings=AzNasSettings,
    ),
    EvaluatorInfo(
        name="swap",
        summary="How many different activation patterns the ReLU units make over one batch.",
        source="Peng et al., SWAP-NAS: Sample-Wise Activation Patterns for Ultra-fast NAS, ICLR 2024, section 3",
        references=references("peng2024swap"),
        factory=f"{__name__}.swap:Swap",
        direction=Direction.MAXIMIZE,
        formula="number of distinct rows of [ReLU unit u is on for image n]; optionally times exp(-(P - mu)^2 / sigma)",
        needs=frozenset({Network, Images}),
        settings=SwapSettings,
    ),
    EvaluatorInfo(
        name="te_nas_regions",
        summary="In how many linear regions small image crops fall.",
        source="Chen et al., Neural Architecture Search on ImageNet in Four GPU Hours, ICLR 2021, section 3.1.2",
        references=references("chen2021tenas"),
        factory=f"{__name__}.te_nas_regions:TeNasRegions",
        direction=Direction.MAXIMIZE,
        formula="number of distinct patterns of ReLU units that are on, among the crops",
        needs=frozenset({Network, Images}),
        settings=TeNasRegionsSettings,
    ),
)
