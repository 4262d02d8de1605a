"""Field types of syslog: structured data and message of RFC 5424, prefixes of messages, severity of glog."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace
from typing import ClassVar

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, concat_texts, from_texts
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import Bytes, Int32
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.timestamps.zone_names import NAMES
from pyspark_logs.formats.types.field_type import FieldType, RenderResult, ResolveType, parse_distinct, render_validated
from pyspark_logs.formats.types.forms import CompiledForm
from pyspark_logs.formats.types.nested import MapOf
from pyspark_logs.formats.types.numeric import Integer
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
_CISCO_PREFIX = re.compile(r"(?:(?::|\d{1,10}:) +(?:\d{1,10}: +)?(?:[^\s:*%]+: +)?)?[*.]?", re.ASCII)
_ESCAPE = re.compile(r'\\(["\\\]])')
_OCTET_COUNT = re.compile(r"(?:[1-9]\d{0,8} (?=<))?", re.ASCII)
_MAX_COUNT_DIGITS = 9
_ZONES = (*NAMES, "CST", "IST", "SST")
_YEAR = re.compile("(?:19|20)[0-9][0-9]")


@dataclass(frozen=True)
class StructuredData(MapOf):
    r"""``[id name="value" ...][id2 ...]`` of RFC 5424, 6.3, as a map from ``id.name`` to the value.

    An element without parameters is the key ``id`` with an empty value; the last of equal keys applies. ``\"``, ``\\``
    and ``\]`` are escapes, any other backslash is literal. A ``]`` in a value need not be escaped, because the value is
    quoted. Blanks are allowed after ``=``, as in the examples of the RFC with broken lines (6.5).

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
        return render_each_map(array, self, _render_structured_data)


@dataclass(frozen=True)
class HostAfterTime(Text):
    """Host after a time of RFC 3164, which is not the abbreviation of a zone, nor a year.

    Some devices write zone or year after the time, without the colon that Cisco writes there. The time would be of another
    zone or year, and the host would be part of the message.

    >>> HostAfterTime().parse("CEST", TimestampContext())
    Traceback (most recent call last):
    ValueError: a time zone or a year after the time instead of the host
    """

    is_validated: ClassVar[bool] = True

    def parse(self, text: str, context: TimestampContext) -> str:
        if text in _ZONES or _YEAR.fullmatch(text):
            raise ValueError("a time zone or a year after the time instead of the host")
        return text

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        return render_validated(self, array)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        shifted = pc.or_(pc.is_in(array, from_texts(_ZONES)), pc.match_substring_regex(array, f"^{_YEAR.pattern}$"))
        no_hosts = as_bool(shifted)
        return array, ~no_hosts if no_hosts.any() else None


def _render_structured_data(pairs: Pairs) -> str:
    parts: list[str] = []
    open_id: str | None = None
    for key, value in pairs:
        element_id, dot, name = key.rpartition(".")
        if not dot or not element_id or not name:
            parts.append(("]" if open_id is not None else "") + f"[{key}]")
            open_id = None
            continue
        if element_id != open_id:
            parts.append(("]" if open_id is not None else "") + f"[{element_id}")
            open_id = element_id
        escaped = re.sub(r'(["\\\]])', r"\\\1", value)
        parts.append(f' {name}="{escaped}"')
    return "".join(parts) + ("]" if open_id is not None else "")


def render_each_map(array: pa.Array, field_type: FieldType, render_pairs: Callable[[Pairs], str]) -> RenderResult:
    """Renders maps one at a time. A map has no text if its text is parsed to another map or contains a line end.

    Args:
        array: map column with strings.
        field_type: type that parses the texts.
        render_pairs: renders the pairs of one map; ValueError if it cannot.
    """
    texts: list[str | None] = []
    unwritable = np.zeros(len(array), np.bool_)
    for row, pairs in enumerate(array.to_pylist()):
        texts.append(None if pairs is None else "")
        if pairs is None:
            continue
        try:
            text = render_pairs([(key, value) for key, value in pairs if value is not None])
            restored = field_type.parse(text, TimestampContext())
        except ValueError:
            unwritable[row] = True
            continue
        texts[-1] = text
        unwritable[row] = restored != pairs or "\n" in text or "\r" in text
    return from_texts(texts), unwritable if unwritable.any() else None


@dataclass(frozen=True)
class Message(Text):
    """``MSG`` of RFC 5424, 6.4, without the byte order mark that may precede a message in UTF-8."""

    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    def parse(self, text: str, context: TimestampContext) -> str:
        return text.removeprefix(_BOM)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        has_bom = pc.starts_with(array, _BOM)
        if not pc.any(has_bom).as_py():
            return array, None
        return pc.if_else(has_bom, pc.utf8_slice_codeunits(array, 1), array), None

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        # A message that begins with the mark itself gets a second one.
        has_bom = pc.starts_with(array, _BOM)
        return pc.if_else(has_bom, concat_texts(_BOM, array), array), None


