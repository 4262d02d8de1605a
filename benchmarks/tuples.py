"""A data source as tutorials of Spark write it: a regular expression, and a tuple for each row."""

from __future__ import annotations

import datetime as dt
import re
from collections.abc import Iterator
from pathlib import Path

from pyspark.sql.datasource import DataSource, DataSourceReader, InputPartition

_PATTERN = re.compile(r"^(\S+) (\w+) \[([^\]]+)\] req=(\S+) user=(\d+) (.*)$")


class TupleSource(DataSource):
    """Source of the application log; each file is a task."""

    @classmethod
    def name(cls) -> str:
        return "tuples"

    def schema(self) -> str:
        return "ts timestamp, level string, service string, request_id string, user bigint, message string"

    def reader(self, schema: object) -> DataSourceReader:
        return TupleReader(self.options["path"])


class TupleReader(DataSourceReader):
    def __init__(self, folder: str) -> None:
        self.folder = folder

    def partitions(self) -> list[InputPartition]:
        return [InputPartition(str(path)) for path in sorted(Path(self.folder).glob("*.log"))]

    def read(self, partition: InputPartition) -> Iterator[tuple[object, ...]]:
        with Path(partition.value).open(encoding="utf-8") as lines:
            for line in lines:
                match = _PATTERN.match(line)
                if match is None:
                    yield (None,) * 6
                else:
                    ts, level, service, request_id, user, message = match.groups()
                    yield dt.datetime.fromisoformat(ts), level, service, request_id, int(user), message
