"""Settings of the GenNAS evaluators: one for each quantity that paper and code disagree on.

Two presets give the defaults that differ: ``official`` follows the authors' code, ``paper`` what the paper
states.
"""

from __future__ import annotations

import dataclasses
import json
import math
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ....core.errors import InvalidSettingError, closest_matches
from ....core.settings import Settings, format_value, setting
from . import published_tasks
from .errors import InvalidTaskError
from .task import MAX_CHANNELS, NUM_STAGES, Task, task_to_text
from .task_parser import TaskT, parse_task, read_task_file

Frequencies = Literal["grid", "uniform"]
Head = Literal["bn-conv", "conv"]
Readout = Literal["passes", "steps"]
Precision = Literal["float32", "bfloat16"]
WeightInit = Literal["default", "xavier", "kaiming", "zero"]
BiasInit = Literal["default", "zero"]

DEFAULT_SCORE_WEIGHTS = (0.25, 0.5, 1.0)
"""Weight 1 / 2^(N-i) of stage i among N = 3, in the paper (section 3.1.1) and in the code."""


@dataclass(frozen=True)
class Preset:
    """Defaults that differ between the paper and the authors' code."""

    weight_decay: float
    train_weights: tuple[float, ...]
    frequencies: Frequencies


_READOUT_HELP = "What gives the losses that make the score: scoring passes, or the training steps, without such passes."

PRESETS = {
    "official": Preset(weight_decay=4e-5, train_weights=(0.25, 0.5, 1.0), frequencies="grid"),
    # Paper: decay in appendix A.2, unweighted sum of the losses in section 3.1.1, frequencies in section 4.1.
    "paper": Preset(weight_decay=1e-5, train_weights=(1.0, 1.0, 1.0), frequencies="uniform"),
}


@dataclass(frozen=True)
class RegressionOptions:
    """Settings with presets and the task's own wishes resolved; fields as in :class:`GennasSettings`."""

    iterations: int
    learning_rate: float
    momentum: float
    weight_decay: float
    train_weights: tuple[float, ...]
    score_weights: tuple[float, ...]
    batch_size: int
    frequencies: Frequencies
    network: str
    head: Head
    weight_init: WeightInit
    bias_init: BiasInit
    score_mode: Literal["eval", "train"]
    score_interval: int
    score_passes: int
    readout: Readout
    readout_average: int
    precision: Precision

    @property
    def stages(self) -> tuple[int, ...]:
        """Indices of the stages that take part: those with a training weight, and always the last."""
        last = NUM_STAGES - 1
        return tuple(index for index in range(NUM_STAGES) if index == last or self.train_weights[index] > 0)