@dataclass(frozen=True)
class GlogSeverity(Text):
    """Severity of glog, immediately before the time: the first letter of INFO, WARNING, ERROR or FATAL."""

    takes_rest: ClassVar[bool] = False
    compiled_syntax: ClassVar[str] = "LETTER"
    compiled_syntax_text: ClassVar[bytes] = b"IWEF"
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return _SEVERITY

    def never_begins(self, character: str) -> bool:
        return _SEVERITY.match(character) is None

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        byte = spans.bytes_at(view, starts)
        found = (starts < limits) & np.isin(byte, np.frombuffer(b"IWEF", np.uint8))
        return np.where(found, starts + 1, -1).astype(np.int32)

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
    """Text between PRI and time in messages of Cisco IOS, which may be empty: ``643: 000104: router-1: *``.

    Cisco, "System Message Logging": the message counter, or a colon if it is disabled; the sequence number; the name of
    the device (``logging origin-id``); an asterisk if the clock has not been set, a dot if it is no longer synchronized.
    """

    takes_rest: ClassVar[bool] = False
    compiled_syntax: ClassVar[str] = "PREFIX"
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return _CISCO_PREFIX

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        # The syntax is matched only where a line begins with more than a time.
        begins = np.isin(spans.bytes_at(view, starts), np.frombuffer(b":*.0123456789", np.uint8)) & (starts < limits)
        if begins.any():  # most numbers are years: a digit, followed by a dash or a blank
            fourth, fifth = (spans.bytes_at(view, starts + np.int32(index)) for index in (3, 4))
            begins &= ~((fourth >= ord("0")) & (fourth <= ord("9")) & ((fifth == ord("-")) | (fifth == ord(" "))))
        ends = starts.copy()
        rows = np.flatnonzero(begins)
        if len(rows):
            ends[rows] = super().find_ends(block, view, starts[rows], limits[rows])
        return ends


@dataclass(frozen=True)
class OctetCount(Text):
    """Length of a message and a blank before PRI, which may be missing: ``83 <40>`` (RFC 6587, 3.4.1)."""

    takes_rest: ClassVar[bool] = False
    compiled_syntax: ClassVar[str] = "COUNT"
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return _OCTET_COUNT

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        # Other lines begin with digits, too: a year, or the message counter of Cisco IOS.
        ends = starts.copy()
        first = spans.bytes_at(view, starts) - np.uint8(ord("1"))
        rows = np.flatnonzero(first <= 8)
        for length in range(1, _MAX_COUNT_DIGITS + 1):
            if len(rows) == 0:
                break
            after = starts[rows] + np.int32(length)
            is_counted = spans.literal_at(view, after, b" <")
            ends[rows[is_counted]] = after[is_counted] + np.int32(1)
            rows = rows[spans.bytes_at(view, after) - np.uint8(ord("0")) <= 9]
        return ends


@dataclass(frozen=True)
class VerbosePriority(Text):
    """Facility and severity after the time, which may be missing: `` <mail.notice>``, `` <2.5>``.

    FreeBSD, syslogd(8), the option ``-v``: given once, the facility and the severity are written as numbers; given more
    than once, as names. See https://man.freebsd.org/cgi/man.cgi?query=syslogd.
    """

    takes_rest: ClassVar[bool] = False
    compiled_syntax: ClassVar[str] = "VERBOSE"
    keeps_text: ClassVar[bool] = False
    is_validated: ClassVar[bool] = True

    @property
    def syntax(self) -> re.Pattern[str]:
        return _VERBOSE_PRIORITY

    def find_ends(self, block: bytes, view: Bytes, starts: Int32, limits: Int32) -> Int32:
        ends = starts.copy()
        rows = np.flatnonzero(spans.literal_at(view, starts, b" <"))
        if len(rows):
            ends[rows] = super().find_ends(block, view, starts[rows], limits[rows])
        return ends


@dataclass(frozen=True)
class NamedNumber(Integer):
    """Number that is written as its name, or as digits.

    Attributes:
        names: pairs of a name and its number; the first name of a number is written.
        limit: largest number.
    """

    names: tuple[tuple[str, int], ...] = ()
    limit: int = 0

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        return replace(self, bits=dtype.bit_width) if pa.types.is_signed_integer(dtype) else None

    def parse(self, text: str, context: TimestampContext) -> int:
        known = dict(self.names)
        number = known[text] if text in known else super().parse(text, context)
        if not 0 <= number <= self.limit:
            raise ValueError(f"not a number of 0 to {self.limit}")
        return number

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return parse_distinct(self, array, context)

    def render(self, array: pa.Array, zone: str) -> RenderResult:
        names = {number: name for name, number in reversed(self.names)}
        return from_texts([None if one is None else names.get(one, str(one)) for one in array.to_pylist()]), None

    @property
    def compiled_form(self) -> CompiledForm:
        return CompiledForm(converts=True)


# FreeBSD, facilitynames and prioritynames of <sys/syslog.h>; names of other systems for 13 and 14, and deprecated names, follow
# the names that syslogd writes.
FACILITY_NAMES = (
    ("kern", 0), ("user", 1), ("mail", 2), ("daemon", 3), ("auth", 4), ("syslog", 5), ("lpr", 6), ("news", 7), ("uucp", 8),
    ("cron", 9), ("authpriv", 10), ("ftp", 11), ("ntp", 12), ("security", 13), ("audit", 13), ("console", 14), ("alert", 14),
    *((f"local{index}", 16 + index) for index in range(8)),
)  # fmt: skip
SEVERITY_NAMES = (
    ("emerg", 0), ("panic", 0), ("alert", 1), ("crit", 2), ("err", 3), ("error", 3), ("warning", 4), ("warn", 4),
    ("notice", 5), ("info", 6), ("debug", 7),
)  # fmt: skip
FACILITY, SEVERITY = NamedNumber(names=FACILITY_NAMES, limit=23), NamedNumber(names=SEVERITY_NAMES, limit=7)
_VERBOSE_PRIORITY = re.compile(
    rf"(?: <(?:{'|'.join(name for name, _ in FACILITY_NAMES)}|\d\d?)"
    rf"\.(?:{'|'.join(name for name, _ in SEVERITY_NAMES)}|[0-7])>)?",
    re.ASCII,
)
