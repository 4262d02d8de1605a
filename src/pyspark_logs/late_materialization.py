"""Late materialization: the columns of the filters are decoded first, and all columns only of records that satisfy them."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from functools import partial, reduce

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool
from pyspark_logs.column_sources import ColumnSources
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.interface import Format
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.literal_search import LiteralSearch
from pyspark_logs.predicates import Predicate, evaluate
from pyspark_logs.records import Lines

Test = Callable[[Mapping[str, pa.Array], int], pa.BooleanArray]
"""Truth of a filter for each of a number of rows, by the columns."""

# Number of blocks that are decoded at once after a block in which most records satisfy the filters.
_PAUSE_BLOCKS = 15
_MAX_SHARE = 0.5  # of the records of a block, and of the columns of a query


class LateMaterialization:
    """Leaves out lines that do not satisfy a query's filters, by a decoder of the columns of the filters.

    A line is corrupt or not by the requested columns, so that the decoder of fewer columns may accept a line whose columns
    are all null in the query. A filter is therefore used only if it is not true where all of its columns are null. The
    remaining lines are decoded and filtered again. Filters whose literals can be searched for are left to that search.

    Args:
        form: format of the lines.
        tests: conjunction of filters.
        named: columns that the filters name.
    """

    def __init__(self, form: Format, tests: Sequence[Test], named: pa.Schema) -> None:
        self.tests, self.names = tuple(tests), named.names
        self.decoder = form.block_decoder(Projection(named))
        self._pause = 0

    @classmethod
    def of_query(
        cls, form: Format, columns: ColumnSources, predicates: Sequence[Predicate], rescued: str | None
    ) -> LateMaterialization | None:
        """Returns the late materialization of a query; None if it would not save time.

        Args:
            form: format of the records.
            columns: columns of the query, and its condition.
            predicates: filters of the query.
            rescued: column of the data that no other column has; None: there is none.
        """
        if not form.reads_lines or form.has_positional_columns:
            return None
        conjuncts = () if columns.condition is None else columns.condition.conjuncts()
        tests: list[tuple[Predicate | None, Test]] = [(one, partial(_evaluate, one)) for one in predicates]
        tests += [(conjunct.implied(), conjunct.evaluate) for conjunct in conjuncts]
        fields = form.searchable_fields()
        usable, named = [], set[str]()
        for implied, test in tests:
            if implied is not None and LiteralSearch((implied,), fields, columns.record_columns).literals:
                continue
            nulls = _NullRow(columns.target)
            is_true = test(nulls, 1)[0].as_py()
            if is_true or not nulls or not all(_is_independent(name, columns, rescued) for name in nulls):
                continue
            usable.append(test)
            named.update(nulls)
        if not usable or len(named) > _MAX_SHARE * len(columns.record_columns):
            return None
        return cls(form, usable, pa.schema([field for field in columns.record_columns if field.name in named]))

    def select(self, lines: Lines, context: TimestampContext) -> Lines:
        """Returns the lines that may satisfy the filters."""
        if self._pause or lines.full_length is not None or lines.damage is not None:
            self._pause = max(self._pause - 1, 0)
            return lines
        decoded = self.decoder.decode(lines, context)
        if decoded.lines is None or decoded.rows == 0:
            return lines
        named = dict(zip(self.names, decoded.columns, strict=True))
        truth = reduce(pc.and_kleene, (test(named, decoded.rows) for test in self.tests))
        selected = as_bool(truth)
        if selected.sum() > _MAX_SHARE * decoded.rows:
            self._pause = _PAUSE_BLOCKS
            return lines
        return decoded.lines.select(selected).compact()


class _NullRow(dict[str, pa.Array]):
    """Columns of one row of nulls, which has those that were asked for."""

    def __init__(self, schema: pa.Schema) -> None:
        self.schema = schema

    def __missing__(self, name: str) -> pa.Array:
        self[name] = pa.nulls(1, self.schema.field(name).type)
        return self[name]


def _evaluate(predicate: Predicate, columns: Mapping[str, pa.Array], rows: int) -> pa.BooleanArray:
    del rows
    return evaluate([predicate], columns)


def _is_independent(name: str, columns: ColumnSources, rescued: str | None) -> bool:
    """Returns True if a column comes from the record and does not depend on the other columns."""
    return name in columns.record_columns.names and name.lower() != (rescued or "").lower()
