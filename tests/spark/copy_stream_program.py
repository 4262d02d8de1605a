"""Runs a streaming query from logs to logs until it is killed; with ``finish``, until all rows are written."""

from __future__ import annotations

from programs import arguments, session, tell


def main() -> None:
    given = arguments()
    spark = session("local[2]")
    read = spark.readStream.format("logs").options(**given["read"]).load(given["source"])
    written = (
        read.writeStream.format("logs").options(**given["write"]).option("checkpointLocation", given["checkpoint"])
    )
    trigger = {"availableNow": True} if given["finish"] else {"processingTime": "200 milliseconds"}
    query = written.trigger(**trigger).start(given["url"])
    query.awaitTermination()
    tell(sum(progress.numInputRows for progress in query.recentProgress))
    spark.stop()


if __name__ == "__main__":
    main()
