"""What a correlation table says to people, in plain text: headings, cells, notes. Formats add layout only."""

from __future__ import annotations

from collections.abc import Iterable

from ..core.plan import PROPOSED_BY, seeds_in_words, with_seed
from ..core.statistics.estimates import Estimate
from ..core.statistics.failures import FailurePolicy
from .correlation import CorrelationRow, CorrelationTable
from .further import FurtherRow
from .seeds import SeedsRow

PAIRWISE_TITLE = "Spearman rho between evaluators, over the architectures that count for both"
UNDEFINED = "undefined"
CORRELATION_HEADINGS = ("Spearman rho", "Kendall tau-b")

POLICY = {
    FailurePolicy.WORST: "Failed jobs share the worst rank.",
    FailurePolicy.OMIT: "Failed jobs are left out.",
}


def title(table: CorrelationTable) -> str:
    """Name search space, data set, seed and metric, with its direction, unit and reduction over runs."""
    run = f"{table.plan.space} on {table.plan.dataset}, {seeds_in_words(table.plan.seeds)}"
    if table.metric is None:
        return f"{run}, no ground truth"
    metric = table.metric
    about = [part for part in (str(metric.direction), metric.unit, metric.reduction) if part]
    return f"{run}, compared with {metric.key} ({', '.join(about)})"


def headings(table: CorrelationTable) -> tuple[str, ...]:
    """Head the columns; there are none for correlations without a ground truth."""
    correlations = CORRELATION_HEADINGS if table.metric else ()
    return ("Evaluator", *correlations, "n", "fail", "ties", "sec")


def cells(row: CorrelationRow, table: CorrelationTable) -> tuple[str, ...]:
    """Write one row, in the order of the headings; an undefined rho gives its reason."""
    rho = estimate(row.rho) if row.rho.value is not None else row.note
    correlations = (rho, estimate(row.tau)) if table.metric else ()
    return (row.label, *correlations, str(row.n), str(row.num_failures), str(row.ties), _seconds(row))


def shows_pairwise(table: CorrelationTable, asked: bool) -> bool:
    """Show agreements on request, and where a ground truth is missing; they take two evaluators."""
    return len(_evaluators(table)) > 1 and (asked or table.metric is None)


def pairwise_headings(table: CorrelationTable) -> tuple[str, ...]:
    """Head the columns of the matrix: numbers of the evaluators, since their labels are too wide."""
    return ("Evaluator", *(str(number) for number in range(1, len(_evaluators(table)))))


def pairwise_cells(table: CorrelationTable) -> list[tuple[str, ...]]:
    """Write the lower triangle of the matrix of agreements, one row for each evaluator."""
    rho = {(pair.first, pair.second): pair.rho for pair in table.pairwise}
    labels = _evaluators(table)
    matrix = []
    for position, label in enumerate(labels):
        agreements = [_agreement(rho[other, label]) for other in labels[:position]]
        blanks = [""] * (len(labels) - 1 - position)
        matrix.append((f"{position + 1} {label}", *agreements, *blanks))
    return matrix


def _evaluators(table: CorrelationTable) -> list[str]:
    return list(dict.fromkeys(row.label for row in table.rows if not row.components))


SEEDS_HEADINGS = ("Evaluator", "mean rho", "dev.", "rho of mean score", "n", "fail")


def seeds_cells(row: SeedsRow) -> tuple[str, ...]:
    """Write an evaluator over its run seeds, in the order of the headings."""
    spread = row.spread
    mean = row.note if spread is None else estimate(spread.mean)
    deviation = "-" if spread is None else f"{spread.deviation:.3f}"
    of_mean = "-" if row.of_mean.value is None else estimate(row.of_mean)
    return row.label, mean, deviation, of_mean, str(row.n), str(row.failures)


FURTHER_HEADINGS = ("Evaluator", "Pearson r", "weighted tau", "nDCG", "top 10%", "best of 10", "regret")


