"""Refuses, before anything is computed, what cannot be asked of a strategy that trains a supernet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..capabilities import Supernets
from ..descriptions import DatasetInfo, SearchSpaceInfo, WeightSharingInfo
from ..errors import UnsupportedSearchSpaceError, UsageError
from ..plugin_manager import PluginManager

if TYPE_CHECKING:
    from .planning import SearchRequest


def check_weight_sharing(
    strategy: WeightSharingInfo,
    space: SearchSpaceInfo,
    dataset: DatasetInfo,
    request: SearchRequest,
    plugins: PluginManager,
) -> None:
    """Check space, data set and options of the search.

    Raises:
        UnsupportedSearchSpaceError: The space has no supernet, or the data set no images.
        UsageError: An option is one that only proposals of an ordinary search can follow.
    """
    reason = strategy.reason_unsupported(space, dataset)
    if reason is not None:
        able = [name for name, other in plugins.search_spaces().items() if Supernets in other.info.provides]
        raise UnsupportedSearchSpaceError(
            f"The strategy '{strategy.name}' cannot search '{space.name}': {reason}. Spaces with a supernet: "
            f"{', '.join(able) or 'none'}."
        )
    refused = {
        "--evaluations: its setting 'epochs' says how long it trains": request.evaluations is not None,
        "--parallel: it derives one architecture after each epoch": request.parallel != 1,
        "limits: what it trains sees no costs": bool(request.limits),
        "--minimize: what it trains sees no costs": bool(request.minimize),
    }
    for option, given in refused.items():
        if given:
            raise UsageError(f"The strategy '{strategy.name}' trains a supernet and takes no {option}. Leave it out.")
