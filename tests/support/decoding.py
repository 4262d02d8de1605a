"""Decoding of bytes by a line format, without files."""

from __future__ import annotations

from typing import Any

import numpy as np
import pyarrow as pa

from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines, read_lines, sanitise
from tests.support.formats import compile_decoder, line_format


class DecodedText:
    """The rows of some bytes in a format.

    Attributes:
        rows: values by column, for each line.
        corrupt: True for each corrupt line.
        reasons: reason of each corrupt line; "" for the others.
    """

    def __init__(
        self, options: FormatOptions, data: bytes, schema: pa.Schema | None = None, *, judge_whole: bool = False,
        hidden: pa.Schema | None = None, block_bytes: int = 1 << 20,
    ) -> None:  # fmt: skip
        schema = line_format(options).schema() if schema is None else schema
        decoder = compile_decoder(options, schema, judge_whole=judge_whole, hidden=hidden)
        names = [*schema.names, *(hidden.names if hidden is not None else [])]
        self.rows: list[dict[str, Any]] = []
        self.corrupt: list[bool] = []
        self.reasons: list[str] = []
        for block in read_lines(iter([data]), block_bytes=block_bytes):
            clean = sanitise(block)
            decoded = decoder.decode(clean, TimestampContext())
            columns = [column.to_pylist() for column in decoded.columns]
            self.rows += [dict(zip(names, row, strict=True)) for row in zip(*columns, strict=True)]
            self.corrupt += [False] * len(clean) if decoded.corrupt is None else [bool(bad) for bad in decoded.corrupt]
            self.reasons += [decoded.reasons[row].text if row in decoded.reasons else "" for row in range(len(clean))]


def split_every_line(block: bytes) -> Lines:
    """Returns the lines of a block including blank ones, which are not records elsewhere."""
    ends = np.flatnonzero(np.frombuffer(block + b"\n", np.uint8) == 10).astype(np.int32)
    starts = np.concatenate([[0], ends[:-1] + 1]).astype(np.int32)
    return Lines(block, starts, ends, 0)
