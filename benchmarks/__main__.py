"""Runs all benchmarks: ``python -m benchmarks``; ``--only`` selects a part."""

from __future__ import annotations

import argparse
import sys
from pathlib import Path

from benchmarks import data, limits, resources, scans, spark_reads, streams, writes


def main() -> None:
    """Runs the selected benchmarks and prints their tables."""
    if sys.argv[1:2] == ["--child"]:
        scans.child(*sys.argv[2:])
        return
    if sys.argv[1:2] == ["--memory"]:
        resources.memory_child(sys.argv[2])
        return
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--only", choices=["spark", "scan", "limits", "resources", "write", "stream"], help="one part")
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
    parser.add_argument("--rounds", type=int, default=3)
    parser.add_argument("--data", type=Path, default=Path("build/benchmark-data"))
    arguments = parser.parse_args()
    if arguments.only in (None, "scan"):
        scans.run(arguments.data, arguments.mib, arguments.rounds, arguments.kinds)
    if arguments.only in (None, "spark"):
        spark_reads.run(arguments.data, arguments.mib, arguments.rounds, arguments.kinds)
    if arguments.only in (None, "write"):
        writes.run(arguments.data, arguments.mib, arguments.rounds)
    if arguments.only in (None, "stream"):
        streams.run()
    if arguments.only in (None, "limits"):
        limits.run(arguments.entries)
    if arguments.only in (None, "resources"):
        resources.run(arguments.data, arguments.gib)


if __name__ == "__main__":
    main()
