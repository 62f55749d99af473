"""nasbench-toolkit: judge neural architecture search proxies side by side.

This is what plugin authors import from.
"""

from .core.batches import Batch, ImageSet
from .core.context import EvaluationContext
from .core.data.data_home import stored_folder
from .core.descriptions import (
    AggregateInfo,
    DatasetInfo,
    DataSourceInfo,
    EvaluatorInfo,
    OfficialFile,
    SearchableSetting,
    SearchSpaceInfo,
    SearchStrategyInfo,
)
from .core.domain import Direction, Evaluation, Metric, Status
from .core.errors import (
    DataError,
    DegenerateError,
    DivergedError,
    EvaluationError,
    InvalidArchitectureError,
    NasbenchError,
)
from .core.hookspecs import hookimpl
from .core.interfaces import (
    Aggregate,
    Dataset,
    DataSource,
    DesignSpace,
    Evaluator,
    GroundTruth,
    ImportSummary,
    PartialEvaluation,
    RemadeRow,
    SearchSpace,
    SearchStrategy,
)
from .core.pictures.graph import CellEdge, CellGraph, CellNode, NodeKind, OperationFamily
from .core.settings import Settings, setting

__version__ = "0.1.0"

__all__ = [
    "Aggregate",
    "AggregateInfo",
    "Batch",
    "CellEdge",
    "CellGraph",
    "CellNode",
    "DataError",
    "DataSource",
    "DataSourceInfo",
    "Dataset",
    "DatasetInfo",
    "DegenerateError",
    "DesignSpace",
    "Direction",
    "DivergedError",
    "Evaluation",
    "EvaluationContext",
    "EvaluationError",
    "Evaluator",
    "EvaluatorInfo",
    "GroundTruth",
    "ImageSet",
    "ImportSummary",
    "InvalidArchitectureError",
    "Metric",
    "NasbenchError",
    "NodeKind",
    "OfficialFile",
    "OperationFamily",
    "PartialEvaluation",
    "RemadeRow",
    "SearchSpace",
    "SearchSpaceInfo",
    "SearchStrategy",
    "SearchStrategyInfo",
    "SearchableSetting",
    "Settings",
    "Status",
    "hookimpl",
    "setting",
    "stored_folder",
]
