"""The tables of formats: from the option that names a format to the format.

A function imports the modules of its format, because each new Python worker of Spark imports what it needs for one query. All
formats together would take half of the time of all imports of this package.
"""

from __future__ import annotations

import functools
from collections.abc import Callable

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.interface import Format
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.options import FormatMember, FormatOptions


def _template(options: FormatOptions) -> LineFormat:
    from pyspark_logs.formats.template.foreign_notation import refuse_foreign_notation
    from pyspark_logs.formats.template.format import TemplateFormat
    from pyspark_logs.formats.template.notation import parse_template

    refuse_foreign_notation(options.spec)
    if options.spec.strip().isidentifier():
        _refuse_name_of_preset(options.spec.strip())
    template = parse_template(options.spec, escape=options.escape)
    return TemplateFormat(template, options, f"template {options.spec!r}")


def _refuse_name_of_preset(name: str) -> None:
    from pyspark_logs.formats.presets import PRESETS

    if name.lower() in PRESETS:
        raise FormatError(f"template {name!r} is the name of a preset; write preset={name.lower()}")


def _preset(options: FormatOptions) -> LineFormat:
    from pyspark_logs.formats.presets import find_preset

    return find_preset(options.spec).form.resolve(options, f"preset {options.spec!r}")


def _nginx(options: FormatOptions) -> LineFormat:
    from pyspark_logs.formats.dialects.nginx import nginx_format

    return nginx_format(options)


def _apache(options: FormatOptions) -> LineFormat:
    from pyspark_logs.formats.dialects.apache import apache_format

    return apache_format(options)


def _logback(options: FormatOptions) -> LineFormat:
    from pyspark_logs.formats.dialects.logback import logback_format

    return logback_format(options)


def _grok(options: FormatOptions) -> LineFormat:
    from pyspark_logs.formats.regex.format import grok_format

    return grok_format(options)


def _regex(options: FormatOptions) -> LineFormat:
    from pyspark_logs.formats.regex.format import regex_format

    return regex_format(options)


def _json(options: FormatOptions) -> LineFormat:
    from pyspark_logs.formats.json.format import JsonFormat

    return JsonFormat(options)


def _delimited(options: FormatOptions) -> LineFormat:
    from pyspark_logs.formats.delimited.format import delimited

    return delimited(options)


def _logfmt(options: FormatOptions) -> LineFormat:
    from pyspark_logs.formats.logfmt.format import LogfmtFormat

    return LogfmtFormat(options)


# Option -> function that makes a format of its value and the other options. A new format of lines needs a row here.
LINE_FORMATS: dict[str, Callable[[FormatOptions], LineFormat]] = {
    "template": _template,
    "preset": _preset,
    "nginx": _nginx,
    "apache": _apache,
    "logback": _logback,
    "grok": _grok,
    "regex": _regex,
    "json": _json,
    "delimited": _delimited,
    "logfmt": _logfmt,
}


def _member(member: FormatMember) -> LineFormat:
    from pyspark_logs.formats.delimited.format import delimited_with_schema
    from pyspark_logs.schema import parse_ddl

    if member.schema is not None:
        return delimited_with_schema(member.options, parse_ddl(member.schema))
    return LINE_FORMATS[member.options.kind](member.options)


def _any_of(options: FormatOptions) -> Format:
    from pyspark_logs.formats.anyof.format import any_of_format

    return any_of_format(options, _member)


def _custom(options: FormatOptions) -> Format:
    from pyspark_logs.formats.custom import CustomFormat

    return CustomFormat(options)


FORMATS: dict[str, Callable[[FormatOptions], Format]] = {
    **LINE_FORMATS,
    "anyOf": _any_of,
    "formatClass": _custom,
}


@functools.lru_cache(maxsize=256)
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
