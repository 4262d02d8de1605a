"""Streams files through Spark Connect into logs, and reads the logs back."""

from __future__ import annotations

from programs import arguments, session, tell
from pyspark.errors import PySparkException


def main() -> None:
    given = arguments()
    spark = session("connect")
    reader = spark.readStream.format("logs").options(**given["options"])
    written = reader.option("maxFilesPerTrigger", "2").load(given["source"]).writeStream.format("logs")
    written = written.options(**given["options"]).option("checkpointLocation", given["checkpoint"])
    query = written.trigger(availableNow=True).start(given["url"])
    query.awaitTermination(120)
    back = spark.read.format("logs").options(**given["options"]).load(given["url"])
    try:
        reader.option("latenes", "1h").load(given["source"]).printSchema()
        refused = ""
    except PySparkException as error:
        refused = str(error)
    tell(
        {
            "rows": sorted([row.n, row.message] for row in back.collect()),
            "counts": [one.numInputRows for one in query.recentProgress if one.numInputRows],
            "refused": refused,
        }
    )
    spark.stop()


if __name__ == "__main__":
    main()
