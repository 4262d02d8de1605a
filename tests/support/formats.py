"""Formats by their options: short forms for tests."""

from __future__ import annotations

import pyarrow as pa

from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.formats.writing.encoder import Encoder
from pyspark_logs.options import FormatOptions


def line_format(options: FormatOptions) -> LineFormat:
    """Returns a format that is not user-defined."""
    form = resolve_format(options)
    assert isinstance(form, LineFormat)
    return form


def format_schema(options: FormatOptions) -> pa.Schema | None:
    """Returns the columns of a format; None if only the data can tell."""
    return resolve_format(options).schema()


def compile_decoder(
    options: FormatOptions, columns: pa.Schema, *, hidden: pa.Schema | None = None, judge_whole: bool = False
) -> Decoder:
    """Returns the decoder of a format; see :class:`~pyspark_logs.formats.decoding.requested_column.Projection`."""
    return line_format(options).decoder(Projection(columns, hidden or pa.schema([]), judge_whole))


def compile_encoder(
    options: FormatOptions, schema: pa.Schema, *, zone: str = "UTC", on_unwritable: str = "fail"
) -> Encoder:
    """Returns the encoder of a format."""
    return line_format(options).encoder(schema, zone=zone, on_unwritable=on_unwritable)
