"""The rules by which a format finds its records in the lines of a file."""

from __future__ import annotations

from dataclasses import dataclass

from pyspark_logs.formats.multiline import RecordStarts
from pyspark_logs.records import DocumentRule, HeaderRule, PartRule, QuoteRule


@dataclass(frozen=True)
class RecordRules:
    """The rules of one format.

    Attributes:
        header: rule that finds the lines which name a file's columns; None: there are none.
        starts: rule by which lines are joined to records; None: each line is a record.
        blanks: characters of blank lines, which are not records; an empty line is always blank.
        parts: rule by which the parts of lines are joined to records; None: lines are not parts.
        quotes: rule by which quoted values may contain line ends; None: they may not.
        documents: rule by which records are found in JSON documents; None: records are lines.
        splits_values: True if each JSON value of a line is a record.
    """

    header: HeaderRule | None = None
    starts: RecordStarts | None = None
    blanks: str = ""
    parts: PartRule | None = None
    quotes: QuoteRule | None = None
    documents: DocumentRule | None = None
    splits_values: bool = False
