"""From results to tables: select and orient, correlate, render. Reports know no evaluator or search space."""

from .correlation import correlation_table
from .curves import curve_table
from .render_curves import render_curves
from .rendering import Format, render

__all__ = ["Format", "correlation_table", "curve_table", "render", "render_curves"]
