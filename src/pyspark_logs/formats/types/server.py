"""Field types of server logs, which the template notation does not name."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import Bool, Bytes, Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types import escapes
from pyspark_logs.formats.types.escape_styles import EscapeStyle
from pyspark_logs.formats.types.field_type import RenderResult, parse_distinct, render_validated
from pyspark_logs.formats.types.forms import CompiledForm, RenderedForm
from pyspark_logs.formats.types.text import Quoted, Text

_UPSTREAM_LIST = re.compile(r"[^ ]+(?:(?<=,) [^ ]+| : [^ ]+)*")
# The same for whole texts in RE2, which has no lookbehind. After a comma, a colon is an item of the list.
_WHOLE_LIST = r"^(?:[^ ]*, |[^ ]*[^ ,] : )*[^ ]*[^ ,]$"

CLOUDFRONT = b":user/CloudFront"
_REQUESTER = re.compile(r"arn:[a-z-]+:iam::cloudfront:user/CloudFront Origin Access Identity [^ ]+|[^ ]+")
_TRUNCATED_QUOTED = re.compile('"[^"]*"?')
_LINE_REST = re.compile("(?s:.+)")
_PROXY_FRONTEND = re.compile(r"[^ /]*[^ /:](?= )|[^ /]+/[^ /]*[^ /:](?=: )")


@dataclass(frozen=True)
class UpstreamList(Text):
    """List of items separated by ``, `` or `` : ``, in a field that a space ends; the value is the whole text.

    nginx, "Module ngx_http_upstream_module", Embedded Variables: the servers that were contacted for one request are
    separated by commas, groups of servers by colons. ``X-Forwarded-For`` has commas, too.
    """

    takes_rest: ClassVar[bool] = False
    compiled_syntax: ClassVar[str] = "UPSTREAM"
    ends_at_delimiter: ClassVar[bool] = True
    continued_by: ClassVar[str] = ":"

    @property
    def syntax(self) -> re.Pattern[str]:
        return _UPSTREAM_LIST

    def never_begins(self, character: str) -> bool:
        return character == " "

    def may_continue(self, view: Bytes, starts: Int32, ends: Int32) -> Bool:
        follows_comma = (spans.bytes_at(view, np.maximum(ends - 1, 0)) == ord(",")) & (ends > starts)
        return follows_comma | spans.literal_at(view, ends, b" : ")

    def escape(self, style: EscapeStyle, array: pa.Array, avoid: tuple[str, ...], tails: tuple[str, ...]) -> pa.Array:
        plain = style.escape(array)
        return pc.if_else(_ends_early(plain), style.escape(array, avoid=avoid, tails=(",",)), plain)

    def check_rendered(self, texts: pa.Array) -> tuple[Bool, str] | None:
        return _ends_early(texts), "is not a list that ends before the next field"


@dataclass(frozen=True)
class OptionallyQuoted(Quoted):
    """``quoted`` that is also read without quotes, which earlier versions of the writer omitted."""

    quotes_optional: ClassVar[bool] = True


@dataclass(frozen=True)
class RawQuoted(Quoted):
    """``quoted`` of a writer that does not escape quotes in a value: ``"GET /" HTTP/1.1"`` is one text."""

    allows_raw_quotes: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return escapes.RAW_QUOTED


@dataclass(frozen=True)
class Requester(Text):
    """Requester in S3 access logs: one word, except for the identity of CloudFront, which contains blanks.

    AWS, "Restrict access to an Amazon S3 origin" of CloudFront: the principal of an origin access identity is
    ``arn:aws:iam::cloudfront:user/CloudFront Origin Access Identity E2EXAMPLE``.
    """

    takes_rest: ClassVar[bool] = False
    compiled_syntax: ClassVar[str] = "REQUESTER"
    compiled_syntax_text: ClassVar[bytes] = CLOUDFRONT
    is_validated: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return _REQUESTER

    def never_begins(self, character: str) -> bool:
        return character == " "

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        blank = spans.find_literal(block, starts, limits, " ")
        ends = np.where(blank < 0, limits, blank).astype(np.int32)
        ends[ends == starts] = -1
        is_cloudfront = (ends >= starts + len(CLOUDFRONT)) & spans.literal_at(view, ends - len(CLOUDFRONT), CLOUDFRONT)
        rows = np.flatnonzero(is_cloudfront)
        if len(rows):
            ends[rows] = super().find_ends(block, view, starts[rows], limits[rows])
        return ends

    def parse(self, text: str, context: TimestampContext) -> str:
        if _REQUESTER.fullmatch(text) is None:
            raise ValueError("a blank in a requester other than CloudFront's identity")
        return text

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        plain = pc.match_substring_regex(array, "^[^ ]+$")
        return (array, None) if pc.all(plain).as_py() in (True, None) else parse_distinct(self, array, context)

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)


