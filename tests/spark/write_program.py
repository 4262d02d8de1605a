"""Runs a job in which one task writes twelve files, one per directory."""

from __future__ import annotations

from programs import arguments, session, tell


def main() -> None:
    given = arguments()
    spark = session("local[2]")
    frame = spark.range(1200).coalesce(1).selectExpr("id n", "'new' message", "concat('p', id % 12) part")
    frame.write.format("logs").options(**given["options"]).mode(given["mode"]).save(given["url"])
    tell("committed")
    spark.stop()


if __name__ == "__main__":
    main()
