"""What plugin authors test with: one contract class for each kind of plugin, and a job's context without a run."""

from ..core.testing import (
    AggregateContract,
    DatasetContract,
    DataSourceContract,
    EvaluatorContract,
    SearchSpaceContract,
    SearchStrategyContract,
    make_context,
)

__all__ = [
    "AggregateContract",
    "DataSourceContract",
    "DatasetContract",
    "EvaluatorContract",
    "SearchSpaceContract",
    "SearchStrategyContract",
    "make_context",
]
