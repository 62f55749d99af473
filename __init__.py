"""nasbench-toolkit: judge neural architecture search proxies side by side.

This is what plugin authors import from.
"""

from .core.batches import Batch
from .core.context import EvaluationContext
from .core.descriptions import DatasetInfo, EvaluatorInfo, SearchSpaceInfo, SearchStrategyInfo
from .core.domain import Direction, Evaluation, Metric, Status
from .core.errors import (
    DegenerateError,
    DivergedError,
    EvaluationError,
    InvalidArchitectureError,
    NasbenchError,
)
from .core.hookspecs import hookimpl
from .core.interfaces import Dataset, Evaluator, GroundTruth, SearchSpace, SearchStrategy
from .core.settings import Settings, setting

__version__ = "0.1.0"

__all__ = [
    "Batch",
    "Dataset",
    "DatasetInfo",
    "DegenerateError",
    "Direction",
    "DivergedError",
    "Evaluation",
    "EvaluationContext",
    "EvaluationError",
    "Evaluator",
    "EvaluatorInfo",
    "GroundTruth",
    "InvalidArchitectureError",
    "Metric",
    "NasbenchError",
    "SearchSpace",
    "SearchSpaceInfo",
    "SearchStrategy",
    "SearchStrategyInfo",
    "Settings",
    "Status",
    "hookimpl",
    "setting",
]
