"""What a preset is made of."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.delimited.format import DelimitedSpec, delimited_format
from pyspark_logs.formats.interface import LineFormat
from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.json.format import documented
from pyspark_logs.formats.template.composite_fields import Parts
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.template.notation import all_filled, parse_template
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.options import FormatOptions


class Form(Protocol):
    """A kind of format, filled in."""

    def resolve_line_format(self, options: FormatOptions, name: str) -> LineFormat:
        """The format, with the options given beside it; ``name`` is for messages."""


@dataclass(frozen=True)
class Preset:
    """A named format that ships.

    Attributes:
        form: what its lines are.
        source: where the provider documents it.
        sample: a small file's lines, with invented values; headers are among them where files have some.
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
        banners: what lines begin with by which a program says what it is; they are no records.
        unfilled: the fields that may be empty, or begin or end with a space; None: all of them. A line that has
            such a text elsewhere, as one with two spaces in a row has, is not of the form.
    """

    template: str
    types: Mapping[str, FieldType] = field(default_factory=dict)
    parts: Mapping[str, Parts] = field(default_factory=dict)
    allow_trailing: bool = False
    null_value: str | None = None
    banners: tuple[str, ...] = ()
    unfilled: tuple[str, ...] | None = None

    def resolve_line_format(self, options: FormatOptions, name: str) -> LineFormat:
        _refuse(options, name)
        template = parse_template(self.template, escape=options.escape, types=self.types)
        if self.unfilled is not None:
            template = all_filled(template, self.unfilled)
        options = replace(options, allow_trailing=options.allow_trailing or self.allow_trailing, banners=self.banners)
        if self.null_value is not None and options.null_value == FormatOptions.null_value:
            options = replace(options, null_value=self.null_value)
        return TemplateFormat(template, options, name, self.parts)


@dataclass(frozen=True)
class DelimitedForm:
    """Values between separators, with the columns that the provider documents."""

    spec: DelimitedSpec

    def resolve_line_format(self, options: FormatOptions, name: str) -> LineFormat:
        _refuse(options, name, escape=options.escape != FormatOptions.escape)
        return delimited_format(self.spec, options, name)


@dataclass(frozen=True)
class JsonForm:
    """JSON objects with the fields that the provider documents.

    Attributes:
        fields: the columns; further keys of the records can be asked for all the same.
        document: key of the array of records, where a file is one document.
    """

    fields: tuple[JsonField, ...]
    document: str | None = None

    def resolve_line_format(self, options: FormatOptions, name: str) -> LineFormat:
        _refuse(
            options,
            name,
            escape=options.escape != FormatOptions.escape,
            allowTrailing=options.allow_trailing,
            nullValue=options.null_value != FormatOptions.null_value,
            commentPrefix=self.document is not None and options.comment_prefix is not None,
        )
        return documented(options, self.fields, document=self.document)


def _refuse(options: FormatOptions, name: str, **given: bool) -> None:
    """Raises FormatError for an option that would be without effect."""
    for option in (option for option, is_given in given.items() if is_given):
        raise FormatError(f"option {option!r} means nothing for {name}; leave it out")
    if options.rescued_column is not None and "nullValue" not in given:
        raise FormatError(f"option 'rescuedDataColumn' belongs to json; {name} has no further columns")
