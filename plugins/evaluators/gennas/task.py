"""GenNAS tasks: what a network is asked to regress, and the JSON that describes it.

A task for images gives each of three stages a sum of synthetic signals, one for recurrent networks makes inputs and
targets of such sums (Li et al., NeurIPS 2021, section 3.1.2).
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Any

BASES = ("sin1d", "sin2d", "dot", "gdot", "resize")
SEQUENCE_BASES = ("sin1d", "sin2d", "dot", "gdot")
"""Bases of recurrent tasks, which have no image to shrink."""

SCOPES = ("local", "global")
NOISE_KINDS = ("gaussian", "uniform")
FREQUENCY_BANDS = {"L10": (0.0, 0.125), "M10": (0.125, 0.375), "H10": (0.375, 0.5)}
"""Named frequency ranges in cycles per pixel (paper, section 4.1)."""

NUM_STAGES = 3
NUM_FREQUENCIES = 10
MAP_SIZE = 8
"""Height and width of every target map (paper, appendix A.2)."""

MAX_CHANNELS = 1024
"""Our limit, ten times the widest published target (96 channels)."""

MAX_LENGTH = 512
"""Our limit on the steps of a sequence; published tasks have eight."""

MAPS_TO_CHOOSE_FROM = {"sin1d": 640, "resize": 1000}
"""Bases whose channels are drawn without replacement from fewer than ``MAX_CHANNELS`` maps."""


@dataclass(frozen=True)
class Signal:
    """One synthetic signal of a stage's target.

    Attributes:
        basis: One of :data:`BASES`.
        amp: Factor of the signal in the sum.
        scope: ``local``: each image of the batch has its own maps; ``global``: all images share them. None
            for ``resize``, which depends on the image.
        freqs: Sine bases: ten frequencies in cycles per pixel, or the name of a band. None for the others.
        density: Dot bases: fraction of non-zero pixels. None for the others.
    """

    basis: str
    amp: float
    scope: str | None = None
    freqs: str | tuple[float, ...] | None = None
    density: float | None = None


@dataclass(frozen=True)
class StageTask:
    """Target of one stage: the sum of ``signals`` in ``channels`` maps; no signals mean a target of zero."""

    channels: int
    signals: tuple[Signal, ...]


@dataclass(frozen=True)
class Noise:
    """Noise added to the images at every forward pass.

    ``kind`` is ``gaussian`` (standard deviation ``level``) or ``uniform`` (between ``-level`` and ``level``).
    """

    kind: str
    level: float


@dataclass(frozen=True)
class Task:
    """A regression task for networks with three stages.

    Attributes:
        name: Free text.
        batch: Number of images.
        noise: Noise on the images.
        stages: One target for each stage.
        train_weights: Weights of the stages in the training loss, None if the task leaves them open.
        eval_weights: Weights of the stages in the score, None if the task leaves them open.
    """

    name: str
    batch: int
    noise: Noise
    stages: tuple[StageTask, ...]
    train_weights: tuple[float, ...] | None = None
    eval_weights: tuple[float, ...] | None = None

    @property
    def uses_named_bands(self) -> bool:
        """Whether any signal names a frequency band instead of listing frequencies."""
        return any(isinstance(signal.freqs, str) for stage in self.stages for signal in stage.signals)


@dataclass(frozen=True)
class RecurrentTask:
    """A regression task for recurrent networks: one sequence to see and one to give.

    A signal is a map of ``length`` rows (steps) and ``dim`` columns (features), another one for each sequence of the
    batch.

    Attributes:
        name: Free text.
        batch: Number of sequences.
        noise: Noise on the inputs.
        dim: Features of inputs and targets.
        length: Steps of a sequence.
        input: What the inputs are the sum of; none means zero.
        target: What the targets are the sum of; none means zero.
    """

    name: str
    batch: int
    noise: Noise
    dim: int
    length: int
    input: tuple[Signal, ...]
    target: tuple[Signal, ...]

    @property
    def uses_named_bands(self) -> bool:
        """Whether any signal names a frequency band instead of listing frequencies."""
        return any(isinstance(signal.freqs, str) for signal in (*self.input, *self.target))


def frequency_grid(band: str) -> tuple[float, ...]:
    """Return the ten evenly spaced frequencies that stand for a band, in cycles per pixel.

    The original code's grids: ``M10`` and ``H10`` start at the low end of their band and stop one step below
    the high end. It has none for ``L10``: there we take the middles of ten equal parts, which keeps out
    frequency 0.
    """
    low, high = FREQUENCY_BANDS[band]
    offset = 0.5 if band == "L10" else 0.0
    step = (high - low) / NUM_FREQUENCIES
    return tuple(low + step * (index + offset) for index in range(NUM_FREQUENCIES))


def task_to_json(task: Task | RecurrentTask) -> dict[str, Any]:
    """Return the JSON form of a task, the one that :mod:`.task_parser` reads."""
    fields: dict[str, Any] = {
        "name": task.name,
        "batch": task.batch,
        "noise": {"kind": task.noise.kind, "level": task.noise.level},
    }
    if isinstance(task, RecurrentTask):
        sides = {"input": task.input, "target": task.target}
        return (
            fields
            | {"dim": task.dim, "length": task.length}
            | {side: [_signal_to_json(signal) for signal in signals] for side, signals in sides.items()}
        )
    fields |= {
        "stages": [
            {"channels": stage.channels, "signals": [_signal_to_json(signal) for signal in stage.signals]}
            for stage in task.stages
        ],
    }
    weights = {"train_weights": task.train_weights, "eval_weights": task.eval_weights}
    return fields | {name: list(values) for name, values in weights.items() if values is not None}


def task_to_text(task: Task | RecurrentTask) -> str:
    """Return the one JSON text that stands for a task, however its file was laid out."""
    return json.dumps(task_to_json(task), sort_keys=True, separators=(",", ":"))


def _signal_to_json(signal: Signal) -> dict[str, Any]:
    freqs = list(signal.freqs) if isinstance(signal.freqs, tuple) else signal.freqs
    fields = {
        "basis": signal.basis,
        "amp": signal.amp,
        "scope": signal.scope,
        "freqs": freqs,
        "density": signal.density,
    }
    return {name: value for name, value in fields.items() if value is not None}
