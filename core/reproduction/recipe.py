"""A published table as data: what was compared on what, and the figures that were printed. Recipes are TOML files."""

from __future__ import annotations

import math
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Literal, get_args

from ..errors import UsageError, closest_matches

Statistic = Literal["rho", "tau", "retrieval", "found", "seconds", "memory"]
"""Spearman's rho; Kendall's tau-b; share of the truly best ``top`` percent among those with the best scores; trained
performance of what a search finds; processor seconds of a training step; peak memory of a job in MB."""

Confidence = Literal["clear", "inferred", "unreadable"]
"""How sure the transcription of a published figure is."""

COMPARABLE: tuple[Statistic, ...] = ("rho", "tau", "retrieval", "found")
"""Statistics that another machine does not change."""


@dataclass(frozen=True)
class PublishedFigure:
    """One cell of a published table.

    Attributes:
        evaluator: What ``--evaluator`` takes to make it again.
        value: The figure, None if it cannot be read or was not printed.
        statistic: What it is.
        strategy: For ``found``: what ``nasbench search --strategy`` takes; empty for others.
        top: For ``retrieval``: percent of the architectures that count as the best.
        deviation: Its published standard deviation, None if there is none.
        confidence: How sure the transcription is.
        note: What else is to be known of it.
        decimals: With how many decimals the recipe writes the figure or its deviation.
    """

    evaluator: str
    value: float | None
    statistic: Statistic
    strategy: str = ""
    top: float | None = None
    deviation: float | None = None
    confidence: Confidence = "clear"
    note: str = ""
    decimals: int = 0


@dataclass(frozen=True)
class Comparison:
    """The part of a table that is of one space and data set.

    Attributes:
        space: Name of the search space.
        dataset: Name of the image set, None for the space's default.
        metric: Ground truth, as ``--metric`` takes it; None for the default.
        samples: Number of architectures, or evaluations of each search, in the publication; None if it is not stated.
        figures: In the order of the publication.
        not_comparable: Why none of it can be made again here, empty if it can.
    """

    space: str
    dataset: str | None
    metric: str | None
    samples: int | None
    figures: tuple[PublishedFigure, ...]
    not_comparable: str = ""

    @property
    def evaluators(self) -> tuple[str, ...]:
        """What is to be run, each once."""
        return tuple(dict.fromkeys(figure.evaluator for figure in self.figures))

    @property
    def searches(self) -> bool:
        """Whether its figures are of searches."""
        return all(figure.strategy for figure in self.figures)


@dataclass(frozen=True)
class Recipe:
    """A published table.

    Attributes:
        name: What users type, such as ``table2``.
        title: What it shows, one sentence.
        source: The publication, with the table's number.
        seeds: How many run seeds a figure is the mean of.
        comparisons: Its parts.
    """

    name: str
    title: str
    source: str
    seeds: int
    comparisons: tuple[Comparison, ...]


def parse_recipe(text: str, name: str) -> Recipe:
    """Read a recipe.

    Args:
        text: TOML with ``title``, ``source``, optionally ``statistic``, ``top`` and ``seeds``, and tables
            ``[[comparisons]]`` with ``space``, optionally ``dataset``, ``metric`` and ``samples``, and ``figures``: a
            list of tables with ``evaluator`` and optionally ``strategy``, ``value``, ``statistic``, ``top``,
            ``deviation``, ``confidence`` and ``note``.
        name: Its name, for messages.

    Raises:
        UsageError: It is no recipe; the message names the place.
    """
    try:
        given = tomllib.loads(text, parse_float=_Written)
    except tomllib.TOMLDecodeError as error:
        raise UsageError(f"The recipe '{name}' is not TOML: {error}.") from error
    reader = _Reader(given, f"recipe '{name}'", {"title", "source", "statistic", "top", "seeds", "comparisons"})
    statistic, top = reader.choice("statistic", get_args(Statistic), "rho"), reader.number("top")
    return Recipe(
        name=name,
        title=reader.text("title"),
        source=reader.text("source"),
        seeds=reader.count("seeds") or 1,
        comparisons=tuple(_comparison(part, statistic, top) for part in reader.tables("comparisons")),
    )


