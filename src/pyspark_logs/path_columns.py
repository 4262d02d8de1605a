"""Columns that do not come from the record: values of partition directories, and ``_metadata`` of the file."""

from __future__ import annotations

import functools
from collections.abc import Callable, Sequence

import pyarrow as pa

from pyspark_logs.arrow_values import from_values, to_scalar
from pyspark_logs.column_sources import FROM_PATH, ColumnSources
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.timestamps.zones import utc_to_local
from pyspark_logs.formats.types.registry import for_arrow
from pyspark_logs.planning import Allowed, FileSplit
from pyspark_logs.predicates import Predicate, evaluate, possible_values, restrict, supported, value_filter


def path_value(text: str | None, dtype: pa.DataType, zone: str) -> pa.Scalar:
    """Returns the value of a partition column, parsed as a field of its type; null if the text is not of the type.

    >>> import pyarrow as pa
    >>> path_value("007", pa.int16(), "UTC"), path_value("ops", pa.int16(), "UTC")
    (<pyarrow.Int16Scalar: 7>, <pyarrow.Int16Scalar: None>)
    """
    field_type = for_arrow(dtype)
    if text is None or field_type is None:
        return to_scalar(None, dtype)
    try:
        array = from_values([field_type.parse(to_valid_text(text), TimestampContext(zone))], field_type.arrow())
    except (ValueError, OverflowError):
        return to_scalar(None, dtype)
    return (array if array.type == dtype else utc_to_local(array, zone))[0]


def typed_path_columns(columns: ColumnSources) -> list[pa.Field]:
    """Returns the partition columns whose type is not string, so that the text of a path may not be of their type."""
    pairs = zip(columns.target, columns.sources, strict=True)
    return [field for field, source in pairs if source == FROM_PATH and not pa.types.is_string(field.type)]


def allowed_values(columns: ColumnSources, predicates: Sequence[Predicate], zone: str) -> dict[str, Allowed]:
    """Returns the values of partition columns that filters allow; a column without an entry may have any value.

    Args:
        columns: columns of the query.
        predicates: a conjunction of filters.
        zone: zone of times in paths.
    """
    allowed: dict[str, Allowed] = {}
    for field, source in zip(columns.target, columns.sources, strict=True):
        if source != FROM_PATH:
            continue
        restricted = [restrict(p, field.name) for p in predicates]
        filters = [p for p in restricted if p is not None and supported(p, field.type)]
        if not filters:
            continue
        if not pa.types.is_string(field.type):
            allowed[field.name] = _value_test(field, filters, zone)
            continue
        values = possible_values(filters, field.name)
        test = value_filter(filters, field.name)
        allowed[field.name] = test if values is None else [value for value in values if test(value)]
    return allowed


def _value_test(field: pa.Field, filters: Sequence[Predicate], zone: str) -> Callable[[str | None], bool]:
    """Returns a test of a path's text by the value that its rows have in the column."""

    @functools.cache
    def is_allowed(text: str | None) -> bool:
        value = pa.repeat(path_value(text, field.type, zone), 1)
        return evaluate(filters, {field.name: value})[0].as_py() is True

    return is_allowed


def to_valid_text(path: str) -> str:
    r"""Returns a path with U+FFFD for the bytes of a local name that are not UTF-8, which no column can hold.

    >>> to_valid_text("caf\udce9.log")
    'caf\ufffd.log'
    """
    return path if path.isascii() else path.encode("utf-8", "surrogateescape").decode("utf-8", "replace")


def metadata_column(dtype: pa.StructType, split: FileSplit, offsets: pa.Array) -> pa.Array:
    """Returns the column ``_metadata`` of the records of a split.

    Args:
        dtype: type of the column: all or some of the fields of ``_metadata``.
        split: split of the file.
        offsets: int64 offsets of the records in the uncompressed file.
    """
    path = to_valid_text(split.path if "://" in split.path else "file://" + split.path)
    constants = {
        "file_path": path, "file_name": path.rpartition("/")[2], "file_size": split.size,
        "file_block_start": split.start, "file_block_length": split.length,
        "file_modification_time": split.modified_ms * 1000, "path_time": split.layout_start_us,
    }  # fmt: skip
    children = [
        offsets
        if field.name.lower() == "record_offset"
        else pa.repeat(to_scalar(constants[field.name.lower()], field.type), len(offsets))
        for field in dtype
    ]
    return pa.StructArray.from_arrays(children, fields=list(dtype))