def further_cells(row: FurtherRow, table: CorrelationTable) -> tuple[str, ...]:
    """Write further statistics, in the order of the headings; the best as its metric has it, not turned."""
    rates = ["undef." if value is None else f"{value:z.3f}" for value in (row.pearson, row.weighted_tau, row.ndcg)]
    retrieved = "-" if row.retrieval is None else f"{row.retrieval.rate:.0%}"
    best, regret = ("-", "-") if row.best is None else (f"{best_truth(row, table):.5g}", f"{row.best.regret:.3g}")
    return with_seed(row.label, row.seed, table.plan), *rates, retrieved, best, regret


def best_truth(row: FurtherRow, table: CorrelationTable) -> float | None:
    """Return the truth of the best of the ten best scores as the metric has it."""
    if row.best is None or table.metric is None:
        return None
    return table.metric.direction.sign * row.best.value


def each_seed_cells(table: CorrelationTable) -> list[tuple[str, ...]]:
    """Write Spearman's rho of every evaluator with each run seed."""
    rho = {(row.label, row.seed): _agreement(row.rho.value) for row in table.rows}
    labels = dict.fromkeys(row.label for row in table.rows)
    return [(label, *(rho[label, seed] for seed in table.plan.seeds)) for label in labels]


def notes(table: CorrelationTable) -> list[str]:
    """Explain the columns and say all that qualifies the numbers, one sentence or line each."""
    # The table over seeds lacks these columns.
    of_one_seed = (
        "; ties: architectures that share their score with another; sec: median seconds of a job, on processors or by "
        "the clock where a GPU computed"
    )
    return [
        f"n: architectures compared, of {table.num_architectures:,} in the results; fail: jobs without a score"
        f"{'' if table.over_seeds else of_one_seed}.",
        f"{'Scores and metric' if table.metric else 'Scores'} are turned so that higher is better.",
        POLICY[table.failure_policy],
        *failures(table),
        *_other_policy(table),
        *pending(table),
        *_without_truth(table),
        *_chosen_by_a_search(table),
        *_undefined_intervals(table),
        *_over_seeds(table),
        *_further(table),
        *_aggregates(table),
        *_about_metric(table),
    ]


def estimate(value: Estimate) -> str:
    """Write a correlation with its interval."""
    return interval(value.value, value.low, value.high)


def interval(value: float | None, low: float | None, high: float | None) -> str:
    """Write a number with its interval."""
    if value is None:
        return UNDEFINED
    return f"{value:z.3f}" if low is None or high is None else f"{value:z.3f} [{low:z.2f}, {high:z.2f}]"


def p_value(value: float | None) -> str:
    """Write a p-value, which no number of digits makes 0."""
    if value is None:
        return "-"
    return "<0.001" if value < 0.001 else f"{value:.3f}"


def _name(row: CorrelationRow, table: CorrelationTable) -> str:
    return with_seed(row.label, row.seed, table.plan)


def _agreement(rho: float | None) -> str:
    return "undef." if rho is None else f"{rho:z.2f}"


def _seconds(row: CorrelationRow) -> str:
    seconds = row.median_seconds if row.median_processor_seconds is None else row.median_processor_seconds
    if seconds is None:
        return "-"
    if seconds < 0.01:
        return "<0.01"
    return f"{seconds:.2f}" if seconds < 10 else f"{seconds:.0f}"


def failures(table: CorrelationTable, of: str = "") -> Iterable[str]:
    """Say how many jobs failed, and how; ``of`` names the run where there are several."""
    failed = [
        f"{_name(row, table)} " + ", ".join(f"{count} {status}" for status, count in row.failures.items())
        for row in table.rows
        if row.failures
    ]
    return [f"Failures{of}: {'; '.join(failed)}."] if failed else []


def _other_policy(table: CorrelationTable) -> Iterable[str]:
    without = table.failure_policy is FailurePolicy.WORST
    compared = [
        f"{_name(row, table)} {estimate(row.other_rho)} over {row.other_n}"
        for row in table.rows
        if row.failures and row.other_rho.value is not None
    ]
    how = "with failed jobs left out" if without else "with failed jobs on the worst rank"
    return [f"Spearman rho {how}: {'; '.join(compared)}."] if compared else []


