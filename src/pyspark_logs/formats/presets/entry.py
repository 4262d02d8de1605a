"""What a preset is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from pyspark_logs.formats.basetypes import FieldType
from pyspark_logs.formats.lineformat import LineFormat
from pyspark_logs.formats.pieces import Parts
from pyspark_logs.formats.template import parse_template
from pyspark_logs.formats.templateformat import TemplateFormat
from pyspark_logs.options import FormatOptions


class Form(Protocol):
    """A kind of format, filled in."""

    def line_format(self, options: FormatOptions, name: str) -> LineFormat:
        """The format, with the options given beside it; ``name`` is for messages."""


@dataclass(frozen=True)
class Preset:
    """A named format that ships.

    Attributes:
        form: what its lines are.
        source: where the provider documents it.
        sample: lines as there might be in a file, with invented values.
        layout: where the provider puts time and partitions into keys, as the option ``layout``; None: nowhere.
    """

    form: Form
    source: str
    sample: tuple[str, ...]
    layout: str | None = None


@dataclass(frozen=True)
class TemplateForm:
    """A template in the project's notation.

    Attributes:
        template: the notation.
        types: field -> its type, for types that the notation does not have.
        parts: field -> the columns given in its place.
        allow_trailing: whether text after the last field is fine (providers append fields).
        null_value: what null is written as, where it is not ``-`` and the option says nothing else.
    """

    template: str
    types: Mapping[str, FieldType] = field(default_factory=dict)
    parts: Mapping[str, Parts] = field(default_factory=dict)
    allow_trailing: bool = False
    null_value: str | None = None

    def line_format(self, options: FormatOptions, name: str) -> LineFormat:
        template = parse_template(self.template, escape=options.escape, types=self.types)
        options = replace(options, allow_trailing=options.allow_trailing or self.allow_trailing)
        if self.null_value is not None and options.null_value == FormatOptions.null_value:
            options = replace(options, null_value=self.null_value)
        return TemplateFormat(template, options, name, self.parts)
