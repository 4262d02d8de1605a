"""Inference of the columns of ``key=value`` pairs from a sample."""

from __future__ import annotations

from collections.abc import Iterable, Iterator

import pyarrow as pa

from pyspark_logs.formats.inference import Kind, infer_schema, number_kind, string_kind
from pyspark_logs.formats.json.values import is_number
from pyspark_logs.formats.logfmt.line_parser import Pair, pairs


def infer_logfmt_schema(records: Iterable[bytes], max_bytes: int, null_value: str) -> pa.Schema:
    """Infers the columns of records, in the order in which the keys first appear.

    Whole numbers of 64 bits are bigint, other numbers double, ``true``, ``false`` and flags boolean, ISO 8601 timestamps
    are timestamp even if they are quoted. Other quoted values are string, and so is a key with values of several kinds.
    Records that do not consist of pairs, or that have only flags, are skipped.

    Args:
        records: records without line ends.
        max_bytes: size of the sample.
        null_value: unquoted text that is null.

    >>> infer_logfmt_schema([b'n=1 t=2026-11-22T00:00:00Z ok', b'n=1.5 msg="a b"'], 100, "-").names
    ['n', 't', 'ok', 'msg']
    """

    def kinds_of(record: str) -> Iterator[tuple[str, Kind]]:
        found = list(pairs(record))
        if not all(pair.flag for pair in found):
            yield from ((pair.key, _kind(pair, null_value)) for pair in found)

    return infer_schema(records, max_bytes, kinds_of)


def _kind(pair: Pair, null_value: str) -> Kind:
    if pair.flag:
        return "boolean"
    if not pair.quoted:
        if pair.text in ("", null_value):
            return None
        if pair.text in ("true", "false"):
            return "boolean"
        if is_number(pair.text):
            return number_kind(pair.text)
    return string_kind(pair.text)
