"""A format that is the text of a JSON object with variables in it: its keys are the columns."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.dialects.error_positions import Pasted
from pyspark_logs.formats.interface import RequestedColumn, SearchableFields
from pyspark_logs.formats.json.values import dump, load
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.line_parser import Parsed, TemplateLineParser
from pyspark_logs.formats.template.matcher import Matcher
from pyspark_logs.formats.template.notation import Field, Literal, Segment
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.escape_styles import JSON, EscapeStyle
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.text import Quoted, Text

_STRING = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_BARE = re.compile(r'[^\s,{}\[\]"$]*(?:\$(?:\{\w+\}|\w+)[^\s,{}\[\]"$]*)*')
_SPACE = re.compile(r"\s*")


def json_segments(
    pasted: Pasted, variable: re.Pattern[str], types: Mapping[str, FieldType], spelling: EscapeStyle | None
) -> list[Segment]:
    """The segments of the lines: punctuation as it stands in the format, and a field for each key.

    A value that is one variable has its type, in quotes or not; all others are strings.

    Args:
        pasted: the format.
        variable: a whole variable, whose name is its first group or its second.
        types: of variables; others are strings.
        spelling: of values.

    Raises:
        FormatError: the text is no JSON object with plain values.
    """
    return _Reader(pasted, variable, types, spelling).read()


@dataclass(frozen=True)
class JsonObjectFormat(TemplateFormat):
    """Lines as the format has them, and such as some other program wrote the same object."""

    def decoder(self, asked: Sequence[RequestedColumn], *, judge_whole: bool) -> Decoder:
        """The template's; lines that are laid out otherwise are parsed as JSON."""
        made = TemplateFormat.decoder(self, asked, judge_whole=judge_whole)
        if not isinstance(made.exact, TemplateLineParser):
            raise TypeError("the exact parser of a template is another one")
        return Decoder(made.engines, AnyLayout(made.exact), made.native, made.target)

    def matcher(self) -> Matcher:
        """Any object matches, however it is laid out."""
        return Matcher(self.decoder((), judge_whole=True), frozenset(b"{ \t"))

    def verbatim(self) -> SearchableFields:
        """All strings in lines without escapes, but for what JSON may punctuate otherwise."""
        names = frozenset(one.name.lower() for one in self.template.fields if one.name is not None)
        return SearchableFields(unless_escaped=names, not_with='{}[]",:')


@dataclass(frozen=True)
class AnyLayout:
    """One line at a time: by the template, or else by its keys."""

    lines: TemplateLineParser

    def parse(self, line: str, context: TimestampContext) -> Parsed:
        """The values of the columns; a key that the object lacks is null, and one that is no column is left."""
        parsed = self.lines.parse(line, context)
        if not parsed.reason:
            return parsed
        try:
            record = load(line)
        except ValueError:
            return parsed
        return self._by_keys(record, context) if isinstance(record, dict) else parsed

    def _by_keys(self, record: Mapping[str, Any], context: TimestampContext) -> Parsed:
        fields = {one.name: one for one in self.lines.template.fields}
        values: list[Any] = []
        reason = general = ""
        for column in (*self.lines.columns, *self.lines.rules.unasked):
            item = record.get(column.name)
            text = item if isinstance(item, str) else dump(item)
            values.append(None)
            if item is None or text in fields[column.name].nulls(self.lines.rules.null_value):
                continue
            try:
                values[-1] = column.type.parse(text, context)
            except ValueError as error:
                if column.judged and not reason:
                    reason = f"field {column.name!r}: {text[:80]!r}: {error}"
                    general = f"field {column.name!r}: {str(error).partition(': ')[0]}"
        return Parsed(values[: len(self.lines.columns)], reason, general)


class _Reader:
    def __init__(
        self, pasted: Pasted, variable: re.Pattern[str], types: Mapping[str, FieldType], spelling: EscapeStyle | None
    ) -> None:
        self.pasted, self.variable, self.types, self.spelling = pasted, variable, types, spelling
        self.text, self.place = pasted.text, 0
        self.segments: list[Segment] = []

    def read(self) -> list[Segment]:
        self._space()
        self._expect("{")
        self._space()
        while not self.text.startswith("}", self.place):
            self._pair()
            self._space()
            if not self.text.startswith(",", self.place):
                break
            self._expect(",")
            self._space()
        self._expect("}")
        self._space()
        if self.place < len(self.text):
            raise self.pasted.wrong(self.place, self.text[self.place], "stands behind the JSON object")
        return self.segments

    def _space(self) -> None:
        end = _SPACE.match(self.text, self.place)
        if end is not None and end.end() > self.place:
            self.segments.append(Literal(end[0]))
            self.place = end.end()

    def _expect(self, character: str) -> None:
        if not self.text.startswith(character, self.place):
            found = self.text[self.place : self.place + 1]
            raise self.pasted.wrong(self.place, found, f"this is no JSON object: {character!r} should stand here")
        self.segments.append(Literal(character))
        self.place += 1

    def _pair(self) -> None:
        key = _STRING.match(self.text, self.place)
        if key is None:
            raise self.pasted.wrong(
                self.place, self.text[self.place : self.place + 1], "a key in quotes should stand here"
            )
        if "$" in key[1]:
            raise self.pasted.wrong(self.place, key[0], "a key holds a variable; columns need names that stay")
        name = JSON.unescape(key[1])
        self.segments.append(Literal(key[0]))
        self.place = key.end()
        self._space()
        self._expect(":")
        self._space()
        self._value(name)

    def _value(self, name: str) -> None:
        if self.text[self.place : self.place + 1] in ("{", "["):
            kind = "an object" if self.text[self.place] == "{" else "a list"
            problem = (
                f"the value of {name!r} is {kind}; only plain values make columns here. Read the file with json=true"
            )
            raise self.pasted.wrong(self.place, self.text[self.place], problem)
        string = _STRING.match(self.text, self.place)
        if string is not None:
            self.place = string.end()
            known = self._type(string[1])
            if known is None and self.spelling is not None:
                self.segments.append(Field(name, Quoted(self.spelling), nullable=True, null=""))
            else:
                field = Field(name, known or Text(), nullable=True, null="")
                self.segments += [Literal('"'), field, Literal('"')]
            return
        bare = _BARE.match(self.text, self.place)
        if bare is None or not bare[0]:
            raise self.pasted.wrong(self.place, self.text[self.place : self.place + 1], f"key {name!r} has no value")
        self.place = bare.end()
        self.segments.append(Field(name, self._type(bare[0]) or Text(self.spelling), nullable=True, null="null"))

    def _type(self, value: str) -> FieldType | None:
        """The type of a value that is one variable with a type."""
        whole = self.variable.fullmatch(value)
        return self.types.get(whole[1] or whole[2]) if whole is not None else None
