"""A search for the literals of filters in raw lines, before any line is decoded."""

from __future__ import annotations

from collections.abc import Sequence

import pyarrow as pa

from pyspark_logs.formats.interface import SearchableFields
from pyspark_logs.predicates import Predicate, search_literals
from pyspark_logs.records import Lines, lines_containing

# Blocks that are not searched after a block in which too many lines remained: filters seldom become selective later.
_PAUSE_BLOCKS = 15


class LiteralSearch:
    """Leaves out lines that cannot satisfy a query's filters. One for each task.

    Args:
        predicates: filters of the query.
        fields: fields whose values are written literally in the lines.
        columns: columns that come from the record.

    Attributes:
        literals: alternatives of bytes; a line that satisfies the filters has one of each.
    """

    def __init__(self, predicates: Sequence[Predicate], fields: SearchableFields, columns: pa.Schema) -> None:
        unsearchable = set(fields.not_with.encode())
        self.literals = tuple(
            alternatives
            for alternatives in search_literals(predicates, *_searchable_columns(fields, columns))
            if not unsearchable or _can_search(alternatives, unsearchable)
        )
        self._pause = 0

    def select(self, lines: Lines) -> Lines:
        """Returns the lines that may satisfy the filters."""
        if not self.literals or lines.full_length is not None:
            return lines
        if self._pause:
            self._pause -= 1
            return lines
        remaining = lines_containing(lines.block, lines.starts, lines.ends, self.literals[0])
        if remaining is None:
            self._pause = _PAUSE_BLOCKS
            return lines
        return lines.select(remaining).compact()


def _searchable_columns(fields: SearchableFields, columns: pa.Schema) -> tuple[list[str], list[str]]:
    """Returns the string columns written literally in every line, and those written literally without a backslash."""
    strings = [f.name for f in columns if pa.types.is_string(f.type) and f.name.lower() not in fields.excluded]
    plain = [name for name in strings if name.lower() in fields.plain]
    unescaped = fields.unless_escaped
    return plain, [name for name in strings if name not in plain and (unescaped is None or name.lower() in unescaped)]


def _can_search(alternatives: tuple[bytes, ...], unsearchable: set[int]) -> bool:
    """Returns True if no alternative contains an unsearchable byte; a lone backslash stands for all lines with escapes."""
    literals = [text for text in alternatives if text != b"\\"]
    return bool(literals) and not any(set(text) & unsearchable for text in literals)
