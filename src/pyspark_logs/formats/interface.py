"""What every line format is: the one interface behind the options that name one."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import Protocol

import pyarrow as pa

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.line_writer import FindUnencodable, LineWriter
from pyspark_logs.formats.requested_column import Projection
from pyspark_logs.formats.template.matcher import Matcher
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines


@dataclass(frozen=True)
class SearchableFields:
    """String fields, in lower case, whose values stand in the raw line as they are, so that they can be searched for.

    Attributes:
        plain: always.
        unless_escaped: in lines without a backslash; None: all that are not in ``plain``.
        not_with: characters that a value must not hold for this to be so.
    """

    plain: frozenset[str] = frozenset()
    unless_escaped: frozenset[str] | None = frozenset()
    not_with: str = ""


class LineFormat(Protocol):
    """A line format: what it gives, how it is read, how it is written.

    Attributes:
        options: the format's options, with what its description itself says of them (null token, comments).
        suffix: of the names of files that are written: ``log``, ``json``.
        is_open: whether a record may have any column at all; one that it lacks is null, not an error.
    """

    @property
    def options(self) -> FormatOptions: ...

    @property
    def suffix(self) -> str: ...

    @property
    def is_open(self) -> bool: ...

    def schema(self) -> pa.Schema | None:
        """The columns that the format gives; None where only the data can tell: then ask :meth:`infer`."""

    def infer(self, sample: Iterator[Lines]) -> pa.Schema:
        """The columns of a sample of records, of which it takes as much as it needs.

        Raises:
            FormatError: what the sample lacks.
        """

    def decoder(self, projection: Projection) -> Decoder:
        """Returns a decoder of the requested columns, in their order.

        Raises:
            SchemaError: a column that the format does not have, or a type it cannot give.
        """

    def matcher(self) -> Matcher:
        """Tells which lines are of the format, for ``multiLine=true``: the others continue the record before them.

        Raises:
            FormatError: the format has no last field that could take them in; see :func:`begins_by_regex_only`.
        """

    def verbatim(self) -> SearchableFields:
        """What can be searched for in the raw lines."""

    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> Written:
        """Renders these columns as lines.

        Args:
            schema: the columns of the lines.
            zone: of wall clocks.
            unencodable: which of some characters the encoding does not have; None: it has all.
            forbidden_prefixes: what no line may begin with.

        Raises:
            SchemaError: columns that the format lacks, or needs, or cannot write without loss; all in one message.
            FormatError: the format can be read only; says why.
        """


@dataclass(frozen=True)
class Written:
    """How a format is written.

    Attributes:
        writer: of its lines.
        check: a decoder for lines of which that is not sure.
        head: text that each file begins with, with its line end; no record.
    """

    writer: LineWriter
    check: Decoder | None = None
    head: str = ""


def begins_by_regex_only(name: str) -> FormatError:
    """The error of a format that ``multiLine=true`` does not suit."""
    return FormatError(
        f"{name}: multiLine=true puts the lines that do not match into the last field, which is then a string that takes the"
        " rest of the line; here it is not. Give multiLine a regular expression that is found in the first line of each"
        " record, and in no other: multiLine='^\\d{4}-'"
    )


def twice(names: Sequence[str]) -> list[str]:
    """What is wrong with names that are there twice."""
    return [f"{name!r} is there twice" for name in dict.fromkeys(names) if names.count(name) > 1]


def refuse_all(problems: Sequence[str], kind: str) -> None:
    """Raises SchemaError with all problems, if there are any."""
    if problems:
        raise SchemaError(f"the columns cannot be written as {kind}: {'; '.join(problems)}")
