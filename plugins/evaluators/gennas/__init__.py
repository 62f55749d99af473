"""GenNAS: rank architectures by how well they regress synthetic signals (Li et al., NeurIPS 2021)."""

from __future__ import annotations

from ....core.descriptions import EvaluatorInfo
from ....core.domain import Direction
from .settings import (
    ComboSettings,
    GennasSettings,
    SearchDSettings,
    SearchNSettings,
    SearchRSettings,
    SingleSettings,
    TaskFileSettings,
)

_FORMULA = "sum over stages i = 1..3 of w_i * mean((head_i(features_i) - target_i)^2) after 100 steps of SGD"
_SOURCE = "Li et al.: Generic Neural Architecture Search via Regression, NeurIPS 2021, arXiv 2108.01899"


def _describe(name: str, summary: str, settings: type[GennasSettings], where: str) -> EvaluatorInfo:
    return EvaluatorInfo(
        name=name,
        summary=summary,
        source=f"{_SOURCE}, {where}",
        factory=f"{__name__}.evaluator:Gennas",
        direction=Direction.MINIMIZE,
        formula=_FORMULA,
        needs=frozenset({"network", "images", "stages"}),
        settings=settings,
    )


EVALUATORS: tuple[EvaluatorInfo, ...] = (
    _describe(
        "gennas-single",
        "Regression loss on dense random dots, last stage only.",
        SingleSettings,
        "section 4.1",
    ),
    _describe(
        "gennas-combo",
        "Regression loss on the three best signals of each stage.",
        ComboSettings,
        "section 4.1",
    ),
    _describe(
        "gennas-n",
        "Regression loss on the task searched on NAS-Bench-101 (search-N).",
        SearchNSettings,
        "section 4.3",
    ),
    _describe(
        "gennas-d",
        "Regression loss on the task searched on NDS DARTS (search-D).",
        SearchDSettings,
        "section 4.3",
    ),
    _describe(
        "gennas-r",
        "Regression loss on the task searched on NDS ResNet (search-R).",
        SearchRSettings,
        "section 4.3",
    ),
    _describe("gennas", "Regression loss on a task from the user's JSON file.", TaskFileSettings, "section 3.2"),
)
