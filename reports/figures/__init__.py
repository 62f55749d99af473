"""Charts of a report: one description each, in Vega-Lite, which every form draws from."""
