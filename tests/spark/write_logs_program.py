"""Runs a job without Spark: numbered rows, with a separate file for each hour."""

from __future__ import annotations

import datetime as dt

import pyarrow as pa
from programs import arguments, tell

import pyspark_logs


def main() -> None:
    given = arguments()
    numbers = range(given["first"], given["first"] + given["count"])
    hours = [dt.datetime.fromisoformat(hour) for hour in given["hours"]]
    table = pa.table(
        {
            "ts": pa.array([hours[n % len(hours)] for n in numbers], pa.timestamp("us", "UTC")),
            "n": numbers,
            "message": [f"job {given['first']}"] * len(numbers),
        }
    )
    tell(pyspark_logs.write(table, given["url"], **given["options"]).job)


if __name__ == "__main__":
    main()
