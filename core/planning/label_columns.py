"""Which column of a labelled file holds the labels, and which end of them is the good one."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from pathlib import Path

from ..domain import Direction
from ..errors import UsageError, closest_matches
from ..interfaces import SearchSpace
from ..number_text import read_number
from .metric_names import find_metric

ARCHITECTURE = "architecture"
"""Name of the column of architectures."""

_ROW_NUMBER_NAME = re.compile(
    r"|#|index|level_\d+|unnamed: ?\d+.*|id|idx|no\.?|row|rows?[ _]?(number|id|index)", re.IGNORECASE
)
"""Names that pandas and spreadsheets give to the numbers of the rows, the first of them none at all."""

_LOW_IS_GOOD = frozenset(
    {
        *("bpc", "ce", "cer", "cost", "costs", "distance", "divergence", "energy", "epe", "err", "errors", "fid"),
        *("flops", "gflops", "mflops", "macs", "params", "parameters", "memory", "size", "kl", "losses", "mae", "mape"),
        *("mse", "nmse", "nll", "ppl", "rank", "ranking", "wer", "hours", "minutes", "seconds", "secs", "sec", "ms"),
        *("time", "times", "lat"),
    }
)
_LOW_IS_GOOD_WITHIN = re.compile(r"loss|error|perplexity|latency|entropy|rmse|runtime|duration|regret")
_WORD = re.compile(r"[A-Z]?[a-z]+|[A-Z]+(?![a-z])")


def choose_label(path: Path, rows: Sequence[Mapping[str, str]], label: str | None) -> str:
    """Return the name of the column of labels.

    Args:
        path: The file, for messages.
        rows: Cells by column; at least one row.
        label: What the user named, None for the first column that neither is named like
            row numbers nor counts, unless there is none but one that counts.

    Raises:
        UsageError: There is no such column, or it numbers the rows.
    """
    others = [column for column in rows[0] if column != ARCHITECTURE]
    if label is None:
        named = [column for column in others if not _ROW_NUMBER_NAME.fullmatch(column)]
        if not named:
            raise UsageError(_without_labels(path, others))
        # A column that counts is the last choice: labels may do so, but what numbers the rows does so always.
        return next((column for column in named if not _counts(column, rows)), named[0])
    if label not in others:
        matches = closest_matches(label, others)
        raise UsageError(f"'{path}' has no column '{label}' for --label. {matches}It has: {', '.join(others)}.")
    if _ROW_NUMBER_NAME.fullmatch(label) and _counts(label, rows):
        raise UsageError(f"'{path}': the column '{label}' numbers the rows; --label names the trained performance.")
    return label


def _without_labels(path: Path, others: Sequence[str]) -> str:
    if not others:
        return f"'{path}' has no column of labels beside 'architecture'."
    names = " and ".join(f"'{name}'" for name in others)
    return (
        f"'{path}' has no column of labels beside 'architecture': {names} numbers the rows. Add a column of trained "
        "performance, or name the one that is with --label."
    )


def _counts(column: str, rows: Sequence[Mapping[str, str]]) -> bool:
    """Return whether a column counts the rows from 0 or 1."""
    try:
        values = [read_number(row[column], float) for row in rows]
    except ValueError:
        return False
    return values in (list(range(len(rows))), list(range(1, len(rows) + 1)))


def choose_direction(
    path: Path, space: SearchSpace, dataset: str, label: str, lower_is_better: bool | None
) -> Direction:
    """Return the direction that the space's table states for a metric of this name, else what the user says.

    Raises:
        UsageError: The two contradict each other; or nobody says it, and the name is one of losses, errors or costs.
    """
    table = space.ground_truth()
    try:
        known = find_metric(label, table.metrics if table else (), dataset).direction
    except UsageError:
        return _stated_direction(path, label, lower_is_better)
    if lower_is_better is None or lower_is_better == (known is Direction.MINIMIZE):
        return known
    better, option = ("higher", "--lower-is-better") if lower_is_better else ("lower", "--higher-is-better")
    raise UsageError(f"The metric '{label}' of '{space.name}' is better the {better} it is: leave {option} out.")


def _stated_direction(path: Path, label: str, lower_is_better: bool | None) -> Direction:
    if lower_is_better is None and low_may_be_good(label):
        raise UsageError(
            f"'{path}': are lower or higher values of '{label}' the better ones? Say it with --lower-is-better or "
            "--higher-is-better."
        )
    return Direction.MINIMIZE if lower_is_better else Direction.MAXIMIZE


def low_may_be_good(label: str) -> bool:
    """Return whether a name is one of losses, errors, times or costs, of which less is usually better."""
    words = {word.lower() for word in _WORD.findall(label)}
    return bool(words & _LOW_IS_GOOD or _LOW_IS_GOOD_WITHIN.search(label.lower()))