@dataclass(frozen=True)
class GennasSettings(Settings):
    """Settings that all GenNAS evaluators share; a subclass adds the task."""

    published_task: ClassVar[Task]
    usual_average: ClassVar[int] = 1

    preset: Literal["official", "paper"] = setting(
        "official",
        "Whether weight_decay, train_weights and frequencies default to the authors' code or to the paper.",
    )
    iterations: int = setting(100, "Training steps on the one batch.", minimum=1)
    learning_rate: float = setting(0.1, "Constant learning rate of SGD.", minimum=0)
    momentum: float = setting(0.9, "Momentum of SGD; the paper does not state it.", minimum=0, maximum=1)
    weight_decay: float | None = setting(
        None, "Decay of convolution and linear weights: 4e-5 in the code, 1e-5 in the paper.", minimum=0
    )
    train_weights: tuple[float, ...] | None = setting(
        None,
        "Stage weights of the training loss; the task's own, else 0.25/0.5/1 (code) or 1/1/1 (paper). "
        "A first or second stage with weight 0 is left out of training and score.",
        minimum=0,
    )
    score_weights: tuple[float, ...] | None = setting(
        None, "Weights of the stages in the score; the task's own, else 0.25/0.5/1.", minimum=0
    )
    batch_size: int | None = setting(None, "Images in the batch; the task's own by default.", minimum=1)
    frequencies: Literal["grid", "uniform"] | None = setting(
        None,
        "How a named frequency band is filled: ten even frequencies (code) or ten random ones (paper).",
    )
    network: str = setting(
        "gennas",
        "By default the network of the authors' code where it differs from that which the benchmark trained; or "
        "another that 'nasbench spaces NAME' lists.",
        network_variant=True,
    )
    head: Literal["bn-conv", "conv"] = setting(
        "bn-conv",
        "Head of each stage: batch normalisation and 1x1 convolution (code), or the convolution alone.",
    )
    weight_init: Literal["default", "xavier", "kaiming", "zero"] = setting(
        "default",
        "Initial convolution and linear weights: the network's own, normal xavier or kaiming, or zero.",
    )
    bias_init: Literal["default", "zero"] = setting(
        "default", "Initial biases of the same layers: the network's own, or zero."
    )
    score_mode: Literal["eval", "train"] = setting(
        "eval", "Mode of batch normalisation in scoring: running statistics, or those of the batch."
    )
    score_interval: int = setting(10, "Training steps between two scoring passes.", minimum=1)
    score_passes: int | None = setting(
        None,
        "Only so many scoring passes, the last ones: by default those that make the score. Further ones change no "
        "score and show what stopping earlier would have cost.",
        minimum=1,
    )
    readout: Literal["passes", "steps"] = setting("passes", _READOUT_HELP)
    readout_average: int | None = setting(
        None,
        "The score is the mean of so many of the last of them: by default of one, in gennas-fast of ten or of all, if "
        "they are fewer.",
        minimum=1,
    )
    precision: Literal["float32", "bfloat16"] = setting(
        "float32", "Arithmetic of the network: single precision, or bfloat16 where PyTorch's autocast takes it."
    )

    def __post_init__(self) -> None:
        """Check what the limits of single fields cannot say."""
        for name in ("train_weights", "score_weights"):
            weights = getattr(self, name)
            if weights is not None and (len(weights) != NUM_STAGES or not any(weights)):
                raise InvalidSettingError(
                    f"The setting '{name}' takes {NUM_STAGES} weights, not all of them 0, as in "
                    f"{name}=0.25/0.5/1; got {format_value(weights)}."
                )

    @property
    def _losses(self) -> int:
        """Number of losses that there are to read."""
        if self.readout == "steps":
            return self.iterations
        passes = math.ceil(self.iterations / self.score_interval)
        return min(passes, self.score_passes or passes)

    def task_definition(self) -> Task:
        """Return the task to train on."""
        return self.published_task

    def resolve(self) -> RegressionOptions:
        """Settle every open choice: what was given, else what the task says, else what the preset says.

        Raises:
            InvalidSettingError: The weights leave nothing to score, or there is no task.
        """
        task, preset = self.task_definition(), PRESETS[self.preset]
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(RegressionOptions)}
        average = self.readout_average or min(self.usual_average, self._losses)
        options = RegressionOptions(
            **own
            | {
                "weight_decay": preset.weight_decay if self.weight_decay is None else self.weight_decay,
                "train_weights": self.train_weights or task.train_weights or preset.train_weights,
                "score_weights": self.score_weights or task.eval_weights or DEFAULT_SCORE_WEIGHTS,
                "batch_size": self.batch_size or task.batch,
                "frequencies": (self.frequencies or preset.frequencies) if task.uses_named_bands else "grid",
                "readout_average": average,
                "score_passes": self.score_passes or average,
            }
        )
        if not any(options.score_weights[index] for index in options.stages):
            raise InvalidSettingError(
                f"The score would always be 0: score_weights {format_value(options.score_weights)} give "
                "weight to untrained stages only. Give one of them a training weight (train_weights) or the "
                "last stage a score weight."
            )
        if average > self._losses:
            kind = "training steps" if options.readout == "steps" else "scoring passes"
            raise InvalidSettingError(
                f"The setting 'readout_average' is {average}, but there are only "
                f"{self._losses} {kind}: take at most {self._losses}."
            )
        return options

    def effective(self) -> dict[str, Any]:
        """Return the resolved settings by name; the preset is in its consequences only."""
        return dataclasses.asdict(self.resolve())


class SingleSettings(GennasSettings):
    """Settings of ``gennas-single``."""

    published_task = published_tasks.SINGLE


class ComboSettings(GennasSettings):
    """Settings of ``gennas-combo``."""

    published_task = published_tasks.COMBO


@dataclass(frozen=True)
class FastSettings(GennasSettings):
    """Settings of ``gennas-fast``."""

    published_task = published_tasks.COMBO
    usual_average = 10

    iterations: int = setting(70, "Training steps on the one batch.", minimum=1)
    batch_size: int | None = setting(8, "Images in the batch.", minimum=1)
    readout: Literal["passes", "steps"] = setting("steps", _READOUT_HELP)


class SearchNSettings(GennasSettings):
    """Settings of ``gennas-n``."""

    published_task = published_tasks.SEARCH_N


class SearchDSettings(GennasSettings):
    """Settings of ``gennas-d``."""

    published_task = published_tasks.SEARCH_D


