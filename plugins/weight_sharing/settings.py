"""Settings of the strategies that train a supernet, with the presets that published runs stand for.

Sources: ``nb201``: the scripts of NAS-Bench-201 (Dong & Yang, ICLR 2020), whose table GenNAS quotes; ``nats``: those of
NATS-Bench (Dong et al., TPAMI 2021), with other optimisers and other results; ``tiny``: ours, for ``nasbench201-tiny``,
where searches take minutes. Defaults are those of ``nb201``. A setting that is given wins over its preset.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ...core.errors import InvalidSettingError
from ...core.settings import Settings, setting

Values = Mapping[str, Any]

# The table of nasbench201-tiny was made with N(0, 1) on images divided by 0.2764; those of mnist are by 0.3343.
_TINY_NOISE = 0.827

_NATS: Values = {
    "epochs": 100, "clip": 0.0, "batch_norm": "batch", "last_batch_norm": "plain", "selection_batch": 512,
}  # fmt: skip
_TINY: Values = {
    "learning_rate": 0.1, "final_learning_rate": 0.004, "batch_norm": "batch", "augment": False, "noise": _TINY_NOISE,
    "selection_batch": 512,
}  # fmt: skip


@dataclass(frozen=True)
class WeightSharingSettings(Settings):
    """How the shared weights are trained."""

    presets: ClassVar[Mapping[str, Values]] = {"nb201": {}, "nats": _NATS, "tiny": _TINY}

    preset: Literal["nb201", "nats", "tiny"] = setting(
        "nb201",
        "Where all that is not given comes from: the scripts of NAS-Bench-201, those of NATS-Bench, or values for "
        "nasbench201-tiny.",
    )
    epochs: int = setting(250, "Epochs of training; the schedules depend on it.", minimum=1)
    learning_rate: float = setting(0.025, "Learning rate of the weights in the first epoch.", minimum=0)
    final_learning_rate: float = setting(0.001, "Where its half cosine would end, after the last epoch.", minimum=0)
    weight_decay: float = setting(5e-4, "L2 penalty on all weights.", minimum=0)
    batch_size: int = setting(64, "Images in a batch of training.", minimum=2)
    clip: float = setting(5.0, "Largest norm of the gradient of all weights together; 0 for no limit.", minimum=0)
    unsampled: Literal["drift", "freeze"] = setting(
        "drift",
        "Whether weights that a step does not use still move by momentum and decay, as in PyTorch 1, or stay.",
    )
    batch_norm: Literal["running", "batch"] = setting(
        "running",
        "What batch normalisation of the cells takes in evaluation: running statistics, which are averages over all "
        "that was run, or those of the batch.",
    )
    last_batch_norm: Literal["affine", "plain"] = setting(
        "affine", "Whether that behind the last cell has weights and running statistics."
    )
    augment: bool = setting(True, "Whether training images are shifted, and mirrored where the data set allows it.")
    noise: float = setting(0.0, "Standard deviation of noise added to all normalised images.", minimum=0)
    split: Literal["halves", "held-out"] = setting(
        "halves",
        "Images for weights and for architectures: a half of the training images each, or all of them and a half of "
        "the held-out ones.",
    )
    train_images: int | None = setting(
        None, "Number of random ones of the images for weights; all if not given.", minimum=2
    )
    selection_batch: int = setting(512, "Images of a batch that architectures are judged by.", minimum=1)

    def __post_init__(self) -> None:
        """Check what the limits of single fields cannot say."""
        if self.final_learning_rate > self.learning_rate:
            raise InvalidSettingError(
                f"The learning rate would rise from {self.learning_rate:g} to {self.final_learning_rate:g}: give "
                "'final_learning_rate' as well, at most 'learning_rate'."
            )

    @classmethod
    def preset_values(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the preset says of the fields of this class."""
        names = {field.name for field in dataclasses.fields(cls)}
        values = cls.presets[given.get("preset", "nb201")]
        return {name: value for name, value in values.items() if name in names}

    def inputs_drawn(self) -> int:
        """Return 0: where there are fewer images, a batch is all of them."""
        return 0

    def effective(self) -> dict[str, Any]:
        """Return all settings by name; the preset is in its consequences only."""
        return {name: value for name, value in super().effective().items() if name != "preset"}


