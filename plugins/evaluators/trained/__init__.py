"""Evaluators that train the architecture on the target data, for a few epochs of a long schedule; or look that up."""

from __future__ import annotations

from ....core.capabilities import GroundTruthTable, Images, Labels, LanguageNetwork, Network, StagedNetwork, Tokens
from ....core.descriptions import DatasetInfo, EvaluatorInfo, SearchSpaceInfo
from ....core.domain import Direction
from ...references import references
from .halfway import why_unsupported as why_halfway_unsupported
from .oracle import why_unsupported as why_oracle_unsupported
from .settings import (
    EconasSettings,
    HalfwaySettings,
    LanguageTrainingSettings,
    ManyViewsSettings,
    OracleSettings,
    TrainingSettings,
)

_LIU = "Liu et al.: Are Labels Necessary for Neural Architecture Search?, ECCV 2020, arXiv 2003.12056"

# Half of it, reduced by a quarter, is the smallest tile that can be halved twice.
_SMALLEST_PUZZLE = 12


def _why_rot_unsupported(_space: SearchSpaceInfo, dataset: DatasetInfo) -> str | None:
    _, height, width = dataset.input_shape
    return None if height == width else f"it turns images by quarters, and these are not square but {height}x{width}"


def _why_jig_unsupported(_space: SearchSpaceInfo, dataset: DatasetInfo) -> str | None:
    _, height, width = dataset.input_shape
    if min(height, width) >= _SMALLEST_PUZZLE:
        return None
    return f"it needs images of at least {_SMALLEST_PUZZLE}x{_SMALLEST_PUZZLE} pixels, and these have {height}x{width}"


def _why_col_unsupported(_space: SearchSpaceInfo, dataset: DatasetInfo) -> str | None:
    if dataset.input_shape[0] == 3:
        return None
    return f"it needs colour images, and those of '{dataset.name}' have {dataset.input_shape[0]} channels"


def _why_econas_unsupported(space: SearchSpaceInfo, _dataset: DatasetInfo) -> str | None:
    if "reduced" in space.network_variants:
        return None
    return "it needs networks with fewer channels ('reduced'), which this space does not have"


EVALUATORS: tuple[EvaluatorInfo, ...] = (
    EvaluatorInfo(
        name="cls",
        summary="Test accuracy after a few epochs of training on the images' labels.",
        source=f"{_LIU}, section 4",
        references=references("liu2020labels"),
        factory=f"{__name__}.classification:Cls",
        direction=Direction.MAXIMIZE,
        formula="test accuracy in percent after epoch K of the full schedule",
        needs=frozenset({Network, Images, Labels}),
        settings=TrainingSettings,
    ),
    EvaluatorInfo(
        name="rot",
        summary="Test accuracy in telling rotations, after a few epochs of training.",
        source=f"{_LIU}, section 4",
        references=references("liu2020labels"),
        factory=f"{__name__}.rotation:Rot",
        direction=Direction.MAXIMIZE,
        formula="test accuracy in percent over four turns of each image, after epoch K of the full schedule",
        needs=frozenset({Network, Images}),
        settings=ManyViewsSettings,
        why_unsupported=_why_rot_unsupported,
    ),
    EvaluatorInfo(
        name="col",
        summary="Test accuracy in telling the colours of pixels from grey images, after a few epochs of training.",
        source=f"{_LIU}, section 4",
        references=references("liu2020labels"),
        factory=f"{__name__}.colourisation:Col",
        direction=Direction.MAXIMIZE,
        formula="test accuracy in percent over pixels and 313 colours, after epoch K of the full schedule",
        needs=frozenset({Network, Images, StagedNetwork}),
        settings=TrainingSettings,
        why_unsupported=_why_col_unsupported,
    ),
    EvaluatorInfo(
        name="jig",
        summary="Test accuracy in telling the order of an image's shuffled tiles, after a few epochs of training.",
        source=f"{_LIU}, section 4",
        references=references("liu2020labels"),
        factory=f"{__name__}.jigsaw:Jig",
        direction=Direction.MAXIMIZE,
        formula="test accuracy in percent over 24 permutations of four tiles, after epoch K of the full schedule",
        needs=frozenset({Network, Images, StagedNetwork}),
        settings=ManyViewsSettings,
        why_unsupported=_why_jig_unsupported,
    ),
    EvaluatorInfo(
        name="econas",
        summary="Test accuracy of a thinner network after a short training on small images.",
        source="Zhou et al.: EcoNAS, CVPR 2020; settings of Abdelfattah et al., ICLR 2021, released code",
        references=references("zhou2020econas"),
        factory=f"{__name__}.classification:Econas",
        direction=Direction.MAXIMIZE,
        formula="test accuracy in percent at reduced width and resolution, after epoch K of a reduced schedule",
        needs=frozenset({Network, Images, Labels}),
        settings=EconasSettings,
        why_unsupported=_why_econas_unsupported,
    ),
    EvaluatorInfo(
        name="ppl",
        summary="Test log-perplexity of a language model after a few epochs of training.",
        source="Klyuchnikov et al., NAS-Bench-NLP, 2020, released code; Li et al.: GenNAS, NeurIPS 2021, table 2",
        references=references("klyuchnikov2020nasbenchnlp", "li2021gennas"),
        factory=f"{__name__}.perplexity:Ppl",
        direction=Direction.MINIMIZE,
        formula="mean cross-entropy of the test text's tokens in nats after epoch K",
        needs=frozenset({Network, LanguageNetwork, Tokens, Labels}),
        settings=LanguageTrainingSettings,
    ),
    EvaluatorInfo(
        name="halfway",
        summary="Accuracy after a shorter training, looked up in the space's table.",
        source="Ying et al., NAS-Bench-101, ICML 2019; Li et al.: GenNAS, NeurIPS 2021, table 3",
        factory=f"{__name__}.halfway:Halfway",
        direction=Direction.MAXIMIZE,
        formula="tabulated accuracy in percent with the most epochs below the full training",
        needs=frozenset({GroundTruthTable}),
        settings=HalfwaySettings,
        why_unsupported=why_halfway_unsupported,
    ),
    EvaluatorInfo(
        name="oracle",
        summary="The ground truth itself, looked up in the space's table: what the best evaluator could say.",
        source="the ground truth as fitness, as in Real et al., AAAI 2019, and Ying et al., ICML 2019",
        factory=f"{__name__}.oracle:Oracle",
        direction=Direction.MAXIMIZE,
        formula="tabulated value, times -1 where a lower one is better",
        needs=frozenset({GroundTruthTable}),
        settings=OracleSettings,
        why_unsupported=why_oracle_unsupported,
    ),
)
