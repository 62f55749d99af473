"""What a reproduction prints: for people in tables and words, for programs in full precision."""

from __future__ import annotations

from collections.abc import Iterable, Sequence

from ..core.documents.document import Column, Document, Grid
from ..core.reproduction.recipe import Comparison, PublishedFigure, Recipe
from .reproduction import NO_INTERVAL, Reproduced

FEW = 30
"""With fewer architectures an interval is so wide that agreement says little."""


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
    if any(each.verdict == NO_INTERVAL for each in figures):
        notes.append(
            "no interval: there is none for tau-b of an aggregate, for tau-b and shares over several run seeds, and "
            "where too many resamples are constant."
        )
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
