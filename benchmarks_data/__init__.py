"""Readers of benchmark tables and of the small data sets that evaluators use."""
