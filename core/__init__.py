"""The engine: plans, jobs, executors, results, and the interfaces that plugins implement."""
