"""Reads, writes and streams with the installed Spark, on a classic session and on Spark Connect.

``scripts/version-matrix`` runs this program in an environment for each version of Spark and Python. An environment has no pytest.
"""

from __future__ import annotations

import os
import subprocess
import sys
import tempfile
from pathlib import Path
from typing import Any

os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
os.environ.setdefault("SPARK_SUBMIT_OPTS", "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC")

FORMAT = {"template": "{ts:timestamp} {level} {n:int?} {message}", "layout": "{team}/{yyyy}/{MM}/{dd}/{HH}"}
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.host": "127.0.0.1",
}


def main() -> None:
    """Runs the classic session in this process, and Spark Connect in another one."""
    if sys.argv[1:] == ["connect"]:
        with tempfile.TemporaryDirectory() as directory:
            check_connect(Path(directory))
        return
    with tempfile.TemporaryDirectory() as directory:
        check_classic(Path(directory))
    done = subprocess.run(
        [sys.executable, __file__, "connect"], capture_output=True, text=True, timeout=200, check=False
    )
    require(done.returncode == 0, f"Spark Connect: {done.stdout[-3000:]}{done.stderr[-3000:]}")
    import pyspark

    print(f"passed with Spark {pyspark.__version__}: read, where, filter, write, txnId, stream, sink, Connect")  # noqa: T201


def require(condition: bool, message: object) -> None:
    """Ends the program if a condition is false."""
    if not condition:
        sys.exit(f"smoke: {message}")


def equal(found: object, expected: object) -> None:
    """Ends the program if values differ."""
    require(found == expected, f"found {found!r}, expected {expected!r}")


def write_logs(directory: Path, hour: int, text: str) -> None:
    """Writes a file to the directory of an hour."""
    folder = directory / "search" / "2026" / "11" / "22" / f"{hour:02}"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / f"{hour}.log").write_text(text, encoding="utf-8")


def make_logs(directory: Path) -> str:
    """Writes two files, and returns their directory."""
    write_logs(directory, 1, "2026-11-22T01:00:00Z INFO 1 started\n2026-11-22T01:30:00Z ERROR x no stock\n")
    write_logs(directory, 5, "2026-11-22T05:00:00Z ERROR - slow\n")
    return str(directory)


def messages(frame: Any) -> list[str]:
    """Returns the sorted messages of a frame."""
    return sorted(row.message for row in frame.select("message").collect())


def check_classic(directory: Path) -> None:
    """Checks batch reads and writes, and both sides of streams."""
    from pyspark.sql import SparkSession

    import pyspark_logs

    builder = SparkSession.builder.master("local[2]")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    pyspark_logs.register(spark)
    check_batch(spark, directory / "batch")
    source, sink = make_logs(directory / "live"), str(directory / "sink")

    def run_stream() -> Any:
        stream = spark.readStream.format("logs").options(**FORMAT, fullListingInterval="0s").load(source)
        query = (
            stream.where("ts IS NOT NULL").writeStream.format("logs")
            .options(**FORMAT, checkpointLocation=str(directory / "checkpoint")).trigger(availableNow=True).start(sink)
        )  # fmt: skip
        query.awaitTermination(120)
        require(query.exception() is None, query.exception())
        return spark.read.format("logs").options(**FORMAT).load(sink)

    equal(messages(run_stream()), ["no stock", "slow", "started"])
    write_logs(Path(source), 6, "2026-11-22T06:00:00Z INFO 2 ended\n")
    equal(messages(run_stream()), ["ended", "no stock", "slow", "started"])
    spark.stop()


def check_batch(spark: Any, directory: Path) -> None:
    """Checks reads, conditions, filters of Spark, schemas and writes."""
    logs = spark.read.format("logs").options(**FORMAT).load(make_logs(directory / "logs"))
    equal(logs.columns, ["ts", "level", "n", "message", "team"])
    equal(
        [(row.level, row.n, row.team) for row in logs.orderBy("ts").collect()][::2],
        [("INFO", 1, "search"), ("ERROR", None, "search")],
    )
    equal(messages(logs.where("level = 'ERROR' AND ts < '2026-11-22 02:00:00'")), ["no stock"])
    early = spark.read.format("logs").options(**FORMAT, where="level = 'ERROR'", endTime="2026-11-22T02:00:00Z")
    equal(messages(early.schema("message string").load(str(directory / "logs"))), ["no stock"])
    target = str(directory / "written")
    rows = logs.where("ts IS NOT NULL")
    for _ in range(2):
        rows.write.format("logs").options(**FORMAT, txnId="once").mode("append").save(target)
    back = spark.read.format("logs").options(**FORMAT).load(target)
    equal(sorted(map(tuple, back.collect()), key=str), sorted(map(tuple, rows.collect()), key=str))
    rows.limit(1).write.format("logs").options(**FORMAT).mode("overwrite").save(target)
    equal(spark.read.format("logs").options(**FORMAT).load(target).count(), 1)


def check_connect(directory: Path) -> None:
    """Checks reads and writes on Spark Connect, where the format is found by its name."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.remote("local[2]")
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    check_batch(spark, directory)
    spark.stop()


if __name__ == "__main__":
    main()
