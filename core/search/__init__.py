"""Searching for an architecture: a strategy proposes, an evaluator scores, and everything is on disk as it comes."""
