"""The notation of AnyNet designs, and which values each space allows. Importing this module does not import torch.

A design is three stages. Each is written as letters with numbers: ``d`` its blocks (depth), ``w`` its channels (width),
and where blocks are bottlenecks ``r``, by which the channels inside are fewer (ratio), and ``g``, the groups of their
3x3 convolution: ``d12w24 d12w24 d12w40``, ``d16w64r4g2 d1w128r4g1 d4w16r4g2``.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, NamedTuple

from .....core.errors import InvalidArchitectureError

NUM_STAGES = 3

FIELDS = {"d": "depth", "w": "width", "r": "ratio", "g": "groups"}
"""What each letter of the notation means, in its order there."""

Block = Literal["basic", "bottleneck"]


class Stage(NamedTuple):
    """One stage.

    Attributes:
        depth: Number of blocks.
        width: Channels of its output.
        ratio: ``width`` divided by the channels inside a bottleneck; 1 for basic blocks.
        groups: Of the 3x3 convolution in a bottleneck; 1 for basic blocks.
    """

    depth: int
    width: int
    ratio: int = 1
    groups: int = 1


@dataclass(frozen=True)
class Definition:
    """Which designs a space has; the decisions are independent, and the same in each stage.

    Attributes:
        block: Which residual block stages are made of.
        values: What each decision of a stage may be, in the order of :data:`FIELDS`: all four for bottlenecks, depth
            and width for basic blocks.
    """

    block: Block
    values: tuple[tuple[int, ...], ...]

    @property
    def letters(self) -> str:
        """The letters of a stage in the notation."""
        return "".join(FIELDS)[: len(self.values)]

    @property
    def decisions(self) -> tuple[tuple[int, ...], ...]:
        """The values of every decision, stage by stage."""
        return self.values * NUM_STAGES

    @property
    def example(self) -> str:
        """A small design."""
        return self.text([Stage(*(values[number] for values in self.values)) for number in range(NUM_STAGES)])

    def text(self, stages: Sequence[Stage]) -> str:
        """Write a design."""
        return " ".join(
            "".join(f"{letter}{value}" for letter, value in zip(self.letters, stage, strict=False)) for stage in stages
        )

    def design(self, decided: Sequence[int]) -> tuple[Stage, ...]:
        """Return the design of these values of all decisions, in the order of :attr:`decisions`."""
        step = len(self.values)
        return tuple(Stage(*decided[start : start + step]) for start in range(0, len(decided), step))

    def decided(self, stages: Sequence[Stage]) -> list[int]:
        """Return the values of all decisions, in the order of :attr:`decisions`."""
        return [value for stage in stages for value in stage[: len(self.values)]]

    def parse(self, text: str) -> tuple[Stage, ...]:
        """Read a design.

        Raises:
            InvalidArchitectureError: It is written otherwise, or has a value that the space does not have.
        """
        parts = text.split()
        if len(parts) != NUM_STAGES:
            found = f"{len(parts)} {'stage' if len(parts) == 1 else 'stages'}"
            raise InvalidArchitectureError(
                f"The design {text[:80]!r} has {found}, expected {NUM_STAGES} with blanks between them, as in "
                f"'{self.example}'."
            )
        stages = tuple(self._parse_stage(text, number, part) for number, part in enumerate(parts, start=1))
        self.check(stages, f"The design {text[:80]!r}")
        return stages

    def _parse_stage(self, text: str, number: int, part: str) -> Stage:
        found = re.fullmatch("".join(f"{letter}([0-9]{{1,4}})" for letter in self.letters), part)
        if found is None:
            expected = ", ".join(f"'{letter}' and the {FIELDS[letter]}" for letter in self.letters)
            raise InvalidArchitectureError(
                f"The design {text[:80]!r}: stage {number} is {part[:40]!r}, expected {expected}, as in "
                f"'{self.example.split()[0]}'."
            )
        return Stage(*map(int, found.groups()))

    def check(self, stages: Sequence[Stage], what: str) -> None:
        """Refuse a design that the space does not have; ``what`` begins the message.

        Raises:
            InvalidArchitectureError: A value is none of the space's.
        """
        for number, stage in enumerate(stages, start=1):
            for letter, value, values in zip(self.letters, stage, self.values, strict=False):
                if value not in values:
                    raise InvalidArchitectureError(
                        f"{what}: stage {number} has the {FIELDS[letter]} {value!s:.40}; choose from "
                        f"{', '.join(map(str, values))}."
                    )


# Radosavovic et al., ICCV 2019: so many values in each range, spread evenly over its logarithm.
RESNET = Definition("basic", ((1, 2, 3, 4, 6, 8, 12, 16, 24), (16, 24, 32, 40, 48, 64, 80, 96, 128, 160, 192, 256)))
RESNEXT_A = Definition("bottleneck", ((1, 2, 4, 8, 16), (16, 32, 64, 128, 256), (1, 2, 4), (1, 2, 4)))
RESNEXT_B = Definition("bottleneck", ((1, 2, 4, 8, 16), (64, 128, 256, 512, 1024), (1, 2, 4), (1, 2, 4, 8, 16)))
