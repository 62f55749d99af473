"""NAS-Bench-201 / NATS-Bench topology search space (Dong & Yang, ICLR 2020)."""
