"""Readers of official benchmark files; none executes what a file contains."""
