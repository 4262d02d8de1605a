"""The code that ``detect`` gives, run by Spark."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from pyspark.sql import SparkSession

import pyspark_logs
from pyspark_logs import Candidate


def test_code_of_python_and_sql_reads_the_files(spark: SparkSession, tmp_path: Path) -> None:
    """Variables, quotes, backslashes and separators of lines are in the options and in the path."""
    directory = tmp_path / "it's"
    directory.mkdir()
    (directory / "a.log").write_text("${HOME} '\"\\\u2028\t\U0001f600 ERROR a b\n")
    candidate = Candidate(
        {"template": "${{HOME}} '\"\\\u2028\t\U0001f600 {level} {message}"}, 1, 1, 1.0, "level string, message string",
        str(directory),
    )  # fmt: skip
    pyspark_logs.register(spark)
    names: dict[str, Any] = {"spark": spark}
    exec(candidate.code("python"), names)
    spark.sql(candidate.code("sql"))
    exec(candidate.code("scan"), names)
    assert [tuple(row) for row in names["df"].collect()] == [("ERROR", "a b")]
    assert [tuple(row) for row in spark.table("log_records").collect()] == [("ERROR", "a b")]
