"""Inference of the columns of ``key=value`` pairs from a sample."""

from __future__ import annotations

from collections.abc import Iterator

import pyarrow as pa

from pyspark_logs.formats.inference import (
    FLAG,
    NULL,
    Kind,
    infer_schema,
    merge_kinds,
    string_kind,
    written_number_kind,
)
from pyspark_logs.formats.json.values import is_number
from pyspark_logs.formats.logfmt.line_parser import Pair, pairs
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines


def infer_logfmt_schema(sample: Iterator[Lines], options: FormatOptions) -> pa.Schema:
    r"""Infers the columns of records, in the order in which the keys first appear.

    Whole numbers of 64 bits are bigint, longer ones decimal(38,0), and other numbers double, if it writes all of them as
    they stand; ``true`` and ``false`` are boolean. ISO 8601 timestamps are timestamp even if they are quoted. Other quoted
    values are string, and so is a key with values of several kinds. A key that never has a value is not a column: it may be a
    word of a message. Records that do not consist of pairs, or that have only flags, are skipped.

    Args:
        sample: records.
        options: options of the format.

    Raises:
        FormatError: no record has a pair, or there are more keys than ``maxInferredColumns``.

    >>> from pyspark_logs.records import find_lines
    >>> lines = find_lines(b'n=1 t=2026-11-22T00:00:00Z ok\nn=1.5 msg="a b" ok=true\nretry n=2', 0)
    >>> infer_logfmt_schema(iter([lines]), FormatOptions("logfmt", "")).names
    ['n', 't', 'ok', 'msg']
    """

    def values_of(record: str) -> list[tuple[str, Pair]]:
        found = [(pair.key, pair) for pair in pairs(record)]
        if all(pair.flag for _, pair in found):
            raise ValueError("it has no key=value")
        return found

    def widen(known: Kind | None, pair: Pair) -> Kind:
        kind = _kind(pair, options.null_value)
        if known is None or known == kind:
            return kind
        if FLAG in (known, kind) and NULL in (known, kind):
            return "boolean"
        return merge_kinds(known, kind)

    return infer_schema(sample, options, values_of, widen, expected="has key=value pairs")


def _kind(pair: Pair, null_value: str) -> str:
    if pair.flag:
        return FLAG
    if not pair.quoted:
        if pair.text in ("", null_value):
            return NULL
        if pair.text in ("true", "false"):
            return "boolean"
        if is_number(pair.text):
            return written_number_kind(pair.text)
    return string_kind(pair.text)
