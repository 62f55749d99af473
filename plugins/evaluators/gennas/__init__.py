"""GenNAS and EProxy: rank architectures by how well they regress synthetic signals (Li et al., 2021 and 2022)."""

from __future__ import annotations

from functools import partial

from ....core.capabilities import Images, Network, SequenceNetwork, StagedNetwork
from ....core.descriptions import EvaluatorInfo, SearchableSetting
from ....core.domain import Direction
from ...references import references
from .recurrent_settings import (
    RecurrentComboSettings,
    RecurrentSearchSettings,
    RecurrentSingleSettings,
    RecurrentTaskFileSettings,
)
from .settings import (
    ComboSettings,
    EproxySettings,
    FastSettings,
    SearchDSettings,
    SearchNSettings,
    SearchRSettings,
    SignalSettings,
    SingleSettings,
    TaskFileSettings,
)

_SOURCE = "Li et al.: Generic Neural Architecture Search via Regression, NeurIPS 2021, arXiv 2108.01899"

_LOSS = "sum over stages i = 1..3 of w_i * mean((head_i(features_i) - target_i)^2)"

_for_images = partial(
    EvaluatorInfo,
    factory=f"{__name__}.evaluator:Gennas",
    direction=Direction.MINIMIZE,
    formula=f"{_LOSS} after 100 steps of SGD",
    needs=frozenset({Network, Images, StagedNetwork}),
)

_for_sequences = partial(
    EvaluatorInfo,
    factory=f"{__name__}.recurrent:RecurrentGennas",
    direction=Direction.MINIMIZE,
    formula="mean((decoder(network(encoder(inputs))) - targets)^2) after 100 steps of Adam",
    needs=frozenset({Network, SequenceNetwork}),
)

EVALUATORS: tuple[EvaluatorInfo, ...] = (
    _for_images(
        name="gennas-single",
        summary="Regression loss on dense random dots, last stage only.",
        source=f"{_SOURCE}, section 4.1",
        references=references("li2021gennas"),
        settings=SingleSettings,
    ),
    _for_images(
        name="gennas-combo",
        summary="Regression loss on the three best signals of each stage.",
        source=f"{_SOURCE}, section 4.1",
        references=references("li2021gennas"),
        settings=ComboSettings,
        compared_by_default=True,
    ),
    _for_images(
        name="gennas-fast",
        summary="As gennas-combo with half the images and 70 steps: the mean loss of the last ten.",
        formula=f"mean over the last 10 of 70 steps of SGD of the {_LOSS} before the step",
        source="this project's; the task is that of Li et al., NeurIPS 2021, section 4.1",
        references=references("li2021gennas"),
        settings=FastSettings,
    ),
    _for_images(
        name="gennas-n",
        summary="Regression loss on the task searched on NAS-Bench-101 (search-N).",
        source=f"{_SOURCE}, section 4.3",
        references=references("li2021gennas"),
        settings=SearchNSettings,
    ),
    _for_images(
        name="gennas-d",
        summary="Regression loss on the task searched on NDS DARTS (search-D).",
        source=f"{_SOURCE}, section 4.3",
        references=references("li2021gennas"),
        settings=SearchDSettings,
    ),
    _for_images(
        name="gennas-r",
        summary="Regression loss on the task searched on NDS ResNet (search-R).",
        source=f"{_SOURCE}, section 4.3",
        references=references("li2021gennas"),
        settings=SearchRSettings,
    ),
    _for_images(
        name="gennas-signal",
        summary="Regression loss on one signal in one stage.",
        source=f"{_SOURCE}, section 4.1, table 1",
        references=references("li2021gennas"),
        settings=SignalSettings,
    ),
    _for_images(
        name="gennas",
        summary="Regression loss on a task from the user's JSON file.",
        source=f"{_SOURCE}, section 3.2",
        references=references("li2021gennas"),
        settings=TaskFileSettings,
        searchable=SearchableSetting("task", f"{__name__}.task_space:tasks_for"),
    ),
    _for_sequences(
        name="gennas-rnn-single",
        summary="Recurrent networks: regression loss from dense random dots to others.",
        source=f"{_SOURCE}, section 4.1 and released code",
        references=references("li2021gennas"),
        settings=RecurrentSingleSettings,
    ),
    _for_sequences(
        name="gennas-rnn-combo",
        summary="Recurrent networks: regression loss from sines to others.",
        source=f"{_SOURCE}, section 4.1 and released code",
        references=references("li2021gennas"),
        settings=RecurrentComboSettings,
        compared_by_default=True,
    ),
    _for_sequences(
        name="gennas-rnn-search",
        summary="Recurrent networks: regression loss on the task searched on NAS-Bench-NLP.",
        source=f"{_SOURCE}, section 4.3 and released code",
        references=references("li2021gennas"),
        settings=RecurrentSearchSettings,
    ),
    _for_sequences(
        name="gennas-rnn",
        summary="Recurrent networks: regression loss on a task from the user's JSON file.",
        source=f"{_SOURCE}, section 3.2",
        references=references("li2021gennas"),
        settings=RecurrentTaskFileSettings,
        searchable=SearchableSetting("task", f"{__name__}.task_space:recurrent_tasks_for"),
    ),
    EvaluatorInfo(
        name="eproxy",
        summary="Regression loss behind an untrained convolution after ten steps.",
        source="Li et al.: Extensible Proxy for Efficient NAS, 2022, arXiv 2210.09459",
        references=references("li2022eproxy"),
        factory=f"{__name__}.eproxy:Eproxy",
        direction=Direction.MINIMIZE,
        formula="sum over branches i = 0 (last stage).. of mean((barrier_i(head_i(features_i)) - target_i)^2) / 2^i",
        needs=frozenset({Network, Images, StagedNetwork}),
        settings=EproxySettings,
    ),
)
