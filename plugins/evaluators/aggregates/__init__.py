"""Scores that exist only within a cohort: made of the ranks of other evaluators when a report is made."""

from __future__ import annotations

from ....core.descriptions import AggregateInfo
from ...references import references

AGGREGATES: tuple[AggregateInfo, ...] = (
    AggregateInfo(
        name="vote",
        summary="Majority of synflow, jacob_cov and snip: how many of the cohort an architecture beats.",
        source="Abdelfattah et al., Zero-Cost Proxies for Lightweight NAS, ICLR 2021 (the vote of three)",
        references=references("abdelfattah2021zerocost"),
        factory=f"{__name__}.vote:Vote",
        formula="number of other architectures that it beats in at least two of the three scores",
        components=("synflow", "jacob_cov", "snip"),
    ),
    AggregateInfo(
        name="te_nas",
        summary="Sum of the ranks of NTK condition number and number of linear regions.",
        source="Chen, Gong, Wang, Neural Architecture Search on ImageNet in Four GPU Hours (TE-NAS), ICLR 2021",
        references=references("chen2021tenas"),
        factory=f"{__name__}.rank_sums:RankSum",
        formula="rank(-condition number) + rank(linear regions)",
        components=("te_nas_ntk", "te_nas_regions"),
    ),
    AggregateInfo(
        name="az_nas",
        summary="Sum of the logarithms of the ranks of expressivity, progressivity, trainability and complexity.",
        source="Lee and Ham, AZ-NAS, CVPR 2024",
        references=references("lee2024aznas"),
        factory=f"{__name__}.rank_sums:LogRankSum",
        formula="sum over the four components of log(rank / number of architectures)",
        components=("az_nas_expressivity", "az_nas_progressivity", "az_nas_trainability", "flops"),
    ),
    AggregateInfo(
        name="rank_sum",
        summary="Sum of the ranks of evaluators of your choice, as in rank_sum:naswot+synflow.",
        source="by definition",
        factory=f"{__name__}.rank_sums:RankSum",
        formula="sum over the components of rank(score)",
        components=(),
    ),
)
