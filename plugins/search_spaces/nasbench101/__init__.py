"""NAS-Bench-101 search space (Ying et al., ICML 2019)."""
