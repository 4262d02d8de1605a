"""The table of line formats: from the option that names one to what it is."""

from __future__ import annotations

import functools
from collections.abc import Callable

import pyarrow as pa

from pyspark_logs.formats.custom import CustomFormat
from pyspark_logs.formats.decoder import Decoder
from pyspark_logs.formats.delimited.format import DelimitedFormat, delimited
from pyspark_logs.formats.dialects.apache import apache_format
from pyspark_logs.formats.dialects.logback import logback_format
from pyspark_logs.formats.dialects.nginx import nginx_format
from pyspark_logs.formats.interface import LineFormat
from pyspark_logs.formats.json.format import JsonFormat
from pyspark_logs.formats.logfmt.format import LogfmtFormat
from pyspark_logs.formats.presets import find_preset
from pyspark_logs.formats.regex.format import grok_format, regex_format
from pyspark_logs.formats.requested_column import Projection
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.notation import parse_template
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import HeaderRule


def _template(options: FormatOptions) -> LineFormat:
    template = parse_template(options.spec, escape=options.escape)
    return TemplateFormat(template, options, f"template {options.spec!r}")


def _preset(options: FormatOptions) -> LineFormat:
    return find_preset(options.spec).form.resolve_line_format(options, f"preset {options.spec!r}")


# option -> what it makes of its value. To add a format, write a LineFormat and add its row.
KINDS: dict[str, Callable[[FormatOptions], LineFormat]] = {
    "template": _template,
    "preset": _preset,
    "nginx": nginx_format,
    "apache": apache_format,
    "logback": logback_format,
    "grok": grok_format,
    "regex": regex_format,
    "json": JsonFormat,
    "delimited": delimited,
    "logfmt": LogfmtFormat,
}

OWN_KIND = "formatClass"  # which is no line format


@functools.lru_cache(maxsize=64)
def resolve_line_format(options: FormatOptions) -> LineFormat:
    """What the options describe.

    Raises:
        FormatError: the description is wrong.

    >>> resolve_line_format(FormatOptions("template", "{level} {message}")).schema().names
    ['level', 'message']
    """
    return KINDS[options.kind](options)


def resolve_custom_format(options: FormatOptions) -> CustomFormat | None:
    """What the options describe, if that is not about lines but a class of the user's own, which reads whole files."""
    return CustomFormat(options) if options.kind == OWN_KIND else None


def header_rule(options: FormatOptions) -> HeaderRule | None:
    """Where the lines are that name a file's columns; None: a format of this kind has none.

    Raises:
        FormatError: the description is wrong.
    """
    if options.kind == OWN_KIND:
        return None
    described = resolve_line_format(options)
    return described.spec.header_rule() if isinstance(described, DelimitedFormat) else None


def format_schema(options: FormatOptions) -> pa.Schema | None:
    """The columns a format gives; None where only the data can tell.

    Raises:
        FormatError: the description is wrong.
    """
    own = resolve_custom_format(options)
    return resolve_line_format(options).schema() if own is None else own.schema()


def takes_any_column(options: FormatOptions) -> bool:
    """Whether a record may have columns that the format does not list.

    Raises:
        FormatError: the description is wrong.
    """
    return options.kind != OWN_KIND and resolve_line_format(options).is_open


def compile_decoder(
    options: FormatOptions, wanted: pa.Schema, *, hidden: pa.Schema | None = None, judge_whole: bool = False
) -> Decoder:
    """A decoder for a format and the columns wanted of it.

    Args:
        options: the format.
        wanted: the columns, named as the format names them (without regard to case).
        hidden: further columns that are parsed but never make a line corrupt; they come last.
        judge_whole: a line is corrupt by any of its fields, not only by those wanted.

    Raises:
        FormatError: the format's description is wrong.
        SchemaError: a column that the format does not have, or a type it cannot give.
    """
    projection = Projection(wanted, hidden or pa.schema([]), judge_whole)
    return resolve_line_format(options).decoder(projection)
