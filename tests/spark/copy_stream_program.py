"""Runs a streaming query from logs to logs until it is killed; with ``finish``, until all rows are written."""

from __future__ import annotations

from copy_stream import run_query
from programs import arguments, session, tell


def main() -> None:
    spark = session("local[2]")
    tell(run_query(spark, arguments()))
    spark.stop()


if __name__ == "__main__":
    main()
