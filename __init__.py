"""nasbench-toolkit: judge neural architecture search proxies side by side.

This is what plugin authors import from; :mod:`.testing` is what they test with.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

from .core.batches import Batch, ImageSet
from .core.capabilities import (
    BlockNetwork,
    GroundTruthTable,
    Images,
    Labels,
    Network,
    SequenceNetwork,
    StagedNetwork,
    require,
)
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
from .core.domain import Direction, Evaluation, JobKey, Metric, Status
from .core.errors import (
    DataError,
    DegenerateError,
    DivergedError,
    EvaluationError,
    InvalidArchitectureError,
    InvalidSettingError,
    NasbenchError,
    UnsupportedSearchSpaceError,
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
    Progress,
    RemadeRow,
    SearchSpace,
    SearchStrategy,
)
from .core.pictures.graph import CellEdge, CellGraph, CellNode, NodeKind, OperationFamily
from .core.seeding import derive_seed
from .core.settings import Settings, setting

if TYPE_CHECKING:
    from .benchmarks_data.tables.raw import RawTable
    from .benchmarks_data.tables.source import TableSource
    from .benchmarks_data.tables.store import StoredTable

__version__ = "0.1.0"

__all__ = [
    "Aggregate",
    "AggregateInfo",
    "Batch",
    "BlockNetwork",
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
    "GroundTruthTable",
    "ImageSet",
    "Images",
    "ImportSummary",
    "InvalidArchitectureError",
    "InvalidSettingError",
    "JobKey",
    "Labels",
    "Metric",
    "NasbenchError",
    "Network",
    "NodeKind",
    "OfficialFile",
    "OperationFamily",
    "PartialEvaluation",
    "Progress",
    "RawTable",
    "RemadeRow",
    "SearchSpace",
    "SearchSpaceInfo",
    "SearchStrategy",
    "SearchStrategyInfo",
    "SearchableSetting",
    "SequenceNetwork",
    "Settings",
    "StagedNetwork",
    "Status",
    "StoredTable",
    "TableSource",
    "UnsupportedSearchSpaceError",
    "derive_seed",
    "hookimpl",
    "require",
    "setting",
    "stored_folder",
]

# What reads tables is imported when it is asked for: its libraries would slow down every command.
_ON_DEMAND = {
    "RawTable": ".benchmarks_data.tables.raw",
    "StoredTable": ".benchmarks_data.tables.store",
    "TableSource": ".benchmarks_data.tables.source",
}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _ON_DEMAND:
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
        return getattr(importlib.import_module(_ON_DEMAND[name], __name__), name)
