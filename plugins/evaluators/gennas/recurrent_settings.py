"""Settings of the GenNAS evaluators for recurrent networks."""

from __future__ import annotations

import dataclasses
from dataclasses import dataclass
from typing import Any, ClassVar, Literal

from ....core.settings import Settings, setting
from ..network_settings import DEFAULT_NETWORK
from . import published_tasks
from .settings import Frequencies, given_task
from .task import RecurrentTask, task_to_text
from .task_parser import parse_recurrent_task, read_task_file


@dataclass(frozen=True)
class RecurrentOptions:
    """Settings with the task's own wishes resolved; fields as in :class:`RecurrentSettings`."""

    iterations: int
    learning_rate: float
    weight_decay: float
    batch_size: int
    frequencies: Frequencies
    network: str
    score_interval: int
    score_passes: int


@dataclass(frozen=True)
class RecurrentSettings(Settings):
    """Settings that all GenNAS evaluators for recurrent networks share; a subclass adds the task."""

    published_task: ClassVar[RecurrentTask]

    iterations: int = setting(100, "Training steps on the one batch.", minimum=1)
    learning_rate: float = setting(
        1e-3, "Constant learning rate of Adam (paper); the authors' program takes 0.1 unless told otherwise.", minimum=0
    )
    weight_decay: float = setting(1.2e-6, "Decay of all parameters that are trained.", minimum=0)
    batch_size: int | None = setting(None, "Sequences in the batch; the task's own by default.", minimum=1)
    frequencies: Literal["grid", "uniform"] = setting(
        "grid", "How a named frequency band is filled: ten even frequencies (code) or ten random ones (paper)."
    )
    network: str = setting(
        DEFAULT_NETWORK,
        "Network to score: the one that the benchmark trained, or another that 'nasbench spaces NAME' lists.",
        network_variant=True,
    )
    score_interval: int = setting(10, "Training steps between two scoring passes.", minimum=1)
    score_passes: int = setting(
        1,
        "Only so many scoring passes, the last ones. Those before the last change no score and show what stopping "
        "earlier would have cost.",
        minimum=1,
    )

    def task_definition(self) -> RecurrentTask:
        """Return the task to train on."""
        return self.published_task

    def resolve(self) -> RecurrentOptions:
        """Settle every open choice: what was given, else what the task says.

        Raises:
            InvalidSettingError: There is no task.
        """
        task = self.task_definition()
        own = {field.name: getattr(self, field.name) for field in dataclasses.fields(RecurrentOptions)}
        return RecurrentOptions(
            **own
            | {
                "batch_size": self.batch_size or task.batch,
                "frequencies": self.frequencies if task.uses_named_bands else "grid",
            }
        )

    def effective(self) -> dict[str, Any]:
        """Return the resolved settings by name."""
        return dataclasses.asdict(self.resolve())

    def inputs_drawn(self) -> int:
        """Return 0: the sequences are synthetic."""
        return 0


class RecurrentSingleSettings(RecurrentSettings):
    """Settings of ``gennas-rnn-single``."""

    published_task = published_tasks.RECURRENT_SINGLE


class RecurrentComboSettings(RecurrentSettings):
    """Settings of ``gennas-rnn-combo``."""

    published_task = published_tasks.RECURRENT_COMBO


class RecurrentSearchSettings(RecurrentSettings):
    """Settings of ``gennas-rnn-search``."""

    published_task = published_tasks.RECURRENT_SEARCH


def _read_task(file: str) -> str:
    return task_to_text(read_task_file(file, parse_recurrent_task))


@dataclass(frozen=True)
class RecurrentTaskFileSettings(RecurrentSettings):
    """Settings of ``gennas-rnn``, whose task the user writes."""

    task: str | None = setting(
        None, "JSON file with the task; results keep its content, not its path.", reader=_read_task
    )

    def task_definition(self) -> RecurrentTask:
        """Return the user's task.

        Raises:
            InvalidSettingError: None was given.
            InvalidTaskError: Its text is no task.
        """
        return given_task(self.task, parse_recurrent_task, "gennas-rnn", published="gennas-rnn-combo")

    def effective(self) -> dict[str, Any]:
        """Return the resolved settings and the task's text."""
        return super().effective() | {"task": self.task}
