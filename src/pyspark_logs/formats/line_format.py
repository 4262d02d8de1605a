"""The base class of formats whose records are lines of text."""

from __future__ import annotations

from abc import abstractmethod
from collections import Counter
from collections.abc import Generator, Sequence

import pyarrow as pa

from pyspark_logs.errors import FormatError, OptionError, SchemaError
from pyspark_logs.formats.compiled.availability import machines
from pyspark_logs.formats.decoding.decoder import Decoder, LineBlockDecoder
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.interface import Format, LineFilter, SplitSource
from pyspark_logs.formats.matcher import Matcher
from pyspark_logs.formats.multiline import MATCHING, RecordStarts
from pyspark_logs.formats.record_rules import RecordRules
from pyspark_logs.formats.writing.compiled_renderer import CompiledRenderer
from pyspark_logs.formats.writing.encoder import Encoder, find_unencodable, forbidden_prefixes
from pyspark_logs.formats.writing.line_writer import FindUnencodable, FormatWriter
from pyspark_logs.formats.writing.roundtrip_checks import RoundtripChecks
from pyspark_logs.records import DocumentRule, HeaderRule, Lines, PartRule, QuoteRule, preserves_ascii, preserves_lines


class LineFormat(Format):
    """A format whose records are lines, or begin with a line.

    Attributes:
        blanks: characters of a blank line, which is not a record.
        part_rule: rule that finds lines which are parts of records; None: the format has none.
        splits_values: True if each JSON value of a line is a record.
    """

    blanks: str = ""
    part_rule: PartRule | None = None
    reads_lines = True
    splits_values: bool = False

    @abstractmethod
    def decoder(self, projection: Projection) -> Decoder:
        """Returns a decoder of the requested columns, in their order.

        Raises:
            SchemaError: a column that the format does not have, or a type that it cannot give.
        """

    @abstractmethod
    def matcher(self) -> Matcher:
        """Returns a matcher of the lines of the format, for ``multiLine=true``: other lines continue the record before them.

        Raises:
            FormatError: the format has no last field that could take these lines; see :func:`begins_by_regex_only`.
        """

    def line_matcher(self) -> Matcher:
        """Returns a matcher of single lines by all fields; unlike :meth:`matcher` for any format."""
        return Matcher(self.decoder(Projection(judge_whole=True)))

    @abstractmethod
    def writer(
        self, schema: pa.Schema, *, zone: str, unencodable: FindUnencodable | None, forbidden_prefixes: tuple[str, ...]
    ) -> FormatWriter:
        """Returns a writer of these columns.

        Args:
            schema: columns of the lines.
            zone: time zone of wall clocks.
            unencodable: function that finds the characters which the encoding lacks; None: it has all characters.
            forbidden_prefixes: strings that no line may begin with.

        Raises:
            SchemaError: columns that the format lacks, or needs, or cannot write without loss; all in one message.
            FormatError: the format can only be read; says why.
        """

    def header_rule(self) -> HeaderRule | None:
        """Returns the rule that finds the lines which name a file's columns; None: the format has no headers."""
        return None

    def quote_rule(self) -> QuoteRule | None:
        """Returns the rule by which quoted values may contain line ends; None: a line end always ends a line."""
        return None

    def document_rule(self) -> DocumentRule | None:
        """Returns the rule that finds records in JSON documents; None: records are lines."""
        return None

    @property
    def reads_documents(self) -> bool:
        """True if all files are read as documents, not only those whose values extend over several lines."""
        rule = self.document_rule()
        return rule is not None and rule.is_general

    @property
    def is_splittable(self) -> bool:
        """False for documents, for encodings whose line ends need decoding, and where a header may stand in the middle.

        False also if parts are joined, or lines under a header: a split would not know the part before it. Files with parts
        are rotated at sizes below that of a split. Quoted line ends allow splits (``records.quoted_splits``) in encodings in
        which each byte of a separator is one.
        """
        rule, quotes = self.header_rule(), self.quote_rule()
        if self.joined_parts() is not None:
            return False
        if self.options.multi_line not in (None, MATCHING) and (rule is not None or quotes is not None):
            return False
        if quotes is not None and not (
            preserves_lines(self.options.encoding) and preserves_ascii(self.options.encoding)
        ):
            return False
        if self.reads_documents or (rule is not None and rule.stands_anywhere):
            return False
        return preserves_lines(self.options.encoding)

    def record_starts(self) -> RecordStarts | None:
        """Returns the rule by which lines are joined to records; None: each line is a record.

        Raises:
            FormatError: the option ``multiLine`` is wrong, or does not apply to the format.
        """
        pattern = self.options.multi_line
        if pattern is None:
            return None
        if self.reads_documents:
            raise FormatError(
                "option 'multiLine' means nothing for files of JSON documents: their records do not begin where lines"
                " do; leave it out"
            )
        return RecordStarts(self.options, self.matcher() if pattern == MATCHING else None)

    def joined_parts(self) -> PartRule | None:
        """Returns the rule by which parts are joined to records; None: each line is a record, or lines are joined.

        Raises:
            FormatError: the option ``joinParts`` does not apply to the format, or contradicts ``multiLine``.
        """
        given, rule = self.options.join_parts, self.part_rule
        if rule is None and given is not None:
            raise FormatError(
                "option 'joinParts' belongs to the presets cri and docker_json, whose lines may be parts; leave it out"
            )
        if given and self.options.multi_line is not None:
            raise FormatError("options 'joinParts' and 'multiLine' both decide on records; leave one of them out")
        return rule if given or (given is None and self.options.multi_line is None) else None

    def check_records(self) -> None:
        """Raises FormatError if ``multiLine`` or ``joinParts`` is wrong, or does not apply to the format."""
        self.record_starts()
        self.joined_parts()

    def read(self, source: SplitSource) -> Generator[Lines, None, None]:
        """Yields the records of a split in blocks."""
        rules = RecordRules(
            self.header_rule(),
            self.record_starts(),
            self.blanks,
            self.joined_parts(),
            self.quote_rule(),
            self.document_rule(),
            self.splits_values,
        )
        return source.lines(self.options, rules)

    def block_decoder(self, projection: Projection, select: LineFilter | None = None) -> LineBlockDecoder:
        """Returns a decoder of blocks of lines; see :meth:`Format.block_decoder`."""
        return LineBlockDecoder(self.decoder(projection), select, self.options.max_record_bytes)

    def encoder(self, schema: pa.Schema, *, zone: str = "UTC", on_unwritable: str = "fail") -> Encoder:
        """Returns an encoder of rows; see :meth:`Format.encoder`."""
        if on_unwritable not in ("fail", "null", "space"):
            raise OptionError(f"option 'onUnwritable': {on_unwritable!r} is not one of fail, null, space")
        options = self.options
        prefixes = forbidden_prefixes(options)
        writer = self.writer(
            schema, zone=zone, unencodable=find_unencodable(options.encoding), forbidden_prefixes=prefixes
        )
        checks = RoundtripChecks(
            writer.line_writer,
            options,
            prefixes,
            writer.decoder,
            zone,
            self.blanks,
            self.header_rule(),
            self.part_rule,
            writer.head,
        )
        available = machines()
        # In other encodings a value may have a character that the encoding lacks.
        renderer = (
            CompiledRenderer(available, writer.line_writer, checks.rules, proves_records=checks.are_simple)
            if available is not None and options.encoding == "utf-8"
            else None
        )
        return Encoder(writer.line_writer, checks, options.encoding, on_unwritable, writer.head, renderer)


def begins_by_regex_only(name: str) -> FormatError:
    """Returns the error for a format that ``multiLine=true`` does not suit."""
    return FormatError(
        f"{name}: multiLine=true puts the lines that do not match into the last field, which is then a string that takes the"
        " rest of the line; here it is not. Give multiLine a regular expression that is found in the first line of each"
        " record, and in no other: multiLine='^\\d{4}-'"
    )


def duplicate_names(names: Sequence[str]) -> list[str]:
    """Returns a message for each name that occurs more than once."""
    return [f"{name!r} is there twice" for name, count in Counter(names).items() if count > 1]


def raise_unwritable(problems: Sequence[str], kind: str) -> None:
    """Raises SchemaError with all problems, if there are any."""
    if problems:
        raise SchemaError(f"the columns cannot be written as {kind}: {'; '.join(problems)}")
