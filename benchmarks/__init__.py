"""Speed, measured: ``python -m benchmarks``. Each figure stands beside its peer's, measured in the same run."""
