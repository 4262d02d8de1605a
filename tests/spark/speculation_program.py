"""Runs a task whose first attempt is slow, so that Spark starts a speculative attempt.

Spark starts it on another host only. The program therefore starts a cluster with two workers, whose hosts are two names
of this machine.
"""

from __future__ import annotations

import contextlib
import os
import socket
import subprocess
import time
import uuid
from collections.abc import Iterator
from pathlib import Path

import pyspark
from programs import arguments, session, tell


@contextlib.contextmanager
def cluster(folder: Path) -> Iterator[str]:
    """Starts a cluster and yields the URL of its master."""
    home = Path(pyspark.__file__).parent
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        port = free.getsockname()[1]
    master = ["master.Master", "--host", "127.0.0.1", "--port", str(port), "--webui-port", "0"]
    worker = [
        "worker.Worker",
        "-c",
        "1",
        "-m",
        "1g",
        "-d",
        str(folder),
        "--webui-port",
        "0",
        f"spark://127.0.0.1:{port}",
    ]
    commands = [master, [*worker, "--host", "127.0.0.1"], [*worker, "--host", "localhost"]]
    environment = {**os.environ, "SPARK_HOME": str(home), "SPARK_DAEMON_MEMORY": "256m"}
    processes = [
        subprocess.Popen([str(home / "bin/spark-class"), f"org.apache.spark.deploy.{name}", *rest], env=environment)
        for name, *rest in commands
    ]
    try:
        yield f"spark://127.0.0.1:{port}"
    finally:
        for process in processes:
            process.terminate()
            process.wait()


def main() -> None:
    given = arguments()
    markers = Path(given["markers"])

    def slow_once(batches):
        from pyspark import TaskContext

        last = TaskContext.get().partitionId() == 3
        first = last and not list(markers.glob("attempt-*"))
        if last:
            (markers / f"attempt-{uuid.uuid4().hex}").touch()
        for number, batch in enumerate(batches):
            yield batch
            if first and number == 5:
                time.sleep(150)  # Spark should kill the attempt before

    settings = {
        "spark.executor.memory": "512m",
        "spark.speculation": "true",
        "spark.speculation.quantile": "0.5",
        "spark.speculation.multiplier": "1.1",
        "spark.speculation.interval": "100ms",
        "spark.speculation.minTaskRuntime": "100ms",
        "spark.speculation.efficiency.enabled": "false",
        "spark.sql.execution.arrow.maxRecordsPerBatch": "10",
    }
    with cluster(markers) as master:
        spark = session(master, **settings)
        frame = spark.range(0, 400, 1, 4).selectExpr("id n", "repeat('x', 10000) message")
        options = {**given["options"], "maxRecordsPerFile": "10", "compression": "none"}
        slow = frame.mapInArrow(slow_once, frame.schema)
        slow.write.format("logs").options(**options).mode("append").save(given["url"])
        tell({"attempts": len(list(markers.glob("attempt-*")))})
        spark.stop()


if __name__ == "__main__":
    main()
