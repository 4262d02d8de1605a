"""Reads, writes and streams on a standalone cluster to which the package is sent as a file; see ``scripts/cluster-test``.

The file is sent with the job (``--py-files``), and then to another session (``SparkSession.addArtifacts``).

Usage: ``python driver.py MASTER PACKAGE.zip EXECUTOR_PYTHON``
"""

from __future__ import annotations

import os
import sys
import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import TYPE_CHECKING, Any

if TYPE_CHECKING:
    import pyarrow as pa

FORMAT = {"template": "{ts:timestamp} {level} {message}", "layout": "{team}/{yyyy}/{MM}/{dd}/{HH}"}
# The library of grok patterns is a file of the package.
GROK = {"grok": "%{TIMESTAMP_ISO8601:time} %{LOGLEVEL:level} %{GREEDYDATA:message}", "layout": FORMAT["layout"]}
FILES, LINES = 8, 50


SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.executor.memory": "512m",
    "spark.executor.cores": "1",
    "spark.sql.shuffle.partitions": "2",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.host": "127.0.0.1",
    "spark.scheduler.minRegisteredResourcesRatio": "1.0",
}


def main(master: str, package: str, executor_python: str) -> None:
    """Runs all checks with each way to send the package."""
    os.environ.update(PYSPARK_PYTHON=executor_python, PYSPARK_DRIVER_PYTHON=sys.executable)
    import pyspark_logs

    name = Path(package).name
    require(f"{name}/" in pyspark_logs.__file__, f"the driver runs {pyspark_logs.__file__}")
    for way in ("--py-files", "addArtifacts"):
        settings = {"spark.submit.pyFiles": package} if way == "--py-files" else {}
        spark = start_session(master, settings)
        if way == "addArtifacts":
            spark.addArtifacts(package, pyfile=True)
        pyspark_logs.register(spark)
        check_executors(spark, name)
        with tempfile.TemporaryDirectory() as directory:
            check_reads_and_writes(spark, Path(directory))
            check_stream(spark, Path(directory))
        spark.stop()
        print(f"passed on two workers: read, where, write, stream; the package came by {way}")  # noqa: T201


def start_session(master: str, settings: dict[str, str]) -> Any:
    """Starts a session on the cluster."""
    from pyspark.sql import SparkSession

    builder = SparkSession.builder.master(master).appName("pyspark-logs on a cluster")
    for key, value in {**SETTINGS, **settings}.items():
        builder = builder.config(key, value)
    spark = builder.getOrCreate()
    spark.sparkContext.setLogLevel("ERROR")
    return spark


def require(condition: bool, message: object) -> None:
    """Ends the program if a condition is false."""
    if not condition:
        sys.exit(f"cluster-test: {message}")


def check_executors(spark: Any, package: str) -> None:
    """Checks that tasks run on both executors, and import the package from the sent file."""

    def sources(batches: Iterator[pa.RecordBatch]) -> Iterator[pa.RecordBatch]:
        import time
        from pathlib import Path

        import pyarrow as pa

        import pyspark_logs

        time.sleep(0.5)  # so that both executors get tasks
        path = str(Path(pyspark_logs.__file__).absolute())
        for _ in batches:
            yield pa.RecordBatch.from_pydict({"directory": [str(Path.cwd())], "path": [path]})

    found = spark.range(0, 4, 1, 4).mapInArrow(sources, "directory string, path string").collect()
    require(len({directory for directory, _ in found}) == 2, f"tasks ran in {found}")
    require(
        all(path.startswith(f"{directory}/") and f"/{package}/" in path for directory, path in found),
        f"executors run {found}",
    )


def check_reads_and_writes(spark: Any, directory: Path) -> None:
    """Checks a read, a condition, a format that needs a file of the package, and a commit of two executors."""
    for number in range(FILES):
        write_file(directory / "logs", number)
    logs = (
        spark.read.format("logs")
        .options(**FORMAT, maxPartitionBytes="4k", openCostInBytes="1k")
        .load(str(directory / "logs"))
    )
    require(logs.rdd.getNumPartitions() >= 2, "one partition only")
    require(logs.count() == FILES * LINES, logs.count())
    by_grok = spark.read.format("logs").options(**GROK, where="level = 'ERROR'").load(str(directory / "logs"))
    require(by_grok.count() == FILES * 10, "errors, by grok")
    logs.write.format("logs").options(**FORMAT).mode("append").save(str(directory / "copy"))
    back = spark.read.format("logs").options(**FORMAT).load(str(directory / "copy"))
    require(back.exceptAll(logs).count() == 0 and back.count() == FILES * LINES, "rows that were written")


def check_stream(spark: Any, directory: Path) -> None:
    """Checks that a stream into a sink has each row once."""
    query = (
        spark.readStream.format("logs").options(**FORMAT).load(str(directory / "logs"))
        .writeStream.format("logs").options(**FORMAT, checkpointLocation=str(directory / "checkpoint"))
        .trigger(availableNow=True).start(str(directory / "sink"))
    )  # fmt: skip
    query.awaitTermination(120)
    require(query.exception() is None, query.exception())
    count = spark.read.format("logs").options(**FORMAT).load(str(directory / "sink")).count()
    require(count == FILES * LINES, f"the sink has {count} rows")


def write_file(root: Path, number: int) -> None:
    """Writes the log of an hour."""
    path = root / "search" / "2026" / "11" / "22" / f"{number:02}" / "app.log"
    path.parent.mkdir(parents=True)
    lines = (
        f"2026-11-22T{number:02}:00:{line:02}Z {'INFO' if line % 5 else 'ERROR'} request {number}-{line} {'x' * 40}\n"
        for line in range(LINES)
    )
    path.write_text("".join(lines), encoding="utf-8")


if __name__ == "__main__":
    main(*sys.argv[1:])
