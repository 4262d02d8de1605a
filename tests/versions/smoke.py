"""Reads, writes and streams with the installed Spark: ``python smoke.py [brief|classic|local-cluster|connect]``.

``scripts/version-matrix`` runs all but ``brief``, the default, in an environment for each version of Spark and Python, and
``tests/spark/test_versions.py`` runs ``brief`` with each older version of Spark. An environment of the matrix has no pytest.
"""

from __future__ import annotations

import os
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import Any

os.environ["PYSPARK_PYTHON"] = os.environ["PYSPARK_DRIVER_PYTHON"] = sys.executable
os.environ.setdefault(
    "SPARK_SUBMIT_OPTS",
    "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC -XX:+UnlockDiagnosticVMOptions -XX:-BytecodeVerificationRemote",
)

FORMAT = {"template": "{ts:timestamp} {level} {n:int?} {message}", "layout": "{team}/{yyyy}/{MM}/{dd}/{HH}"}
# A session of a busy machine takes two minutes.
SESSION_S = 300
SETTINGS = {
    "spark.ui.enabled": "false",
    "spark.ui.showConsoleProgress": "false",
    "spark.sql.shuffle.partitions": "1",
    "spark.sql.session.timeZone": "UTC",
    "spark.driver.host": "127.0.0.1",
    "spark.executor.memory": "1g",
    # Compiling the code of a query takes longer than to interpret it over a few rows.
    "spark.sql.codegen.wholeStage": "false",
    "spark.sql.codegen.factoryMode": "NO_CODEGEN",
}


def main() -> None:
    """Runs one session in this process, or several of them in a process each."""
    names = sys.argv[1:] or ["classic", "local-cluster", "connect"]
    seconds = {}
    for name in names:
        started = time.monotonic()
        if len(names) > 1:
            run_session(name)
        else:
            with tempfile.TemporaryDirectory() as directory:
                SESSIONS[name](Path(directory))
        seconds[name] = time.monotonic() - started
    import pyspark

    print(f"passed with Spark {pyspark.__version__}:", ", ".join(f"{name} {seconds[name]:.0f} s" for name in names))  # noqa: T201


def run_session(name: str) -> None:
    """Runs a session in processes of its own, whose threads show their stacks if the session takes too long."""
    command = [sys.executable, "-X", "faulthandler", __file__, name]
    with tempfile.TemporaryFile("w+") as output:
        process = subprocess.Popen(command, stdout=output, stderr=subprocess.STDOUT, start_new_session=True)
        try:
            process.wait(SESSION_S)
        except subprocess.TimeoutExpired:
            process.send_signal(signal.SIGABRT)
            process.wait(10)
        finally:
            with suppress(ProcessLookupError):
                os.killpg(process.pid, signal.SIGKILL)
        output.seek(0)
        require(process.returncode == 0, f"{name} ended with {process.returncode}: {output.read()[-6000:]}")


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


def written_messages(directory: Path) -> list[str]:
    """Returns the sorted messages of written files, read without Spark."""
    import pyspark_logs

    return sorted(pyspark_logs.scan(str(directory), **FORMAT).read_all()["message"].to_pylist())


def make_session(builder: Any) -> Any:
    """Starts a session."""
    for key, value in SETTINGS.items():
        builder = builder.config(key, value)
    return builder.getOrCreate()


def check_brief(directory: Path) -> None:
    """Checks a read, a write, a filter, and a stream of two batches: one query for each interface of Spark."""
    from pyspark.sql import SparkSession

    import pyspark_logs

    spark = make_session(SparkSession.builder.master("local[1]"))
    pyspark_logs.register(spark)
    path = make_logs(directory / "logs")
    logs = spark.read.format("logs").options(**FORMAT).load(path)
    check_rows(logs)
    check_pushdown(spark, path)
    logs.write.format("logs").options(**FORMAT).mode("append").save(str(directory / "written"))
    equal(written_messages(directory / "written"), ["no stock", "slow", "started"])
    check_stream(spark, directory)
    spark.stop()


def check_classic(directory: Path) -> None:
    """Checks batch reads and writes, filters, and both sides of streams."""
    from pyspark.sql import SparkSession

    import pyspark_logs

    spark = make_session(SparkSession.builder.master("local[2]"))
    pyspark_logs.register(spark)
    check_batch(spark, directory / "batch")
    check_pushdown(spark, str(directory / "batch" / "logs"))
    check_stream(spark, directory)
    spark.stop()


def check_local_cluster(directory: Path) -> None:
    """Checks reads, writes and streams of executors in processes of their own."""
    from pyspark.sql import SparkSession

    spark = make_session(SparkSession.builder.master("local-cluster[2,1,1024]"))
    check_batch(spark, directory / "batch")
    check_stream(spark, directory)
    spark.stop()


def check_connect(directory: Path) -> None:
    """Checks reads, writes and streams on Spark Connect, where the format is found by its name."""
    from pyspark.sql import SparkSession

    spark = make_session(SparkSession.builder.remote("local[2]"))
    check_batch(spark, directory / "batch")
    check_stream(spark, directory)
    spark.stop()


def check_stream(spark: Any, directory: Path) -> None:
    """Checks two batches of a stream into a sink, with a restart between them."""
    source, sink = make_logs(directory / "live"), str(directory / "sink")

    def run_stream() -> None:
        stream = spark.readStream.format("logs").options(**FORMAT, fullListingInterval="0s").load(source)
        query = (
            stream.where("ts IS NOT NULL").writeStream.format("logs")
            .options(**FORMAT, checkpointLocation=str(directory / "checkpoint")).trigger(availableNow=True).start(sink)
        )  # fmt: skip
        query.awaitTermination(120)
        require(query.exception() is None, query.exception())

    run_stream()
    equal(written_messages(directory / "sink"), ["no stock", "slow", "started"])
    write_logs(Path(source), 6, "2026-11-22T06:00:00Z INFO 2 ended\n")
    run_stream()
    equal(written_messages(directory / "sink"), ["ended", "no stock", "slow", "started"])


def check_rows(logs: Any) -> None:
    """Checks the columns and the rows of the files."""
    equal(logs.columns, ["ts", "level", "n", "message", "team"])
    rows = sorted(logs.collect(), key=lambda row: row.ts)
    equal(
        [(row.level, row.n, row.team) for row in rows],
        [("INFO", 1, "search"), ("ERROR", None, "search"), ("ERROR", None, "search")],
    )


def check_batch(spark: Any, directory: Path) -> None:
    """Checks reads, conditions, filters of Spark, schemas and writes."""
    logs = spark.read.format("logs").options(**FORMAT).load(make_logs(directory / "logs"))
    check_rows(logs)
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


def check_pushdown(spark: Any, path: str) -> None:
    """Checks that Spark leaves a filter to the reader from Spark 4.1 on, and filters itself on Spark 4.0."""
    from pyspark.sql.datasource import DataSourceReader

    logs = spark.read.format("logs").options(**FORMAT, filterPushdown="true").load(path).where("level = 'ERROR'")
    equal(messages(logs), ["no stock", "slow"])
    plan = logs._jdf.queryExecution().executedPlan().toString()
    equal("Filter " not in plan, hasattr(DataSourceReader, "pushFilters"))


SESSIONS: dict[str, Callable[[Path], None]] = {
    "brief": check_brief,
    "classic": check_classic,
    "local-cluster": check_local_cluster,
    "connect": check_connect,
}

if __name__ == "__main__":
    main()
