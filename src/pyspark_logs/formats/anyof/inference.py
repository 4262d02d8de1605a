"""Inference of the columns of members whose lines name their own columns."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.anyof.member import AnyOfMember, widen
from pyspark_logs.formats.inference import is_only_nulls
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.records import Lines, sanitise


def infer_members(
    members: Sequence[AnyOfMember], sample: Iterator[Lines], sampling_bytes: int
) -> list[tuple[AnyOfMember, pa.Schema]]:
    """Returns the columns of each member, those of the open ones from the lines of the sample that match them.

    A member without a line in the sample has no columns.

    Args:
        members: the members in order.
        sample: records.
        sampling_bytes: bytes of records that are read, whatever member they match.
    """
    lines_of = _divide(members, sample, sampling_bytes)
    documented = pa.schema([field for member in members for field in member.known])
    inferred = {
        member.index: member.form.infer(iter(lines_of[member.index])) for member in members if lines_of[member.index]
    }
    types = _common_types(list(inferred.values()))
    return [
        (
            member,
            pa.schema([_reconcile(field, types, documented) for field in inferred[member.index]])
            if member.index in inferred
            else member.known,
        )
        for member in members
    ]


def _common_types(schemas: Sequence[pa.Schema]) -> dict[str, pa.DataType]:
    """Returns the type of each inferred column by its name in lower case: the widest one, or string, which reads any value."""
    types: dict[str, pa.DataType] = {}
    for field in (field for schema in schemas for field in schema if not is_only_nulls(field)):
        key = field.name.lower()
        types[key] = (widen(types[key], field.type) or pa.string()) if key in types else field.type
    return types


def _divide(members: Sequence[AnyOfMember], sample: Iterator[Lines], sampling_bytes: int) -> list[list[Lines]]:
    """Returns the lines of the sample by the first member that they match; only those of members that are inferred."""
    found: list[list[Lines]] = [[] for _ in members]
    sampled, context = 0, TimestampContext()
    for block in sample:
        if block.full_length is not None:
            continue
        lines = sanitise(block)
        sizes = np.cumsum(lines.ends.astype(np.int64) - lines.starts + 1) + sampled
        rest = lines.select(np.concatenate([[sampled], sizes[:-1]]) < sampling_bytes)
        sampled = int(sizes[-1]) if len(sizes) else sampled
        for member in members:
            if len(rest) == 0:
                break
            matches = member.matcher.matching(rest, context)
            if member.form.schema() is None and matches.any():
                found[member.index].append(rest.select(matches).compact())
            rest = rest.select(~matches)
        if sampled >= sampling_bytes:
            break
    return found


def _reconcile(field: pa.Field, types: dict[str, pa.DataType], documented: pa.Schema) -> pa.Field:
    """Returns an inferred column in the type in which it is read.

    Args:
        field: column as inferred from the lines of one member.
        types: common types of inferred columns; a column without a value in the sample is not among them.
        documented: columns that members document.
    """
    common = types.get(field.name.lower())
    known = next((other.type for other in documented if other.name.lower() == field.name.lower()), None)
    if known is not None and (common is None or pa.types.is_string(known)):
        return pa.field(field.name, known)
    return pa.field(field.name, field.type if common is None else common)
