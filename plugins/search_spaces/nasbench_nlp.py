"""Tables of NAS-Bench-NLP recurrent cells (Klyuchnikov et al., 2020): released training logs, interchange form.

A recipe is a JSON object that maps the name of a node to its operation and inputs. There is no search space of such
cells yet; the table can be imported, verified and looked up.
"""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import ClassVar, NoReturn

from ...benchmarks_data.tables.raw import RawTable
from ...benchmarks_data.tables.source import Reader, TableSource
from ...core.errors import InvalidArchitectureError
from ...core.interfaces import Progress


def canonical_recipe(text: str) -> str:
    """Return a recipe as JSON without spaces, its keys in order; names of nodes stay as they are.

    Raises:
        InvalidArchitectureError: ``text`` is not a JSON object of nodes.
    """
    try:
        recipe = json.loads(text, parse_constant=_refuse_constant)
    except (ValueError, RecursionError) as error:
        raise InvalidArchitectureError(f"NAS-Bench-NLP recipe '{text[:60]}' is not JSON: {error}.") from error
    if not isinstance(recipe, dict) or not recipe:
        raise InvalidArchitectureError(f"NAS-Bench-NLP recipe '{text[:60]}' is not a JSON object of nodes.")
    for name, node in recipe.items():
        if not isinstance(node, dict) or set(node) != {"op", "input"}:
            raise InvalidArchitectureError(
                f"NAS-Bench-NLP recipe: node '{name}' is {json.dumps(node)[:60]}, expected an object with 'op' and "
                "'input'."
            )
    return json.dumps(recipe, sort_keys=True, separators=(",", ":"))


def _refuse_constant(name: str) -> NoReturn:
    raise ValueError(f"{name} is no JSON")


def _read_logs(path: Path, progress: Progress) -> RawTable:
    from ...benchmarks_data.formats.nasbench_nlp_logs import read_nasbench_nlp_logs

    return read_nasbench_nlp_logs(path, progress)


class NasbenchNlpSource(TableSource):
    """Stores one row for each recipe; the benchmark trained some recipes more than once, and their mean is kept."""

    readers: ClassVar[Mapping[str, Reader]] = {**TableSource.readers, ".zip": _read_logs}
    what_is_merged = "repeated trainings"
    repeats_are_runs = True

    def canonicalize_many(self, texts: Sequence[str]) -> list[str]:
        """Return the canonical form of each recipe.

        Raises:
            InvalidArchitectureError: One is no recipe.
        """
        return [canonical_recipe(text) for text in texts]
