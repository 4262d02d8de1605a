"""A JSON object with variables, as a template: nginx's ``log_format ... escape=json '{"status":$status}'``.

Source: RFC 8259 (objects, strings, numbers); nginx.org, "Module ngx_http_log_module" (``escape=json``).
"""

from __future__ import annotations

import re
from collections.abc import Mapping

from pyspark_logs.formats.dialects.config_text import ConfigText
from pyspark_logs.formats.template.segments import Field, Literal, Segment
from pyspark_logs.formats.types.escape_styles import JSON, EscapeStyle
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.text import Quoted, Text
from pyspark_logs.formats.types.validated_text import ValidatedText

_STRING = re.compile(r'"([^"\\]*(?:\\.[^"\\]*)*)"', re.DOTALL)
_BARE_VALUE = re.compile(r'[^\s,{}\[\]"$]*(?:\$(?:\{\w+\}|\w+)[^\s,{}\[\]"$]*)*')
_SPACE = re.compile(r"\s*")


def parse_json_template(
    config: ConfigText, variable: re.Pattern[str], types: Mapping[str, FieldType], escape_style: EscapeStyle | None
) -> list[Segment]:
    """Returns the segments of a JSON object: its punctuation as literals, and a field for each key.

    A value that consists of one variable has the type of the variable, with or without quotes; other values are strings.

    Args:
        config: format string.
        variable: regular expression of a variable, with the name in its first or second group.
        types: types of variables; the others are strings.
        escape_style: escapes of the values.

    Raises:
        FormatError: the text is not a JSON object, or a value is an object or a list.
    """
    return _JsonTemplateParser(config, variable, types, escape_style).parse()


class _JsonTemplateParser:
    def __init__(
        self,
        config: ConfigText,
        variable: re.Pattern[str],
        types: Mapping[str, FieldType],
        escape_style: EscapeStyle | None,
    ) -> None:
        self.config, self.variable, self.types, self.escape_style = config, variable, types, escape_style
        self.text, self.offset = config.text, 0
        self.segments: list[Segment] = []

    def parse(self) -> list[Segment]:
        self._parse_space()
        self._expect("{")
        self._parse_space()
        while not self.text.startswith("}", self.offset):
            self._parse_member()
            self._parse_space()
            if not self.text.startswith(",", self.offset):
                break
            self._expect(",")
            self._parse_space()
        self._expect("}")
        self._parse_space()
        if self.offset < len(self.text):
            raise self.config.error(self.offset, self.text[self.offset], "follows the JSON object")
        return self.segments

    @property
    def _character(self) -> str:
        """Next character; empty at the end."""
        return self.text[self.offset : self.offset + 1]

    def _parse_space(self) -> None:
        space = _SPACE.match(self.text, self.offset)
        if space is not None and space.end() > self.offset:
            self.segments.append(Literal(space[0]))
            self.offset = space.end()

    def _expect(self, character: str) -> None:
        if not self.text.startswith(character, self.offset):
            raise self.config.error(self.offset, self._character, f"not a JSON object: expected {character!r} here")
        self.segments.append(Literal(character))
        self.offset += 1

    def _parse_member(self) -> None:
        key = _STRING.match(self.text, self.offset)
        if key is None:
            raise self.config.error(self.offset, self._character, "expected a key in quotes here")
        if "$" in key[1]:
            problem = "a key contains a variable; the names of columns must be constant"
            raise self.config.error(self.offset, key[0], problem)
        self.segments.append(Literal(key[0]))
        self.offset = key.end()
        self._parse_space()
        self._expect(":")
        self._parse_space()
        self._parse_value(JSON.unescape(key[1]))

    def _parse_value(self, name: str) -> None:
        if self._character in ("{", "["):
            kind = "an object" if self._character == "{" else "a list"
            problem = f"the value of {name!r} is {kind}, which has no column here; read the file with json=true"
            raise self.config.error(self.offset, self._character, problem)
        string = _STRING.match(self.text, self.offset)
        if string is not None:
            self.offset = string.end()
            variable_type = self._variable_type(string[1])
            if variable_type is None and self.escape_style is not None:
                self.segments.append(Field(name, Quoted(self.escape_style), nullable=True, null_text=""))
            else:
                field = Field(name, variable_type or Text(), nullable=True, null_text="")
                self.segments += [Literal('"'), field, Literal('"')]
            return
        bare = _BARE_VALUE.match(self.text, self.offset)
        if bare is None or not bare[0]:
            raise self.config.error(self.offset, self._character, f"key {name!r} has no value")
        self.offset = bare.end()
        # A quote, or the end of the object, shows that further keys follow: such a line is parsed as JSON.
        field_type = self._variable_type(bare[0]) or ValidatedText(self.escape_style, form=r'[^"{}\[\]]+')
        self.segments.append(Field(name, field_type, nullable=True, null_text="null"))

    def _variable_type(self, value: str) -> FieldType | None:
        """Returns the type of a value that consists of one variable, or None if the value is a string."""
        variable = self.variable.fullmatch(value)
        return self.types.get(variable[1] or variable[2]) if variable is not None else None