@dataclass(frozen=True)
class SelectingSettings(WeightSharingSettings):
    """How an architecture is chosen among candidates."""

    candidates: int = setting(100, "Candidates that the answer is the most accurate of.", minimum=1)
    log_candidates: int = setting(
        100, "Candidates after each epoch but the last, whose choices are for the user to see.", minimum=1
    )
    selection_batches: int = setting(
        1,
        "Batches that each candidate is judged by, each by others than the one before; 0 for all images, the same for "
        "each.",
        minimum=0,
    )
    finalists: int = setting(
        0,
        "So many of the most accurate are judged again by all images, and the best of those wins; 0 for none.",
        minimum=0,
    )


@dataclass(frozen=True)
class RspsSettings(SelectingSettings):
    """Settings of ``rsps``."""

    presets: ClassVar[Mapping[str, Values]] = {
        "nb201": {},
        "nats": {**_NATS, "sampling": "per-cell", "distinct": True},
        "tiny": {**_TINY, "epochs": 100, "log_candidates": 10},
    }

    sampling: Literal["uniform", "per-cell"] = setting(
        "uniform",
        "Paths to train: one for all cells, or one for each cell, none of whose nodes is cut off.",
    )
    distinct: bool = setting(False, "Whether candidates are all different.")


@dataclass(frozen=True)
class GradientSettings(WeightSharingSettings):
    """How architecture parameters are trained."""

    alpha_learning_rate: float = setting(3e-4, "Step size of Adam for architecture parameters.", minimum=0)
    alpha_weight_decay: float = setting(1e-3, "L2 penalty on architecture parameters.", minimum=0)


_TINY_GRADIENT: Values = {**_TINY, "alpha_learning_rate": 3e-3}


@dataclass(frozen=True)
class GdasSettings(GradientSettings):
    """Settings of ``gdas``."""

    presets: ClassVar[Mapping[str, Values]] = {"nb201": {}, "nats": _NATS, "tiny": {**_TINY_GRADIENT, "epochs": 200}}

    temperature: float = setting(10.0, "Temperature of the first epoch.", minimum=1e-6)
    final_temperature: float = setting(0.1, "Temperature of the last epoch; linear in between.", minimum=1e-6)
    straight_through: Literal["bias", "chosen", "full"] = setting(
        "bias",
        "Gradient for options that were not sampled: as in the authors' code, where each adds a 0 to every element; "
        "none; or that of the estimator's definition, for which all options run.",
    )
    selection_batch: int = setting(64, "Images of a batch that architectures are judged by.", minimum=1)


@dataclass(frozen=True)
class SetnSettings(SelectingSettings, GradientSettings):
    """Settings of ``setn``."""

    presets: ClassVar[Mapping[str, Values]] = {
        "nb201": {},
        "nats": _NATS,
        "tiny": {**_TINY_GRADIENT, "epochs": 100, "log_candidates": 10},
    }

    clip: float = setting(0.0, "Largest norm of the gradient of all weights together; 0 for no limit.", minimum=0)


@dataclass(frozen=True)
class EnasSettings(SelectingSettings):
    """Settings of ``enas``."""

    presets: ClassVar[Mapping[str, Values]] = {
        "nb201": {},
        "nats": {
            **_NATS, "learning_rate": 0.025, "final_learning_rate": 0.001, "period": 0, "weight_decay": 5e-4,
            "batch_size": 64, "baseline": "mean", "reward_images": "plain",
        },
        "tiny": {
            **_TINY, "epochs": 50, "period": 0, "weight_decay": 5e-4, "batch_size": 64, "controller_steps": 10,
            "controller_samples": 10, "reward_images": "plain", "selection_batch": 128,
        },
    }  # fmt: skip

    learning_rate: float = setting(0.05, "Learning rate of the weights in the first epoch.", minimum=0)
    final_learning_rate: float = setting(
        0.0005,
        "Where its half cosine ends, before it rises again if the period is shorter than the training.",
        minimum=0,
    )
    period: int = setting(
        10, "Epochs of the half cosine, after which it rises for as many; 0 for all epochs.", minimum=0
    )
    weight_decay: float = setting(2.5e-4, "L2 penalty on all weights.", minimum=0)
    batch_size: int = setting(128, "Images in a batch of training.", minimum=2)
    log_candidates: int = setting(
        10, "Candidates after each epoch but the last, whose choices are for the user to see.", minimum=1
    )
    selection_batch: int = setting(128, "Images of a batch that architectures are judged by.", minimum=1)
    controller_steps: int = setting(50, "Steps of the controller after each epoch.", minimum=1)
    controller_samples: int = setting(20, "Architectures that it samples for a step.", minimum=1)
    controller_learning_rate: float = setting(1e-3, "Step size of Adam for the controller.", minimum=0)
    controller_epsilon: float = setting(
        1e-3, "Adam's term beside the root of the mean square, next to which gradients are small.", minimum=0
    )
    controller_clip: float = setting(5.0, "Largest norm of the controller's gradient; 0 for no limit.", minimum=0)
    entropy_weight: float = setting(1e-4, "Weight of the entropy of the controller's choices.", minimum=0)
    entropy: Literal["released", "detached", "bonus"] = setting(
        "released",
        "Where the entropy enters: in the reward with its gradient, as released, which makes it smaller; in the reward "
        "without; or in the loss, which makes it larger.",
    )
    baseline: Literal["last", "mean", "sample"] = setting(
        "last",
        "What the next epoch's baseline is of this one's: the last or the mean; or it moves at every sample.",
    )
    baseline_decay: float = setting(0.99, "Share of the old baseline in a new one.", minimum=0, maximum=1)
    reward_images: Literal["augmented", "plain"] = setting(
        "augmented", "Whether images that architectures are judged by are changed as for training."
    )


