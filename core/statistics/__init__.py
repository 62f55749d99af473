"""Statistics of scores and trained performance: arrays in, numbers out; they know no evaluator and no file.

Both sides must be turned so that higher is better before they come here. What is not defined is None, never 0.
"""
