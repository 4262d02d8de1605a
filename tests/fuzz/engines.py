"""Targets of line formats: every engine decodes as the line parser does, and a written value reads back.

The engines are the compiled machines where they are built, the same machines interpreted, which shows their branches to a
coverage-guided search, and the numpy engines.
"""

from __future__ import annotations

import contextlib
import functools
import os
import tempfile
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pyarrow as pa

from pyspark_logs import scan
from pyspark_logs.errors import LogSourceError, RecordError
from pyspark_logs.formats.compiled import availability
from pyspark_logs.formats.compiled.availability import Machines
from pyspark_logs.formats.decoding.decoder import DecodedLines, Decoder
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.line_format import LineFormat
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.formats.registry import resolve_format
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.options import parse_read_options
from pyspark_logs.records import Lines, find_lines, sanitise
from pyspark_logs.schema import parse_ddl
from tests.fuzz.case import Case
from tests.support.interpreted import interpreted_machines

_BOUND_US = 1_795_348_800_000_000  # 2026-11-22T12:00:00Z
_MOST_COLUMNS = 60
_NAMES = sorted(PRESETS)


@contextlib.contextmanager
def use_machines(machines: Machines | None) -> Iterator[None]:
    """Lets new decoders use these machines; None: no compiled engine."""
    original = availability._machines
    availability._machines = lambda setting: machines  # type: ignore[assignment]
    try:
        yield
    finally:
        availability._machines = original


@functools.cache
def machine_sets() -> tuple[Machines | None, ...]:
    """Returns all sets of machines, without a set last."""
    compiled = availability.machines()
    return (*(() if compiled is None else (compiled,)), interpreted_machines(), None)


def check_decoding(form: LineFormat, schema: pa.Schema, data: bytes, context: TimestampContext) -> None:
    """Asserts that all engines decode the lines of ``data`` as the line parser does."""
    lines = sanitise(find_lines(data, 0, blanks=form.blanks.encode()))
    if len(lines) == 0 or len(schema) > _MOST_COLUMNS:
        return
    for judge_whole in (False, True):
        projection = Projection(schema, judge_whole=judge_whole)
        decoders = []
        for machines in machine_sets():
            with use_machines(machines):
                decoders.append(form.decoder(projection))
        last = decoders[-1]
        expected = Decoder([], last.line_parser, last.native, last.target).decode(lines, context)
        for decoder in decoders:
            assert_same(decoder.decode(lines, context), expected, schema, lines)


def assert_same(found: DecodedLines, expected: DecodedLines, schema: pa.Schema, lines: Lines) -> None:
    """Asserts that two results have the same values, corrupt lines and reasons."""
    corrupt = [None if part.corrupt is None else part.corrupt.tolist() for part in (found, expected)]
    assert corrupt[0] == corrupt[1], (corrupt, found.engines)
    assert {row: reason.text for row, reason in found.reasons.items()} == {
        row: reason.text for row, reason in expected.reasons.items()
    }
    for one, other, name in zip(found.columns, expected.columns, schema.names, strict=True):
        one.validate(full=True)
        assert one.type == other.type
        assert repr(one.to_pylist()) == repr(other.to_pylist()), (
            name,
            found.engines,
            one.to_pylist(),
            other.to_pylist(),
        )


def schema_of(form: LineFormat, case: Case, data: bytes) -> pa.Schema:
    """Returns the columns of a case: those of its schema, a part of those of the format, or inferred ones."""
    if "schema" in case.options:
        return parse_ddl(case.options["schema"])
    known = form.schema()
    if known is None:
        lines = find_lines(data, 0, blanks=form.blanks.encode())
        known = form.infer(iter([lines] if len(lines) else []))
    if case.lottery % 3:
        return known
    return pa.schema([field for index, field in enumerate(known) if case.lottery >> (index % 24 + 2) & 1])


def format_of(option: str, value: str, options: dict[str, Any]) -> LineFormat:
    """Returns the format of some options."""
    given = {**options, option: value, "path": "/nowhere", "schema": None}
    form = resolve_format(parse_read_options(given).format)
    assert isinstance(form, LineFormat)
    return form


def context_of(case: Case) -> TimestampContext:
    """Returns the zone and the year bound of a case."""
    given = {"json": "true", "path": "/nowhere", "timeZone": case.options.get("timeZone")}
    return TimestampContext(parse_read_options(given).time.zone, _BOUND_US)


def decode_by(option: str) -> Callable[[bytes], None]:
    """Returns the target of an option whose value is the first line of a case."""

    def target(raw: bytes) -> None:
        case = Case.parse(raw)
        with contextlib.suppress(LogSourceError):
            form = format_of(option, case.first, case.options)
            check_decoding(form, schema_of(form, case, case.data), case.data, context_of(case))

    return target


def decode_open(option: str) -> Callable[[bytes], None]:
    """Returns the target of a format whose columns are those of a schema, the first line of a case; empty: inferred ones."""

    def target(raw: bytes) -> None:
        case = Case.parse(raw)
        with contextlib.suppress(LogSourceError):
            form = format_of(option, "true", case.options)
            schema = parse_ddl(case.first) if case.first else schema_of(form, case, case.data)
            check_decoding(form, schema, case.data, context_of(case))

    return target


