"""Word-level text sets for language modelling."""
