"""Built-in plugins: search spaces, evaluators and search strategies."""
