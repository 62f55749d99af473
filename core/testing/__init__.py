"""Tests that every plugin must pass, as classes to derive from; pytest collects the derived classes.

Derive a class, name the plugin in a class attribute, and pytest runs the contract's tests on it.
"""

from .aggregates import AggregateContract
from .context import make_context
from .data_sources import DataSourceContract
from .datasets import DatasetContract
from .evaluators import EvaluatorContract
from .search_spaces import SearchSpaceContract
from .strategies import SearchStrategyContract

__all__ = [
    "AggregateContract",
    "DataSourceContract",
    "DatasetContract",
    "EvaluatorContract",
    "SearchSpaceContract",
    "SearchStrategyContract",
    "make_context",
]
