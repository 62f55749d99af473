"""Weight sharing: strategies that train one network of all candidates, and how well its weights rank them."""

from __future__ import annotations

from collections.abc import Iterator

from ...core.capabilities import Images, Labels, Supernets
from ...core.descriptions import EvaluatorInfo, SearchStrategyInfo, WeightSharingInfo
from ...core.domain import Direction
from ...core.hookspecs import hookimpl
from ..references import references
from .settings import DartsSettings, EnasSettings, GdasSettings, OneShotSettings, RspsSettings, SetnSettings

# The ground truth where there is a table, else the size, in which a collapse to skip connections shows.
_JUDGES = ("oracle", "params")

_AS_RUN = "as run by Dong & Yang, NAS-Bench-201, ICLR 2020"


@hookimpl
def nasbench_evaluators() -> Iterator[EvaluatorInfo]:
    """Yield what scores architectures under shared weights."""
    yield EvaluatorInfo(
        name="one-shot",
        summary="Accuracy under weights that all architectures share, of a supernet trained once for the run.",
        source="Bender et al., ICML 2018; Li & Talwalkar, UAI 2019; trainings of Dong & Yang, ICLR 2020",
        references=references("bender2018oneshot", "li2019random", "dong2020nasbench201"),
        factory=f"{__name__}.one_shot:OneShot",
        direction=Direction.MAXIMIZE,
        formula="accuracy in percent of the architecture's path through the supernet, or minus its cross-entropy",
        needs=frozenset({Supernets, Images, Labels}),
        settings=OneShotSettings,
    )


@hookimpl
def nasbench_search_strategies() -> Iterator[SearchStrategyInfo]:
    """Yield the strategies that train a supernet."""
    yield WeightSharingInfo(
        name="rsps",
        summary="Trains random paths of a supernet, and takes the most accurate of random candidates.",
        source=f"Li & Talwalkar, UAI 2019; {_AS_RUN}",
        references=references("li2019random", "dong2020nasbench201"),
        factory=f"{__name__}.random_paths:RandomPaths",
        settings=RspsSettings,
        judged_by=_JUDGES,
    )
    yield WeightSharingInfo(
        name="darts",
        summary="Trains mixtures of all operations and their shares in turns, and takes the largest shares.",
        source=f"Liu, Simonyan & Yang, ICLR 2019; {_AS_RUN}",
        references=references("liu2019darts", "dong2020nasbench201"),
        factory=f"{__name__}.darts:Darts",
        settings=DartsSettings,
        judged_by=_JUDGES,
    )
    yield WeightSharingInfo(
        name="gdas",
        summary="Trains sampled paths, whose samples have a gradient, and takes the most probable operations.",
        source=f"Dong & Yang, CVPR 2019; {_AS_RUN}",
        references=references("dong2019gdas", "dong2020nasbench201"),
        factory=f"{__name__}.gdas:Gdas",
        settings=GdasSettings,
        judged_by=_JUDGES,
    )
    yield WeightSharingInfo(
        name="setn",
        summary="Trains random paths and shares of a mixture, and takes the most accurate of the most probable.",
        source=f"Dong & Yang, ICCV 2019; {_AS_RUN}",
        references=references("dong2019setn", "dong2020nasbench201"),
        factory=f"{__name__}.setn:Setn",
        settings=SetnSettings,
        judged_by=_JUDGES,
    )
    yield WeightSharingInfo(
        name="enas",
        summary="Trains paths that a recurrent controller samples, and the controller by their accuracy, in turns.",
        source=f"Pham, Guan, Zoph, Le & Dean, ICML 2018; {_AS_RUN}",
        references=references("pham2018enas", "dong2020nasbench201"),
        factory=f"{__name__}.enas:Enas",
        settings=EnasSettings,
        judged_by=_JUDGES,
    )
