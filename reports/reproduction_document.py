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
        blocks=[_grid(own) for _, own in parts if any(each.n for each in own)],
        records=records,
        content={"recipe": recipe.name, "source": recipe.source, "figures": records},
        title=f"{recipe.title} ({recipe.source})",
        notes=[*_notes(figures), *_reasons(recipe, figures)],
    )


def _of(comparison: Comparison, figures: Sequence[Reproduced]) -> list[Reproduced]:
    return [each for each in figures if each.comparison is comparison]


def _grid(figures: Sequence[Reproduced]) -> Grid:
    described = any(_description(each.figure) for each in figures)
    columns = [
        Column("evaluator", code=True, min_width=13), *([Column("figure")] if described else []),
        Column("published", right=True), Column("ours", right=True), Column("n", right=True), Column("verdict"),
    ]  # fmt: skip
    rows = [
        [each.figure.evaluator, *([_description(each.figure)] if described else []), *_cells(each)] for each in figures
    ]
    return Grid(columns, rows, f"{_name(figures)}:")


def _name(figures: Sequence[Reproduced]) -> str:
    """Name a part of a recipe: its data set and metric are those that were taken, where it leaves them open."""
    comparison = figures[0].comparison
    dataset = next(filter(None, (each.dataset for each in figures)), comparison.dataset)
    metric = next(filter(None, (each.metric for each in figures)), comparison.metric)
    found = "what searches find" if comparison.searches else ""
    return ", ".join(filter(None, (comparison.space, dataset, metric, found)))


def _description(figure: PublishedFigure) -> str:
    """Return what tells a figure from others of its evaluator, empty for a correlation."""
    top = f"top {figure.top:g}%" if figure.statistic == "retrieval" else ""
    return {"seconds": "s a step", "memory": "MB", "found": f"by {figure.strategy}"}.get(figure.statistic, top)


def _cells(each: Reproduced) -> list[str]:
    return [_published(each.figure), _ours(each), str(each.n) if each.n else "-", each.verdict]


def _published(figure: PublishedFigure) -> str:
    if figure.value is None:
        return "-"
    # Recipes may leave out zeros at the end, so there are no fewer decimals than ours has.
    decimals = max(figure.decimals, _decimals(figure))
    deviation = f" ± {figure.deviation:.{decimals}f}" if figure.deviation is not None else ""
    return f"{'~' if figure.confidence == 'inferred' else ''}{figure.value:z.{decimals}f}{deviation}"


def _ours(each: Reproduced) -> str:
    if each.ours.value is None:
        return "-"
    interval = "" if each.ours.low is None else f" [{each.ours.low:z.2f}, {each.ours.high:z.2f}]"
    deviation = f" ± {each.deviation:.2f}" if each.deviation is not None else ""
    return f"{each.ours.value:z.{_decimals(each.figure)}f}{deviation}{interval}"


def _decimals(figure: PublishedFigure) -> int:
    return {"seconds": 3, "memory": 0}.get(figure.statistic, 2)


def _record(each: Reproduced) -> dict[str, object]:
    figure, comparison = each.figure, each.comparison
    return {
        "space": comparison.space,
        "dataset": each.dataset or comparison.dataset,
        "metric": each.metric or comparison.metric,
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
        "failures": sum(each.failures.values()),
        "note": "; ".join(filter(None, (each.why_not, each.why_undefined))),
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
    """Say what failed, and why figures are missing or not comparable, each reason once."""
    failed, undefined, not_comparable = list[str](), dict[str, list[str]](), dict[str, list[str]]()
    for comparison in recipe.comparisons:
        own = _of(comparison, figures)
        failed += [
            f"{_one(each, own)} {', '.join(f'{count} {status}' for status, count in each.failures.items())}"
            for each in own
            if each.failures
        ]
        for each in own:
            if each.why_undefined:
                undefined.setdefault(each.why_undefined, []).append(_one(each, own))
        reasons = {each.why_not for each in own}
        if len(reasons) == 1 and "" not in reasons:
            not_comparable.setdefault(reasons.pop(), []).append(_name(own))
            continue
        for each in own:
            if each.why_not:
                not_comparable.setdefault(each.why_not, []).append(_one(each, own))
    return [
        *([f"Failures: {'; '.join(dict.fromkeys(failed))}."] if failed else []),
        *(f"No figure here: {_listed(names)}: {reason}." for reason, names in undefined.items()),
        *(f"Not comparable: {_listed(names)}: {reason}" for reason, names in not_comparable.items()),
    ]


def _one(each: Reproduced, part: Sequence[Reproduced]) -> str:
    return f"{each.figure.evaluator} ({_name(part)})"


def _listed(names: Sequence[str]) -> str:
    return "; ".join(dict.fromkeys(names))
