"""Says which distribution a results file needs that is not installed."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager, suppress
from pathlib import Path

from ..errors import NasbenchError, UnknownNameError, UsageError


@contextmanager
def naming_missing_plugins(path: Path | None) -> Iterator[None]:
    """Where the block does not know a name, say who provided it when a file was made.

    Args:
        path: The results file that is continued, None if there is none.

    Raises:
        UsageError: The file was made with it.
    """
    try:
        yield
    except UnknownNameError as error:
        provider = _provider(path, error) if path is not None and path.exists() else ""
        if not provider:
            raise
        raise UsageError(
            f"'{path}' was made with the {error.kind} '{error.name}' of {provider}, which is not installed here or was "
            "left out. Install that version, and run the command again; 'nasbench plugins' lists what is installed."
        ) from error


def _provider(path: Path, error: UnknownNameError) -> str:
    """Return distribution and version that provided a thing, an empty text if the file does not tell."""
    from ..results.store import read_results

    with suppress(NasbenchError):
        results = read_results(path)
        known = {
            ("search space", results.plan.space): results.plan.space_version,
            ("dataset", results.plan.dataset): results.plan.dataset_version,
        } | {("evaluator", part.header.name): part.header.distribution for part in results.evaluators}
        return known.get((error.kind, error.name)) or _provider_of_strategy(path, error)
    return ""


def _provider_of_strategy(path: Path, error: UnknownNameError) -> str:
    from ..descriptions import SearchStrategyInfo
    from ..search.storage import read_search

    header = read_search(path).header
    return header.versions[2] if (error.kind, error.name) == (SearchStrategyInfo.kind, header.strategy) else ""
