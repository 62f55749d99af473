"""The tasks of the GenNAS paper.

``single`` is reconstructed from section 4.1 of the paper (dot signals of density 1 on the last stage only;
the original code has it for language models only), ``combo`` is the sum of the three best bases of each stage
in Table 1, and the others are the results of the authors' task searches, as in their code. What the paper
calls search-R was searched on the NDS ResNet space.
"""

from __future__ import annotations

from typing import Any

from .task import Task
from .task_parser import parse_recurrent_task, parse_task

_DENSE_DOTS = {"basis": "dot", "amp": 1.0, "scope": "local", "density": 1.0}
_HIGH_SIN1D = {"basis": "sin1d", "amp": 1.0, "scope": "local", "freqs": "H10"}
_NO_NOISE = {"kind": "gaussian", "level": 0.0}

SINGLE = parse_task(
    {
        "name": "single",
        "batch": 16,
        "noise": _NO_NOISE,
        "stages": [
            {"channels": 64, "signals": []},
            {"channels": 64, "signals": []},
            {"channels": 64, "signals": [_DENSE_DOTS]},
        ],
        "train_weights": [0, 0, 1],
        "eval_weights": [0, 0, 1],
    }
)

COMBO = parse_task(
    {
        "name": "combo",
        "batch": 16,
        "noise": _NO_NOISE,
        "stages": [
            {
                "channels": 64,
                "signals": [
                    _HIGH_SIN1D,
                    {"basis": "sin2d", "amp": 1.0, "scope": "local", "freqs": "H10"},
                    _DENSE_DOTS,
                ],
            },
            {
                "channels": 64,
                "signals": [
                    _HIGH_SIN1D,
                    {"basis": "sin2d", "amp": 1.0, "scope": "local", "freqs": "M10"},
                    {"basis": "resize", "amp": 1.0},
                ],
            },
            {"channels": 64, "signals": [_HIGH_SIN1D, {"basis": "resize", "amp": 1.0}, _DENSE_DOTS]},
        ],
    }
)

SIGNALS = (
    "sin1d-low", "sin1d-medium", "sin1d-high", "sin2d-low", "sin2d-medium", "sin2d-high", "dot-50", "dot-100",
    "gdot-50", "gdot-100", "resize", "zero",
)  # fmt: skip
"""The columns of Table 1, in its order."""

_BANDS = {"low": "L10", "medium": "M10", "high": "H10"}


def signal_task(name: str, stage: int) -> Task:
    """Return the task of one cell of Table 1: one signal in one stage, which alone is trained and scored.

    Args:
        name: One of :data:`SIGNALS`.
        stage: From 1 to 3.
    """
    signals = [] if name == "zero" else [_signal(*name.partition("-")[::2])]
    alone = [float(number == stage) for number in (1, 2, 3)]
    return parse_task(
        {
            "name": f"{name} in stage {stage}",
            "batch": 16,
            "noise": _NO_NOISE,
            "stages": [{"channels": 64, "signals": signals if part else []} for part in alone],
            "train_weights": alone,
            "eval_weights": alone,
        }
    )


def _signal(basis: str, kind: str) -> dict[str, Any]:
    signal: dict[str, Any] = {"basis": basis, "amp": 1.0}
    if basis == "resize":
        return signal
    signal["scope"] = "local"
    return signal | ({"freqs": _BANDS[kind]} if kind in _BANDS else {"density": int(kind) / 100})


SEARCH_N = parse_task(
    {
        "name": "search-N",
        "batch": 16,
        "noise": {"kind": "uniform", "level": 0.1},
        "stages": [
            {
                "channels": 64,
                "signals": [
                    {
                        "basis": "sin2d",
                        "amp": 1.1,
                        "scope": "local",
                        "freqs": [
                            0.014257232402844334,
                            0.0168671689792797,
                            0.014930071944680878,
                            0.0204012022061141,
                            0.022935808834129698,
                            0.0172234284050367,
                            0.01564545022287097,
                            0.019183789517967623,
                            0.01550017992399958,
                            0.014574095887562394,
                        ],
                    }
                ],
            },
            {
                "channels": 48,
                "signals": [
                    {
                        "basis": "sin1d",
                        "amp": 1.8,
                        "scope": "local",
                        "freqs": [
                            0.2991077123933203,
                            0.3060359499425501,
                            0.30375714406796583,
                            0.2880217185797205,
                            0.2934476311034326,
                            0.2960826278609313,
                            0.3058547556352616,
                            0.2928834290170104,
                            0.30562376104172906,
                            0.29586053617133456,
                        ],
                    },
                    {
                        "basis": "sin2d",
                        "amp": 2.9,
                        "scope": "local",
                        "freqs": [
                            0.37984431962046133,
                            0.3818358163414827,
                            0.3583425915890292,
                            0.3276257467988693,
                            0.26487541063592235,
                            0.2807695886901979,
                            0.4205045860585813,
                            0.3414214149894483,
                            0.3036242990663395,
                            0.4203015359951532,
                        ],
                    },
                    {"basis": "resize", "amp": 2.4},
                    {"basis": "gdot", "amp": 1.1, "scope": "local", "density": 0.578125},
                ],
            },
            {
                "channels": 16,
                "signals": [
                    {
                        "basis": "sin1d",
                        "amp": 1.5,
                        "scope": "global",
                        "freqs": [
                            0.1539337022534557,
                            0.10572650708639424,
                            0.106631778214214,
                            0.15756559392005454,
                            0.1337356958776917,
                            0.10509981523526175,
                            0.13191482406159902,
                            0.1317568276094524,
                            0.10281716031383362,
                            0.10936835489126645,
                        ],
                    },
                    {
                        "basis": "sin2d",
                        "amp": 0.9,
                        "scope": "global",
                        "freqs": [
                            0.1979369424135534,
                            0.2030890995764645,
                            0.10339032893028458,
                            0.20484341381119886,
                            0.13566384672510265,
                            0.20905695437266292,
                            0.24540172530847384,
                            0.08635711325215838,
                            0.13518427726099247,
                            0.14525989963217315,
                        ],
                    },
                    {"basis": "resize", "amp": 2.2},
                    {"basis": "gdot", "amp": 2.1, "scope": "global", "density": 0.4375},
                ],
            },
        ],
    }
)

