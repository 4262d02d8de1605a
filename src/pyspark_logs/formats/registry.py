"""The table of formats: from the option that names a format to the format."""

from __future__ import annotations

import functools
from collections.abc import Callable

from pyspark_logs.formats.custom import CustomFormat
from pyspark_logs.formats.delimited.format import delimited
from pyspark_logs.formats.dialects.apache import apache_format
from pyspark_logs.formats.dialects.logback import logback_format
from pyspark_logs.formats.dialects.nginx import nginx_format
from pyspark_logs.formats.interface import Format
from pyspark_logs.formats.json.format import JsonFormat
from pyspark_logs.formats.logfmt.format import LogfmtFormat
from pyspark_logs.formats.presets import find_preset
from pyspark_logs.formats.regex.format import grok_format, regex_format
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.notation import parse_template
from pyspark_logs.options import FormatOptions


def _template(options: FormatOptions) -> Format:
    template = parse_template(options.spec, escape=options.escape)
    return TemplateFormat(template, options, f"template {options.spec!r}")


def _preset(options: FormatOptions) -> Format:
    return find_preset(options.spec).form.resolve(options, f"preset {options.spec!r}")


# Option -> function that makes a format of its value and the other options. A new format needs a row here.
FORMATS: dict[str, Callable[[FormatOptions], Format]] = {
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