def _comparison(reader: _Reader, statistic: Any, top: float | None) -> Comparison:
    reader.allow({"space", "dataset", "metric", "samples", "figures", "not_comparable"})
    comparison = Comparison(
        space=reader.text("space"),
        dataset=reader.optional_text("dataset"),
        metric=reader.optional_text("metric"),
        samples=reader.count("samples"),
        figures=tuple(_figure(part, statistic, top) for part in reader.tables("figures")),
        not_comparable=reader.optional_text("not_comparable") or "",
    )
    if not comparison.searches and any(figure.strategy for figure in comparison.figures):
        reader.refuse("some of its figures are of searches and some are not: make two comparisons of them")
    return comparison


def _figure(reader: _Reader, statistic: Any, top: float | None) -> PublishedFigure:
    reader.allow({"evaluator", "strategy", "value", "statistic", "top", "deviation", "confidence", "note"})
    figure = PublishedFigure(
        evaluator=reader.text("evaluator"),
        value=reader.number("value"),
        statistic=reader.choice("statistic", get_args(Statistic), statistic),
        strategy=reader.optional_text("strategy") or "",
        top=reader.number("top") or top,
        deviation=reader.number("deviation"),
        confidence=reader.choice("confidence", get_args(Confidence), "clear"),
        note=reader.optional_text("note") or "",
        decimals=max(reader.decimals("value"), reader.decimals("deviation")),
    )
    if figure.statistic == "retrieval" and (figure.top is None or not 0 < figure.top <= 100):
        reader.refuse("retrieval needs 'top', a percentage above 0 and at most 100")
    if (figure.statistic == "found") is not bool(figure.strategy):
        reader.refuse("'found' needs 'strategy', what searches, and only it has one")
    return figure


class _Written(float):
    """A number of a TOML text, which knows its decimals there: 0.60 has two."""

    decimals: int

    def __new__(cls, text: str) -> _Written:
        number = super().__new__(cls, text)
        number.decimals = len(text.partition(".")[2].lower().partition("e")[0])
        return number


class _Reader:
    """Takes checked values out of a TOML table; ``place`` names it in messages."""

    def __init__(self, given: Mapping[str, Any], place: str, known: set[str] | None = None) -> None:
        self._given, self._place = given, place
        if known is not None:
            self.allow(known)

    def allow(self, known: set[str]) -> None:
        """Refuse keys that are not known."""
        for key in self._given:
            if key not in known:
                self.refuse(f"the key '{key}' is not known. {closest_matches(key, sorted(known))}".rstrip())

    def refuse(self, problem: str) -> None:
        """Raise a UsageError."""
        raise UsageError(f"The {self._place}: {problem}")

    def text(self, key: str) -> str:
        """Return a text that must be there."""
        value = self.optional_text(key)
        if not value:
            self.refuse(f"it lacks '{key}', a text.")
        return value or ""

    def optional_text(self, key: str) -> str | None:
        """Return a text, None if there is none."""
        value = self._given.get(key)
        if value is not None and not isinstance(value, str):
            self.refuse(f"'{key}' is to be a text, got {value!r}.")
        return value

    def number(self, key: str) -> float | None:
        """Return a finite number, None if there is none."""
        value = self._given.get(key)
        if value is None:
            return None
        if isinstance(value, bool) or not isinstance(value, int | float) or not math.isfinite(value):
            self.refuse(f"'{key}' is to be a finite number, got {value!r}.")
        return float(value)

    def decimals(self, key: str) -> int:
        """Return with how many decimals a number was written, 0 if there is none."""
        return getattr(self._given.get(key), "decimals", 0)

    def count(self, key: str) -> int | None:
        """Return a whole number of at least 1, None if there is none."""
        value = self._given.get(key)
        if value is not None and (isinstance(value, bool) or not isinstance(value, int) or value < 1):
            self.refuse(f"'{key}' is to be a whole number of at least 1, got {value!r}.")
        return value

    def choice(self, key: str, choices: Sequence[str], default: Any) -> Any:
        """Return one of some texts."""
        value = self._given.get(key, default)
        if value not in choices:
            self.refuse(f"'{key}' is to be one of {', '.join(choices)}, got {value!r}.")
        return value

    def tables(self, key: str) -> list[_Reader]:
        """Return a list of tables, one or more."""
        value = self._given.get(key)
        if not isinstance(value, list) or not value or not all(isinstance(part, dict) for part in value):
            self.refuse(f"it lacks '{key}', one or more tables.")
        return [_Reader(part, f"{self._place}, {key} {number}") for number, part in enumerate(value or [], start=1)]