@functools.lru_cache(maxsize=len(_NAMES))
def _preset(name: str) -> LineFormat:
    return format_of("preset", name, {})


def decode_preset(raw: bytes) -> None:
    """Decodes lines of a preset, which the first line names; other lines choose one."""
    case = Case.parse(raw)
    with contextlib.suppress(LogSourceError):
        name = case.first if case.first in PRESETS else _NAMES[sum(case.first.encode()) % len(_NAMES)]
        form = format_of("preset", name, case.options) if case.options else _preset(name)
        check_decoding(form, schema_of(form, case, case.data), case.data, context_of(case))


# --- whole files ------------------------------------------------------------------------------------------------

_CHOSEN = ("template", "delimited", "regex", "json", "logfmt", "preset", "grok", "anyOf")


def _read(path: Path, options: dict[str, Any], **more: Any) -> Any:
    try:
        return repr(scan(path, threads=1, **{**options, **more}).read_all().to_pylist())
    except LogSourceError as error:
        return type(error)


def read_file(raw: bytes) -> None:
    """Reads a file whole and in splits of a few bytes, with and without compiled engines.

    The first line of a case is an option and its value, such as ``template={m}``.
    """
    case = Case.parse(raw)
    option, _, value = case.first.partition("=")
    if option not in _CHOSEN:
        return
    with tempfile.TemporaryDirectory(dir=_memory_folder()) as folder:
        path = Path(folder) / "a.log"
        path.write_bytes(case.data)
        os.utime(path, (1_795_348_800, 1_795_348_800))
        options = {**case.options, option: value}
        with contextlib.suppress(LogSourceError):
            if "schema" not in options:
                options["schema"] = scan(path, **options).schema
        whole = _read(path, options)
        splits = _read(path, options, maxPartitionBytes=1 + case.lottery % 50, openCostInBytes=0)
        assert splits == whole, (splits, whole)
        with use_machines(None):
            assert _read(path, options) == whole


def write_values(raw: bytes) -> None:
    """Writes values into a format and reads them: equal, or refused. No value can forge a record or another value.

    The first line is an option and its value. Values of text are separated by NUL characters in the data.
    """
    case = Case.parse(raw)
    option, _, value = case.first.partition("=")
    if option not in _CHOSEN[:-1]:
        return
    texts = case.data.decode("utf-8", "replace").split("\0")
    with contextlib.suppress(LogSourceError):
        options = {name: text for name, text in case.options.items() if name not in ("schema", "timeZone", "multiLine")}
        form = format_of(option, value, options)
        schema = parse_ddl(case.options["schema"]) if "schema" in case.options else form.schema()
        if schema is None or not 0 < len(schema) <= _MOST_COLUMNS:
            return
        batch = _batch(schema, texts)
        zone = context_of(case).zone
        encoder = form.encoder(schema, zone=zone)
        written = bytes(encoder.head)
        expected = []
        for row in range(batch.num_rows):
            try:
                written += bytes(encoder.to_bytes(encoder.encode(batch.slice(row, 1))))
            except RecordError:
                continue
            expected.append(batch.slice(row, 1).to_pylist()[0])
        with tempfile.TemporaryDirectory(dir=_memory_folder()) as folder:
            path = Path(folder) / "a.log"
            path.write_bytes(written)
            os.utime(path, (1_795_348_800, 1_795_348_800))
            try:
                found = scan(
                    path, threads=1, schema=schema, mode="FAILFAST", timeZone=zone, **{**options, option: value}
                ).read_all().to_pylist()  # fmt: skip
            except LogSourceError as error:
                raise AssertionError(f"{written!r} is not read: {error}") from error
        assert repr(found) == repr(expected), (written, found, expected)


_VALUES: dict[pa.DataType, list[Any]] = {
    pa.int32(): [0, -1, 2**31 - 1],
    pa.int64(): [7, -(2**63), 10**18],
    pa.float64(): [0.5, -0.0, 1e300, float("inf")],
    pa.bool_(): [True, False],
}


def _batch(schema: pa.Schema, texts: list[str]) -> pa.RecordBatch:
    """Returns up to three rows whose strings are the texts in turn."""
    count = min(3, len(texts))
    columns = []
    for index, field in enumerate(schema):
        if pa.types.is_string(field.type):
            values: list[Any] = [texts[(row * len(schema) + index) % len(texts)] for row in range(count)]
        else:
            choice = _VALUES.get(field.type)
            values = [None if choice is None else choice[(row + index) % len(choice)] for row in range(count)]
        columns.append(pa.array(values, field.type))
    return pa.RecordBatch.from_arrays(columns, schema=pa.schema([field.with_nullable(True) for field in schema]))


def _memory_folder() -> str | None:
    return "/dev/shm" if Path("/dev/shm").is_dir() else None
