"""GenNAS and EProxy: rank architectures by how well they regress synthetic signals (Li et al., 2021 and 2022)."""

from __future__ import annotations

from ....core.descriptions import EvaluatorInfo, SearchableSetting
from ....core.domain import Direction
from .recurrent_settings import (
    RecurrentComboSettings,
    RecurrentSearchSettings,
    RecurrentSettings,
    RecurrentSingleSettings,
    RecurrentTaskFileSettings,
)
from .settings import (
    ComboSettings,
    EproxySettings,
    GennasSettings,
    SearchDSettings,
    SearchNSettings,
    SearchRSettings,
    SingleSettings,
    TaskFileSettings,
)

_FORMULA = "sum over stages i = 1..3 of w_i * mean((head_i(features_i) - target_i)^2) after 100 steps of SGD"
_SOURCE = "Li et al.: Generic Neural Architecture Search via Regression, NeurIPS 2021, arXiv 2108.01899"


def _describe(
    name: str,
    summary: str,
    settings: type[GennasSettings],
    where: str,
    searchable: SearchableSetting | None = None,
) -> EvaluatorInfo:
    return EvaluatorInfo(
        name=name,
        summary=summary,
        source=f"{_SOURCE}, {where}",
        factory=f"{__name__}.evaluator:Gennas",
        direction=Direction.MINIMIZE,
        formula=_FORMULA,
        needs=frozenset({"network", "images", "stages"}),
        settings=settings,
        searchable=searchable,
    )


def _describe_recurrent(
    name: str,
    summary: str,
    settings: type[RecurrentSettings],
    where: str,
    searchable: SearchableSetting | None = None,
) -> EvaluatorInfo:
    return EvaluatorInfo(
        name=name,
        summary=summary,
        source=f"{_SOURCE}, {where}",
        factory=f"{__name__}.recurrent:RecurrentGennas",
        direction=Direction.MINIMIZE,
        formula="mean((decoder(network(encoder(inputs))) - targets)^2) after 100 steps of Adam",
        needs=frozenset({"network", "sequences"}),
        settings=settings,
        searchable=searchable,
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
    _describe(
        "gennas",
        "Regression loss on a task from the user's JSON file.",
        TaskFileSettings,
        "section 3.2",
        SearchableSetting("task", f"{__name__}.task_space:tasks_for"),
    ),
    _describe_recurrent(
        "gennas-rnn-single",
        "Recurrent networks: regression loss from dense random dots to others.",
        RecurrentSingleSettings,
        "section 4.1 and released code",
    ),
    _describe_recurrent(
        "gennas-rnn-combo",
        "Recurrent networks: regression loss from sines to others.",
        RecurrentComboSettings,
        "section 4.1 and released code",
    ),
    _describe_recurrent(
        "gennas-rnn-search",
        "Recurrent networks: regression loss on the task searched on NAS-Bench-NLP.",
        RecurrentSearchSettings,
        "section 4.3 and released code",
    ),
    _describe_recurrent(
        "gennas-rnn",
        "Recurrent networks: regression loss on a task from the user's JSON file.",
        RecurrentTaskFileSettings,
        "section 3.2",
        SearchableSetting("task", f"{__name__}.task_space:recurrent_tasks_for"),
    ),
    EvaluatorInfo(
        name="eproxy",
        summary="Regression loss behind an untrained convolution after ten steps.",
        source="Li et al.: Extensible Proxy for Efficient NAS, 2022, arXiv 2210.09459",
        factory=f"{__name__}.eproxy:Eproxy",
        direction=Direction.MINIMIZE,
        formula="sum over branches i = 0 (last stage).. of mean((barrier_i(head_i(features_i)) - target_i)^2) / 2^i",
        needs=frozenset({"network", "images", "stages"}),
        settings=EproxySettings,
    ),
)
