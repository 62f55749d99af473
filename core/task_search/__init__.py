"""The search for a proxy task: the value of an evaluator's setting that ranks a few labelled architectures best."""
