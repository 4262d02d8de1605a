"""A task that is slow at its first attempt only, so that Spark starts a second one beside it."""

from __future__ import annotations

import time
import uuid
from pathlib import Path

from programs import arguments, session, tell


def main() -> None:
    given = arguments()
    markers = Path(given["markers"])
    spark = session(
        "local-cluster[2,1,1024]",
        **{
            "spark.executor.memory": "1g",
            "spark.speculation": "true",
            "spark.speculation.quantile": "0.5",
            "spark.speculation.multiplier": "1.1",
            "spark.speculation.interval": "100ms",
            "spark.speculation.minTaskRuntime": "100ms",
            "spark.sql.execution.arrow.maxRecordsPerBatch": "10",
        },
    )

    def slow_once(batches):
        from pyspark import TaskContext

        last = TaskContext.get().partitionId() == 3
        first = last and not list(markers.glob("attempt-*"))
        if last:
            (markers / f"attempt-{uuid.uuid4().hex}").touch()
        for number, batch in enumerate(batches):
            yield batch
            if first and number == 5:
                time.sleep(30)

    frame = spark.range(0, 400, 1, 4).selectExpr("id n", "repeat('x', 10000) message")
    options = {**given["options"], "maxRecordsPerFile": "10", "compression": "none"}
    slow = frame.mapInArrow(slow_once, frame.schema)
    slow.write.format("logs").options(**options).mode("append").save(given["url"])
    tell({"attempts": len(list(markers.glob("attempt-*")))})
    spark.stop()


if __name__ == "__main__":
    main()
