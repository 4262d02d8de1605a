"""Rows of the table of presets, and the kinds of format that a row can have."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from typing import Protocol

from pyspark_logs.errors import FormatError
from pyspark_logs.formats.delimited.format import delimited_format
from pyspark_logs.formats.delimited.spec import DelimitedSpec
from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.json.format import documented
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.formats.template.composite_fields import FieldParts
from pyspark_logs.formats.template.format import REQUEST_COLUMNS, TemplateFormat
from pyspark_logs.formats.template.notation import forbid_blank_values, parse_template
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import DocumentRule, PartRule


class Form(Protocol):
    """The lines of a preset: a template, delimited values, or JSON objects."""

    def resolve(self, options: FormatOptions, name: str) -> LineFormat:
        """Returns the format of the lines.

        Args:
            options: options that the user gave with the preset.
            name: name of the format in messages.

        Raises:
            FormatError: an option has no effect on this preset.
        """


@dataclass(frozen=True)
class Preset:
    """A named line format.

    Attributes:
        name: value of the option ``preset``.
        form: format of the lines.
        about: programs or services that write the format, and what they write, in a line.
        source: title and address of the provider's documentation.
        sample: lines of a small file with invented values, including headers.
        layout: directories and file names of the provider, as the option ``layout``; None: the provider has none.
    """

    name: str
    form: Form
    about: str
    source: str
    sample: tuple[str, ...]
    layout: str | None = None


@dataclass(frozen=True)
class TemplateForm:
    """Lines of a template.

    Attributes:
        template: template in the notation of the option ``template``.
        types: types that the notation does not have, by field.
        composite_fields: columns of the fields that have several, by field.
        allow_trailing: True if text may follow the last field, because the provider appends fields.
        null_value: text of null, unless the option ``nullValue`` gives another; None: ``-``.
        banners: prefixes of lines in which a program introduces its log; they are not records.
        may_be_blank: fields that may be empty, or begin or end with a space; None: all fields. A line in which any other
            field does so, because two spaces follow each other, is corrupt.
        part_rule: rule that finds lines which are parts of records; None: there are none.
        request_columns: columns that the option ``requestParts`` divides.
    """

    template: str
    types: Mapping[str, FieldType] = field(default_factory=dict)
    composite_fields: Mapping[str, FieldParts] = field(default_factory=dict)
    allow_trailing: bool = False
    null_value: str | None = None
    banners: tuple[str, ...] = ()
    may_be_blank: tuple[str, ...] | None = None
    part_rule: PartRule | None = None
    request_columns: tuple[str, ...] = REQUEST_COLUMNS

    def resolve(self, options: FormatOptions, name: str) -> LineFormat:
        template = parse_template(self.template, escape=options.escape, types=self.types)
        if self.may_be_blank is not None:
            template = forbid_blank_values(template, self.may_be_blank)
        options = replace(options, allow_trailing=options.allow_trailing or self.allow_trailing, banners=self.banners)
        if self.null_value is not None and options.null_value == FormatOptions.null_value:
            options = replace(options, null_value=self.null_value)
        return TemplateFormat(template, options, name, self.composite_fields, self.part_rule, self.request_columns)


@dataclass(frozen=True)
class DelimitedForm:
    """Lines of values between separators.

    Attributes:
        spec: separator, headers and documented columns.
    """

    spec: DelimitedSpec

    def resolve(self, options: FormatOptions, name: str) -> LineFormat:
        check_ineffective(name, escape=options.escape != FormatOptions.escape, requestParts=options.request_parts)
        return delimited_format(self.spec, options, name)


@dataclass(frozen=True)
class JsonForm:
    """Lines that are JSON objects, or files of JSON documents.

    Attributes:
        fields: documented fields. A schema may name further keys of the records.
        documents: rule that finds records in documents; None: each line is a record.
        part_rule: rule that finds lines which are parts of records; None: there are none.
    """

    fields: tuple[JsonField, ...]
    documents: DocumentRule | None = None
    part_rule: PartRule | None = None

    def resolve(self, options: FormatOptions, name: str) -> LineFormat:
        check_ineffective(
            name,
            escape=options.escape != FormatOptions.escape,
            allowTrailing=options.allow_trailing,
            nullValue=options.null_value != FormatOptions.null_value,
            requestParts=options.request_parts,
            commentPrefix=self.documents is not None and options.comment_prefix is not None,
        )
        return replace(documented(options, self.fields, documents=self.documents), part_rule=self.part_rule)


def check_ineffective(name: str, **given: bool) -> None:
    """Raises FormatError for the first option that is given and has no effect."""
    for option in (option for option, is_given in given.items() if is_given):
        raise FormatError(f"option {option!r} has no effect on {name}; leave it out")


def check_rescued_column(options: FormatOptions, name: str) -> None:
    """Raises FormatError for the option ``rescuedDataColumn`` with a format that is not JSON."""
    if options.rescued_column is not None:
        raise FormatError(f"option 'rescuedDataColumn' belongs to json; {name} has no further columns")
