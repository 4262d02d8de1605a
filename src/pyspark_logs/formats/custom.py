"""User-defined formats: a class that decodes the bytes of a file to batches, and encodes batches to bytes.

A file of such a format has no lines: one task reads it whole, and the class alone knows what the bytes mean.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Generator, Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from pyspark_logs.errors import CorruptFileError, FormatError, LogSourceError, OptionError, RecordError, SchemaError
from pyspark_logs.formats.decoding.decoder import DecodedBlock
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.interface import Format, LineFilter, SearchableFields, SplitSource
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.casts import cast_if_possible, is_castable, to_instants
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines
from pyspark_logs.schema import all_nullable, parse_ddl, to_ddl
from pyspark_logs.terminal_text import format_count

_DEFAULT_SUFFIX = "bin"
_MAX_ROWS = 65_536  # rows of a block; a class may yield a whole file as one batch


class FileFormat(Protocol):
    """The class that ``formatClass`` names.

    It is instantiated without arguments, anew for each file that is read and each task that writes. An optional attribute
    ``suffix`` (text) is the suffix of the names of written files; it is ``bin`` by default.
    """

    def schema(self) -> pa.Schema:
        """Returns the columns of every batch. Called on the driver and on executors; must always return the same."""

    def decode(self, blocks: Iterator[bytes]) -> Iterator[pa.RecordBatch]:
        """Yields the rows of one file.

        Args:
            blocks: decompressed bytes of the file, in order, in pieces of any size. A class that takes pieces as it needs
                them uses memory independent of the size of the file.
        """

    def encode(self, batch: pa.RecordBatch) -> bytes:
        """Returns the bytes of some rows; needed for writing only.

        A file is the concatenation of the results of several calls: ``encode(a) + encode(b)`` must read as the rows of
        ``a`` followed by the rows of ``b``.

        Args:
            batch: rows with the columns of :meth:`schema`, in its order and types.
        """


@dataclass(frozen=True)
class CustomFormat(Format):
    """The format of a user-defined class. Checks everything that the class returns.

    No method keeps the class: it is imported by the first method that needs it, in each process.
    """

    options: FormatOptions

    is_open = False
    is_splittable = False

    @property
    def name(self) -> str:
        """Name of the format in messages."""
        return f"formatClass {self.options.spec!r}"

    @property
    def suffix(self) -> str:
        """Suffix of the names of written files."""
        return str(getattr(self._class(), "suffix", _DEFAULT_SUFFIX)).lstrip(".")

    # --- schema ---------------------------------------------------------------------------------------------

    def schema(self) -> pa.Schema:
        """Returns the columns, in the types that Spark has for them.

        Raises:
            FormatError: the class cannot be imported, lacks a method, or returns something else than a schema.
        """
        schema = self.class_schema()
        try:
            return parse_ddl(to_ddl(all_nullable(schema))) if len(schema) else pa.schema([])
        except OptionError as error:
            raise FormatError(f"{self.name}: schema() has what no column can be: {error}") from error

    def class_schema(self) -> pa.Schema:
        """Returns the schema as the class returns it.

        Raises:
            FormatError: as :meth:`schema`.
        """
        try:
            schema = self.instance("schema").schema()
        except LogSourceError:
            raise
        except Exception as error:
            raise FormatError(f"{self.name}: schema() failed: {type(error).__name__}: {error}") from error
        if not isinstance(schema, pa.Schema):
            raise FormatError(f"{self.name}: schema() gave {type(schema).__name__}, not pyarrow.Schema")
        return schema

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """Returns :meth:`schema`, which does not depend on a sample."""
        return self.schema()

    # --- reading --------------------------------------------------------------------------------------------

    def check_records(self) -> None:
        """Does nothing: the class knows where records begin."""

    def searchable_fields(self) -> SearchableFields:
        """Returns no field: the bytes of a file are not lines."""
        return SearchableFields()

    def read(self, source: SplitSource) -> Generator[tuple[pa.RecordBatch, str], None, None]:
        """Returns blocks of rows of the file, each with the path of the file.

        Raises:
            CorruptFileError: ``decode`` raised an error; names the file.
            FormatError: ``decode`` yielded something else than batches of the schema.
        """
        return (
            (batch.slice(start, _MAX_ROWS), path)
            for batch, path in source.batches(self.batches)
            for start in range(0, batch.num_rows, _MAX_ROWS)
        )

    def batches(self, blocks: Iterator[bytes], path: str) -> Iterator[pa.RecordBatch]:
        """Yields the rows of one file, in batches of :meth:`schema`; see :meth:`read`."""
        schema = self.schema()
        decoded = self._decode(self.instance("decode"), blocks, path)
        while True:
            try:
                batch = next(decoded)
            except StopIteration:
                return
            except (LogSourceError, MemoryError):
                raise  # an error of reading or decompressing the bytes, or of the machine
            except Exception as error:
                raise CorruptFileError(
                    f"{path}: {self.name} could not decode it: {type(error).__name__}: {error}. Mend the file or the class,"
                    " or set ignoreCorruptFiles=true to read such files up to here"
                ) from error
            yield self._check_batch(batch, schema, path)

    def block_decoder(self, projection: Projection, select: LineFilter | None = None) -> CustomBlockDecoder:
        """Returns a decoder that chooses and casts columns; ``select`` has no use without lines.

        Raises:
            SchemaError: a column that cannot be read as the requested type.
            FormatError: the class has no method ``decode``.
        """
        self.instance("decode")
        return CustomBlockDecoder(self.schema(), projection)

    def _decode(self, instance: Any, blocks: Iterator[bytes], path: str) -> Iterator[Any]:
        decoded = instance.decode(blocks)
        if not hasattr(decoded, "__iter__"):
            raise FormatError(
                f"{path}: {self.name}: decode() gave {type(decoded).__name__}, not batches to iterate over"
            )
        yield from decoded

    def _check_batch(self, batch: Any, schema: pa.Schema, path: str) -> pa.RecordBatch:
        """Returns a batch cast to the schema."""
        if not isinstance(batch, pa.RecordBatch):
            raise FormatError(f"{path}: {self.name}: decode() gave {type(batch).__name__}, not pyarrow.RecordBatch")
        if batch.schema.names != schema.names:
            different = sorted(set(batch.schema.names) ^ set(schema.names)) or batch.schema.names
            raise FormatError(
                f"{path}: {self.name}: decode() gave a batch of the columns {', '.join(batch.schema.names)}, where schema()"
                f" says {', '.join(schema.names)}; see {different[0]!r}"
            )
        columns = []
        for field, column in zip(schema, batch.columns, strict=True):
            array = cast_if_possible(column, field.type) if is_castable(column.type, field.type) else None
            if array is None:
                raise FormatError(
                    f"{path}: {self.name}: decode() gave column {field.name!r} as {column.type}, which is not {field.type}"
                    " without loss, as schema() says"
                )
            columns.append(array)
        return pa.RecordBatch.from_arrays(columns, schema=schema)

    # --- writing --------------------------------------------------------------------------------------------

    def encoder(self, schema: pa.Schema, *, zone: str = "UTC", on_unwritable: str = "fail") -> CustomEncoder:
        """Returns an encoder of rows; the class alone decides about time zones and values that it cannot write.

        Raises:
            SchemaError: columns that the class lacks or needs, or of other types; all in one message.
            FormatError: the class has no method ``encode``.
        """
        return CustomEncoder(self, schema)

    def encode(self, instance: Any, batch: pa.RecordBatch) -> bytes:
        """Returns the bytes of rows, encoded by an instance of the class.

        Raises:
            RecordError: ``encode`` raised an error.
            FormatError: ``encode`` returned something else than bytes.
        """
        try:
            encoded = instance.encode(batch)
        except Exception as error:
            raise RecordError(
                f"{self.name} could not encode {format_count(batch.num_rows, 'row')}: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(encoded, (bytes, bytearray, memoryview)):
            raise FormatError(f"{self.name}: encode() gave {type(encoded).__name__}, not bytes")
        return bytes(encoded)

    # --- the class ------------------------------------------------------------------------------------------

    def instance(self, method: str) -> Any:
        """Returns a new instance of the class.

        Args:
            method: name of a method that the class must have.

        Raises:
            FormatError: the class cannot be imported or instantiated, or lacks the method.
        """
        user_class = self._class()
        try:
            instance = user_class()
        except Exception as error:
            raise FormatError(
                f"{self.name}: cannot be made without arguments: {type(error).__name__}: {error}"
            ) from error
        if not callable(getattr(instance, method, None)):
            what = "it reads only" if method == "encode" else "it cannot be read"
            raise FormatError(
                f"{self.name} has no method {method}(): {what}. A format's class has schema(), decode(blocks) and, to write, encode(batch)"
            )
        return instance

    def _class(self) -> Any:
        module, _, name = self.options.spec.partition(":")
        try:
            user_class = pkgutil.resolve_name(self.options.spec)
        except ImportError as error:
            raise FormatError(
                f"{self.name}: cannot import {module}: {error}. It must be importable here and on every executor: install"
                " it there, or send it with --py-files or SparkSession.addArtifact(..., pyfile=True)"
            ) from error
        except AttributeError as error:
            raise FormatError(f"{self.name}: module {module} has no class {name}") from error
        if not isinstance(user_class, type):
            raise FormatError(f"{self.name} is {type(user_class).__name__}, not a class")
        return user_class


class CustomBlockDecoder:
    """Chooses the requested columns of batches and casts them. One for each task.

    Args:
        schema: columns of the batches.
        projection: requested columns; a hidden column is an instant, the time of its row.

    Raises:
        SchemaError: a column that cannot be read as the requested type.
    """

    def __init__(self, schema: pa.Schema, projection: Projection) -> None:
        indices = {field.name.lower(): index for index, field in enumerate(schema)}
        self.columns = [(field, indices[field.name.lower()]) for field in projection.columns]
        self.times = [indices[field.name.lower()] for field in projection.hidden]
        for field, index in self.columns:
            own_type = schema.field(index).type
            if not is_castable(own_type, field.type, narrowing=True):
                raise SchemaError(
                    f"column {field.name!r} is {own_type} and cannot be read as {field.type}; ask for {own_type} and cast in"
                    " the query"
                )

    def decode(self, block: tuple[pa.RecordBatch, str], context: TimestampContext) -> DecodedBlock:
        """Returns the requested columns of a batch.

        Raises:
            RecordError: a value does not fit in the requested type.
        """
        batch, path = block
        columns = []
        for field, index in self.columns:
            array = cast_if_possible(batch.column(index), field.type, context.zone)
            if array is None:
                raise RecordError(
                    f"{path}: column {field.name!r} has a value that {field.type} does not hold; ask for"
                    f" {batch.column(index).type}",
                    path=path,
                )
            columns.append(array)
        columns += [to_instants(batch.column(index), context.zone)[0] for index in self.times]
        return DecodedBlock(batch.num_rows, batch.num_rows, columns)


class CustomEncoder:
    """Encodes rows of one schema by a user-defined class. One for each task.

    Args:
        form: the format.
        schema: columns of the rows; names match without case.

    Raises:
        SchemaError: columns that the class lacks or needs, or of other types; all in one message.
        FormatError: the class has no method ``encode``.
    """

    head = b""

    def __init__(self, form: CustomFormat, schema: pa.Schema) -> None:
        self.form, self.instance, self.schema = form, form.instance("encode"), form.class_schema()
        given = {field.name.lower(): field for field in schema}
        known = {name.lower() for name in self.schema.names}
        problems = [f"{field.name!r} is none of its columns" for field in schema if field.name.lower() not in known]
        self.names: list[str | None] = []
        for field in self.schema:
            column = given.get(field.name.lower())
            self.names.append(column.name if column is not None else None)
            if column is None and not field.nullable:
                problems.append(f"{field.name!r} is missing, and not nullable")
            if column is not None and not is_castable(column.type, field.type):
                problems.append(f"{field.name!r} is {column.type}, not {field.type}")
        if problems:
            raise SchemaError(f"the columns cannot be written by {form.name}: {'; '.join(problems)}")

    def encode(self, batch: pa.RecordBatch, first_row: int = 0) -> pa.RecordBatch:
        """Returns the rows with the columns of the class, in its order and types; see :meth:`to_bytes`.

        Raises:
            RecordError: a value does not fit in the class's type, or is null where that is not nullable.
        """
        columns = []
        for field, name in zip(self.schema, self.names, strict=True):
            column = pa.nulls(batch.num_rows, field.type) if name is None else batch.column(name)
            array = cast_if_possible(column, field.type)
            if array is None or (array.null_count and not field.nullable):
                raise RecordError(
                    f"rows {first_row} to {first_row + batch.num_rows - 1} (from 0), column {field.name!r}: a value is none of"
                    f" {field.type}{'' if field.nullable else ', not nullable'}, as {self.form.name} has it"
                )
            columns.append(array)
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def to_bytes(self, rows: pa.RecordBatch) -> bytes:
        """Returns the bytes of rows that :meth:`encode` returned, or of a selection of them."""
        return self.form.encode(self.instance, rows)
