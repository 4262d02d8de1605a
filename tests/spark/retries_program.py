"""Runs a job whose tasks fail in the middle of their first attempt, and a job all of whose attempts fail."""

from __future__ import annotations

import time
from pathlib import Path

from programs import arguments, session, tell
from pyspark.errors import PySparkException

ROWS = 40_000


def main() -> None:
    given = arguments()
    markers = Path(given["markers"])
    spark = session("local[2,3]", **{"spark.sql.execution.arrow.maxRecordsPerBatch": "1000"})
    spark.sparkContext.setLogLevel("OFF")

    def fails(batches, every_time=False):
        from pyspark import TaskContext

        marker = markers / f"failed-{every_time}-{TaskContext.get().partitionId()}"
        for number, batch in enumerate(batches):
            yield batch
            if number == 14 and (every_time or not marker.exists()):
                time.sleep(0.5)  # time to stage files
                marker.touch()
                raise RuntimeError("every attempt fails" if every_time else "the first attempt fails")

    def save(frame) -> None:
        options = {**given["options"], "maxRecordsPerFile": "2000"}
        frame.write.format("logs").options(**options).mode("append").save(given["url"])

    frame = spark.range(0, ROWS, 1, 2).selectExpr("id n", "repeat('x', 50) message")
    save(frame.mapInArrow(fails, frame.schema))
    refused = ""
    try:
        save(frame.mapInArrow(lambda batches: fails(batches, every_time=True), frame.schema))
    except PySparkException as error:
        refused = "every attempt fails" if "every attempt fails" in str(error) else str(error)
    tell({"failed": len(list(markers.glob("failed-False-*"))), "refused": refused})
    spark.stop()


if __name__ == "__main__":
    main()
