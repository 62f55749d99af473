"""Computing: a plan's jobs in worker processes, each job seeded by its key and safe from the others."""
