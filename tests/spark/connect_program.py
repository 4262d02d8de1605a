"""Writes through Spark Connect, reads the rows back, and reports the messages of errors."""

from __future__ import annotations

from programs import arguments, session, tell
from pyspark.errors import PySparkException

FORMAT = {"template": "{ts:timestamp} {level?} {message}", "layout": "{team}/{yyyy}/{MM}/{dd}/{HH}"}


def main() -> None:
    given = arguments()
    spark = session("connect")
    options = {**given["options"], **FORMAT}
    frame = spark.range(100).selectExpr(
        "timestamp'2026-11-24T22:30:00Z' + make_interval(0, 0, 0, 0, 0, id) ts", "if(id % 7 = 0, null, 'INFO') level",
        "concat('message ', id) message", "if(id % 3 = 0, 'ops', 'web') team",
    )  # fmt: skip
    for _ in range(2):
        frame.write.format("logs").options(**options, txnId="once").mode("append").save(given["url"])
    back = spark.read.format("logs").options(**options).load(given["url"])
    equal = back.exceptAll(frame).count() == frame.exceptAll(back).count() == 0 and back.count() == 100
    refused = []
    for columns in (["ts", "message"], ["ts", "concat(message, '\n') message", "level", "team"]):
        try:
            wrong = frame.selectExpr(*columns)
            wrong.write.format("logs").options(**options).mode("append").save(given["url"])
        except PySparkException as error:
            refused.append(str(error))
    tell({"equal": equal, "no column": refused[0], "line feed": refused[1], "rows": back.count()})
    spark.stop()


if __name__ == "__main__":
    main()
