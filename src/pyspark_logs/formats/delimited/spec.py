"""Description of a format of separated values."""

from __future__ import annotations

import functools
from dataclasses import dataclass

from pyspark_logs.formats.delimited.header import NameIndex, column_name, unique_names
from pyspark_logs.formats.delimited.splitter import ValueSplitter
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.text import Text
from pyspark_logs.records import HeaderRule, QuoteRule

_TEXT = Text()
_ZEEK_START = "#separator "  # begins the first line of a Zeek log
_ZEEK_FIELDS = "#fields"


@dataclass(frozen=True)
class DelimitedField:
    """A documented column of a format.

    Attributes:
        name: name of the column.
        type: type of the column.
        values: names that headers give to the values of the column, whose text is joined by spaces; empty: the name of
            the column.
        suffix: text appended to the values, such as a time zone.

    >>> from pyspark_logs.formats.types.temporal import Timestamp
    >>> DelimitedField("time", Timestamp(), values=("date", "time"), suffix="Z").value_names
    ('date', 'time')
    """

    name: str
    type: FieldType = _TEXT
    values: tuple[str, ...] = ()
    suffix: str = ""

    @property
    def value_names(self) -> tuple[str, ...]:
        """Names that headers give to the values of the column."""
        return self.values or (self.name,)


@dataclass(frozen=True)
class DelimitedSpec:
    """Properties of a format of separated values that options do not set.

    Attributes:
        separator: one character or more.
        quote: one character; None: values are not quoted.
        header: ``none``, ``first`` or ``fields``, as the option ``header``.
        fields: documented columns; empty: the header or the schema names the columns, and all are strings.
        headerless_names: names of the values of a line without a header; empty: a line needs a header.
        known_names_only: True if the first line of a file is a header only if all its values are names of ``fields``.
        aliases: pairs of another name for a value in headers, in lower case, and its documented name.
        checks_count: True if a line whose number of values is not that of its header is corrupt whatever columns are
            requested: with a missing or additional separator, values would be read into the neighbours of their columns.
        escapes: True if a backslash escapes a quote or a backslash within quotes.
    """

    separator: str
    quote: str | None = None
    header: str = "none"
    fields: tuple[DelimitedField, ...] = ()
    headerless_names: tuple[str, ...] = ()
    known_names_only: bool = False
    aliases: tuple[tuple[str, str], ...] = ()
    checks_count: bool = False
    escapes: bool = False

    @property
    def splitter(self) -> ValueSplitter:
        """Splitter of lines into values."""
        return ValueSplitter(self.separator, self.quote, self.escapes)

    def splitter_under(self, header: str | None) -> ValueSplitter:
        """Returns the splitter of the lines under a header; Zeek writes values without quotes."""
        return ValueSplitter(self.separator, None) if self.is_zeek_header(header) else self.splitter

    def is_zeek_header(self, header: str | None) -> bool:
        """Returns True if a header is that of a Zeek log, ``#fields`` followed by names."""
        return header is not None and self.header == "fields" and header.startswith(_ZEEK_FIELDS)

    def quote_rule(self) -> QuoteRule | None:
        """Returns the rule by which values may contain line ends; None if values are not quoted."""
        if self.quote is None:
            return None
        unquoted_start = _ZEEK_START if self.header == "fields" else ""
        return QuoteRule(self.separator, self.quote, self.escapes, unquoted_start)

    def header_rule(self) -> HeaderRule | None:
        """Returns the rule that finds headers; None if files have no headers."""
        if self.header == "none":
            return None
        by_fields = self.header == "fields"
        if not self.known_names_only:
            return HeaderRule(
                by_fields,
                resembles=self.resembles,
                is_same=self.is_same_header,
                is_reordered=self.is_reordered_header,
                repeats=self.repeats,
                is_preamble=self.is_separator_line,
            )
        # A name is followed by the separator, or ends the line.
        starts = {(name + self.separator).encode()[:4] for name in self._known_names()}
        return HeaderRule(by_fields, self.is_header, frozenset(starts), self.resembles, self.repeats)

    def _known_names(self) -> set[str]:
        """Returns the documented names of values, in the spellings of headers."""
        names = {name for field in self.fields for name in field.value_names}
        return names | {name.replace("_", "-") for name in names} | {name for name, _ in self.aliases}

    def is_header(self, line: str) -> bool:
        """Returns True if a line is a header, for formats in which the line may also be a record."""
        return all(self._known_index.find(name) is not None for name in self.splitter.header_names(line))

    @functools.cached_property
    def _known_index(self) -> NameIndex:
        return NameIndex([name for field in self.fields for name in field.value_names])

    def resembles(self, line: str, header: str) -> bool:
        """Returns True if a line has all names of a header, or consists mostly of them."""
        names = {name.lower() for name in self.splitter.header_names(header)}
        values = [value.lower() for value in self.splitter.header_names(line)]
        known = sum(value in names for value in values)
        return known > 0 and (names <= set(values) or 2 * known > len(values))

    def is_separator_line(self, line: str) -> bool:
        """Returns True for a line that tells Excel the separator of the file, which stands before the header.

        >>> DelimitedSpec(";", header="first").is_separator_line("sep=;")
        True
        """
        return line.removeprefix("\ufeff").lower() == f"sep={self.separator}".lower()

    def is_same_header(self, line: str, header: str) -> bool:
        """Returns True if a line repeats a header of several names, in the same order."""
        return line == header and self.separator in header

    def is_reordered_header(self, line: str, header: str) -> bool:
        """Returns True if a line has all names of a header in another order. Two names may be a record by chance.

        >>> DelimitedSpec(",", header="first").is_reordered_header("c,a,b", "a,b,c")
        True
        """
        if line.partition(self.separator)[0] not in header or line == header:  # most lines end here
            return False
        names, values = header.split(self.separator), line.split(self.separator)
        return len(names) > 2 and len(set(names)) == len(names) and sorted(values) == sorted(names)

    def repeats(self, text: str, header: str) -> bool:
        """Returns True if a text has all names of a header of several names, which the rest of a line does not have by chance."""
        names = {name.lower() for name in self.splitter.header_names(header)}
        return len(names) > 1 and names <= {value.lower() for value in self.splitter.header_names(text)}

    def value_names(self, header: str) -> tuple[str, ...]:
        """Returns the names of the values of the lines under a header. Names in ``#Fields:`` are separated by blanks."""
        if self.is_zeek_header(header):
            if self.fields:  # a log of another provider
                return ()
            header = header[len(_ZEEK_FIELDS) :].replace(self.separator, " ")
        if self.header == "fields":
            aliases = dict(self.aliases)
            return unique_names(column_name(aliases.get(name.lower(), name)) for name in header.split())
        return unique_names(self.splitter.header_names(header))
