"""A streaming query from logs to logs, which a program or the session of the tests runs."""

from __future__ import annotations

from typing import Any


def run_query(spark: Any, given: dict[str, Any]) -> int:
    """Runs the query until it ends, and returns the number of rows that it read.

    Args:
        spark: session with the format registered.
        given: URLs ``source`` and ``url``, options ``read`` and ``write``, directory ``checkpoint``, and ``finish``: True to end
            when all rows are written.
    """
    read = spark.readStream.format("logs").options(**given["read"]).load(given["source"])
    written = (
        read.writeStream.format("logs").options(**given["write"]).option("checkpointLocation", given["checkpoint"])
    )
    trigger = {"availableNow": True} if given["finish"] else {"processingTime": "200 milliseconds"}
    query = written.trigger(**trigger).start(given["url"])
    query.awaitTermination()
    return sum(progress.numInputRows for progress in query.recentProgress)
