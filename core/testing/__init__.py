"""Tests that every plugin must pass, as classes to derive from; pytest collects the derived classes."""

from .contracts import DatasetContract, EvaluatorContract, SearchSpaceContract, SearchStrategyContract

__all__ = ["DatasetContract", "EvaluatorContract", "SearchSpaceContract", "SearchStrategyContract"]
