"""Texts as some servers write them, which the notation has no type for."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types import escapes
from pyspark_logs.formats.types.escape_styles import EscapeStyle
from pyspark_logs.formats.types.field_type import ConversionResult, RenderResult, parse_distinct, render_validated
from pyspark_logs.formats.types.text import Quoted, Text

_LISTED = re.compile(r"[^ ]+(?:(?<=,) [^ ]+| : [^ ]+)*")
# The same, for whole texts, without looking back; and what follows must not go on. Behind a comma a colon is an item.
_WHOLE = r"^(?:[^ ]*, |[^ ]*[^ ,] : )*[^ ]*[^ ,]$"

_CLOUDFRONT = b":user/CloudFront"
_REQUESTER = re.compile(r"arn:[a-z-]+:iam::cloudfront:user/CloudFront Origin Access Identity [^ ]+|[^ ]+")
_CUT_QUOTED = re.compile('"[^"]*"?')


@dataclass(frozen=True)
class UpstreamList(Text):
    """Texts with ``, `` or `` : `` between them, where a space ends the field; the value is the whole text.

    nginx, "Module ngx_http_upstream_module", Embedded Variables: the servers that were asked for one request are
    separated by commas, groups of them by colons. ``X-Forwarded-For`` has commas, too.
    """

    takes_rest: ClassVar[bool] = False
    ends_at_delimiter: ClassVar[bool] = True
    continued_by: ClassVar[str] = ":"

    @property
    def syntax(self) -> re.Pattern[str]:
        return _LISTED

    def never_begins(self, character: str) -> bool:
        """A space ends it, so none begins it."""
        return character == " "

    def may_continue(self, view: Bytes, starts: Int32, ends: Int32) -> Bool:
        follows_comma = (spans.bytes_at(view, np.maximum(ends - 1, 0)) == ord(",")) & (ends > starts)
        return follows_comma | spans.literal_at(view, ends, b" : ")

    def escape(self, style: EscapeStyle, array: pa.Array, avoid: tuple[str, ...], tails: tuple[str, ...]) -> pa.Array:
        plain = style.escape(array)
        return pc.if_else(_ends_early(plain), style.escape(array, avoid=avoid, tails=(",",)), plain)

    def check_rendered(self, texts: pa.Array) -> tuple[Bool, str] | None:
        return _ends_early(texts), "is no list that ends before the next field"


@dataclass(frozen=True)
class OptionallyQuoted(Quoted):
    """``quoted``, which is written so, and read without the quotes, too: some age of the writer had none there."""

    quotes_optional: ClassVar[bool] = True


@dataclass(frozen=True)
class RawQuoted(Quoted):
    """``quoted`` of a writer that does not escape the quotes in a value: ``"GET /" HTTP/1.1"`` is one text."""

    allows_raw_quotes: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return escapes.RAW_QUOTED


@dataclass(frozen=True)
class Word(Text):
    """A word of a form that its writer documents. Most lines of a file have one of a few.

    Where two values have no space between them, the next ones are taken for their neighbours; words show it.

    Attributes:
        form: a regular expression of whole words, which means the same to RE2 and to Python.
    """

    is_validated: ClassVar[bool] = True
    form: str = '[^ "]+'

    def parse(self, text: str, context: TimestampContext) -> str:
        if re.fullmatch(self.form, text, re.ASCII) is None:
            raise ValueError(f"not of the form {self.form}")
        return text

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        fine = pc.match_substring_regex(pc.unique(array), rf"^(?:{self.form})\z")
        return (array, None) if pc.all(fine).as_py() in (True, None) else parse_distinct(self, array, context)

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)


@dataclass(frozen=True)
class Requester(Text):
    """Who asked S3 for something: one word, but for CloudFront, whose identity has blanks in its name.

    AWS, "Restrict access to an Amazon S3 origin" of CloudFront: the principal of an origin access identity is
    ``arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2EXAMPLE``.
    """

    takes_rest: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return _REQUESTER

    def never_begins(self, character: str) -> bool:
        """A blank ends it, so none begins it."""
        return character == " "

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        blank = spans.find_literal(block, starts, limits, " ")
        ends = np.where(blank < 0, limits, blank).astype(np.int32)
        ends[ends == starts] = -1
        named = (ends >= starts + len(_CLOUDFRONT)) & spans.literal_at(view, ends - len(_CLOUDFRONT), _CLOUDFRONT)
        rows = np.flatnonzero(named)
        if len(rows):
            ends[rows] = super().find_ends(block, view, starts[rows], limits[rows])
        return ends

    def parse(self, text: str, context: TimestampContext) -> str:
        if _REQUESTER.fullmatch(text) is None:
            raise ValueError("a blank in what is not CloudFront's identity")
        return text

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        plain = pc.match_substring_regex(array, "^[^ ]+$")
        return (array, None) if pc.all(plain).as_py() in (True, None) else parse_distinct(self, array, context)

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)


@dataclass(frozen=True)
class TruncatedQuoted(Text):
    """HAProxy's request with its quotes, the last of which is missing where it was cut; no quote stands within."""

    takes_rest: ClassVar[bool] = False

    @property
    def syntax(self) -> re.Pattern[str]:
        return _CUT_QUOTED

    def never_begins(self, character: str) -> bool:
        """A quote begins it."""
        return character != '"'

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        there = (starts < limits) & (spans.bytes_at(view, starts) == ord('"'))
        inside = np.minimum(starts + np.int32(1), limits)
        closing = spans.find_literal(block, inside, limits, '"')
        return np.where(there, np.where(closing < 0, limits, closing + 1), -1).astype(np.int32)


@dataclass(frozen=True)
class UserName(Text):
    """The user in Apache's lines, whose name may hold blanks.

    It does not begin with a dash and a blank: then the line has one value more before it, a virtual host say, and
    all of them would be taken for their neighbours.
    """

    is_validated: ClassVar[bool] = True

    def parse(self, text: str, context: TimestampContext) -> str:
        if text.startswith("- "):
            raise ValueError("there is one value more before it")
        return text

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        shifted = spans.as_bool(pc.starts_with(array, "- "))
        return array, ~shifted if shifted.any() else None


def _ends_early(texts: pa.Array) -> Bool:
    """Returns a mask of the texts in which :class:`UpstreamList` would end before the end of the text."""
    return ~spans.as_bool(pc.match_substring_regex(texts, _WHOLE)) & spans.as_bool(texts.is_valid())