SEARCH_D = parse_task(
    {
        "name": "search-D",
        "batch": 16,
        "noise": {"kind": "gaussian", "level": 0.2},
        "stages": [
            {
                "channels": 80,
                "signals": [
                    {"basis": "resize", "amp": 1.3},
                    {"basis": "gdot", "amp": 1.6, "scope": "local", "density": 0.5},
                ],
            },
            {
                "channels": 32,
                "signals": [
                    {"basis": "resize", "amp": 2.1},
                    {"basis": "dot", "amp": 2.2, "scope": "local", "density": 0.71875},
                    {"basis": "gdot", "amp": 1.0, "scope": "global", "density": 0.609375},
                ],
            },
            {
                "channels": 80,
                "signals": [
                    {"basis": "resize", "amp": 0.5},
                    {"basis": "gdot", "amp": 1.7, "scope": "local", "density": 0.5625},
                ],
            },
        ],
    }
)

SEARCH_R = parse_task(
    {
        "name": "search-R",
        "batch": 16,
        "noise": {"kind": "gaussian", "level": 0.9},
        "stages": [
            {
                "channels": 16,
                "signals": [
                    {
                        "basis": "sin1d",
                        "amp": 1.1,
                        "scope": "global",
                        "freqs": [
                            0.3792370317500072,
                            0.3347572361903789,
                            0.38353154227374914,
                            0.2972907481491224,
                            0.30638339798601666,
                            0.3437610051983535,
                            0.21573498175236644,
                            0.33743001565752506,
                            0.3203204782817462,
                            0.23627768569837398,
                        ],
                    },
                    {"basis": "dot", "amp": 0.5, "scope": "global", "density": 0.09375},
                ],
            },
            {
                "channels": 16,
                "signals": [
                    {
                        "basis": "sin2d",
                        "amp": 1.2,
                        "scope": "local",
                        "freqs": [
                            0.11852041568002372,
                            0.22058736471430207,
                            0.05964991789266724,
                            0.2331100203802536,
                            0.22724375247060088,
                            0.26533940932269895,
                            0.18766405869928884,
                            0.108310279347472,
                            0.1094640443283546,
                            0.05631724845394532,
                        ],
                    },
                    {"basis": "resize", "amp": 2.3},
                    {"basis": "dot", "amp": 2.9, "scope": "local", "density": 0.3125},
                ],
            },
            {
                "channels": 32,
                "signals": [
                    {
                        "basis": "sin2d",
                        "amp": 1.8,
                        "scope": "local",
                        "freqs": [
                            0.3785295480893762,
                            0.379405523066469,
                            0.3447434973611063,
                            0.27059802706123703,
                            0.26065558897167473,
                            0.394464236618574,
                            0.27927337806860797,
                            0.3832390382592093,
                            0.32280314267138166,
                            0.30143889275192487,
                        ],
                    },
                    {"basis": "gdot", "amp": 2.1, "scope": "global", "density": 0.5},
                ],
            },
        ],
    }
)

_DOT_SEQUENCES = [_DENSE_DOTS]
_SINE_SEQUENCES = [
    {"basis": "sin1d", "amp": 1.0, "scope": "local", "freqs": "M10"},
    {"basis": "sin2d", "amp": 1.0, "scope": "local", "freqs": "M10"},
]

# The authors' code has batches of 64 in the first two, and overrides all of them by 16.
RECURRENT_SINGLE = parse_recurrent_task(
    {
        "name": "nlp-single",
        "batch": 16,
        "noise": _NO_NOISE,
        "dim": 64,
        "length": 8,
        "input": _DOT_SEQUENCES,
        "target": _DOT_SEQUENCES,
    }
)

RECURRENT_COMBO = parse_recurrent_task(
    {
        "name": "nlp-combo",
        "batch": 16,
        "noise": _NO_NOISE,
        "dim": 64,
        "length": 8,
        "input": _SINE_SEQUENCES,
        "target": _SINE_SEQUENCES,
    }
)

RECURRENT_SEARCH = parse_recurrent_task(
    {
        "name": "nlp-search",
        "batch": 16,
        "noise": {"kind": "uniform", "level": 0.6},
        "dim": 48,
        "length": 8,
        "input": [
            {
                "basis": "sin2d",
                "amp": 2.6,
                "scope": "local",
                "freqs": [
                    0.19548103160169628,
                    0.2282158789801897,
                    0.1842639908446425,
                    0.20731949085325374,
                    0.22082386741852128,
                    0.1345443194045737,
                    0.17034055075490867,
                    0.22295752611900838,
                    0.19031212316299922,
                    0.19147574467301293,
                ],
            }
        ],
        "target": [
            {
                "basis": "sin2d",
                "amp": 0.8,
                "scope": "local",
                "freqs": [
                    0.17216149803882433,
                    0.17012483744775037,
                    0.168561304364928,
                    0.16552930641090283,
                    0.16468901024790167,
                    0.1702319091210886,
                    0.16422069490502256,
                    0.1770741059514029,
                    0.17124201034882974,
                    0.17227888619876072,
                ],
            },
            {"basis": "gdot", "amp": 0.7, "scope": "local", "density": 0.8625968590962992},
        ],
    }
)