@dataclass(frozen=True)
class DartsSettings(GradientSettings):
    """Settings of ``darts``."""

    presets: ClassVar[Mapping[str, Values]] = {"nb201": {}, "nats": _NATS, "tiny": _TINY_GRADIENT}

    epochs: int = setting(50, "Epochs of training; the schedules depend on it.", minimum=1)
    order: Literal["first", "second"] = setting(
        "first", "Gradient of architecture parameters at the present weights, or at those after a step (DARTS-V2)."
    )
    steps: Literal["weights-first", "alpha-first"] = setting(
        "weights-first",
        "Which of the two steps comes first; as published, with order=second: alpha-first in NAS-Bench-201.",
    )
    selection_batch: int = setting(64, "Images of a batch that architectures are judged by.", minimum=1)

    @classmethod
    def preset_values(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the preset says, which depends on the order of the gradient."""
        preset, second = given.get("preset", "nb201"), given.get("order") == "second"
        values = dict(super().preset_values(given))
        if preset == "tiny":
            values["epochs"] = 30 if second else 60
        if preset != "nats" and second:
            values["steps"] = "alpha-first"
        return values


_STRATEGIES: Mapping[str, type[WeightSharingSettings]] = {
    "rsps": RspsSettings,
    "darts": DartsSettings,
    "gdas": GdasSettings,
    "setn": SetnSettings,
    "enas": EnasSettings,
}


@dataclass(frozen=True)
class OneShotSettings(WeightSharingSettings):
    """Settings of ``one-shot``: those that all strategies share, which default to the strategy's own."""

    strategy: Literal["rsps", "darts", "gdas", "setn", "enas"] = setting(
        "rsps", "How the shared weights are trained; what is not given here is as for this strategy."
    )
    measure: Literal["accuracy", "cross_entropy"] = setting(
        "accuracy", "What architectures are judged by: accuracy, or minus the mean cross-entropy."
    )
    judging_images: int | None = setting(
        None, "Number of random ones of the images that architectures are judged by; all if not given.", minimum=1
    )

    @classmethod
    def preset_values(cls, given: Mapping[str, Any]) -> Mapping[str, Any]:
        """Return what the strategy and its preset say of the fields that all strategies share."""
        of_strategy = _STRATEGIES[given.get("strategy", "rsps")]
        made = of_strategy(**of_strategy.preset_values(given))
        return {field.name: getattr(made, field.name) for field in dataclasses.fields(WeightSharingSettings)}

    def effective(self) -> dict[str, Any]:
        """Return all that decides a score: the strategy's own settings, which its preset decides, are among it."""
        return super().effective() | self.of_strategy().effective()

    def of_strategy(self) -> WeightSharingSettings:
        """Return the settings of the strategy that trains."""
        kind = _STRATEGIES[self.strategy]
        shared = {field.name: getattr(self, field.name) for field in dataclasses.fields(WeightSharingSettings)}
        return kind(**{**kind.preset_values({"preset": self.preset}), **shared})
