"""Runs two actions over bad records; in each, the first attempt of a task fails after it has read all rows."""

from __future__ import annotations

from pathlib import Path

from programs import arguments, session, tell


def main() -> None:
    given = arguments()
    spark = session("local[2,3]")
    spark.sparkContext.setLogLevel("OFF")
    counts = []
    for action in range(2):
        marker = Path(given["markers"]) / f"failed-{action}"

        def fails_once(batches, marker=marker):
            yield from batches
            if not marker.exists():
                marker.touch()
                raise RuntimeError("the first attempt fails")

        frame = spark.read.format("logs").options(**given["options"]).load(given["logs"]).select("level")
        counts.append(frame.mapInArrow(fails_once, "level string").count())
        # The first attempt has written all its files, and the second one overwrites them.
        if not marker.exists():
            counts.append(-1)
    tell(counts)
    spark.stop()


if __name__ == "__main__":
    main()
