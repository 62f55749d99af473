"""Recipes: tables of the GenNAS paper as data, to be made again with ``nasbench reproduce``."""

from __future__ import annotations

from collections.abc import Iterable
from functools import partial
from importlib.resources import files

from ...core.descriptions import RecipeInfo
from ...core.hookspecs import hookimpl
from ..references import references

_PAPER = "Li et al., GenNAS, NeurIPS 2021, table"

_TABLES = {
    "1": "Spearman's rho of single signals in each stage on NAS-Bench-101.",
    "2": "Spearman's rho of GenNAS and its baselines on fourteen spaces.",
    "3": "Test accuracy of what evolution and weight sharing find.",
    "5": "Spearman's rho of the searched tasks over ten run seeds.",
    "6": "Spearman's rho of a searched task under other initial weights and biases.",
    "7": "Kendall's tau of the efficient methods of table 2.",
    "8": "How many of the best tenth are among the tenth with the best scores.",
    "9": "The same for 5 to 50 percent on NAS-Bench-101.",
    "10": "Seconds of a training step and peak memory of GenNAS by batch size.",
}


@hookimpl
def nasbench_recipes() -> Iterable[RecipeInfo]:
    """Yield the paper's tables."""
    for number, summary in _TABLES.items():
        name = f"table{number}"
        yield RecipeInfo(
            name=name,
            summary=summary,
            source=f"{_PAPER} {number}",
            references=references("li2021gennas"),
            factory=partial(read_recipe, name),
        )


def read_recipe(name: str) -> str:
    """Return the TOML of a recipe."""
    return (files(__package__) / f"{name}.toml").read_text(encoding="utf-8")
