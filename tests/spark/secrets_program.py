"""Reads, writes and streams with secrets in the options, and keeps everything that Spark shows of it in a directory."""

from __future__ import annotations

import contextlib
import io
import json
import re
import shutil
import time
import urllib.request
from pathlib import Path
from typing import Any

from programs import arguments, session, tell
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException


class Shown:
    """Texts that Spark shows of queries, in files of a directory."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        folder.mkdir()

    def keep(self, name: str, text: str) -> None:
        path = self.folder / re.sub(r"\W+", "-", name)
        path.write_text(text + "\n", encoding="utf-8")

    def explain(self, name: str, explained: Any, *modes: Any) -> None:
        """Keeps the plans of a frame or a streaming query, which Spark prints."""
        for mode in modes:
            with contextlib.redirect_stdout(io.StringIO()) as printed:
                explained.explain(mode)
            self.keep(f"explain {name} {mode}", printed.getvalue())

    def page(self, address: str) -> str:
        """Keeps and returns a page of the user interface."""
        with urllib.request.urlopen(address) as response:
            text = response.read().decode()
        self.keep(f"page {address}", text)
        return text


def run_queries(spark: Any, given: dict[str, Any], shown: Shown) -> None:
    options, url = given["options"], given["url"]
    rows = spark.range(100).selectExpr("id n", "'text' message")
    rows.write.format("logs").options(**options).mode("append").save(url)

    frame = spark.read.format("logs").options(**options).load(url)
    filtered = frame.where("n < 50")
    shown.explain("read", filtered, *given["modes"])
    assert filtered.count() == 50
    assert frame.cache().count() == 100
    shown.explain("cached", frame, *given["modes"])
    shown.keep("repr", f"{frame!r} {frame.schema}")
    frame.createOrReplaceTempView("logs_of_frame")
    texts = ", ".join(f"{name} '{value}'" for name, value in options.items())
    spark.sql(f"CREATE TEMPORARY VIEW logs_of_sql USING logs OPTIONS ({texts}, path '{url}')")
    for statement in (
        "SELECT count(*) FROM logs_of_sql", "EXPLAIN EXTENDED SELECT * FROM logs_of_sql", "DESCRIBE EXTENDED logs_of_sql",
        f"EXPLAIN EXTENDED CREATE TEMPORARY VIEW v USING logs OPTIONS ({texts}, path '{url}')",
        "INSERT INTO logs_of_sql SELECT 100L n, 'text' message",
    ):  # fmt: skip
        try:
            found = spark.sql(statement).collect()
        except PySparkException as error:
            found = [str(error)]
        shown.keep(f"sql {statement.partition('OPTIONS')[0]}", "\n".join(map(str, found)))

    stream = spark.readStream.format("logs").options(**options).load(url)
    shown.explain("stream", stream, *given["modes"])
    sink = stream.writeStream.format("logs").options(**options, checkpointLocation=given["checkpoint"])
    query = sink.trigger(availableNow=True).start(f"{url}-sink")
    query.awaitTermination()
    shown.explain("streaming query", query, True)
    shown.keep("progress", f"{query.status} {query.recentProgress}")

    for number, wrong in enumerate(given["wrong"]):
        options = {**given["options"], **wrong}
        broken = spark.read.format("logs").schema("n long, message string").options(**options).load(url)
        stream = spark.readStream.format("logs").schema("n long, message string").options(**options).load(url)
        copy = stream.writeStream.format("logs").options(
            **options, checkpointLocation=f"{given['checkpoint']}-{number}"
        )
        for name, work in {
            "explain": lambda: shown.explain(f"wrong {number}", broken, *given["modes"]),  # noqa: B023 - called here
            "explain stream": lambda: shown.explain(f"wrong stream {number}", stream, *given["modes"]),  # noqa: B023
            "read": broken.count,
            "write": lambda: rows.write.format("logs").options(**options).mode("append").save(f"{url}-wrong"),  # noqa: B023
            "copy": lambda: copy.trigger(availableNow=True).start(f"{url}-wrong").awaitTermination(),  # noqa: B023
        }.items():
            try:
                work()
            except (PySparkException, Py4JJavaError) as error:  # the second one for a write whose abort fails, too
                shown.keep(f"error {number} {name}", f"{error} {error!r}")


def keep_pages(shown: Shown, ui: str) -> list[str]:
    """Keeps the pages of the user interface and the answers of its REST API; returns the names of the SQL executions."""
    for page in ("jobs", "stages", "storage", "environment", "executors", "SQL", "StreamingQuery", "connect"):
        with contextlib.suppress(urllib.error.HTTPError):
            shown.page(f"{ui}/{page}/")
    application = json.loads(shown.page(f"{ui}/api/v1/applications"))[0]["id"]
    rest = f"{ui}/api/v1/applications/{application}"
    for name in ("jobs", "stages?details=true", "environment", "storage/rdd", "allexecutors"):
        shown.page(f"{rest}/{name}")
    executions = json.loads(shown.page(f"{rest}/sql?details=true&planDescription=true&length=1000"))
    for execution in executions:
        shown.page(f"{ui}/SQL/execution/?id={execution['id']}")
    for job in json.loads(shown.page(f"{rest}/jobs")):
        shown.page(f"{ui}/jobs/job/?id={job['jobId']}")
        for stage in job["stageIds"]:
            shown.page(f"{ui}/stages/stage/?id={stage}&attempt=0")
    runs = re.findall(r"/StreamingQuery/statistics/?\?id=[0-9a-f-]+", shown.page(f"{ui}/StreamingQuery/"))
    for run in runs:
        shown.page(ui + run)
    return [execution["planDescription"] for execution in executions]


def main() -> None:
    given = arguments()
    folder = Path(given["kept"])
    (folder / "events").mkdir()
    ui = f"http://127.0.0.1:{given['port']}"
    spark = session(
        given["master"],
        **{
            "spark.ui.enabled": "true", "spark.ui.port": str(given["port"]), "spark.eventLog.enabled": "true",
            "spark.eventLog.dir": (folder / "events").as_uri(), "spark.eventLog.compress": "false",
            # Files in which Spark spills what it sends to Python workers and executors.
            "spark.local.dir": str(folder / "local"), "spark.broadcast.compress": "false",
            "spark.log.level": "INFO",
            **given["settings"],
        },
    )  # fmt: skip
    shown = Shown(folder / "shown")
    run_queries(spark, given, shown)
    time.sleep(1)  # the user interface gets the last events
    plans = keep_pages(shown, ui)
    shutil.copytree(folder / "local", folder / "spilled", dirs_exist_ok=True)
    tell({"plans": len(plans), "files": len(list(shown.folder.iterdir()))})
    spark.stop()


if __name__ == "__main__":
    main()
