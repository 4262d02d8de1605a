r"""Field types of the Common Event Format: header fields and extension."""

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
from pyspark_logs.formats.columnar.spans import Bytes, Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import RenderResult, parse_distinct
from pyspark_logs.formats.types.nested import MapOf
from pyspark_logs.formats.types.syslog import Pairs, render_each_map
from pyspark_logs.formats.types.text import Text

_HEADER = re.compile(r"[^|\\]*(?:\\.[^|\\]*)*", re.DOTALL)
_HEADER_ESCAPE = re.compile(r"\\([\\|])")
_KEY = re.compile(r"(?:^|(?<= ))([A-Za-z0-9_.\-\[\]]+)=")
_NAME = re.compile(r"[A-Za-z0-9_.\-\[\]]+")
_ESCAPE = re.compile(r"\\([\\=nr])")
_PLAIN = {"\\": "\\", "=": "=", "n": "\n", "r": "\r"}


@dataclass(frozen=True)
class CefHeader(Text):
    r"""Header field, which ends at ``|``; ``\|`` and ``\\`` are escapes."""

    takes_rest: ClassVar[bool] = False
    compiled_syntax: ClassVar[str] = "HEADER"
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True
    escapes: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return _HEADER

    def never_begins(self, character: str) -> bool:
        return False

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        if block.find(b"\\") >= 0:
            return super().find_ends(block, view, starts, limits)
        ends = spans.find_literal(block, starts, limits, "|")
        return np.where(ends < 0, limits, ends).astype(np.int32)

    def parse(self, text: str, context: TimestampContext) -> str:
        return _HEADER_ESCAPE.sub(r"\1", text)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return (array, None) if (spans.string_bytes(array) != ord("\\")).all() else parse_distinct(self, array, context)

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        texts = pc.replace_substring(pc.replace_substring(array, "\\", "\\\\"), "|", "\\|")
        has_line_end = as_bool(pc.match_substring_regex(texts, "[\n\r]"))
        return texts, has_line_end if has_line_end.any() else None


@dataclass(frozen=True)
class CefSeverity(CefHeader):
    """Severity, the last header field: a number of 0 to 10 or a word, of which vendors have more than the specification.

    A text that contains ``=`` is an extension, before which a header field is missing.
    """

    def parse(self, text: str, context: TimestampContext) -> str:
        if "=" in text:
            raise ValueError("not a severity")
        return super().parse(text, context)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return (
            super().convert(array, context)
            if (spans.string_bytes(array) != ord("=")).all()
            else parse_distinct(self, array, context)
        )

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        texts, unwritable = super().render(array, zone)
        is_extension = as_bool(pc.match_substring(array, "="))
        if unwritable is not None:
            is_extension |= unwritable
        return texts, is_extension if is_extension.any() else None


@dataclass(frozen=True)
class CefExtension(MapOf):
    r"""``k=v k2=v with blanks``: a value ends at the next `` key=``; ``\=``, ``\\``, ``\n`` and ``\r`` are escapes.

    >>> CefExtension().parse(r"src=10.0.0.1 msg=a \= b \\ end", TimestampContext())
    [('src', '10.0.0.1'), ('msg', 'a = b \\ end')]
    """

    takes_rest: ClassVar[bool] = True

    def parse(self, text: str, context: TimestampContext) -> list[tuple[str, str]]:
        keys = list(_KEY.finditer(text))
        if text[: keys[0].start() if keys else len(text)].strip(" "):
            raise ValueError("not a list of k=v pairs")
        ends = [key.start() - 1 for key in keys[1:]] + [len(text)] * bool(keys)
        values = (text[key.end() : end] for key, end in zip(keys, ends, strict=True))
        pairs = {
            key[1]: _ESCAPE.sub(lambda match: _PLAIN[match[1]], value) for key, value in zip(keys, values, strict=True)
        }
        return list(pairs.items())

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_each_map(array, self, _render_extension)


def _render_extension(pairs: Pairs) -> str:
    if not all(_NAME.fullmatch(key) for key, _ in pairs):
        raise ValueError("not a key")
    return " ".join(f"{key}={_escape(value)}" for key, value in pairs)


def _escape(value: str) -> str:
    for plain, escaped in (("\\", "\\\\"), ("=", "\\="), ("\n", "\\n"), ("\r", "\\r")):
        value = value.replace(plain, escaped)
    return value
