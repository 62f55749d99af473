"""The space of GenNAS tasks that a task search goes through (Li et al., NeurIPS 2021, appendix A.2.2; released code).

Sources, P the paper and C the authors' code (github.com/leeyeehoo/GenNAS); where they differ C is followed, since the
published tasks are C's:

- Batch 16 (P, C). Noise gaussian or uniform, level 0, 0.1 .. 0.9 (C; P goes up to 1).
- Channels of each stage: 64 times 0.25, 0.5, 0.75, 1, 1.25 or 1.5 (C; P lists 16, 32, 48, 64, 96, but the published
  search-D has 80).
- Each of the five bases is in a stage with probability 1/2; amplitude 0.5, 0.6 .. 2.9; local or global with 1/2 (C).
- Ten frequencies, uniform between a and b, which are two sorted draws from U(0, 0.5) (C).
- Density U(0, 1) (C); here from 1/64 on, since a dot map of less than one pixel is 0/0 in C.
- Mutation: twenty blocks, which are the noise (kind with level), the channels of each stage, the batch and each pair of
  stage and basis; each is kept with probability 0.8, else drawn again as above, so that a signal drawn again is absent
  with 1/2 (C; P agrees on 0.2). The batch has a single value, so it only ever returns to it.

Everything is uniform over its values. C draws a new batch of images for every task; here all tasks of a search see the
same images, and each has targets of its own.
"""

from __future__ import annotations

import json
from collections.abc import Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, TypeVar

from ....core.descriptions import SearchSpaceInfo
from ....core.errors import InvalidArchitectureError, InvalidTaskError
from ....core.interfaces import DesignSpace
from .task import (
    BASES,
    MAP_SIZE,
    NOISE_KINDS,
    NUM_FREQUENCIES,
    NUM_STAGES,
    SCOPES,
    Noise,
    Signal,
    StageTask,
    Task,
    task_to_text,
)
from .task_parser import parse_task

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")

BATCH = 16
CHANNELS = (16, 32, 48, 64, 80, 96)
NOISE_LEVELS = tuple(level / 10 for level in range(10))
AMPLITUDES = tuple(tenths / 10 for tenths in range(5, 30))
MAX_FREQUENCY = 0.5
MIN_DENSITY = 1 / MAP_SIZE**2
PRESENT = 0.5
KEPT = 0.8

NAME = "searched"
"""Name of every task of the space: names do not tell tasks apart."""


class GennasTasks(DesignSpace):
    """GenNAS tasks for networks of three stages, spelled as the JSON text of the setting ``task``."""

    @property
    def name(self) -> str:
        """Name of the space."""
        return "gennas-tasks"

    @property
    def size(self) -> int | None:
        """None: frequencies and densities are real numbers."""
        return None

    def canonicalize(self, text: str) -> str:
        """Return the text of a task without its name, the signals of a stage in the order of the bases.

        Raises:
            InvalidArchitectureError: ``text`` is no task.
        """
        return _to_text(_read(text))

    def describe(self, text: str) -> str:
        """Return noise and, for each stage, channels and bases."""
        task = _read(text)
        stages = [
            f"{stage.channels}: {'+'.join(signal.basis for signal in stage.signals) or 'zero'}" for stage in task.stages
        ]
        return f"{task.noise.kind} noise {task.noise.level:g}; {' | '.join(stages)}"

    def _sample(self, count: int, rng: np.random.Generator) -> list[str]:
        texts: dict[str, None] = {}
        while len(texts) < count:
            texts.setdefault(_to_text(_draw_task(rng)))
        return list(texts)

    def _mutate(self, text: str, rng: np.random.Generator) -> str:
        task = _read(text)
        noise = task.noise if _keeps(rng) else _draw_noise(rng)
        channels = [stage.channels if _keeps(rng) else _pick(CHANNELS, rng) for stage in task.stages]
        batch = task.batch if _keeps(rng) else BATCH
        stages = tuple(
            StageTask(width, _mutate_signals(stage.signals, rng))
            for stage, width in zip(task.stages, channels, strict=True)
        )
        return _to_text(replace(task, batch=batch, noise=noise, stages=stages))


def tasks_for(space: SearchSpaceInfo) -> DesignSpace:
    """Return the tasks that can score the architectures of a search space: so far those for images and three stages."""
    return GennasTasks()


def _read(text: str) -> Task:
    try:
        return parse_task(json.loads(text))
    except (ValueError, RecursionError) as error:
        raise InvalidArchitectureError(f"The GenNAS task is not JSON: {error}.") from error
    except InvalidTaskError as error:
        raise InvalidArchitectureError(f"The GenNAS task is not valid: {error}") from error


def _to_text(task: Task) -> str:
    stages = tuple(
        replace(stage, signals=tuple(sorted(stage.signals, key=lambda signal: BASES.index(signal.basis))))
        for stage in task.stages
    )
    return task_to_text(replace(task, name=NAME, stages=stages))


def _draw_task(rng: np.random.Generator) -> Task:
    noise = _draw_noise(rng)
    channels = [_pick(CHANNELS, rng) for _ in range(NUM_STAGES)]
    stages = tuple(StageTask(width, _present(_draw_signal(basis, rng) for basis in BASES)) for width in channels)
    return Task(NAME, BATCH, noise, stages)


def _draw_noise(rng: np.random.Generator) -> Noise:
    return Noise(_pick(NOISE_KINDS, rng), _pick(NOISE_LEVELS, rng))


def _mutate_signals(signals: Sequence[Signal], rng: np.random.Generator) -> tuple[Signal, ...]:
    """Keep or draw again each basis of a stage; one that is absent may be kept absent."""
    present = {signal.basis: signal for signal in signals}
    return _present(present.get(basis) if _keeps(rng) else _draw_signal(basis, rng) for basis in BASES)


def _draw_signal(basis: str, rng: np.random.Generator) -> Signal | None:
    if rng.random() >= PRESENT:
        return None
    amp = _pick(AMPLITUDES, rng)
    if basis == "resize":
        return Signal(basis, amp)
    scope = _pick(SCOPES, rng)
    if basis in ("dot", "gdot"):
        return Signal(basis, amp, scope, density=float(rng.uniform(MIN_DENSITY, 1.0)))
    low, high = sorted(rng.uniform(0.0, MAX_FREQUENCY, 2))
    return Signal(basis, amp, scope, freqs=tuple(rng.uniform(low, high, NUM_FREQUENCIES).tolist()))


def _present(signals: Iterable[Signal | None]) -> tuple[Signal, ...]:
    return tuple(signal for signal in signals if signal is not None)


def _pick(values: Sequence[T], rng: np.random.Generator) -> T:
    return values[int(rng.integers(len(values)))]


def _keeps(rng: np.random.Generator) -> bool:
    return bool(rng.random() < KEPT)
