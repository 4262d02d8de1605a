"""A format of one's own: a class that makes batches of a file's bytes, and bytes of batches.

It is not about lines: a file is read whole, by one task, and what the bytes mean is the class's business.
"""

from __future__ import annotations

import pkgutil
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Protocol

import pyarrow as pa

from pyspark_logs.errors import CorruptFileError, FormatError, LogSourceError, OptionError, RecordError, SchemaError
from pyspark_logs.formats.types.casts import cast_if_possible, is_castable
from pyspark_logs.options import FormatOptions
from pyspark_logs.schema import all_nullable, parse_ddl, to_ddl

_SUFFIX = "bin"  # of files that are written, where the class has no attribute `suffix`


class FileFormat(Protocol):
    """What ``formatClass`` names. It is made without arguments, anew for each file that is read and each task that writes.

    An attribute ``suffix`` (text, optional) is the end of the names of files that are written: ``bin``.
    """

    def schema(self) -> pa.Schema:
        """The columns of every batch. Called on the driver and on executors: always the same."""

    def decode(self, blocks: Iterator[bytes]) -> Iterator[pa.RecordBatch]:
        """The rows of one file.

        Args:
            blocks: its bytes, decompressed, in pieces of any size from beginning to end. Take them as they are needed,
                and the memory does not depend on the file.
        """

    def encode(self, batch: pa.RecordBatch) -> bytes:
        """The bytes of some rows; needed for writing only.

        A file is what several calls gave, one after the other: so ``encode(a) + encode(b)`` reads as the rows of ``a``
        and then of ``b``.

        Args:
            batch: with the columns of :meth:`schema`, in its order and types.
        """


