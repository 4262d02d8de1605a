"""Fields of a preset whose text is several columns: ``client:port``, ``module:level``, a number that is two.

A :class:`Parts` says which columns stand in the place of a field, what each takes of the field's text, and how
the text is put together from them. What is put together is parsed again before it is written, so a join need not
know when its parts would be told apart differently.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass, replace
from typing import Any, Protocol

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import convert_valid
from pyspark_logs.formats.line_writer import UnwritableValues, unwritable
from pyspark_logs.formats.timestamps.parsing import (
    TimestampContext,
    check_calendar_range,
    compile_pattern,
    parse_offset_us,
)
from pyspark_logs.formats.timestamps.rendering import render_pattern
from pyspark_logs.formats.types.address import Host, Port, render_addresses
from pyspark_logs.formats.types.field_type import ConversionResult, FieldType, ResolveType, parse_distinct
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.temporal import Timestamp
from pyspark_logs.formats.types.text import Text

_TEXT = Text()


class Parts(Protocol):
    """The columns in the place of one field.

    Attributes:
        sure: whether whatever :meth:`joined` gives is known to be told apart as it was put together.
    """

    @property
    def sure(self) -> bool: ...

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        """Name of each column, and what it takes of the field's text."""

    def joined(
        self, arrays: Sequence[pa.Array], places: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        """The field's texts, null where all columns are.

        Args:
            arrays: one for each of the columns, all null where the rows have no such column.
            places: of these columns, for troubles; -1 for one that is not there.
            zone: of timestamps without a zone.
        """


@dataclass(frozen=True)
class Address:
    """``address:port`` as two columns."""

    host: str
    port: str
    sure = True

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        return ((self.host, Host()), (self.port, Port()))

    def joined(
        self, arrays: Sequence[pa.Array], places: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        host, port = arrays
        lonely = spans.as_bool(host.is_null()) & spans.as_bool(port.is_valid())
        return render_addresses(host, port), unwritable(places[1], lonely, "is a port without an address")


@dataclass(frozen=True)
class Piece:
    """One column of :class:`CompositeField`.

    Attributes:
        name: the column, and the group of the expression that is its text; an empty one is null.
        type: what that text means.
        before: constant text written before it, where it is not null.
        after: the same, behind it.
        also: further groups, the first of which that is not empty is its text where the one of its name is, for texts
            in several orders.
    """

    name: str
    type: FieldType
    before: str = ""
    after: str = ""
    also: tuple[str, ...] = ()


@dataclass(frozen=True)
class Mark:
    """Constant text that is written where a column is not null, apart from that column; with ``absent`` where it is."""

    text: str
    column: str
    absent: bool = False


@dataclass(frozen=True)
class CompositeField:
    """A text told apart by a regular expression (RE2) with a named group for each column.

    Attributes:
        regex: of the whole text. Texts that it does not match make the line corrupt.
        pieces: the columns; the text is written as these, in this order.
        short: another way to write it, for rows in which the columns that it lacks are null; none: there is none.
    """

    regex: str
    pieces: tuple[Piece | Mark, ...]
    short: tuple[Piece | Mark, ...] = ()
    sure = False

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        pieces = [one for one in self.pieces if isinstance(one, Piece)]
        groups = [(one.name, *one.also) for one in pieces]
        return tuple((one.name, Subfield(self.regex, own, one.type)) for one, own in zip(pieces, groups, strict=True))

    def joined(
        self, arrays: Sequence[pa.Array], places: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        own = {name: (array, place) for (name, _), array, place in zip(self.columns, arrays, places, strict=True)}
        whole, found = _put_together(self.pieces, own, zone)
        if self.short:
            kept = {one.name for one in self.short if isinstance(one, Piece)}
            needed = _any_valid([array for name, (array, _) in own.items() if name not in kept])
            whole = pc.if_else(needed, whole, _put_together(self.short, own, zone)[0])
        return pc.if_else(_any_valid(arrays), whole, None), found


def _put_together(
    pieces: Sequence[Piece | Mark], own: dict[str, tuple[pa.Array, int]], zone: str
) -> tuple[pa.Array, list[UnwritableValues]]:
    found: list[UnwritableValues] = []
    texts: list[Any] = []
    for piece in pieces:
        if isinstance(piece, Mark):
            column = own[piece.column][0]
            texts.append(pc.if_else(column.is_null() if piece.absent else column.is_valid(), piece.text, ""))
            continue
        array, place = own[piece.name]
        rendered, wrong = piece.type.render(array, zone)
        found += unwritable(place, wrong, "is no value that the format can write")
        texts.append(pc.binary_join_element_wise(piece.before, rendered, piece.after, "").fill_null(""))
    return pc.binary_join_element_wise(*texts, ""), found


@dataclass(frozen=True)
class Subfield(FieldType):
    """What :class:`CompositeField` take of a text for one column; null where the group is empty or took no part.

    Both meanings are RE2's, so that no text takes more than linear time and both ways agree.
    """

    regex: str = ""
    groups: tuple[str, ...] = ()
    inner: FieldType = _TEXT

    def arrow(self) -> pa.DataType:
        return self.inner.arrow()

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        inner = self.inner.reinterpret(dtype, resolve)
        return None if inner is None else replace(self, inner=inner)

    def parse(self, text: str, context: TimestampContext) -> Any:
        pieces = _extracted(pa.array([text]), self.regex)[0].as_py()
        if pieces is None:
            raise ValueError("not of the form of this field")
        piece = next((pieces[group] for group in self.groups if pieces[group]), None)
        return None if piece is None else self.inner.parse(piece, context)

    def extract(self, array: pa.Array) -> pa.Array:
        """The texts of all groups as a struct, which is null where the expression does not match."""
        return _extracted(array, self.regex)

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return self.convert_extracted(array, self.extract(array), context)

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        fine = extracted.is_valid().to_numpy(zero_copy_only=False)
        texts = pc.struct_field(extracted, [self.groups[0]])
        for group in self.groups[1:]:
            texts = pc.if_else(pc.equal(texts, ""), pc.struct_field(extracted, [group]), texts)
        values, valid = convert_valid(self.inner, texts, spans.as_bool(pc.equal(texts, "").fill_null(True)), context)
        fine = fine if valid is None else fine & valid
        return values, None if fine.all() else fine


def _extracted(array: pa.Array, regex: str) -> pa.Array:
    return pc.extract_regex(array, f"^(?s:{regex})$")


def _any_valid(arrays: Sequence[pa.Array]) -> pa.Array:
    valid = arrays[0].is_valid()
    for array in arrays[1:]:
        valid = pc.or_(valid, array.is_valid())
    return valid


@dataclass(frozen=True)
class OfNumber(FieldType):
    """A part of a whole number: the quotient by ``divisor``, or the remainder."""

    bits: int = 32
    divisor: int = 1
    most: int = 0
    quotient: bool = True

    def arrow(self) -> pa.DataType:
        return Integer(self.bits).arrow()

    def reinterpret(self, dtype: pa.DataType, resolve: ResolveType) -> FieldType | None:
        return replace(self, bits=dtype.bit_width) if pa.types.is_signed_integer(dtype) else None

    def parse(self, text: str, context: TimestampContext) -> int:
        if re.fullmatch(r"0|[1-9]\d{0,8}", text, re.ASCII) is None or int(text) > self.most:
            raise ValueError(f"not a number of 0 to {self.most}")
        return int(text) // self.divisor if self.quotient else int(text) % self.divisor


@dataclass(frozen=True)
class Priority:
    """``PRI`` of syslog (RFC 5424, 6.2.1): facility times eight and severity, as two columns."""

    facility: str = "facility"
    severity: str = "severity"
    sure = False

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        most = 191
        return (
            (self.facility, OfNumber(divisor=8, most=most)),
            (self.severity, OfNumber(divisor=8, most=most, quotient=False)),
        )

    def joined(
        self, arrays: Sequence[pa.Array], places: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        facility, severity = (array.cast(pa.int64()) for array in arrays)
        found: list[UnwritableValues] = []
        alone = spans.as_bool(pc.xor(facility.is_valid(), severity.is_valid()))
        found += unwritable(places[0] if places[0] >= 0 else places[1], alone, "has no part beside it")
        for place, array, most in zip(places, (facility, severity), (23, 7), strict=True):
            outside = spans.as_bool(pc.or_(pc.less(array, 0), pc.greater(array, most)).fill_null(False))
            found += unwritable(place, outside, f"is not in the range of 0 to {most}")
        number = pc.add(pc.multiply(facility.fill_null(0), 8), severity.fill_null(0))
        return pc.if_else(_any_valid([facility, severity]), number.cast(pa.string()), None), found


_STAMP = r"(?P<time>\d{4}-\d\d-\d\d \d\d:\d\d:\d\d(?:\.\d{1,9})?)(?: (?P<zone>[^ ]+))?"
_OFFSET = re.compile(r"([+-]\d\d):?(\d\d)?", re.ASCII)
_OF_UTC = ("UTC", "GMT", "Z")


@dataclass(frozen=True)
class ZonedTime(Subfield):
    """The time of a text that ends in the name of a zone: UTC, GMT or an offset, else it is in the option ``timeZone``."""

    def parse(self, text: str, context: TimestampContext) -> Any:
        name = text.rpartition(" ")[2]
        offset = _OFFSET.fullmatch(name)
        zone = "UTC" if offset or name in _OF_UTC else context.zone
        value = super().parse(text, replace(context, zone=zone))
        if offset is None or not isinstance(value, int):
            return value
        return check_calendar_range(value - parse_offset_us(f"{offset[1]}{offset[2] or '00'}"))

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        universal = pc.match_substring_regex(array, f" ({'|'.join(_OF_UTC)})$")
        if not pc.all(universal).as_py():
            return parse_distinct(self, array, context)
        return super().convert_extracted(array, extracted, replace(context, zone="UTC"))


@dataclass(frozen=True)
class ZonedStamp:
    """``2026-11-22 01:00:11.045 UTC``: a time and the abbreviation of its zone, as two columns.

    An abbreviation other than UTC and GMT does not say which zone it is of: then the time is in ``timeZone``.
    """

    time: str
    zone: str
    sure = False

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        return (self.time, ZonedTime(_STAMP, ("time",), Timestamp())), (self.zone, Subfield(_STAMP, ("zone",), Text()))

    def joined(
        self, arrays: Sequence[pa.Array], places: Sequence[int], zone: str
    ) -> tuple[pa.Array, list[UnwritableValues]]:
        pattern = compile_pattern("%Y-%m-%d %H:%M:%S.%f")
        times, names = arrays
        universal = pc.is_in(names, pa.array(_OF_UTC))
        (here, wrong), (there, strange) = render_pattern(pattern, times, zone), render_pattern(pattern, times, "UTC")
        found = unwritable(places[0], wrong, "is no time that can be written")
        found += unwritable(places[0], strange, "is no time that can be written")
        texts = pc.if_else(universal, there, here)
        named = pc.binary_join_element_wise(texts, names, " ")
        return pc.if_else(names.is_valid(), named, texts), found
