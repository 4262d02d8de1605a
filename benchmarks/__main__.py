"""Runs all benchmarks: ``python -m benchmarks``; ``--only`` selects a part."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import data, limits, report, resources, scans, small_objects, spark_reads, streams, timing, writes

PARTS = ("scan", "small", "spark", "write", "stream", "limits", "resources")


def main() -> None:
    """Runs the selected benchmarks and prints their tables."""
    if sys.argv[1:2] == ["--child"]:
        scans.child(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["--memory"]:
        resources.memory_child(sys.argv[2])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=PARTS, help="one part")
    parser.add_argument("--kinds", nargs="*", default=list(data.KINDS), choices=list(data.KINDS))
    parser.add_argument("--mib", type=int, default=256, help="text per format (default %(default)s)")
    parser.add_argument("--gib", type=float, default=2.0, help="text of the large gzip file (default %(default)s)")
    parser.add_argument(
        "--entries",
        type=int,
        nargs="*",
        default=limits.ENTRIES,
        help="entries of simulated stores (default %(default)s)",
    )
    parser.add_argument("--objects", type=int, default=500, help="small objects on the S3 server (default %(default)s)")
    parser.add_argument(
        "--delay", type=float, default=30, help="milliseconds added to each of its responses (default %(default)s)"
    )
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument(
        "--output", type=Path, help="directory for results.md and ratios.svg, such as benchmarks/results"
    )
    parser.add_argument("--data", type=Path, default=Path("build/benchmark-data"))
    arguments = parser.parse_args()
    print(f"{report.environment()}\n", flush=True)
    if arguments.only in (None, "scan"):
        scans.run(arguments.data, arguments.mib, arguments.rounds, arguments.kinds)
    if arguments.only in (None, "small"):
        small_objects.run(arguments.data, arguments.mib, arguments.rounds, arguments.objects, arguments.delay)
    if arguments.only in (None, "spark"):
        spark = spark_reads.session()
        spark_reads.run(spark, arguments.data, arguments.mib, arguments.rounds, arguments.kinds)
        small_objects.with_spark(spark, arguments.data, arguments.rounds, arguments.objects, arguments.delay)
        spark.stop()
    if arguments.only in (None, "write"):
        writes.run(arguments.data, arguments.mib, arguments.rounds)
    if arguments.only in (None, "stream"):
        streams.run()
    if arguments.only in (None, "limits"):
        limits.run(arguments.entries)
    if arguments.only in (None, "resources"):
        resources.run(arguments.data, arguments.gib)
    if arguments.output is not None:
        report.write(arguments.output, timing.COMPARISONS)


if __name__ == "__main__":
    main()
