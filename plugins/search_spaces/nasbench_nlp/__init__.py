"""NAS-Bench-NLP: recurrent cells for language models (Klyuchnikov et al., 2020, arXiv:2006.07116)."""
