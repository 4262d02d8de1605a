"""Field types of syslog: structured data and the message of RFC 5424, and the severity of glog."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.spans import Bytes, Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import (
    ConversionResult,
    FieldType,
    RenderResult,
    parse_distinct,
    render_validated,
)
from pyspark_logs.formats.types.nested import MapOf
from pyspark_logs.formats.types.text import Text

Pairs = Sequence[tuple[str, str]]

_BOM = "\ufeff"
_NAME = r'[^ =\]"\[\\]+'
_PARAM = rf'(?P<name>{_NAME})= *"(?P<value>[^"\\]*(?:\\.[^"\\]*)*)"'
_BARE_PARAM = re.sub(r"\(\?P<\w+>", "(?:", _PARAM)
_ELEMENT = re.compile(rf"\[(?P<id>{_NAME})(?P<params>(?: +{_BARE_PARAM})*) *\]", re.DOTALL)
_PARAMS = re.compile(_PARAM, re.DOTALL)
_DATA = re.compile(rf"(?:\[{_NAME}(?: +{_BARE_PARAM})* *\])+", re.DOTALL)
_SEVERITY = re.compile("[IWEF]")
_COUNTED = re.compile(r"(?:(?::|\d{1,10}:) +(?:\d{1,10}: +)?(?:[^\s:*%]+: +)?)?[*.]?", re.ASCII)
_ESCAPE = re.compile(r'\\(["\\\]])')


@dataclass(frozen=True)
class StructuredData(MapOf):
    r"""``[id name="value" ...][id2 ...]`` of RFC 5424, 6.3, as a map from ``id.name`` to the value.

    An element without parameters is the key ``id`` with an empty value; of equal keys the last counts. ``\"``, ``\\``
    and ``\]`` are escapes, any other backslash stands for itself. A ``]`` in a value need not be escaped, as quotes
    stand around it. Blanks may stand behind ``=``, as they do where the RFC breaks the lines of its examples (6.5).

    >>> StructuredData().parse('[a@1 x="1" y="\\"q\\""][b]', TimestampContext())
    [('a@1.x', '1'), ('a@1.y', '"q"'), ('b', '')]
    """

    takes_rest: ClassVar[bool] = False

    @property
    def syntax(self) -> re.Pattern[str]:
        return _DATA

    def never_begins(self, character: str) -> bool:
        return character != "["

    def parse(self, text: str, context: TimestampContext) -> list[tuple[str, str]]:
        if _DATA.fullmatch(text) is None:
            raise ValueError("not structured data")
        pairs: dict[str, str] = {}
        for element in _ELEMENT.finditer(text):
            params = list(_PARAMS.finditer(element["params"]))
            for param in params:
                pairs[f"{element['id']}.{param['name']}"] = _ESCAPE.sub(r"\1", param["value"])
            if not params:
                pairs[element["id"]] = ""
        return list(pairs.items())

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_each_map(array, self, _data_of)


def _data_of(pairs: Pairs) -> str:
    parts: list[str] = []
    open_id: str | None = None
    for key, value in pairs:
        own, dot, name = key.rpartition(".")
        if not dot or not own or not name:
            parts.append(("]" if open_id is not None else "") + f"[{key}]")
            open_id = None
            continue
        if own != open_id:
            parts.append(("]" if open_id is not None else "") + f"[{own}")
            open_id = own
        escaped = re.sub(r'(["\\\]])', r"\\\1", value)
        parts.append(f' {name}="{escaped}"')
    return "".join(parts) + ("]" if open_id is not None else "")


def render_each_map(array: pa.Array, field_type: FieldType, spell: Callable[[Pairs], str]) -> RenderResult:
    """Texts of maps, one at a time; wrong where a text does not mean the map, or does not fit in a line."""
    texts: list[str | None] = []
    wrong = np.zeros(len(array), np.bool_)
    for row, pairs in enumerate(array.to_pylist()):
        texts.append(None if pairs is None else "")
        if pairs is None:
            continue
        try:
            text = spell([(key, value) for key, value in pairs if value is not None])
            means = field_type.parse(text, TimestampContext())
        except ValueError:
            wrong[row] = True
            continue
        texts[-1] = text
        wrong[row] = means != pairs or "\n" in text or "\r" in text
    return pa.array(texts, pa.string()), wrong if wrong.any() else None


@dataclass(frozen=True)
class Message(Text):
    """``MSG`` of RFC 5424, 6.4: what is UTF-8 may begin with a byte order mark, which is no part of the message."""

    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    def parse(self, text: str, context: TimestampContext) -> str:
        return text.removeprefix(_BOM)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        marked = pc.starts_with(array, _BOM)
        if not pc.any(marked).as_py():
            return array, None
        return pc.if_else(marked, pc.utf8_slice_codeunits(array, 1), array), None

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        marked = pc.starts_with(array, _BOM)
        return pc.if_else(marked, pc.binary_join_element_wise(_BOM, array, ""), array), None


@dataclass(frozen=True)
class GlogSeverity(Text):
    """The severity of glog's lines, right before the time: INFO, WARNING, ERROR or FATAL by its first letter."""

    takes_rest: ClassVar[bool] = False
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return _SEVERITY

    def never_begins(self, character: str) -> bool:
        return _SEVERITY.match(character) is None

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        byte = spans.bytes_at(view, starts)
        there = (starts < limits) & np.isin(byte, np.frombuffer(b"IWEF", np.uint8))
        return np.where(there, starts + 1, -1).astype(np.int32)

    def parse(self, text: str, context: TimestampContext) -> str:
        if _SEVERITY.fullmatch(text) is None:
            raise ValueError("not I, W, E or F")
        return text

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return parse_distinct(self, array, context)

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)


@dataclass(frozen=True)
class CiscoPrefix(Text):
    """What Cisco IOS writes between PRI and time, or nothing: ``643: 000104: router-1: *``.

    Cisco, "System Message Logging": the counter of messages, which is a colon where that is switched off; the sequence
    number; the name of the device (``logging origin-id``); an asterisk before a time that is not of a clock that was
    set, a dot where it is no longer synchronized.
    """

    takes_rest: ClassVar[bool] = False
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return _COUNTED

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        """As the syntax says, which is asked only where a line begins with more than a time."""
        begins = np.isin(spans.bytes_at(view, starts), np.frombuffer(b":*.0123456789", np.uint8)) & (starts < limits)
        if begins.any():  # most are years, the last digit of which has a dash or a blank behind it
            last, behind = (spans.bytes_at(view, starts + np.int32(place)) for place in (3, 4))
            begins &= ~((last >= ord("0")) & (last <= ord("9")) & ((behind == ord("-")) | (behind == ord(" "))))
        ends = starts.copy()
        rows = np.flatnonzero(begins)
        if len(rows):
            ends[rows] = super().find_ends(block, view, starts[rows], limits[rows])
        return ends
