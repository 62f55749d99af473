"""From results to documents: select and orient, correlate, describe. Reports know no evaluator or search space."""

from .comparison import compare_evaluators
from .comparison_document import comparison_document
from .correlation import correlation_table
from .correlation_document import correlation_document
from .curve_document import curve_document
from .curves import curve_table
from .run_report import run_report, runs_report
from .runs import join_seeds
from .score_document import score_document
from .spaces import compare_runs
from .spaces_document import spaces_document

__all__ = [
    "compare_evaluators",
    "compare_runs",
    "comparison_document",
    "correlation_document",
    "correlation_table",
    "curve_document",
    "curve_table",
    "join_seeds",
    "run_report",
    "runs_report",
    "score_document",
    "spaces_document",
]
