"""Runs all benchmarks: ``python -m benchmarks``; ``--only`` selects parts."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path

from benchmarks import (
    compressed_files,
    corrupt_lines,
    data,
    delayed_files,
    limits,
    memory,
    planning,
    report,
    scans,
    small_objects,
    spark_reads,
    streams,
    timing,
    writes,
)


def main() -> None:
    """Runs the selected benchmarks and prints their tables."""
    if sys.argv[1:2] == ["--child"]:
        scans.child(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["--memory"]:
        memory.child(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["--corrupt"]:
        corrupt_lines.child(*sys.argv[2:])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", nargs="+", choices=list(PARTS), default=list(PARTS), help="parts, in this order")
    parser.add_argument("--kinds", nargs="*", default=list(data.KINDS), choices=list(data.KINDS))
    parser.add_argument("--mib", type=int, default=256, help="text per format (default %(default)s)")
    parser.add_argument(
        "--spark-mib",
        type=int,
        default=1024,
        help="text per format that Spark reads; a query takes a few tenths of a second however small (default %(default)s)",
    )
    parser.add_argument(
        "--gib", type=float, default=2.0, help="text of the large compressed files (default %(default)s)"
    )
    parser.add_argument(
        "--entries",
        type=int,
        nargs="*",
        default=limits.ENTRIES,
        help="entries of simulated stores (default %(default)s)",
    )
    parser.add_argument(
        "--objects", type=int, default=10_000, help="small objects on the S3 server (default %(default)s)"
    )
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
    printed: dict[str, str] = {}
    for part in arguments.only:
        with report.copy_of_output() as text:
            PARTS[part](arguments)
        printed[part] = text.getvalue()
        # After each part, so that a run that is interrupted keeps the figures it has.
        if arguments.output is not None:
            report.write(arguments.output, timing.COMPARISONS, printed)


def _spark(arguments: argparse.Namespace) -> None:
    spark = spark_reads.session()
    spark_reads.run(spark, arguments.data, arguments.spark_mib, arguments.rounds, arguments.kinds)
    compressed_files.with_spark(spark, arguments.data, arguments.mib, arguments.rounds)
    spark.stop()


def _small_in_spark(arguments: argparse.Namespace) -> None:
    classes = arguments.data / "classes"
    spark = spark_reads.session(**delayed_files.settings(classes))
    small_objects.with_spark(spark, classes, arguments.data, arguments.rounds, arguments.objects, arguments.delay)
    spark.stop()


PARTS: dict[str, Callable[[argparse.Namespace], None]] = {
    "scan": lambda given: scans.run(given.data, given.mib, given.rounds, given.kinds),
    "compressed": lambda given: compressed_files.run(given.data, given.mib, given.rounds),
    "small": lambda given: small_objects.run(given.data, given.rounds, given.objects, given.delay),
    "spark": _spark,
    "small-in-spark": _small_in_spark,
    "write": lambda given: writes.run(given.data, given.mib, given.rounds),
    "stream": lambda _: streams.run(),
    "limits": lambda given: limits.run(given.entries),
    "planning": lambda _: planning.run(),
    "corrupt": lambda _: corrupt_lines.run(),
    "memory": lambda given: memory.run(given.data, given.mib, given.gib, given.objects, given.delay),
}


if __name__ == "__main__":
    main()
