"""From results to tables: select and orient, correlate, render. Reports know no evaluator or search space."""

from .correlation import correlation_table
from .rendering import Format, render

__all__ = ["Format", "correlation_table", "render"]
