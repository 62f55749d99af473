"""Published figures beside ours: value, interval and verdict."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import numpy as np

from ..core.documents.document import Column, Document, Grid
from ..core.planning.aggregation import AggregateSpec
from ..core.reproduction.recipe import COMPARABLE, Comparison, PublishedFigure, Recipe
from ..core.results.contents import Results
from ..core.results.records import Floats
from ..core.statistics.estimates import Estimate, bootstrapped, estimate_rho, estimate_tau, t_quantile
from ..core.statistics.failures import FailurePolicy
from ..core.statistics.resampling import Resampling, resampled_rho
from ..core.statistics.seeds import spread_over_seeds
from ..core.statistics.top import retrieving_rate
from .aggregates import select_aggregate
from .samples import Sample
from .select import EvaluatorSelection, Selection, select

FEW = 30
"""With fewer architectures an interval is so wide that agreement says little."""


FEW_AT_THE_TOP = 5
"""A share among fewer architectures has no interval: it can take a few values only, and a resample has them twice."""


@dataclass(frozen=True)
class Reproduced:
    """A published figure and what was found here.

    Attributes:
        comparison: The part of the recipe.
        figure: The published figure.
        ours: The figure made here with its interval, undefined where there is none.
        deviation: Sample standard deviation over run seeds, None for a single seed.
        n: Architectures behind it.
        seeds: Run seeds behind it.
        why_not: Why there is none, or why it cannot be compared; empty if it can.
    """

    comparison: Comparison
    figure: PublishedFigure
    ours: Estimate = field(default_factory=Estimate)
    deviation: float | None = None
    n: int = 0
    seeds: int = 0
    why_not: str = ""

    @property
    def difference(self) -> float | None:
        """Return ours less the published figure, None if either is unknown."""
        if self.ours.value is None or self.figure.value is None:
            return None
        return self.ours.value - self.figure.value

    @property
    def verdict(self) -> str:
        """Say in words how the two compare."""
        if self.figure.value is None:
            return "unreadable there"
        if self.why_not:
            return "not comparable"
        if self.difference is None:
            return "no figure here"
        if self.ours.low is None or self.ours.high is None:
            return "one seed only" if self.figure.statistic == "found" else "too few architectures"
        if self.ours.low <= self.figure.value <= self.ours.high:
            return "agrees"
        return f"differs by {self.difference:+.2f}"


def reproduce_figures(
    comparison: Comparison,
    results: Sequence[Results],
    left_out: Mapping[str, str],
    aggregates: Sequence[AggregateSpec] = (),
) -> list[Reproduced]:
    """Make the figures of one part of a recipe from its results.

    Args:
        comparison: The part.
        results: One for each run seed, over the same architectures.
        left_out: Why an evaluator was not run, by what the recipe calls it.
        aggregates: Those among the evaluators.
    """
    selections = [select(part) for part in results]
    return [_reproduce(comparison, figure, selections, left_out, aggregates) for figure in comparison.figures]


def reproduce_found(
    comparison: Comparison, figure: PublishedFigure, values: Sequence[float], evaluations: int
) -> Reproduced:
    """Make a figure of searches: the mean over seeds, with an interval of Student's t.

    Args:
        comparison: The part of the recipe.
        figure: One of its figures.
        values: Trained performance of what each search found, NaN where it is not known.
        evaluations: Of each search.
    """
    known = np.array([value for value in values if value == value], dtype=np.float64)
    if not known.size:
        return Reproduced(comparison, figure, why_not="there is no ground truth here")
    mean, seeds = float(known.mean()), int(known.size)
    if seeds == 1:
        return Reproduced(comparison, figure, Estimate(mean), n=evaluations, seeds=1)
    deviation = float(known.std(ddof=1))
    half = t_quantile(0.975, seeds - 1) * deviation / math.sqrt(seeds)
    return Reproduced(comparison, figure, Estimate(mean, mean - half, mean + half), deviation, evaluations, seeds)


def _reproduce(
    comparison: Comparison, figure: PublishedFigure, selections: Sequence[Selection], left_out: Mapping[str, str],
    aggregates: Sequence[AggregateSpec],
) -> Reproduced:  # fmt: skip
    if figure.evaluator in left_out:
        return Reproduced(comparison, figure, why_not=left_out[figure.evaluator])
    parts = [_find(figure.evaluator, selection, aggregates) for selection in selections]
    truth = selections[0].truth
    if figure.statistic not in COMPARABLE:
        return _cost(comparison, figure, parts)
    if truth is None:
        return Reproduced(comparison, figure, why_not="there is no ground truth here")
    samples = [Sample.of(part, FailurePolicy.WORST) for part in parts]
    rows = samples[0].rows
    if not rows.any():
        return Reproduced(comparison, figure, why_not="no job is done")
    n = int(rows.sum())
    estimate, deviation = _estimate(figure, [sample.scores for sample in samples], truth[rows])
    return Reproduced(comparison, figure, estimate, deviation, n, len(samples))


def _find(name: str, selection: Selection, aggregates: Sequence[AggregateSpec]) -> EvaluatorSelection:
    for spec in aggregates:
        if spec.label == name:
            return select_aggregate(spec, selection, FailurePolicy.WORST).selection
    return next(part for part in selection.evaluators if part.evaluator.label == name)


def _estimate(figure: PublishedFigure, sides: Sequence[Floats], truth: Floats) -> tuple[Estimate, float | None]:
    """Return the figure with its interval, and the deviation over seeds if there are several."""
    if len(sides) > 1:
        return _over_seeds(figure, sides, truth)
    (scores,) = sides
    if figure.statistic == "rho":
        return estimate_rho([scores], truth, Resampling())[0], None
    if figure.statistic == "tau":
        return estimate_tau(scores, truth), None
    return _retrieval(scores, truth, (figure.top or 0) / 100), None


def _over_seeds(figure: PublishedFigure, sides: Sequence[Floats], truth: Floats) -> tuple[Estimate, float | None]:
    each = [_estimate(figure, [scores], truth)[0].value for scores in sides]
    if any(value is None for value in each):
        return Estimate(), None
    values = np.array(each, dtype=np.float64)
    if figure.statistic != "rho":
        return Estimate(float(values.mean())), float(values.std(ddof=1))
    spread = spread_over_seeds(values, resampled_rho(sides, truth, Resampling()), truth.size)
    assert spread is not None
    return spread.mean, spread.deviation


def _retrieval(scores: Floats, truth: Floats, fraction: float) -> Estimate:
    found = retrieving_rate(scores, truth, top_fraction=fraction)
    if found is None:
        return Estimate()
    if fraction * truth.size < FEW_AT_THE_TOP:
        return Estimate(found.rate)
    resampled = [
        retrieving_rate(scores[items], truth[items], top_fraction=fraction)
        for drawn in Resampling().draws(truth.size)
        for items in drawn
    ]
    rates = np.array([np.nan if each is None else each.rate for each in resampled])
    return bootstrapped(found.rate, rates, truth.size)


def _cost(comparison: Comparison, figure: PublishedFigure, parts: Sequence[EvaluatorSelection]) -> Reproduced:
    """Return what a training step or a job costs here; the hardware is another one."""
    part = parts[0]
    # A GPU's work is on the clock only.
    seconds = part.ok_processor_seconds if part.ok_processor_seconds.size else part.ok_seconds
    values = part.ok_peak_memory / 1e6 if figure.statistic == "memory" else seconds / _steps(part)
    ours = Estimate(float(np.median(values))) if values.size else Estimate()
    other = "measured on other hardware"
    return Reproduced(comparison, figure, ours, n=int(values.size), seeds=1, why_not=other)


def _steps(part: EvaluatorSelection) -> int:
    return int(part.evaluator.settings.get("iterations", 1))


def reproduction_document(recipe: Recipe, figures: Sequence[Reproduced]) -> Document:
    """Describe a reproduction: one row a published figure, one table a part of the recipe that could be made."""
    records = [_record(each) for each in figures]
    parts = [(part, _of(part, figures)) for part in recipe.comparisons]
    return Document(
        blocks=[_grid(part, own) for part, own in parts if any(each.n for each in own)],
        records=records,
        content={"recipe": recipe.name, "source": recipe.source, "figures": records},
        title=f"{recipe.title} ({recipe.source})",
        notes=[*_notes(figures), *_reasons(recipe, figures)],
    )


def _of(comparison: Comparison, figures: Sequence[Reproduced]) -> list[Reproduced]:
    return [each for each in figures if each.comparison is comparison]


def _grid(comparison: Comparison, figures: Sequence[Reproduced]) -> Grid:
    described = any(_description(each.figure) for each in figures)
    columns = [
        Column("evaluator", code=True, min_width=13), *([Column("figure")] if described else []),
        Column("published", right=True), Column("ours", right=True), Column("n", right=True), Column("verdict"),
    ]  # fmt: skip
    rows = [
        [each.figure.evaluator, *([_description(each.figure)] if described else []), *_cells(each)] for each in figures
    ]
    return Grid(columns, rows, f"{_name(comparison)}:")


def _name(comparison: Comparison) -> str:
    found = "what searches find" if comparison.searches else ""
    return ", ".join(filter(None, (comparison.space, comparison.dataset, comparison.metric, found)))


def _description(figure: PublishedFigure) -> str:
    """Return what tells a figure from others of its evaluator, empty for a correlation."""
    top = f"top {figure.top:g}%" if figure.statistic == "retrieval" else ""
    return {"seconds": "s a step", "memory": "MB", "found": f"by {figure.strategy}"}.get(figure.statistic, top)


def _cells(each: Reproduced) -> list[str]:
    return [_published(each.figure), _ours(each), str(each.n) if each.n else "-", each.verdict]


def _published(figure: PublishedFigure) -> str:
    if figure.value is None:
        return "-"
    deviation = f" ± {figure.deviation:.2f}" if figure.deviation is not None else ""
    return f"{'~' if figure.confidence == 'inferred' else ''}{_number(figure, figure.value)}{deviation}"


def _ours(each: Reproduced) -> str:
    if each.ours.value is None:
        return "-"
    interval = "" if each.ours.low is None else f" [{each.ours.low:.2f}, {each.ours.high:.2f}]"
    deviation = f" ± {each.deviation:.2f}" if each.deviation is not None else ""
    return f"{_number(each.figure, each.ours.value)}{deviation}{interval}"


def _number(figure: PublishedFigure, value: float) -> str:
    return {"seconds": f"{value:.3f}", "memory": f"{value:.0f}"}.get(figure.statistic, f"{value:.2f}")


def _record(each: Reproduced) -> dict[str, object]:
    figure, comparison = each.figure, each.comparison
    return {
        "space": comparison.space,
        "dataset": comparison.dataset,
        "metric": comparison.metric,
        "evaluator": figure.evaluator,
        "strategy": figure.strategy or None,
        "statistic": figure.statistic,
        "top_percent": figure.top if figure.statistic == "retrieval" else None,
        "published": figure.value,
        "published_deviation": figure.deviation,
        "published_n": comparison.samples,
        "confidence": figure.confidence,
        "ours": each.ours.value,
        "low": each.ours.low,
        "high": each.ours.high,
        "deviation": each.deviation,
        "n": each.n,
        "seeds": each.seeds,
        "difference": each.difference,
        "verdict": each.verdict,
    }


def _notes(figures: Sequence[Reproduced]) -> list[str]:
    notes = [
        "ours: with its 95% interval over architectures, and over run seeds where there are several; n: architectures "
        "here; agrees: the published figure is within the interval. It has an uncertainty of its own, which is not "
        "stated.",
    ]
    if any(each.figure.statistic == "found" and each.n for each in figures):
        notes.append(
            "Searches: the mean over seeds of the trained performance of what was found, with an interval of Student's "
            "t over the seeds; n: evaluations of each search."
        )
    if any(0 < each.n < FEW and each.figure.statistic != "found" for each in figures):
        notes.append(f"Of fewer than {FEW} architectures the intervals are so wide that agreement says little.")
    if any(each.figure.confidence == "inferred" for each in figures):
        notes.append("~: the published figure was not legible beyond doubt.")
    return [*notes, *_notes_of_recipe(each.figure for each in figures)]


def _notes_of_recipe(figures: Iterable[PublishedFigure]) -> list[str]:
    """Return what the recipe notes of figures, each note once."""
    named: dict[str, dict[str, None]] = {}
    for figure in figures:
        if figure.note:
            named.setdefault(figure.note, {})[figure.evaluator] = None
    return [f"{', '.join(evaluators)}: {note.rstrip('.')}." for note, evaluators in named.items()]


def _reasons(recipe: Recipe, figures: Sequence[Reproduced]) -> list[str]:
    """Say why figures are not comparable, each reason once."""
    named: dict[str, list[str]] = {}
    for comparison in recipe.comparisons:
        own = _of(comparison, figures)
        reasons = {each.why_not for each in own}
        if len(reasons) == 1 and "" not in reasons:
            named.setdefault(reasons.pop(), []).append(_name(comparison))
            continue
        for each in own:
            if each.why_not:
                named.setdefault(each.why_not, []).append(f"{each.figure.evaluator} ({_name(comparison)})")
    return [f"Not comparable: {'; '.join(dict.fromkeys(names))}: {reason}" for reason, names in named.items()]
