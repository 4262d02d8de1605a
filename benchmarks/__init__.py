"""Benchmarks: ``python -m benchmarks``. Each run measures pyspark-logs and the programs that it is compared with."""