@dataclass(frozen=True)
class TruncatedQuoted(Text):
    """Request of HAProxy, quotes included. A truncated request has no closing quote; the text contains no quote."""

    takes_rest: ClassVar[bool] = False
    compiled_syntax: ClassVar[str] = "HALF_QUOTED"

    @property
    def syntax(self) -> re.Pattern[str]:
        return _TRUNCATED_QUOTED

    def never_begins(self, character: str) -> bool:
        return character != '"'

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        opened = (starts < limits) & (spans.bytes_at(view, starts) == ord('"'))
        inside = np.minimum(starts + np.int32(1), limits)
        closing = spans.find_literal(block, inside, limits, '"')
        return np.where(opened, np.where(closing < 0, limits, closing + 1), -1).astype(np.int32)


@dataclass(frozen=True)
class ProxyFrontend(Text):
    """Frontend of HAProxy before a space; frontend and listener before a colon and a space, if a connection failed.

    The names may contain colons, as addresses do, but do not end with one. A line that ends after them is not complete.
    """

    takes_rest: ClassVar[bool] = False
    compiled_syntax: ClassVar[str] = "FRONTEND"
    must_match: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return _PROXY_FRONTEND

    def never_begins(self, character: str) -> bool:
        return character == " "

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        ends = spans.find_literal(block, starts, limits, " ")
        found = ends > starts
        ends = np.where(found, ends, starts)
        has_colon = found & (spans.bytes_at(view, np.maximum(ends - np.int32(1), 0)) == ord(":"))
        ends -= has_colon
        slash = spans.find_literal(block, starts, ends, "/")
        rows = np.flatnonzero(has_colon | (slash >= 0))
        ends[~found] = -1
        if len(rows):
            ends[rows] = super().find_ends(block, view, starts[rows], limits[rows])
        return ends


@dataclass(frozen=True)
class LineRest(Text):
    """Text up to the end of the line, in a group that other groups follow: these are then absent."""

    takes_rest: ClassVar[bool] = False
    compiled_syntax: ClassVar[str] = "REST"
    must_match: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return _LINE_REST

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        return np.where(starts < limits, limits, -1).astype(np.int32)


@dataclass(frozen=True)
class UserName(Text):
    """User name in logs of Apache and nginx, which may contain blanks.

    A text with a dash at its beginning or end, and a blank beside that, is not a user name: the line then has an
    additional value before it, such as a virtual host, and all values would be shifted.
    """

    is_validated: ClassVar[bool] = True

    def parse(self, text: str, context: TimestampContext) -> str:
        if text.startswith("- ") or text.endswith(" -"):
            raise ValueError("a '-' beside the user name, so that the line has an additional value before it")
        return text

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        shifted = as_bool(pc.or_(pc.starts_with(array, "- "), pc.ends_with(array, " -")))
        return array, ~shifted if shifted.any() else None

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm("USER")

    @property
    def rendered_form(self) -> RenderedForm:
        return RenderedForm("TEXT", heads=("- ",), tails=(" -",))


def _ends_early(texts: pa.Array) -> Bool:
    """Returns a mask of the texts in which :class:`UpstreamList` would end before the end of the text."""
    return ~as_bool(pc.match_substring_regex(texts, _WHOLE_LIST)) & as_bool(texts.is_valid())
