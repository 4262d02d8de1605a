"""Runs a streaming query from text files to logs until it is killed; with ``finish``, until all rows are written."""

from __future__ import annotations

from programs import arguments, session, tell


def main() -> None:
    given = arguments()
    spark = session("local[2]")
    most = 1000 if given["finish"] else 2
    lines = spark.readStream.option("maxFilesPerTrigger", most).text(given["source"])
    columns = (
        "cast(split(value, ' ')[0] as long) n",
        "split(value, ' ', 2)[1] message",
        "concat('p', length(value) % 2) part",
    )
    stream = lines.selectExpr(*columns).writeStream.format("logs").options(**given["options"])
    stream = stream.option("checkpointLocation", given["checkpoint"])
    if given["finish"]:
        stream = stream.trigger(availableNow=True)
    query = stream.start(given["url"])
    query.awaitTermination()
    tell("finished")
    spark.stop()


if __name__ == "__main__":
    main()
