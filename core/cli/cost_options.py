"""Options that limit and minimise the costs of a search's architectures."""

from __future__ import annotations

import math
from collections.abc import Callable
from typing import Any, TypeVar

import click

from ..errors import UsageError
from ..number_text import read_number

CommandT = TypeVar("CommandT", bound=Callable[..., Any])

# What everybody limits: names of evaluators.
PARAMETERS, MULTIPLY_ADDS = "params", "flops"

FACTORS = {"k": 1e3, "K": 1e3, "M": 1e6, "G": 1e9}


def cost_options(command: CommandT) -> CommandT:
    """Add the options; the command takes ``limits``, ``max_params``, ``max_flops`` and ``minimize``."""
    options = [
        click.option(
            "--max",
            "limits",
            multiple=True,
            metavar="COST=VALUE",
            help="Refuse architectures above this; COST is an evaluator or a metric of the table, such as "
            "hardware/edgegpu_latency, VALUE a number such as 1.5e6 or 1.5M. Refused ones are never scored and do not "
            "count. May be repeated.",
        ),
        click.option("--max-params", metavar="VALUE", help=f"Short for --max {PARAMETERS}=VALUE."),
        click.option("--max-flops", metavar="VALUE", help=f"Short for --max {MULTIPLY_ADDS}=VALUE."),
        click.option(
            "--minimize",
            multiple=True,
            metavar="COST",
            help="Further objective beside the score: the outcome is a Pareto front. May be repeated.",
        ),
    ]
    for option in reversed(options):
        command = option(command)
    return command


def read_limits(
    limits: tuple[str, ...], max_params: str | None, max_flops: str | None
) -> tuple[tuple[str, float], ...]:
    """Return the names of limited costs and their limits.

    Raises:
        UsageError: A limit cannot be read.
    """
    read = [_split(text) for text in limits]
    for option, cost, value in (
        ("--max-params", PARAMETERS, max_params), ("--max-flops", MULTIPLY_ADDS, max_flops)
    ):  # fmt: skip
        if value is not None:
            read.append((cost, _number(f"{option} {value}", value)))
    return tuple(read)


def _split(text: str) -> tuple[str, float]:
    # The last '=': an evaluator's settings have some of their own.
    cost, equals, value = text.rpartition("=")
    if not (equals and cost):
        raise UsageError(f"Cannot read --max {text}: write COST=VALUE, such as --max {PARAMETERS}=1.5M.")
    return cost, _number(f"--max {text}", value)


def _number(option: str, text: str) -> float:
    factor = FACTORS.get(text[-1:], 1.0)
    digits = text[:-1] if text[-1:] in FACTORS else text
    try:
        number = read_number(digits, float) * factor
    except ValueError:
        number = math.nan
    if not math.isfinite(number):
        raise UsageError(
            f"Cannot read {option}: '{text}' is no finite number. Write one such as 1500000, 1.5e6 or 1.5M."
        )
    return number
