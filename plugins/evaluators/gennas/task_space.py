"""The spaces of GenNAS tasks that task searches go through (Li et al., NeurIPS 2021, appendix A.2.2; released code).

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
- Recurrent tasks: eight steps; one number of features, with the values of channels; inputs and targets have each of
  the four bases other than resize with 1/2, always local. Mutation: eleven blocks, which are the noise, the features,
  the batch and each pair of side and basis (C).

Everything is uniform over its values. C draws a new batch of images for every task; here all tasks of a search see the
same images, and each has targets of its own.
"""

from __future__ import annotations

import json
from abc import abstractmethod
from collections.abc import Callable, Iterable, Sequence
from dataclasses import replace
from typing import TYPE_CHECKING, Generic, TypeVar

from ....core.descriptions import SearchSpaceInfo
from ....core.errors import InvalidArchitectureError
from ....core.interfaces import DesignSpace
from .errors import InvalidTaskError
from .task import (
    BASES,
    MAP_SIZE,
    NOISE_KINDS,
    NUM_FREQUENCIES,
    NUM_STAGES,
    SCOPES,
    SEQUENCE_BASES,
    Noise,
    RecurrentTask,
    Signal,
    StageTask,
    Task,
    task_to_text,
)
from .task_parser import parse_recurrent_task, parse_task

if TYPE_CHECKING:
    import numpy as np

T = TypeVar("T")
TaskT = TypeVar("TaskT", Task, RecurrentTask)

BATCH = 16
CHANNELS = (16, 32, 48, 64, 80, 96)
NOISE_LEVELS = tuple(level / 10 for level in range(10))
AMPLITUDES = tuple(tenths / 10 for tenths in range(5, 30))
MAX_FREQUENCY = 0.5
MIN_DENSITY = 1 / MAP_SIZE**2
LENGTH = 8
MIN_SEQUENCE_DENSITY = 1 / (LENGTH * min(CHANNELS))
DOT_BASES = ("dot", "gdot")
PRESENT = 0.5
KEPT = 0.8

NAME = "searched"
"""Name of every task of the space: names do not tell tasks apart."""


class _TaskSpace(DesignSpace, Generic[TaskT]):
    """Tasks of one kind, spelled as the JSON text of the setting ``task``."""

    @property
    def size(self) -> int | None:
        """None: frequencies and densities are real numbers."""
        return None

    def canonicalize(self, text: str) -> str:
        """Return the text of a task without its name, signals in the order of the bases.

        Raises:
            InvalidArchitectureError: ``text`` is no task.
        """
        return self._spell(self._read(text))

    def _sample(self, count: int, rng: np.random.Generator) -> list[str]:
        texts: dict[str, None] = {}
        while len(texts) < count:
            texts.setdefault(self._spell(self._draw(rng)))
        return list(texts)

    def _mutate(self, text: str, rng: np.random.Generator) -> str:
        return self._spell(self._change(self._read(text), rng))

    def _read(self, text: str) -> TaskT:
        try:
            return self._parse(json.loads(text))
        except (ValueError, RecursionError) as error:
            raise InvalidArchitectureError(f"The GenNAS task is not JSON: {error}.") from error
        except InvalidTaskError as error:
            raise InvalidArchitectureError(f"The GenNAS task is not valid: {error}") from error

    def _spell(self, task: TaskT) -> str:
        return task_to_text(self._in_order(task))

    @abstractmethod
    def _parse(self, value: object) -> TaskT:
        """Build a task from decoded JSON."""

    @abstractmethod
    def _in_order(self, task: TaskT) -> TaskT:
        """Return the task under the name of all, its signals in the order of the bases."""

    @abstractmethod
    def _draw(self, rng: np.random.Generator) -> TaskT:
        """Return a random task."""

    @abstractmethod
    def _change(self, task: TaskT, rng: np.random.Generator) -> TaskT:
        """Return the task with each block drawn again with probability 1 - KEPT."""


class GennasTasks(_TaskSpace[Task]):
    """Tasks for networks of three stages."""

    @property
    def name(self) -> str:
        """Name of the space."""
        return "gennas-tasks"

    def describe(self, text: str) -> str:
        """Return noise and, for each stage, channels and bases."""
        task = self._read(text)
        stages = [f"{stage.channels}: {_bases(stage.signals)}" for stage in task.stages]
        return f"{_describe_noise(task.noise)}; {' | '.join(stages)}"

    def _parse(self, value: object) -> Task:
        return parse_task(value)

    def _in_order(self, task: Task) -> Task:
        stages = tuple(replace(stage, signals=_sorted(stage.signals)) for stage in task.stages)
        return replace(task, name=NAME, stages=stages)

    def _draw(self, rng: np.random.Generator) -> Task:
        noise = _draw_noise(rng)
        channels = [_pick(CHANNELS, rng) for _ in range(NUM_STAGES)]
        stages = tuple(StageTask(width, _present(_draw_signal(basis, rng) for basis in BASES)) for width in channels)
        return Task(NAME, BATCH, noise, stages)

    def _change(self, task: Task, rng: np.random.Generator) -> Task:
        noise = task.noise if _keeps(rng) else _draw_noise(rng)
        channels = [stage.channels if _keeps(rng) else _pick(CHANNELS, rng) for stage in task.stages]
        batch = task.batch if _keeps(rng) else BATCH
        stages = tuple(
            StageTask(width, _mutate_signals(stage.signals, BASES, _draw_signal, rng))
            for stage, width in zip(task.stages, channels, strict=True)
        )
        return replace(task, batch=batch, noise=noise, stages=stages)


