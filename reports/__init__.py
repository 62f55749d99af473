"""From results to documents: select and orient, correlate, describe. Reports know no evaluator or search space."""

from .correlation import correlation_table
from .correlation_document import correlation_document
from .curve_document import curve_document
from .curves import curve_table
from .run_report import run_report
from .score_document import score_document

__all__ = [
    "correlation_document",
    "correlation_table",
    "curve_document",
    "curve_table",
    "run_report",
    "score_document",
]
