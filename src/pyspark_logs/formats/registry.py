"""The tables of formats: from the option that names a format to the format."""

from __future__ import annotations

import functools
from collections.abc import Callable

from pyspark_logs.formats.anyof.format import any_of_format
from pyspark_logs.formats.custom import CustomFormat
from pyspark_logs.formats.delimited.format import delimited, delimited_with_schema
from pyspark_logs.formats.dialects.apache import apache_format
from pyspark_logs.formats.dialects.logback import logback_format
from pyspark_logs.formats.dialects.nginx import nginx_format
from pyspark_logs.formats.interface import Format
from pyspark_logs.formats.json.format import JsonFormat
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.formats.logfmt.format import LogfmtFormat
from pyspark_logs.formats.presets import find_preset
from pyspark_logs.formats.regex.format import grok_format, regex_format
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.notation import parse_template
from pyspark_logs.options import FormatMember, FormatOptions
from pyspark_logs.schema import parse_ddl


def _template(options: FormatOptions) -> LineFormat:
    template = parse_template(options.spec, escape=options.escape)
    return TemplateFormat(template, options, f"template {options.spec!r}")


def _preset(options: FormatOptions) -> LineFormat:
    return find_preset(options.spec).form.resolve(options, f"preset {options.spec!r}")


# Option -> function that makes a format of its value and the other options. A new format of lines needs a row here.
LINE_FORMATS: dict[str, Callable[[FormatOptions], LineFormat]] = {
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


def _member(member: FormatMember) -> LineFormat:
    if member.schema is not None:
        return delimited_with_schema(member.options, parse_ddl(member.schema))
    return LINE_FORMATS[member.options.kind](member.options)


def _any_of(options: FormatOptions) -> Format:
    return any_of_format(options, _member)


FORMATS: dict[str, Callable[[FormatOptions], Format]] = {
    **LINE_FORMATS,
    "anyOf": _any_of,
    "formatClass": CustomFormat,
}


@functools.lru_cache(maxsize=64)
def resolve_format(options: FormatOptions) -> Format:
    """Returns the format that the options describe.

    A format is not pickled: what travels to executors are the options, and each process resolves them once. The module
    of a user-defined class is imported by the first method that needs the class, not here.

    Raises:
        FormatError: the description is wrong.

    >>> resolve_format(FormatOptions("template", "{level} {message}")).schema().names
    ['level', 'message']
    """
    return FORMATS[options.kind](options)