@dataclass(frozen=True)
class CustomFormat:
    """The class that an option names, and what it gives checked."""

    options: FormatOptions

    @property
    def name(self) -> str:
        """The class, as the option has it."""
        return f"formatClass {self.options.spec!r}"

    @property
    def suffix(self) -> str:
        """Of the names of files that are written."""
        return str(getattr(self._class(), "suffix", _SUFFIX)).lstrip(".")

    def schema(self) -> pa.Schema:
        """The columns, in the types that Spark has for them.

        Raises:
            FormatError: the class is not there, lacks a method, or says a schema that is none.
        """
        schema = self.said()
        try:
            return parse_ddl(to_ddl(all_nullable(schema))) if len(schema) else pa.schema([])
        except OptionError as error:
            raise FormatError(f"{self.name}: schema() has what no column can be: {error}") from error

    def said(self) -> pa.Schema:
        """The schema as the class says it.

        Raises:
            FormatError: as :meth:`schema`.
        """
        try:
            found = self.made("schema").schema()
        except LogSourceError:
            raise
        except Exception as error:
            raise FormatError(f"{self.name}: schema() failed: {type(error).__name__}: {error}") from error
        if not isinstance(found, pa.Schema):
            raise FormatError(f"{self.name}: schema() gave {type(found).__name__}, not pyarrow.Schema")
        return found

    def batches(self, blocks: Iterator[bytes], path: str) -> Iterator[pa.RecordBatch]:
        """The rows of one file, in batches of :meth:`schema`.

        Raises:
            CorruptFileError: ``decode`` raised an error; names the file.
            FormatError: it gave something else than such batches.
        """
        schema, made = self.schema(), self.made("decode")
        decoded = self._decoded(made, blocks, path)
        while True:
            try:
                batch = next(decoded)
            except StopIteration:
                return
            except LogSourceError:
                raise  # of the bytes that it read
            except Exception as error:
                raise CorruptFileError(
                    f"{path}: {self.name} could not decode it: {type(error).__name__}: {error}. Mend the file or the class,"
                    " or set ignoreCorruptFiles=true to read such files up to here"
                ) from error
            yield self._checked(batch, schema, path)

    def encoded(self, made: Any, batch: pa.RecordBatch) -> bytes:
        """The bytes of rows.

        Raises:
            RecordError: ``encode`` raised an error.
            FormatError: it gave something else than bytes.
        """
        try:
            found = made.encode(batch)
        except Exception as error:
            raise RecordError(
                f"{self.name} could not encode {batch.num_rows} rows: {type(error).__name__}: {error}"
            ) from error
        if not isinstance(found, (bytes, bytearray, memoryview)):
            raise FormatError(f"{self.name}: encode() gave {type(found).__name__}, not bytes")
        return bytes(found)

    def made(self, method: str) -> Any:
        """An instance that has a method.

        Raises:
            FormatError: it has not.
        """
        made = self._made()
        if not callable(getattr(made, method, None)):
            what = "it reads only" if method == "encode" else "it cannot be read"
            raise FormatError(
                f"{self.name} has no method {method}(): {what}. A format's class has schema(), decode(blocks) and, to write, encode(batch)"
            )
        return made

    def _decoded(self, made: Any, blocks: Iterator[bytes], path: str) -> Iterator[Any]:
        found = made.decode(blocks)
        if not hasattr(found, "__iter__"):
            raise FormatError(f"{path}: {self.name}: decode() gave {type(found).__name__}, not batches to iterate over")
        yield from found

    def _checked(self, batch: Any, schema: pa.Schema, path: str) -> pa.RecordBatch:
        if not isinstance(batch, pa.RecordBatch):
            raise FormatError(f"{path}: {self.name}: decode() gave {type(batch).__name__}, not pyarrow.RecordBatch")
        if batch.schema.names != schema.names:
            odd = sorted(set(batch.schema.names) ^ set(schema.names)) or batch.schema.names
            raise FormatError(
                f"{path}: {self.name}: decode() gave a batch of the columns {', '.join(batch.schema.names)}, where schema()"
                f" says {', '.join(schema.names)}; see {odd[0]!r}"
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

    def _class(self) -> Any:
        module, _, name = self.options.spec.partition(":")
        try:
            found = pkgutil.resolve_name(self.options.spec)
        except ImportError as error:
            raise FormatError(
                f"{self.name}: cannot import {module}: {error}. It must be importable here and on every executor: install"
                " it there, or send it with --py-files or SparkSession.addArtifact(..., pyfile=True)"
            ) from error
        except AttributeError as error:
            raise FormatError(f"{self.name}: module {module} has no class {name}") from error
        if not isinstance(found, type):
            raise FormatError(f"{self.name} is {type(found).__name__}, not a class")
        return found

    def _made(self) -> Any:
        found = self._class()
        try:
            made = found()
        except Exception as error:
            raise FormatError(
                f"{self.name}: cannot be made without arguments: {type(error).__name__}: {error}"
            ) from error
        return made


def own_retyped(name: str, given: pa.DataType, wanted: pa.DataType) -> None:
    """Check that a column of a format of one's own can be read as a type.

    Raises:
        SchemaError: it cannot.
    """
    if not is_castable(given, wanted, narrowing=True):
        raise SchemaError(
            f"column {name!r} is {given} and cannot be read as {wanted}; ask for {given} and cast in the query"
        )


class CustomEncoder:
    """Makes bytes of the rows of one schema, by a format of one's own. For one task.

    Args:
        own: the format.
        given: the columns of the rows; names match without case.

    Raises:
        SchemaError: columns that the format lacks or needs, or of other types; all in one message.
        FormatError: the format cannot be written.
    """

    head = b""  # a file begins with its first row

    def __init__(self, own: CustomFormat, given: pa.Schema) -> None:
        self.own, self.made, self.schema = own, own.made("encode"), own.said()
        there = {field.name.lower(): field for field in given}
        known = {name.lower() for name in self.schema.names}
        problems = [f"{field.name!r} is none of its columns" for field in given if field.name.lower() not in known]
        self.names: list[str | None] = []
        for field in self.schema:
            found = there.get(field.name.lower())
            self.names.append(found.name if found is not None else None)
            if found is None and not field.nullable:
                problems.append(f"{field.name!r} is missing, and not nullable")
            if found is not None and not is_castable(found.type, field.type):
                problems.append(f"{field.name!r} is {found.type}, not {field.type}")
        if problems:
            raise SchemaError(f"the columns cannot be written by {own.name}: {'; '.join(problems)}")

    def encode(self, batch: pa.RecordBatch, first_row: int = 0) -> pa.RecordBatch:
        """The rows with exactly the columns that the class has; :meth:`to_bytes` makes bytes of any of them.

        Raises:
            RecordError: a value does not fit in the class's type, or is null where that is not nullable.
        """
        columns = []
        for field, name in zip(self.schema, self.names, strict=True):
            given = pa.nulls(batch.num_rows, field.type) if name is None else batch.column(name)
            array = cast_if_possible(given, field.type)
            if array is None or (array.null_count and not field.nullable):
                raise RecordError(
                    f"rows {first_row} to {first_row + batch.num_rows - 1} (from 0), column {field.name!r}: a value is none of"
                    f" {field.type}{'' if field.nullable else ', not nullable'}, as {self.own.name} has it"
                )
            columns.append(array)
        return pa.RecordBatch.from_arrays(columns, schema=self.schema)

    def to_bytes(self, rows: pa.RecordBatch) -> bytes:
        """The bytes of some rows that :meth:`encode` gave."""
        return self.own.encoded(self.made, rows)
