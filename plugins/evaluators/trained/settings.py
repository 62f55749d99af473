"""Settings of the evaluators that train a network on the target data, in a module that does not import torch."""

from __future__ import annotations

from dataclasses import dataclass

from ....core.errors import InvalidSettingError
from ....core.settings import Settings, setting
from ..network_settings import NetworkSettings


@dataclass(frozen=True)
class TrainingSettings(NetworkSettings):
    """The training that all tasks share.

    Defaults are those of Liu et al. (ECCV 2020, released configuration of NAS-Bench-101 on CIFAR-10); ten epochs is
    where GenNAS reads their curves (Li et al., NeurIPS 2021, table 2).
    """

    epochs: int = setting(
        10,
        "Epochs after which the score is read; the schedule stays that of max_epochs.",
        minimum=1,
        name_suffix="@ep",
        stopping_point=True,
    )
    max_epochs: int = setting(100, "Epochs of the full cosine schedule.", minimum=1)
    batch_size: int = setting(128, "Images in a batch, at most all there are.", minimum=2)
    learning_rate: float = setting(0.1, "Learning rate of the first epoch.", minimum=0)
    weight_decay: float = setting(5e-4, "L2 penalty on all parameters.", minimum=0)
    train_images: int | None = setting(None, "Number of random images to train on; all if not given.", minimum=2)
    test_images: int | None = setting(None, "Number of random held-out images to test on; all if not given.", minimum=1)

    def inputs_drawn(self) -> int:
        """Return 0: where there are fewer images, a batch is all of them."""
        return 0

    def __post_init__(self) -> None:
        """Check what the limits of single fields cannot say."""
        if self.epochs > self.max_epochs:
            raise InvalidSettingError(
                f"The score cannot be read after epoch {self.epochs} of a schedule of {self.max_epochs}: "
                "choose 'epochs' up to 'max_epochs'."
            )


@dataclass(frozen=True)
class ManyViewsSettings(TrainingSettings):
    """Settings of ``rot`` and ``jig``, whose batches hold four inputs for each image."""

    batch_size: int = setting(32, "Images in a batch, at most all there are; each gives four inputs.", minimum=2)
    learning_rate: float = setting(0.025, "Learning rate of the first epoch.", minimum=0)


@dataclass(frozen=True)
class EconasSettings(TrainingSettings):
    """Settings of ``econas``: the reduced training of Zhou et al. (CVPR 2020) in Abdelfattah et al.'s released code."""

    network: str = setting("reduced", "Network to train; 'reduced' has fewer channels.", network_variant=True)
    epochs: int = setting(
        20,
        "Epochs after which the score is read; the schedule stays that of max_epochs.",
        minimum=1,
        name_suffix="@ep",
        stopping_point=True,
    )
    max_epochs: int = setting(40, "Epochs of the full cosine schedule.", minimum=1)
    batch_size: int = setting(2048, "Images in a batch, at most all there are.", minimum=2)
    resolution_divisor: int = setting(
        4, "Images are reduced by this factor, to a height and width that are multiples of 4.", minimum=1
    )


@dataclass(frozen=True)
class LanguageTrainingSettings(NetworkSettings):
    """Settings of ``ppl``: the training of NAS-Bench-NLP (Klyuchnikov et al., 2020; released code)."""

    epochs: int = setting(3, "Epochs after which the score is read.", minimum=1, name_suffix="@ep", stopping_point=True)
    batch_size: int = setting(20, "Parts of the training text that are read side by side.", minimum=1)
    test_batch_size: int = setting(50, "Parts of the test text that are read side by side.", minimum=1)
    length: int = setting(70, "Tokens that most steps read of each part; every test step does.", minimum=1)
    learning_rate: float = setting(1e-3, "Learning rate of a step of that length.", minimum=0)
    weight_decay: float = setting(1.2e-6, "L2 penalty on all parameters that train.", minimum=0)
    clip: float = setting(0.25, "Largest norm of the gradient.", minimum=0)
    activation_penalty: float = setting(2.0, "Factor of the outputs' mean square.", minimum=0)
    change_penalty: float = setting(1.0, "Factor of the mean square of the outputs' changes.", minimum=0)
    train_tokens: int | None = setting(None, "Number of tokens to train on, the first; all if not given.", minimum=1)
    test_tokens: int | None = setting(None, "Number of tokens to test on, the first; all if not given.", minimum=1)

    def inputs_drawn(self) -> int:
        """Return 0: the text is read in parts of any number."""
        return 0


@dataclass(frozen=True)
class OracleSettings(Settings):
    """Settings of ``oracle``."""

    metric: str | None = setting(
        None,
        "Metric to look up, such as validation_accuracy; the one that is compared with if not given.",
        metric=True,
    )


@dataclass(frozen=True)
class HalfwaySettings(Settings):
    """Settings of ``halfway``."""

    epochs: int | None = setting(
        None,
        "Epochs of the training to look up; the longest but one if not given.",
        minimum=1,
        name_suffix="@ep",
    )
    metric: str | None = setting(
        None,
        "Accuracy whose shorter training is looked up, or any metric of its data set; the one that is compared with "
        "if not given.",
        metric=True,
    )
