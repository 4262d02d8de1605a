"""The interface of formats. Readers, writers, stream and detection use a format only by it."""

from __future__ import annotations

from abc import ABC, abstractmethod
from collections.abc import Callable, Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any, ClassVar, Protocol

import pyarrow as pa

from pyspark_logs.formats.decoding.decoder import DecodedBlock
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.line_start import LineStart
from pyspark_logs.formats.record_rules import RecordRules
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines

LineFilter = Callable[[Lines, TimestampContext], Lines]


@dataclass(frozen=True)
class SearchableFields:
    """String fields, in lower case, whose values are written literally in the raw line, so that a search can find them.

    Attributes:
        plain: fields that are written literally in every line.
        unless_escaped: fields that are written literally in lines without a backslash; None: all fields not in ``plain``.
        not_with: characters whose presence in a value means that it may be written otherwise.
        excluded: fields that are not searched for, whatever the other attributes say.
    """

    plain: frozenset[str] = frozenset()
    unless_escaped: frozenset[str] | None = frozenset()
    not_with: str = ""
    excluded: frozenset[str] = frozenset()


class SplitSource(Protocol):
    """The content of one split of a file, for the format that reads it."""

    def lines(self, options: FormatOptions, rules: RecordRules) -> Generator[Lines, None, None]:
        """Yields the records of the split in blocks.

        Args:
            options: options of the format, completed by its description.
            rules: rules by which the format finds records.
        """

    def batches(
        self, decode: Callable[[Iterator[bytes], str], Iterator[pa.RecordBatch]]
    ) -> Generator[tuple[pa.RecordBatch, str], None, None]:
        """Yields the batches that ``decode`` makes of the decompressed bytes of the whole file, and the file's path.

        Args:
            decode: function of the bytes, in pieces of any size, and of the path.
        """


class BlockDecoder(Protocol):
    """Decodes the blocks that a format reads. One for each task."""

    def decode(self, block: Any, context: TimestampContext) -> DecodedBlock:
        """Returns the requested columns of a block."""


class RowEncoder(Protocol):
    """Encodes rows of one schema. One for each task.

    Attributes:
        head: bytes at the beginning of each file.
    """

    head: bytes

    def encode(self, batch: pa.RecordBatch, first_row: int = 0) -> Any:
        """Returns an Arrow array or batch with an element or row for each row; ``to_bytes`` takes any selection of it.

        Args:
            batch: rows with the columns of the schema.
            first_row: index of the first row in the task, for messages.

        Raises:
            RecordError: a value that cannot be written.
        """

    def to_bytes(self, rows: Any) -> memoryview | bytes:
        """Returns the bytes of encoded rows."""


class Format(ABC):
    """A file format: columns, reading and writing.

    Attributes:
        options: options of the format, completed by its description (null token, comments, banners).
        reads_lines: True if the blocks of its splits are :class:`~pyspark_logs.records.Lines`.
    """

    options: FormatOptions
    reads_lines: ClassVar[bool] = False

    @property
    @abstractmethod
    def suffix(self) -> str:
        """Suffix of the names of written files: ``log``, ``json``."""

    @property
    @abstractmethod
    def is_open(self) -> bool:
        """True if a record may have any column; the value of a column that a record lacks is null."""

    @property
    def takes_further_columns(self) -> bool:
        """True if a schema may name columns that the format does not document."""
        return self.is_open

    @property
    def has_positional_columns(self) -> bool:
        """True if a schema names the values of a record by their position, so that no column can be left out of it."""
        return False

    @property
    def has_headers(self) -> bool:
        """True if lines of a file name the values of the lines below them."""
        return False

    def unnamed_by(self, header: str, columns: Sequence[str]) -> bool:
        """Returns True if a header names none of these columns, so that they are null in all records under it."""
        return False

    @property
    def rescued_type(self) -> pa.DataType:
        """Type of the column of the option ``rescuedDataColumn``, unless a schema gives another."""
        return pa.string()

    @property
    @abstractmethod
    def is_splittable(self) -> bool:
        """True if reading may begin in the middle of an uncompressed file."""

    @property
    def reads_documents(self) -> bool:
        """True if the files are JSON documents, whose records need not be lines."""
        return False

    @abstractmethod
    def schema(self) -> pa.Schema | None:
        """Returns the columns of the format; None if only the data can tell, see :meth:`infer`.

        Raises:
            FormatError: the description of the format is wrong.
        """

    @property
    def line_start(self) -> LineStart:
        """Condition that every record fulfils which matches; a format without one accepts any beginning."""
        return LineStart()

    @property
    def infers_schema(self) -> bool:
        """True if a load without a schema has the columns of :meth:`infer`: those of :meth:`schema`, and of a sample."""
        return self.schema() is None

    def has_one_time(self, name: str) -> bool:
        """Returns True if the time column of a query, ``name``, has the time of every record."""
        return True

    @abstractmethod
    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """Returns the columns of a sample of records. Only as many records as needed are taken from the iterator.

        Raises:
            FormatError: the sample has no columns; the message says which part is missing.
        """

    @abstractmethod
    def check_records(self) -> None:
        """Raises FormatError if the options do not say where the records of the format begin."""

    @abstractmethod
    def searchable_fields(self) -> SearchableFields:
        """Returns the fields whose values can be searched for in the raw lines."""

    @abstractmethod
    def read(self, source: SplitSource) -> Generator[Any, None, None]:
        """Yields the blocks of a split, for the decoder that :meth:`block_decoder` returns."""

    @abstractmethod
    def block_decoder(self, projection: Projection, select: LineFilter | None = None) -> BlockDecoder:
        """Returns a decoder of the requested columns, in their order.

        Args:
            projection: requested columns.
            select: function that leaves out lines which cannot satisfy the filters of the query.

        Raises:
            SchemaError: a column that the format does not have, or a type that it cannot give.
        """

    @abstractmethod
    def encoder(self, schema: pa.Schema, *, zone: str = "UTC", on_unwritable: str = "fail") -> RowEncoder:
        """Returns an encoder of rows.

        Args:
            schema: columns of the rows; names match without case.
            zone: IANA name of the time zone of wall clocks, in columns without a zone and in patterns that write none.
            on_unwritable: ``fail``; ``null``, which writes null for a value that cannot be written, if the field can be
                null; or ``space``, which replaces unwritable characters by spaces, and writes null if that does not help.

        Raises:
            SchemaError: columns that the format lacks, or needs, or cannot write without loss; all in one message.
            FormatError: the format can only be read; the message gives the reason.
        """
