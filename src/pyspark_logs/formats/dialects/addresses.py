"""An address with its port, ``$remote_addr:$remote_port``, as one field: an address of IPv6 has colons, too."""

from __future__ import annotations

from pyspark_logs.formats.template.composite_fields import CompositeField, Mark, Parts, Piece
from pyspark_logs.formats.template.notation import Field
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.numeric import Integer
from pyspark_logs.formats.types.text import Text


def address_field(host: str, port: str, kind: FieldType) -> tuple[Field, Parts]:
    """The field and its columns. The last colon is before the port, which is empty where a socket of Unix has none.

    Args:
        host: column of the address, letters, digits and ``_``.
        port: column of the port.
        kind: of the field's text, with the escapes of the program that wrote it.

    >>> field, parts = address_field("remote_addr", "remote_port", Text())
    >>> field.name, [name for name, _ in parts.columns]
    ('remote_addr:remote_port', ['remote_addr', 'remote_port'])
    """
    columns = (Piece(host, Text()), Mark(":", host), Piece(port, Integer(32)))
    return Field(f"{host}:{port}", kind, nullable=True, null="-:-"), CompositeField(
        rf"(?:-|(?P<{host}>.*)):(?:(?P<{port}>[0-9]+)|-)?", columns
    )
