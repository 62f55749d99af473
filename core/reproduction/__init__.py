"""Recipes: published tables as data, and what has to be run to make them again."""
