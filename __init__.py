"""nasbench-toolkit: judge neural architecture search proxies side by side.

This is what plugin authors import from; :mod:`.testing` is what they test with.
"""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from .benchmarks_data.tables.raw import RawTable
    from .benchmarks_data.tables.source import TableSource
    from .benchmarks_data.tables.store import StoredTable
    from .core.batches import Batch
    from .core.capabilities import (
        BlockNetwork,
        GroundTruthTable,
        Images,
        Inputs,
        Labels,
        LanguageNetwork,
        Network,
        Reading,
        SequenceNetwork,
        StagedNetwork,
        Supernets,
        Tokens,
        require,
    )
    from .core.context import EvaluationContext
    from .core.data.data_home import stored_folder
    from .core.descriptions import (
        AggregateInfo,
        DatasetInfo,
        DataSourceInfo,
        EvaluatorInfo,
        ExecutorInfo,
        OfficialFile,
        RecipeInfo,
        SearchableSetting,
        SearchSpaceInfo,
        SearchStrategyInfo,
        WeightSharingInfo,
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
    from .core.jobs.interface import JobExecutor
    from .core.jobs.messages import Job, WorkerSetup
    from .core.jobs.remote import RemoteWorker, pack_jobs, pack_setup, read_reply
    from .core.layers import Branches, Concatenation
    from .core.pictures.graph import CellEdge, CellGraph, CellNode, NodeKind, OperationFamily
    from .core.seeding import derive_seed
    from .core.settings import Settings, setting
    from .core.supernets import Choice, DecisionRule, SinglePath, Supernet, SupernetNorm
    from .core.weight_sharing import Derivation, ImagePart, SupernetContext, WeightSharingStrategy
    from .interactive import LoadedSearch, load_results, run, search
    from .reports.frames import LoadedResults, Report

__version__ = "0.1.0"

__all__ = [
    "Aggregate",
    "AggregateInfo",
    "Batch",
    "BlockNetwork",
    "Branches",
    "CellEdge",
    "CellGraph",
    "CellNode",
    "Choice",
    "Concatenation",
    "DataError",
    "DataSource",
    "DataSourceInfo",
    "Dataset",
    "DatasetInfo",
    "DecisionRule",
    "DegenerateError",
    "Derivation",
    "DesignSpace",
    "Direction",
    "DivergedError",
    "Evaluation",
    "EvaluationContext",
    "EvaluationError",
    "Evaluator",
    "EvaluatorInfo",
    "ExecutorInfo",
    "GroundTruth",
    "GroundTruthTable",
    "ImagePart",
    "Images",
    "ImportSummary",
    "Inputs",
    "InvalidArchitectureError",
    "InvalidSettingError",
    "Job",
    "JobExecutor",
    "JobKey",
    "Labels",
    "LanguageNetwork",
    "LoadedResults",
    "LoadedSearch",
    "Metric",
    "NasbenchError",
    "Network",
    "NodeKind",
    "OfficialFile",
    "OperationFamily",
    "PartialEvaluation",
    "Progress",
    "RawTable",
    "Reading",
    "RecipeInfo",
    "RemadeRow",
    "RemoteWorker",
    "Report",
    "SearchSpace",
    "SearchSpaceInfo",
    "SearchStrategy",
    "SearchStrategyInfo",
    "SearchableSetting",
    "SequenceNetwork",
    "Settings",
    "SinglePath",
    "StagedNetwork",
    "Status",
    "StoredTable",
    "Supernet",
    "SupernetContext",
    "SupernetNorm",
    "Supernets",
    "TableSource",
    "Tokens",
    "UnsupportedSearchSpaceError",
    "WeightSharingInfo",
    "WeightSharingStrategy",
    "WorkerSetup",
    "derive_seed",
    "hookimpl",
    "load_results",
    "pack_jobs",
    "pack_setup",
    "read_reply",
    "require",
    "run",
    "search",
    "setting",
    "stored_folder",
]

# All is imported when it is asked for: the command line starts without it, and what reads tables has large libraries.
_MODULES = {
    ".core.batches": "Batch",
    ".core.capabilities": "BlockNetwork GroundTruthTable Images Inputs Labels LanguageNetwork Network Reading "
    "SequenceNetwork StagedNetwork Supernets Tokens "
    "require",
    ".core.context": "EvaluationContext",
    ".core.data.data_home": "stored_folder",
    ".core.descriptions": "AggregateInfo DatasetInfo DataSourceInfo EvaluatorInfo ExecutorInfo OfficialFile RecipeInfo "
    "SearchableSetting SearchSpaceInfo SearchStrategyInfo WeightSharingInfo",
    ".core.domain": "Direction Evaluation JobKey Metric Status",
    ".core.errors": "DataError DegenerateError DivergedError EvaluationError InvalidArchitectureError "
    "InvalidSettingError NasbenchError UnsupportedSearchSpaceError",
    ".core.hookspecs": "hookimpl",
    ".core.interfaces": "Aggregate Dataset DataSource DesignSpace Evaluator GroundTruth ImportSummary "
    "PartialEvaluation Progress RemadeRow SearchSpace SearchStrategy",
    ".core.jobs.interface": "JobExecutor",
    ".core.jobs.messages": "Job WorkerSetup",
    ".core.jobs.remote": "RemoteWorker pack_jobs pack_setup read_reply",
    ".core.layers": "Branches Concatenation",
    ".core.pictures.graph": "CellEdge CellGraph CellNode NodeKind OperationFamily",
    ".core.seeding": "derive_seed",
    ".core.settings": "Settings setting",
    ".core.supernets": "Choice DecisionRule SinglePath Supernet SupernetNorm",
    ".core.weight_sharing": "Derivation ImagePart SupernetContext WeightSharingStrategy",
    ".interactive": "LoadedSearch load_results run search",
    ".reports.frames": "LoadedResults Report",
    ".benchmarks_data.tables.raw": "RawTable",
    ".benchmarks_data.tables.source": "TableSource",
    ".benchmarks_data.tables.store": "StoredTable",
}
_MODULE_OF = {name: module for module, names in _MODULES.items() for name in names.split()}


if not TYPE_CHECKING:

    def __getattr__(name: str) -> object:
        if name not in _MODULE_OF:
            raise AttributeError(f"module '{__name__}' has no attribute '{name}'")
        return getattr(importlib.import_module(_MODULE_OF[name], __name__), name)
