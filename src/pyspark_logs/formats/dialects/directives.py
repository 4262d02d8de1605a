"""Directives of a format string as fields of a template: column names, quoted values, lists, addresses with a port.

nginx's variables and Apache's directives follow the same rules here.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

from pyspark_logs.formats.dialects.config_text import ConfigText
from pyspark_logs.formats.template.composite_fields import CompositeField, ConditionalText, FieldPart, FieldParts
from pyspark_logs.formats.template.segments import Field, Literal, Segment
from pyspark_logs.formats.types.escape_styles import EscapeStyle
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.server import UpstreamList
from pyspark_logs.formats.types.text import Quoted, Text


@dataclass(frozen=True)
class Directive:
    """A variable or directive of a format string, and the column that it writes.

    Attributes:
        text: directive as the format string has it.
        offset: offset of the directive in the format string.
        column: name of the column, before :class:`ColumnNames` makes it unique.
        type: type of the column.
        is_list: True if the value may be a list with spaces between its items.
        bare_type: type of a string value that stands neither in quotes nor in a list; None: ``type``.
        port: column of the port, for an address and its port in one field; empty: the field is one column.
    """

    text: str
    offset: int
    column: str
    type: FieldType
    is_list: bool = False
    port: str = ""
    bare_type: FieldType | None = None


class ColumnNames:
    """Unique column names of a format: the second ``name`` becomes ``name_2``."""

    def __init__(self) -> None:
        self._taken: set[str] = set()

    def add(self, name: str) -> str:
        """Returns the name, with a number appended if a column has the name already (without regard to case)."""
        number, unique = 2, name
        while unique.lower() in self._taken:
            unique, number = f"{name}_{number}", number + 1
        self._taken.add(unique.lower())
        return unique


def address_field(host: str, port: str, field_type: FieldType) -> tuple[Field, FieldParts]:
    """Returns the field of an address and its port, and the field's two columns.

    The last colon separates the port, because IPv6 addresses contain colons. The port of a Unix domain socket is empty.

    Args:
        host: column of the address; letters, digits and ``_``.
        port: column of the port.
        field_type: type of the field's text, with the escapes of the program that wrote it.

    >>> field, parts = address_field("remote_addr", "remote_port", Text())
    >>> field.name, [name for name, _ in parts.columns]
    ('remote_addr:remote_port', ['remote_addr', 'remote_port'])
    """
    columns = (FieldPart(host, Text()), ConditionalText(":", host), FieldPart(port, Integer(32)))
    return Field(f"{host}:{port}", field_type, nullable=True, null_text="-:-"), CompositeField(
        rf"(?:-|(?P<{host}>.*)):(?:(?P<{port}>[0-9]+)|-)?", columns
    )


def merge_addresses(
    items: Sequence[str | Directive], belong_together: Callable[[str, str], bool]
) -> list[str | Directive]:
    """Returns the items with each address, colon and port merged into one directive.

    Args:
        items: literal text and directives.
        belong_together: predicate on two columns, true if the second is the port of the first.
    """
    merged: list[str | Directive] = []
    for item in items:
        address = merged[-2] if len(merged) > 1 and merged[-1] == ":" else None
        if (
            isinstance(item, Directive)
            and isinstance(address, Directive)
            and not address.port
            and belong_together(address.column, item.column)
        ):
            merged[-2:] = [replace(address, text=f"{address.text}:{item.text}", port=item.column)]
        else:
            merged.append(item)
    return merged


def build_segments(
    config: ConfigText, items: Sequence[str | Directive], escape_style: EscapeStyle | None
) -> tuple[list[Segment], dict[str, FieldParts]]:
    """Returns the segments of the template, and the fields that consist of several columns.

    A string directive between double quotes becomes a quoted field if the program escapes quotes. A list is read as a
    list if a space ends it.

    Args:
        config: format string, for errors.
        items: literal text, in which no two strings are adjacent, and directives.
        escape_style: escapes of string values; None: the program writes values as they are.

    Raises:
        FormatError: no text separates a directive from the next, so the end of its value cannot be found.
    """
    items = list(items)
    string = Text(escape_style)
    segments: list[Segment] = []
    composite_fields: dict[str, FieldParts] = {}
    names = ColumnNames()
    for index, item in enumerate(items):
        if isinstance(item, str):
            segments.append(Literal(item))
            continue
        following = items[index + 1] if index + 1 < len(items) else ""
        if isinstance(following, Directive) and (item.port or item.type.syntax is None):
            raise config.unseparated(item.offset, item.text, following.text)
        if item.port:
            host, port = names.add(item.column), names.add(item.port)
            field, composite_fields[f"{host}:{port}"] = address_field(host, port, item.type)
            segments.append(field)
            continue
        preceding = segments[-1].text if segments and isinstance(segments[-1], Literal) else ""
        field_type = item.type
        if field_type == string and isinstance(following, str):
            if escape_style is not None and preceding.endswith('"') and following.startswith('"'):
                field_type = Quoted(escape_style)
                segments[-1] = Literal(preceding[:-1])
                items[index + 1] = following[1:]
            elif item.is_list and following == " ":
                field_type = UpstreamList(escape_style)
            else:
                field_type = item.bare_type or field_type
        segments.append(Field(names.add(item.column), field_type, nullable=True))
    return segments, composite_fields