class RecurrentGennasTasks(_TaskSpace[RecurrentTask]):
    """Tasks for recurrent networks."""

    @property
    def name(self) -> str:
        """Name of the space."""
        return "gennas-rnn-tasks"

    def describe(self, text: str) -> str:
        """Return noise, features, and the bases of inputs and targets."""
        task = self._read(text)
        sides = f"{_bases(task.input)} -> {_bases(task.target)}"
        return f"{_describe_noise(task.noise)}; {task.dim}: {sides}"

    def _parse(self, value: object) -> RecurrentTask:
        return parse_recurrent_task(value)

    def _in_order(self, task: RecurrentTask) -> RecurrentTask:
        return replace(task, name=NAME, input=_sorted(task.input), target=_sorted(task.target))

    def _draw(self, rng: np.random.Generator) -> RecurrentTask:
        noise, dim = _draw_noise(rng), _pick(CHANNELS, rng)
        inputs, targets = (
            _present(_draw_sequence_signal(basis, rng) for basis in SEQUENCE_BASES) for _ in ("input", "target")
        )
        return RecurrentTask(NAME, BATCH, noise, dim, LENGTH, inputs, targets)

    def _change(self, task: RecurrentTask, rng: np.random.Generator) -> RecurrentTask:
        noise = task.noise if _keeps(rng) else _draw_noise(rng)
        dim = task.dim if _keeps(rng) else _pick(CHANNELS, rng)
        batch = task.batch if _keeps(rng) else BATCH
        inputs, targets = (
            _mutate_signals(signals, SEQUENCE_BASES, _draw_sequence_signal, rng)
            for signals in (task.input, task.target)
        )
        return replace(task, batch=batch, noise=noise, dim=dim, input=inputs, target=targets)


def tasks_for(space: SearchSpaceInfo) -> DesignSpace:
    """Return the tasks that can score the architectures of a search space of networks with three stages."""
    return GennasTasks()


def recurrent_tasks_for(space: SearchSpaceInfo) -> DesignSpace:
    """Return the tasks that can score the architectures of a search space of recurrent networks."""
    return RecurrentGennasTasks()


def _describe_noise(noise: Noise) -> str:
    return f"{noise.kind} noise {noise.level:g}"


def _bases(signals: Sequence[Signal]) -> str:
    return "+".join(signal.basis for signal in signals) or "zero"


def _sorted(signals: Sequence[Signal]) -> tuple[Signal, ...]:
    return tuple(sorted(signals, key=lambda signal: BASES.index(signal.basis)))


def _draw_noise(rng: np.random.Generator) -> Noise:
    return Noise(_pick(NOISE_KINDS, rng), _pick(NOISE_LEVELS, rng))


def _mutate_signals(
    signals: Sequence[Signal],
    bases: Sequence[str],
    draw: Callable[[str, np.random.Generator], Signal | None],
    rng: np.random.Generator,
) -> tuple[Signal, ...]:
    """Keep or draw again each basis of a sum; one that is absent may be kept absent."""
    present = {signal.basis: signal for signal in signals}
    return _present(present.get(basis) if _keeps(rng) else draw(basis, rng) for basis in bases)


def _draw_signal(basis: str, rng: np.random.Generator) -> Signal | None:
    if rng.random() >= PRESENT:
        return None
    amp = _pick(AMPLITUDES, rng)
    if basis == "resize":
        return Signal(basis, amp)
    scope = _pick(SCOPES, rng)
    if basis in DOT_BASES:
        return Signal(basis, amp, scope, density=float(rng.uniform(MIN_DENSITY, 1.0)))
    return Signal(basis, amp, scope, freqs=_draw_frequencies(rng))


def _draw_sequence_signal(basis: str, rng: np.random.Generator) -> Signal | None:
    if rng.random() >= PRESENT:
        return None
    amp = _pick(AMPLITUDES, rng)
    if basis in DOT_BASES:
        return Signal(basis, amp, "local", density=float(rng.uniform(MIN_SEQUENCE_DENSITY, 1.0)))
    return Signal(basis, amp, "local", freqs=_draw_frequencies(rng))


def _draw_frequencies(rng: np.random.Generator) -> tuple[float, ...]:
    low, high = sorted(rng.uniform(0.0, MAX_FREQUENCY, 2))
    return tuple(rng.uniform(low, high, NUM_FREQUENCIES).tolist())


def _present(signals: Iterable[Signal | None]) -> tuple[Signal, ...]:
    return tuple(signal for signal in signals if signal is not None)


def _pick(values: Sequence[T], rng: np.random.Generator) -> T:
    return values[int(rng.integers(len(values)))]


def _keeps(rng: np.random.Generator) -> bool:
    return bool(rng.random() < KEPT)