def pending(table: CorrelationTable, of: str = "") -> Iterable[str]:
    """Say how many jobs of unfinished evaluators are done; ``of`` names the run where there are several."""
    unfinished = [
        f"{_name(row, table)} {table.num_compared - row.pending:,} of {table.num_compared:,} done"
        for row in table.rows
        if row.pending
    ]
    return [f"Unfinished{of}: {'; '.join(unfinished)}."] if unfinished else []


def _without_truth(table: CorrelationTable) -> Iterable[str]:
    if not table.num_without_truth:
        return []
    return [f"Architectures left out, since their ground truth is not known: {table.num_without_truth:,}."]


def _chosen_by_a_search(table: CorrelationTable) -> Iterable[str]:
    if not table.plan.sampling.startswith(PROPOSED_BY):
        return []
    return [f"Architectures were {table.plan.sampling}, not drawn at random: correlations among them say little."]


def _undefined_intervals(table: CorrelationTable) -> Iterable[str]:
    """Say why intervals are undefined: each reason once, with the evaluators that have it."""
    names: dict[str, list[str]] = {}
    for row in table.rows:
        if row.note and row.rho.value is not None:
            names.setdefault(row.note, []).append(_name(row, table))
    return [
        f"{'All' if len(named) == len(table.rows) > 1 else ', '.join(named)}: {note}." for note, named in names.items()
    ]


def _over_seeds(table: CorrelationTable) -> Iterable[str]:
    if not table.over_seeds:
        return []
    return [
        f"mean rho: over the {len(table.plan.seeds)} run seeds, of the architectures that count with every one; its "
        "interval is over architectures and seeds. dev.: sample standard deviation over seeds.",
        "rho of mean score: of the mean over seeds; its interval is over architectures.",
    ]


def _further(table: CorrelationTable) -> Iterable[str]:
    if not table.further:
        return []
    tied = [with_seed(row.label, row.seed, table.plan) for row in table.further if row.retrieval and row.retrieval.tied]
    return [
        "top 10%: share of the truly best tenth among the tenth with the best scores; best of 10: the best metric "
        "among the ten best scores; regret: how much better the best of all is. Pearson r is without failed jobs.",
        *([f"top 10% is an expectation over ties at the border: {', '.join(tied)}."] if tied else []),
    ]


def _aggregates(table: CorrelationTable) -> Iterable[str]:
    for row in table.rows:
        if row.components and row.seed == table.plan.seed:
            yield (
                f"{row.label}: made of the ranks of {', '.join(row.components)} among the architectures compared here"
                f"{', and for its interval among those of each resample' if row.rho.low is not None else ''}."
            )
        yield from (
            f"{_name(row, table)}: {value:.3f} is the {description}." for description, value in row.figures.items()
        )


def _about_metric(table: CorrelationTable) -> Iterable[str]:
    if table.metric is None:
        return []
    ceiling = "not known"
    if table.noise_ceiling is not None:
        making = "rank correlation between two independent makings of the table"
        ceiling = f"{table.noise_ceiling:z.2f} ({making})"
    return [*_intervals(table), f"Noise ceiling of {table.metric.key}: {ceiling}."]


def _intervals(table: CorrelationTable) -> Iterable[str]:
    """Say how the intervals that are shown were made: over seeds there are others than of one."""
    level, resamples = f"[low, high]: {table.level:.0%} interval", f"{table.resamples:,} resamples of architectures"
    bootstrap = f"a bias-corrected bootstrap (BCa) with {resamples}, seed {table.bootstrap_seed}"
    if not table.over_seeds:
        shown = any(row.rho.low is not None or row.tau.low is not None for row in table.rows)
        return [f"{level}; of rho {bootstrap}, of tau-b from its influence function."] if shown else []
    means = any(row.spread and row.spread.mean.low is not None for row in table.over_seeds)
    of_means = any(row.of_mean.low is not None for row in table.over_seeds)
    if not means and not of_means:
        return []
    of_mean_rho = (
        f"of mean rho one of Fisher's z by Student's t, with the variances over {resamples}, seed "
        f"{table.bootstrap_seed}, and over run seeds added up"
    )
    parts = [*([of_mean_rho] if means else []), *([f"of rho of mean score {bootstrap}"] if of_means else [])]
    return [f"{level}; {', '.join(parts)}."]
