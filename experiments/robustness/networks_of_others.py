"""Score networks that are written in different ways and compare each with the same network of torch's own layers.

For each kind of rewriting and each evaluator that takes networks for images the score and all curves must be equal, bit
for bit or to rounding, or the evaluator must refuse the rewritten network with a reason that is true of it.

Usage: python experiments/robustness/networks_of_others.py [--kind PREFIX ...] [--evaluator NAME ...] [--verbose]
"""

from __future__ import annotations

import argparse
import functools
import re
import sys
import warnings
from collections import Counter
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np
import torch
from nasbench_toolkit import Evaluation, EvaluationError
from nasbench_toolkit.experiments.robustness.kinds_of_networks import (
    COARSE,
    EVALUATORS,
    KINDS,
    TOLERANCE,
    Kind,
    kind_names,
    rewritten,
    score,
)
from torch import nn

EQUAL, ROUNDED, REFUSED, LOST = "bit-equal", "equal to rounding", "refused", "LOST"


@dataclass(frozen=True)
class Outcome:
    """What came of one evaluator on one kind of network.

    Attributes:
        verdict: One of ``bit-equal``, ``equal to rounding``, ``refused`` and ``LOST``.
        text: Scores or message.
    """

    verdict: str
    text: str


def main() -> None:
    """Try every pair and print what survived; exit code 1 if something did not."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--kind", action="append", default=[], help="only kinds whose names begin with this")
    parser.add_argument("--evaluator", action="append", choices=EVALUATORS, help="only this evaluator")
    parser.add_argument("--verbose", action="store_true", help="print every pair")
    args = parser.parse_args()
    warnings.simplefilter("ignore")
    torch.set_num_threads(1)
    total: Counter[str] = Counter()
    for name in kind_names(args.kind):
        outcomes = {evaluator: compare(KINDS[name], evaluator) for evaluator in args.evaluator or EVALUATORS}
        for evaluator, outcome in outcomes.items():
            if args.verbose or outcome.verdict == LOST:
                print(f"  {name} / {evaluator}: {outcome.verdict}: {outcome.text}", flush=True)
        counts = Counter(outcome.verdict for outcome in outcomes.values())
        total += counts
        print(f"{name}: {summary(counts)}", flush=True)
    print(f"all: {summary(total)}")
    sys.exit(bool(total[LOST]))


def summary(counts: Counter[str]) -> str:
    """Return how many survived, and how."""
    survived = counts.total() - counts[LOST]
    how = ", ".join(f"{counts[verdict]} {verdict}" for verdict in (EQUAL, ROUNDED, REFUSED) if counts[verdict])
    return f"{survived}/{counts.total()} survived ({how})"


def compare(kind: Kind, evaluator: str) -> Outcome:
    """Score the rewritten network and compare with the reference."""
    try:
        found = score(evaluator, rewritten(kind))
    except EvaluationError as error:
        is_true = kind.refusal is not None and re.search(kind.refusal, str(error))
        if not is_true and reference_refusal(kind.reference, evaluator) == str(error):
            return Outcome(EQUAL, f"both: {error}")
        return Outcome(REFUSED if is_true else LOST, str(error))
    except Exception as error:
        return Outcome(LOST, f"{type(error).__name__}: {error}")
    expected = reference_score(kind.reference, evaluator)
    if expected is None:
        return Outcome(REFUSED, f"the reference: {reference_refusal(kind.reference, evaluator)}")
    return Outcome(
        verdict_of(expected, found, COARSE.get(evaluator, TOLERANCE)), f"{expected.score!r} and {found.score!r}"
    )


def verdict_of(expected: Evaluation, found: Evaluation, tolerance: float) -> str:
    """Return whether two scores with their curves are equal."""
    if (expected.score, expected.curves) == (found.score, found.curves):
        return EQUAL
    first, second = (
        np.array([evaluation.score, *(value for curve in evaluation.curves.values() for value in curve)])
        for evaluation in (expected, found)
    )
    close = first.shape == second.shape and np.allclose(first, second, rtol=tolerance, atol=1e-6)
    return ROUNDED if close else LOST


@functools.cache
def reference_score(build: Callable[[int, int], nn.Module], evaluator: str) -> Evaluation | None:
    """Return the score of a reference, None if it has none."""
    try:
        return score(evaluator, build)
    except EvaluationError:
        return None


@functools.cache
def reference_refusal(build: Callable[[int, int], nn.Module], evaluator: str) -> str | None:
    """Return why a reference has no score, None if it has one."""
    try:
        score(evaluator, build)
    except EvaluationError as error:
        return str(error)
    return None


if __name__ == "__main__":
    main()
