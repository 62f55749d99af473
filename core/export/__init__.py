"""Writes networks as PyTorch source that needs nothing of this package, and as programs of ``torch.export``."""
