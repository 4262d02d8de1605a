"""Upper bounds of the speed of Python data sources: one that reads batches built before, and discards those it writes."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa
from pyspark.sql.datasource import (
    DataSource,
    DataSourceArrowWriter,
    DataSourceReader,
    InputPartition,
    WriterCommitMessage,
)


class PrebuiltSource(DataSource):
    """Source that yields the batch of an Arrow IPC file ``repeat`` times in each of ``tasks`` tasks, and discards rows."""

    @classmethod
    def name(cls) -> str:
        return "prebuilt"

    def schema(self) -> str:
        return self.options["ddl"]

    def reader(self, schema: object) -> DataSourceReader:
        return PrebuiltReader(self.options["file"], int(self.options["repeat"]), int(self.options["tasks"]))

    def writer(self, schema: object, overwrite: bool) -> DataSourceArrowWriter:
        return DiscardingWriter()


class PrebuiltReader(DataSourceReader):
    def __init__(self, file: str, repeat: int, tasks: int) -> None:
        self.file, self.repeat, self.tasks = file, repeat, tasks

    def partitions(self) -> list[InputPartition]:
        return [InputPartition(index) for index in range(self.tasks)]

    def read(self, partition: InputPartition) -> Iterator[pa.RecordBatch]:
        with pa.OSFile(self.file) as source:
            batches = pa.ipc.open_file(source)
            batch = batches.get_batch(0)
        for _ in range(self.repeat):
            yield batch


class DiscardingWriter(DataSourceArrowWriter):
    def write(self, iterator: Iterator[pa.RecordBatch]) -> WriterCommitMessage:
        for _ in iterator:
            pass
        return WriterCommitMessage()
