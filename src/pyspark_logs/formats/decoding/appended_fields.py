"""Fields that lines have after the last field of their format, because a provider appended them.

Without the option ``rescuedDataColumn`` they are only counted. With it, the column has them by their position in the line.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from dataclasses import dataclass, replace

import pyarrow as pa

from pyspark_logs.errors import SchemaError
from pyspark_logs.formats.decoding.decoder import DecodedLines, Decoder
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines

RESCUED_TYPE = pa.map_(pa.string(), pa.string())
_WORD = re.compile(r'"((?:[^"\\]|\\.)*)"(?!\S)|(\S+)', re.DOTALL)


def split_words(text: str) -> list[str]:
    r"""Returns the words of a text that spaces separate; a word in double quotes may contain spaces.

    >>> split_words(' a "b c" "d"e -')
    ['a', 'b c', '"d"e', '-']
    """
    return [match[2] if match[1] is None else match[1] for match in _WORD.finditer(text)]


@dataclass(frozen=True)
class RescueRule:
    """The rule by which appended fields become a column.

    Attributes:
        index: index of the column among those requested.
        first_position: position of the first appended field in a line, from 1.
        split: function that returns the fields of the text after the last field of the format.
    """

    index: int
    first_position: int
    split: Callable[[str], Sequence[str]]


class RescueDecoder(Decoder):
    """A decoder with the column of appended fields.

    Args:
        base: decoder of the other columns, which finds appended text.
        rule: rule of the column.
    """

    def __init__(self, base: Decoder, rule: RescueRule) -> None:
        def with_rescued(types: Sequence[pa.DataType]) -> list[pa.DataType]:
            return [*types[: rule.index], RESCUED_TYPE, *types[rule.index :]]

        super().__init__(base.engines, base.line_parser, with_rescued(base.native), with_rescued(base.target))
        self.base, self.rule = base, rule

    def decode(self, lines: Lines, context: TimestampContext) -> DecodedLines:
        """Returns the columns of all lines of a block; the map of a line without appended fields is null."""
        decoded = self.base.decode(lines, context)
        values: list[list[tuple[str, str]] | None] = [None] * len(lines)
        if decoded.appended is not None:
            for row, start in zip(decoded.appended.rows.tolist(), decoded.appended.starts.tolist(), strict=True):
                fields = self.rule.split(lines.block[start : lines.ends[row]].decode("utf-8", "replace"))
                values[row] = [(str(self.rule.first_position + n), text) for n, text in enumerate(fields)]
        columns = list(decoded.columns)
        columns.insert(self.rule.index, pa.array(values, RESCUED_TYPE))
        return replace(decoded, columns=columns)


def without_rescued(projection: Projection, options: FormatOptions) -> tuple[Projection, int | None]:
    """Returns the projection without the column of appended fields, and the index of this column; None: it is not requested.

    Raises:
        SchemaError: the column is requested as another type than ``map<string,string>``.
    """
    names = [name.lower() for name in projection.columns.names]
    rescued = (options.rescued_column or "").lower()
    if rescued not in names:
        return projection, None
    index = names.index(rescued)
    field = projection.columns.field(index)
    if field.type != RESCUED_TYPE:
        raise SchemaError(
            f"column {field.name!r} (rescuedDataColumn) holds fields by their positions: declare it map<string,string>,"
            f" not {field.type}"
        )
    return replace(projection, columns=projection.columns.remove(index)), index
