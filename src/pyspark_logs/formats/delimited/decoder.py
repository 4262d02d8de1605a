"""Decoder of lines whose header names their values."""

from __future__ import annotations

from collections.abc import Callable, Sequence

import pyarrow as pa

from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.decoding.parsed_line import ParsedLine
from pyspark_logs.formats.timestamps.parsing import TimestampContext

_MAX_DECODERS = 64  # in the cache; the files of one format have a few different headers


class HeaderlessLineParser:
    """Parses lines without a header in formats that need one: every line is corrupt.

    Args:
        columns: number of requested columns.
    """

    def __init__(self, columns: int) -> None:
        self.columns = columns

    def parse(self, line: str, context: TimestampContext) -> ParsedLine:
        """Returns nulls and the reason."""
        return ParsedLine([None] * self.columns, "there is no #Fields: line before it that names its values")


class HeaderDecoder(Decoder):
    """Decodes lines with a decoder for each header.

    Args:
        native: types of the columns as the format decodes them.
        target: requested types of the columns.
        compile_decoder: returns the decoder for a header, or for lines without a header.
    """

    def __init__(
        self,
        native: Sequence[pa.DataType],
        target: Sequence[pa.DataType],
        compile_decoder: Callable[[str | None], Decoder],
    ) -> None:
        super().__init__([], HeaderlessLineParser(len(native)), native, target)
        self._compile = compile_decoder
        self._decoders: dict[str | None, Decoder] = {}

    def for_header(self, header: str | None) -> Decoder:
        """Returns the decoder for lines under a header; None: lines without a header."""
        if header not in self._decoders:
            if len(self._decoders) >= _MAX_DECODERS:
                self._decoders.clear()
            self._decoders[header] = self._compile(header)
        return self._decoders[header]
