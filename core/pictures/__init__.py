"""Pictures of cells and of searches. Nothing here imports matplotlib before something is drawn."""
