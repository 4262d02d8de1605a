"""Reads, writes and copies logs on a cluster of two executors. Each query meets a fault."""

from __future__ import annotations

import functools
import os
import threading
import time
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pyspark
from programs import arguments, session, tell
from py4j.protocol import Py4JJavaError
from pyspark.errors import PySparkException

BATCH = 500  # rows in a batch between Spark and its Python workers

# --- in a Python worker of an executor


def disturbed(batches, fault, marker):
    """Passes batches on. In the first attempt of the first task, there is a fault when half of the rows are passed on."""
    from pyspark import TaskContext

    for number, batch in enumerate(batches):
        yield batch
        if number == 6 and TaskContext.get().partitionId() == 0 and not marker.exists():
            wait_for(marker.with_name(f"staged-{marker.name.removeprefix('met-')}"))
            marker.touch()
            fault()


def wait_for(path):
    """Waits for the file by which the test tells that files of the query are staged; a query without a sink has it at once."""
    until = time.monotonic() + 60
    while not path.exists() and time.monotonic() < until:
        time.sleep(0.05)


def process_ids(*options):
    import subprocess

    listed = subprocess.run(["ps", "-o", *options], capture_output=True, text=True, check=True).stdout
    return [int(text) for text in listed.split()]


def kill(*processes):
    import signal

    for process in processes:
        os.kill(process, signal.SIGKILL)


def other_workers():
    """Returns the workers beside this one: those that read and write for the same task."""
    return [process for process in process_ids("pid=", "--ppid", str(os.getppid())) if process != os.getpid()]


def kill_executor():
    # The parent of a worker is the daemon that forks the workers, whose parent is the executor.
    kill(*process_ids("ppid=", "-p", str(os.getppid())))


def kill_workers():
    """Does what the kernel does if there is no memory left."""
    kill(*other_workers(), os.getpid())


def exhaust_memory():
    """Lets the allocations of all workers of the task fail."""
    import resource

    for process in other_workers():
        resource.prlimit(process, resource.RLIMIT_AS, (1 << 20, 1 << 20))
    raise MemoryError("no memory left")


def stall():
    time.sleep(120)  # Spark kills the worker before


FAULTS = {
    "executor": kill_executor,
    "workers": kill_workers,
    "memory": exhaust_memory,
    "cancel": stall,
    "stop": stall,
}


# --- in the driver


@dataclass(frozen=True)
class Query:
    """A query that meets a fault.

    Attributes:
        spark: session.
        given: arguments of the program.
        name: names of the query and the fault, joined by a hyphen.
    """

    spark: Any
    given: dict[str, Any]
    name: str

    @property
    def fault(self) -> str:
        return self.name.partition("-")[2]

    @property
    def marker(self) -> Path:
        """File that is there after the fault."""
        return Path(self.given["markers"], f"met-{self.name}")

    def disturbed(self, frame: Any) -> Any:
        return frame.mapInArrow(
            functools.partial(disturbed, fault=FAULTS[self.fault], marker=self.marker), frame.schema
        )

    def source(self, reader: Any) -> Any:
        options = {**self.given["options"], **self.given["read"]}
        return self.disturbed(reader.format("logs").options(**options).load(self.given["source"]))

    def sink(self, writer: Any) -> Any:
        return writer.format("logs").options(**self.given["options"], maxRecordsPerFile="500")

    def read(self) -> list[int]:
        """Returns the numbers of the rows after a shuffle, whose files a lost executor loses."""
        frame = self.source(self.spark.read).repartition(3, "n").select("n")
        return [row.n for row in frame.collect()]

    def write(self) -> None:
        frame = self.spark.range(0, self.given["rows"], 1, 2).selectExpr("id n", "repeat('x', 1000) message")
        self.sink(self.disturbed(frame).write).mode("append").save(f"{self.given['url']}-{self.name}")

    def copy(self) -> None:
        self.sink(self.source(self.spark.read).write).mode("append").save(f"{self.given['url']}-{self.name}")

    def stream(self) -> None:
        """Copies all files in two batches. A query that was stopped is started again."""
        for _ in range(2):
            sink = self.sink(self.source(self.spark.readStream).writeStream).option(
                "checkpointLocation", f"{self.marker}-checkpoint"
            )
            query = sink.trigger(availableNow=True).start(f"{self.given['url']}-{self.name}")
            query.awaitTermination()

    def run(self) -> Any:
        """Runs the query to its end; returns its result, or its error."""
        if self.fault in ("cancel", "stop"):
            threading.Thread(target=self.interrupt, daemon=True).start()
        try:
            return getattr(self, self.name.partition("-")[0])()
        except (PySparkException, Py4JJavaError) as error:  # the second one for a job that was cancelled
            return str(error)

    def interrupt(self) -> None:
        """Cancels the query when it has met its fault."""
        while not self.marker.exists():
            time.sleep(0.05)
        if self.fault == "cancel":
            self.spark.sparkContext.cancelAllJobs()
        else:
            for query in self.spark.streams.active:
                query.stop()


def spark_home(folder: Path) -> Path:
    """Returns a directory with links to the installed Spark, because its executors work below this directory."""
    home = folder / "spark"
    home.mkdir()
    for entry in Path(pyspark.__file__).parent.iterdir():
        (home / entry.name).symlink_to(entry)
    return home


def main() -> None:
    given = arguments()
    os.environ["SPARK_HOME"] = str(spark_home(Path(given["markers"])))
    settings = {
        "spark.sql.execution.arrow.maxRecordsPerBatch": str(BATCH),
        "spark.executor.extraJavaOptions": "-XX:TieredStopAtLevel=1 -XX:+UseSerialGC",
        # A worker whose memory is exhausted must not run the next task.
        "spark.python.worker.reuse": "false" if any("memory" in name for name in given["queries"]) else "true",
    }
    spark = session("local-cluster[2,1,1024]", **settings)
    spark.sparkContext.setLogLevel("OFF")
    answer = {}
    for name in given["queries"]:
        began = time.monotonic()
        query = Query(spark, given, name)
        answer[name] = {"result": query.run(), "met": query.marker.exists()}
        answer[name]["seconds"] = round(time.monotonic() - began, 1)
    tell(answer)
    spark.stop()


if __name__ == "__main__":
    main()
