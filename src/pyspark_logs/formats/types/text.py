"""Text: ``string``, ``quoted``, ``uuid``, ``json``."""

from __future__ import annotations

import json
import re
from dataclasses import dataclass
from typing import Any, ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, to_scalar
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types import escapes
from pyspark_logs.formats.types.escape_styles import BACKSLASH, EscapeStyle
from pyspark_logs.formats.types.field_type import (
    FieldType,
    JsonKind,
    RenderResult,
    ReplaceStrings,
    ResolveType,
    parse_distinct,
    render_validated,
)
from pyspark_logs.formats.types.forms import CompiledForm, RenderedForm
from pyspark_logs.formats.types.problem_classes import classes_by_form

_UUID = re.compile(r"[0-9a-fA-F]{8}(-[0-9a-fA-F]{4}){3}-[0-9a-fA-F]{12}", re.ASCII)


@dataclass(frozen=True)
class Text(FieldType):
    """``string``: the text itself, with its escapes removed if the field has an escape style."""

    takes_rest: ClassVar[bool] = True
    keeps_text: ClassVar[bool] = True
    is_validated: ClassVar[bool] = False
    json_kind: ClassVar[JsonKind] = "any"
    escape_style: EscapeStyle | None = None

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        return resolve(dtype) if self.keeps_text else super().reinterpret(dtype, resolve)

    def resolve_escape_style(self, escape: bool) -> EscapeStyle | None:
        if not self.keeps_text:
            return None
        return self.escape_style or (BACKSLASH if escape or self.quoted else None)

    def arrow(self) -> pa.DataType:
        return pa.string()

    def parse(self, text: str, context: TimestampContext) -> str:
        return text

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return array, None

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return array, None

    @property
    def accepts_nulls(self) -> bool:
        # A subclass that validates or changes the strings overrides ``convert``.
        return type(self).convert is Text.convert

    def convert_masked(self, array: pa.Array) -> pa.Array | None:
        return array

    def map_strings(self, array: pa.Array, replace_strings: ReplaceStrings) -> pa.Array | None:
        return array if self.quoted else replace_strings(array, None)

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm(converts=not self.accepts_nulls)

    @property
    def rendered_form(self) -> RenderedForm:
        is_plain = type(self).render is Text.render and type(self).escape is FieldType.escape and self.syntax is None
        return RenderedForm("TEXT" if is_plain else "")


@dataclass(frozen=True)
class Quoted(Text):
    """``quoted``: enclosed in double quotes, with backslash escapes. The value is the text between the quotes."""

    takes_rest: ClassVar[bool] = False
    quoted: ClassVar[bool] = True
    escapes: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return escapes.QUOTED

    def never_begins(self, character: str) -> bool:
        return character != '"'

    def escape(self, style: EscapeStyle, array: pa.Array, avoid: tuple[str, ...], tails: tuple[str, ...]) -> pa.Array:
        return style.escape(array, quoted=True)

    @property
    def rendered_form(self) -> RenderedForm:
        return RenderedForm("QUOTED")


@dataclass(frozen=True)
class PaddedText(Text):
    """Text beside spaces that are not part of it; written with the spaces up to a width.

    Attributes:
        width: length of the written text in characters.
        before: True if the spaces precede the text.
    """

    is_validated: ClassVar[bool] = True
    width: int = 0
    before: bool = False

    def parse(self, text: str, context: TimestampContext) -> str:
        return text.strip(" ")

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return pc.utf8_trim(array, " "), None

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return (pc.utf8_lpad if self.before else pc.utf8_rpad)(array, self.width), None


@dataclass(frozen=True)
class Uuid(Text):
    """``uuid``: a string that is validated."""

    takes_rest: ClassVar[bool] = False
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    def parse(self, text: str, context: TimestampContext) -> str:
        if not _UUID.fullmatch(text):
            raise ValueError("not a UUID")
        return text

    def problem_classes(self, texts: pa.Array) -> Int32 | None:
        return classes_by_form(texts, _UUID.pattern)

    def map_strings(self, array: pa.Array, replace_strings: ReplaceStrings) -> pa.Array | None:
        return None

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        valid = as_bool(pc.equal(pc.binary_length(array), to_scalar(36, pa.int32())))
        table = spans.byte_matrix(array.filter(valid) if not valid.all() else array, 36)
        hexadecimal = np.zeros(256, np.bool_)
        hexadecimal[np.frombuffer(b"0123456789abcdefABCDEF", np.uint8)] = True
        well_formed = np.ones(len(table), np.bool_)
        for column in range(36):
            dash = column in (8, 13, 18, 23)
            well_formed &= table[:, column] == ord("-") if dash else hexadecimal[table[:, column]]
        valid[valid] = well_formed
        return array, None if valid.all() else valid


def _refuse_constant(name: str) -> Any:
    raise ValueError(f"{name} is not JSON")


@dataclass(frozen=True)
class JsonText(Text):
    """``json``: a string that is validated."""

    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    @property
    def notation(self) -> str:
        return "json"

    def parse(self, text: str, context: TimestampContext) -> str:
        try:
            json.loads(text, parse_constant=_refuse_constant)
        except RecursionError as error:
            raise ValueError("nested too deeply") from error
        return text

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return parse_distinct(self, array, context)
