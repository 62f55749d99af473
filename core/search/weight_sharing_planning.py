"""Refuses, before anything is computed, what cannot be asked of a strategy that trains a supernet."""

from __future__ import annotations

from typing import TYPE_CHECKING

from ..descriptions import SearchSpaceInfo, WeightSharingInfo
from ..errors import UnsupportedSearchSpaceError, UsageError
from ..plugin_manager import PluginManager

if TYPE_CHECKING:
    from .planning import SearchRequest


def check_weight_sharing(
    strategy: WeightSharingInfo, space: SearchSpaceInfo, request: SearchRequest, plugins: PluginManager
) -> None:
    """Check the space and the options of the search.

    Raises:
        UnsupportedSearchSpaceError: The space has no supernet.
        UsageError: An option is one that only proposals of an ordinary search can follow.
    """
    reason = strategy.reason_unsupported(space)
    if reason is not None:
        able = [
            name
            for name, provided in plugins.search_spaces().items()
            if strategy.reason_unsupported(provided.info) is None
        ]
        raise UnsupportedSearchSpaceError(
            f"The strategy '{strategy.name}' cannot search '{space.name}': {reason}. It can search: "
            f"{', '.join(able) or 'no installed space'}."
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