class SearchRSettings(GennasSettings):
    """Settings of ``gennas-r``."""

    published_task = published_tasks.SEARCH_R


@dataclass(frozen=True)
class SignalSettings(GennasSettings):
    """Settings of ``gennas-signal``."""

    signal: str = setting("dot-100", f"What to regress: {', '.join(published_tasks.SIGNALS)}.")
    stage: int = setting(3, "The stage that regresses it.", minimum=1, maximum=NUM_STAGES)

    def __post_init__(self) -> None:
        """Check that there is such a signal."""
        super().__post_init__()
        if self.signal not in published_tasks.SIGNALS:
            raise InvalidSettingError(
                f"The setting 'signal' is to be one of {', '.join(published_tasks.SIGNALS)}; got {self.signal!r:.60}. "
                + closest_matches(self.signal, published_tasks.SIGNALS)
            )

    def task_definition(self) -> Task:
        """Return the task of this signal in this stage alone."""
        return published_tasks.signal_task(self.signal, self.stage)

    def effective(self) -> dict[str, Any]:
        """Return the resolved settings, the signal and the stage."""
        return super().effective() | {"signal": self.signal, "stage": self.stage}


def given_task(text: str | None, parse: Callable[[object], TaskT], evaluator: str, published: str) -> TaskT:
    """Return the task that a user's file held.

    Args:
        text: Its JSON, None if no file was given.
        parse: Builds the task from decoded JSON.
        evaluator: Name of the evaluator that needs it, for messages.
        published: Name of an evaluator that needs none.

    Raises:
        InvalidSettingError: None was given.
        InvalidTaskError: Its text is no task.
    """
    if text is None:
        raise InvalidSettingError(
            f"The evaluator '{evaluator}' needs a task: give a JSON file with --task my-task.json or "
            f"--evaluator {evaluator}:task=my-task.json, let 'nasbench task-search' find one, or use a published task "
            f"such as '{published}'."
        )
    try:
        value = json.loads(text)
    except (ValueError, RecursionError) as error:
        raise InvalidTaskError(f"The GenNAS task is not JSON: {error}.") from error
    return parse(value)


def _read_task(file: str) -> str:
    return task_to_text(read_task_file(file, parse_task))


@dataclass(frozen=True)
class TaskFileSettings(GennasSettings):
    """Settings of ``gennas``, whose task the user writes."""

    task: str | None = setting(
        None, "JSON file with the task; results keep its content, not its path.", reader=_read_task
    )

    def task_definition(self) -> Task:
        """Return the user's task.

        Raises:
            InvalidSettingError: None was given.
            InvalidTaskError: Its text is no task.
        """
        return given_task(self.task, parse_task, "gennas", published="gennas-combo")

    def effective(self) -> dict[str, Any]:
        """Return the resolved settings and the task's text."""
        return super().effective() | {"task": self.task}


@dataclass(frozen=True)
class EproxySettings(Settings):
    """Settings of ``eproxy``; defaults of the authors' configuration for NAS-Bench-101 and NAS-Bench-201."""

    iterations: int = setting(10, "Training steps on the one batch.", minimum=1)
    learning_rate: float = setting(1.2, "Constant learning rate of SGD.", minimum=0)
    momentum: float = setting(0.9, "Momentum of SGD.", minimum=0, maximum=1)
    weight_decay: float = setting(4e-5, "Decay of convolution and linear weights.", minimum=0)
    batch_size: int = setting(16, "Images in the batch.", minimum=2)
    network: Literal["benchmark", "gennas"] = setting(
        "benchmark", "The network that the benchmark trained, or that of the GenNAS authors where it differs."
    )
    branches: int = setting(1, "Stages that take part, from the last one backwards.", minimum=1, maximum=NUM_STAGES)
    head_channels: int = setting(512, "Channels of the trained convolution behind each stage.", minimum=1)
    target_channels: int = setting(
        64, "Channels of the untrained convolution behind it and of the target.", minimum=1, maximum=MAX_CHANNELS
    )
    mac_weight: float = setting(
        0.0, "Weight a of the factor 1 - a * multiply-adds / max_macs on the loss; the authors search -0.5 to 0.5."
    )
    max_macs: float | None = setting(None, "Multiply-adds of the space's largest network, for mac_weight.", minimum=1)

    def __post_init__(self) -> None:
        """Check that the weight of the multiply-adds has something to be relative to."""
        if self.mac_weight and self.max_macs is None:
            raise InvalidSettingError(
                "The setting 'mac_weight' needs 'max_macs', the multiply-adds of the space's largest network, "
                "such as max_macs=187166720 for NAS-Bench-201."
            )
