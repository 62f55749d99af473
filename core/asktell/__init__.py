"""Asking a search strategy for proposals and telling it what became of them, whatever it is that is searched."""
