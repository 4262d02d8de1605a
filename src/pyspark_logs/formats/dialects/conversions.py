"""Conversion words of Logback and Log4j 2: the column and type that each word writes.

Source: Logback manual, chapter 6 "Layouts"; Apache Log4j 2 manual, "Pattern Layout"; Spring Boot reference, "Logging".
"""

from __future__ import annotations

import enum
from dataclasses import dataclass

from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Boolean, Integer
from pyspark_logs.formats.types.text import Text, Uuid
from pyspark_logs.formats.types.validated_text import VALIDATED_TEXTS

_TEXT, _INT, _LONG = Text(), Integer(32), Integer(64)
_CLASS, _WORD = VALIDATED_TEXTS["class"], VALIDATED_TEXTS["word"]


class Output(enum.Enum):
    """Kinds of text that a conversion word writes."""

    FIELD = "field"
    DATE = "date"
    LINE_END = "line end"
    EXCEPTION = "exception"  # stack trace of the event's exception, or nothing
    NOTHING = "nothing"  # suppresses the exception that is appended by default
    CALLERS = "callers"  # several lines with the caller's stack frames

    @property
    def may_end_record(self) -> bool:
        """True if the output may come after the text of a record's first line: line ends, stack traces and nothing."""
        return self in (Output.LINE_END, Output.EXCEPTION, Output.NOTHING)


@dataclass(frozen=True)
class Conversion:
    """The output of a conversion word.

    Attributes:
        words: names of the conversion: short and long forms of both libraries.
        column: name of the column; empty for an output that is not a field.
        type: type of the column.
        output: kind of text.
        null: text of a missing value; None: the value is never missing.
        named_by_option: True if the option in braces, where there is one, names the column: ``%X{user}``.
    """

    words: tuple[str, ...]
    column: str = ""
    type: FieldType = _TEXT
    output: Output = Output.FIELD
    null: str | None = None
    named_by_option: bool = False


CONVERSIONS = (
    Conversion(("d", "date"), "timestamp", output=Output.DATE),
    Conversion(("p", "le", "level"), "level", _WORD),
    # The name of Log4j's root logger is empty (LogManager.ROOT_LOGGER_NAME).
    Conversion(("c", "lo", "logger"), "logger", _CLASS, null=""),
    Conversion(("C", "class"), "class", _CLASS),
    Conversion(("t", "thread", "tn", "threadName"), "thread"),
    Conversion(("m", "msg", "message"), "message"),
    Conversion(("L", "line"), "line", _INT, null="?"),
    Conversion(("F", "file"), "file"),
    Conversion(("M", "method"), "method", _WORD),
    Conversion(("l", "location"), "location"),
    Conversion(("caller",), output=Output.CALLERS),
    Conversion(("X", "mdc", "MDC"), "mdc", null="", named_by_option=True),
    Conversion(("x", "NDC"), "ndc", null=""),
    Conversion(("marker", "markerSimpleName"), "marker", null=""),
    Conversion(("r", "relative"), "relative_ms", _LONG),
    Conversion(("pid", "processId"), "pid", _LONG, null=""),
    Conversion(("T", "tid", "threadId"), "thread_id", _LONG),
    Conversion(("tp", "threadPriority"), "thread_priority", _INT),
    Conversion(("kvp",), "kvp", null=""),
    Conversion(("K", "map", "MAP"), "map", null="", named_by_option=True),
    Conversion(("property",), "property", null="", named_by_option=True),
    Conversion(("cn", "contextName"), "context_name"),
    Conversion(("sn", "sequenceNumber"), "sequence_number", _LONG),
    Conversion(("u", "uuid"), "uuid", Uuid()),
    Conversion(("i",), "index", _LONG),
    Conversion(("N", "nano"), "nano_time", _LONG),
    Conversion(("fqcn",), "fqcn", _CLASS),
    Conversion(("endOfBatch",), "end_of_batch", Boolean()),
    Conversion(("n",), output=Output.LINE_END),
    Conversion(
        ("ex", "exception", "throwable", "xEx", "xException", "xThrowable", "rEx", "rException", "rThrowable",
         "rootException", "wEx", "wex"), output=Output.EXCEPTION,
    ),
    Conversion(("nopex", "nopexception"), output=Output.NOTHING),
)  # fmt: skip
WORDS = {word: conversion for conversion in CONVERSIONS for word in conversion.words}

# Words whose output may be left out or replaced as a whole; see :mod:`layout_conditions`.
NOT_EMPTY_WORDS = frozenset({"notEmpty", "variablesNotEmpty", "varsNotEmpty"})
EQUALS_WORDS = frozenset({"equals", "equalsIgnoreCase"})

_COLOURS = ("black", "red", "green", "yellow", "blue", "magenta", "cyan", "white", "gray", "faint")
# Words that enclose other conversions and decorate or edit their text.
ENCLOSING_WORDS = frozenset(
    {"highlight", "clr", "style", "replace", "maxLen", "maxLength", *_COLOURS}
    | NOT_EMPTY_WORDS
    | EQUALS_WORDS
    | {f"bold{colour.capitalize()}" for colour in _COLOURS}
    | {f"bright{colour.capitalize()}" for colour in _COLOURS}
)
