"""Targets of texts that users or other programs write: layouts, globs, conditions, options, schemas."""

from __future__ import annotations

import contextlib
import datetime as dt
import re

import pyarrow as pa

from pyspark_logs.conditions import parse_condition
from pyspark_logs.errors import LogSourceError
from pyspark_logs.layout import Layout, is_hidden_key
from pyspark_logs.options import parse_read_options, parse_write_options
from pyspark_logs.planning.globs import _elements, split_glob
from pyspark_logs.predicates import evaluate, possible_values, search_literals, time_bounds, value_filter
from pyspark_logs.schema import parse_ddl, to_ddl
from tests.fuzz.case import Case
from tests.support.conditions import table

_LONGEST = 200  # of a name that is matched


def match_layout(raw: bytes) -> None:
    """Matches keys by a layout, the first line, and renders what matched: the values and the time read back."""
    case = Case.parse(raw)
    with contextlib.suppress(LogSourceError):
        layout = Layout.parse(case.first, case.options.get("timeZone", "UTC"))
        _ = (layout.columns, layout.granularity_us, layout.in_file_name, layout.ends_in_directory)
        layout.example()
        for key in case.lines:
            found = layout.match(key[:_LONGEST])
            assert layout.matches(key[:_LONGEST]) == (found is not None)
            layout.spellings(key[:_LONGEST].rpartition("/")[0]) if key.count("/") < 8 else None
            if found is None:
                continue
            assert len(found.values) == len(layout.columns)
            assert found.start_us is None or (found.end_us is not None and found.start_us < found.end_us)
            with contextlib.suppress(LogSourceError):
                path = layout.render(found.start_us, found.values)
                again = layout.match(f"{path}/x")
                assert again is not None
                assert again.values == found.values
                assert not is_hidden_key(path)
                if found.start_us is not None:
                    assert again.start_us is not None
                    assert again.start_us <= found.start_us < again.end_us
        _render_values(layout, case.lines)


def _render_values(layout: Layout, values: list[str]) -> None:
    """Renders arbitrary values: a relative path without dots, which reads back."""
    if 0 < len(layout.columns) <= len(values):
        with contextlib.suppress(LogSourceError):
            path = layout.render(0, values[: len(layout.columns)])
            assert not path.startswith("/")
            assert not {"", ".", ".."} & set(path.split("/"))
            assert "\n" not in path
            assert "\0" not in path


def match_glob(raw: bytes) -> None:
    """Matches names by a glob, the first line, as its elements do by backtracking."""
    case = Case.parse(raw)
    with contextlib.suppress(LogSourceError):
        for globs in split_glob(case.first):
            for glob in globs[:20]:
                regex = _by_backtracking(glob.text)
                for name in case.lines[:20]:
                    short = name[:12]
                    expected = re.fullmatch(regex, short, re.DOTALL) is not None
                    assert glob.matches(short) == expected, (glob.text, short)
                    assert not expected or short.startswith(glob.prefix)
                    assert not expected or glob.literal in (None, short)


def _by_backtracking(glob: str) -> str:
    marks = {"{": "(?:", ",": "|", "}": ")"}
    return "".join(marks[element.mark] if element.mark else element.regex for element in _elements(glob))


# --- conditions -----------------------------------------------------------------------------------------------

_TABLE = table(rows=60).combine_chunks()
_COLUMNS = {name: _TABLE[name].combine_chunks() for name in _TABLE.column_names}
_ROWS = _TABLE.to_pylist()
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


def filter_rows(raw: bytes) -> None:
    """Parses and evaluates a condition: the same for any part of the rows, and implied by the predicates that prune."""
    case = Case.parse(raw)
    with contextlib.suppress(LogSourceError):
        zone = case.options.get("timeZone", "UTC")
        parse_read_options({"path": "/x", "json": "true", "timeZone": zone})
        bound = parse_condition(case.first, zone).bind(_TABLE.schema)
        truths = bound.evaluate(_COLUMNS, len(_ROWS)).to_pylist()
        half = {name: column.slice(len(_ROWS) // 2) for name, column in _COLUMNS.items()}
        assert bound.evaluate(half, len(_ROWS) - len(_ROWS) // 2).to_pylist() == truths[len(_ROWS) // 2 :]
        empty = {name: column.slice(0, 0) for name, column in _COLUMNS.items()}
        assert bound.evaluate(empty, 0).to_pylist() == []
        implied = bound.implied()
        if implied is None:
            return
        holds = evaluate([implied], _COLUMNS).to_pylist()
        start, end = time_bounds([implied], "ts", zone)
        can_match, values = value_filter([implied], "s"), possible_values([implied], "s")
        search_literals([implied], ["s", "t"])
        for row, truth, held in zip(_ROWS, truths, holds, strict=True):
            if truth is not True:
                continue
            assert held is True
            assert can_match(row["s"])
            assert values is None or row["s"] in values
            if row["ts"] is not None:
                instant = (row["ts"] - _EPOCH) // dt.timedelta(microseconds=1)
                assert start is None or instant >= start
                assert end is None or instant < end


# --- options and schemas --------------------------------------------------------------------------------------


def parse_options(raw: bytes) -> None:
    """Parses options, one ``name=value`` a line, of a reader and of a writer; no value is shown that may be a secret."""
    lines = raw.decode("utf-8", "surrogateescape").split("\n")
    options = {name: value for name, found, value in (line.partition("=") for line in lines) if found}
    for parse in (parse_read_options, parse_write_options):
        with contextlib.suppress(LogSourceError):
            parsed = parse(options)
            assert hash(repr(parsed)) == hash(repr(parse(options)))


def parse_schema(raw: bytes) -> None:
    """Parses a schema; its text reads back."""
    with contextlib.suppress(LogSourceError):
        schema = parse_ddl(raw.decode("utf-8", "replace"))
        again = parse_ddl(to_ddl(schema))
        assert again == schema, (again, schema)
        assert isinstance(again, pa.Schema)
