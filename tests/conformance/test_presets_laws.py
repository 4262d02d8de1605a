"""Properties of every preset, tested with its sample and with hostile values."""

from __future__ import annotations

import functools
from datetime import datetime, timedelta, timezone
from typing import Any

import pyarrow as pa
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from pyspark_logs.errors import FormatError, RecordError
from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.presets import PRESETS
from pyspark_logs.formats.template.engine import TemplateEngine
from pyspark_logs.formats.template.format import TemplateFormat
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.writing.encoder import Encoder
from pyspark_logs.layout import Layout
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import Lines, assign_headers, document_records, find_lines, read_lines, sanitise
from tests.conformance.suite import mutated, same
from tests.support.effort import examples, extent
from tests.support.formats import compile_decoder, compile_encoder, format_schema, line_format
from tests.support.growth import assert_linear_time

EXAMPLES = examples(40)
few = settings(max_examples=EXAMPLES, suppress_health_check=list(HealthCheck), deadline=None)

# A file written in 2026: times without a year are in 2026.
MOMENT = TimestampContext("UTC", round(datetime(2026, 12, 1, tzinfo=timezone.utc).timestamp()) * 1_000_000)
TEMPLATES = [name for name in PRESETS if isinstance(line_format(FormatOptions("preset", name)), TemplateFormat)]


def schema_of(name: str) -> pa.Schema:
    schema = format_schema(FormatOptions("preset", name))
    assert schema is not None
    return schema


@functools.cache
def decoder_of(name: str, *, judge_whole: bool = True) -> Decoder:
    return compile_decoder(FormatOptions("preset", name), schema_of(name), judge_whole=judge_whole)


def records_of(name: str, raw: bytes) -> list[Lines]:
    """Returns the blocks of records of a file, each with its header."""
    options = FormatOptions("preset", name)
    form = line_format(options)
    rule, documents = form.header_rule(), form.document_rule() if form.reads_documents else None
    starts = form.record_starts()
    if documents is not None:
        found = document_records(iter([raw]), documents)
    else:
        found = read_lines(iter([raw]), to_join=starts is not None)
        found = found if starts is None else starts.join(found, MOMENT, 0, None)
    return [sanitise(one) for one in (found if rule is None else assign_headers(found, rule, path=name)) if len(one)]


def decoded(
    decoder: Decoder, name: str, raw: bytes, schema: pa.Schema | None = None
) -> tuple[list[dict[str, Any]], list[bool]]:
    """Returns the rows of a file, and a flag for each that is true if the row is corrupt."""
    rows: list[dict[str, Any]] = []
    corrupt: list[bool] = []
    for lines in records_of(name, raw):
        found = decoder.for_header(lines.header).decode(lines, MOMENT)
        rows += pa.table(found.columns, schema=schema or schema_of(name)).to_pylist()
        corrupt += [False] * len(lines) if found.corrupt is None else found.corrupt.tolist()
    return rows, corrupt


def sample_of(name: str) -> bytes:
    return "\n".join(PRESETS[name].sample).encode()


@pytest.mark.parametrize("name", PRESETS)
def test_preset_is_complete(name: str) -> None:
    entry = PRESETS[name]
    assert len(schema_of(name)) >= (2 if name == "aws_cloudwatch_export" else 4)  # an export is a time and a message
    assert len({column.lower() for column in schema_of(name).names}) == len(schema_of(name))
    assert entry.source
    assert entry.sample
    assert name == name.lower()
    if entry.layout is not None:
        assert Layout.parse(entry.layout).text == entry.layout


@pytest.mark.parametrize("name", PRESETS)
def test_sample_is_valid(name: str) -> None:
    rows, corrupt = decoded(decoder_of(name), name, sample_of(name))
    assert corrupt == [False] * len(rows)
    headers = [
        line for line in PRESETS[name].sample if line.startswith(("#", "version account-id")) and "\n" not in line
    ]
    assert len(rows) == len(PRESETS[name].sample) - len(headers)
    filled = {column for row in rows for column, value in row.items() if value is not None}
    assert len(filled) * 3 >= len(schema_of(name)), "the sample fills at least a third of the columns"


@pytest.mark.parametrize("name", TEMPLATES)
def test_template_engine_parses_the_whole_sample(name: str) -> None:
    decoder = decoder_of(name)
    chain = next(engine for engine in decoder.engines if isinstance(engine, TemplateEngine))
    block = find_lines("\n".join(PRESETS[name].sample * 20).encode(), 0)
    sure = chain.parse(block.block, block.starts, block.ends, MOMENT)
    assert sure.rows is None


@pytest.mark.parametrize("name", PRESETS)
@few
@given(data=st.data())
def test_engines_and_line_parser_agree_on_mutated_lines(name: str, data: st.DataObject) -> None:
    sample = records_of(name, sample_of(name))[-1]
    good = [sample.record(row).decode() for row in range(len(sample))]
    lines = [data.draw(mutated(st.sampled_from(good))) for _ in range(data.draw(st.integers(1, 8)))]
    block = sanitise(find_lines("\n".join([*good, *lines]).encode(), 0))
    fast = decoder_of(name, judge_whole=data.draw(st.booleans())).for_header(sample.header)
    slow = Decoder([], fast.line_parser, fast.native, fast.target)
    one, other = fast.decode(block, MOMENT), slow.decode(block, MOMENT)
    bad = [None if part.corrupt is None else part.corrupt.tolist() for part in (one, other)]
    assert bad[0] == bad[1], lines
    for mine, theirs, column in zip(one.columns, other.columns, schema_of(name).names, strict=True):
        assert same(mine, theirs), (column, mine.to_pylist(), theirs.to_pylist(), lines)


@pytest.mark.parametrize("name", PRESETS)
def test_hostile_lines_take_linear_time(name: str) -> None:
    block = records_of(name, sample_of(name))[-1]
    decoder, sample = decoder_of(name).for_header(block.header), block.record(0).decode()

    def decode(size: int) -> None:
        for unit in ('"', "\\", "[", "] ", "a=", ": ", "|", "1", " ", ", client: ", "[1", '{"', "@ "):
            text = unit * (size // len(unit))
            lines = f"{text}\n{sample}{text}\n{sample[: len(sample) // 2]}{text}"
            decoder.decode(find_lines(lines.encode(), 0), MOMENT)

    assert_linear_time(decode, extent(bounded=30_000, full=100_000))


# --- writing ---

HOSTILE_TEXT = st.sampled_from(
    ["-", "", " ", "a b", 'say "no"', "back\\slash", "a|b", "k=v", "[x]", "] ", ": ", ":  ", "CEF:", "user@db", "x:1",
     ", client: ", "line\nend", "\ufeffmark", "{}", "INFO", "é→", "su[1]: ", " - ", "UTC", "CET", "/", "~"]
) | st.text("abcXYZ09.:-_/", min_size=1, max_size=8)  # fmt: skip


def values_of(dtype: pa.DataType) -> st.SearchStrategy[Any]:
    if pa.types.is_string(dtype):
        return HOSTILE_TEXT
    if pa.types.is_integer(dtype):
        return st.sampled_from([0, 1, 7, 23, 200, 443, -1, 65535, 2**31 - 1])
    if pa.types.is_floating(dtype):
        return st.sampled_from([0.0, -1.0, 0.048, 1e-5, 12.5])
    if pa.types.is_boolean(dtype):
        return st.booleans()
    if pa.types.is_timestamp(dtype):
        near = datetime(2026, 11, 22, 1, 0, 11, tzinfo=timezone.utc)
        return st.integers(0, 86_400).map(lambda s: near - timedelta(seconds=s)) | st.just(
            near + timedelta(microseconds=45_123)
        )
    if pa.types.is_map(dtype):
        return st.dictionaries(
            st.sampled_from(["a", "a.b", "a.b.c", "b.x", "", "k=v", "k v"]), values_of(dtype.item_type), max_size=3
        ).map(lambda pairs: list(pairs.items()))
    if pa.types.is_list(dtype):
        return st.lists(values_of(dtype.value_type), max_size=2)
    if pa.types.is_struct(dtype):
        return st.fixed_dictionaries({field.name: values_of(field.type) | st.none() for field in dtype})
    if pa.types.is_date(dtype):
        return st.dates(datetime(2026, 1, 1).date(), datetime(2026, 11, 1).date())
    raise TypeError(dtype)


@functools.cache
def encoder_of(name: str, on_unwritable: str) -> Encoder:
    return compile_encoder(FormatOptions("preset", name), written_schema(name), on_unwritable=on_unwritable)


def written(name: str, rows: list[dict[str, Any]], on_unwritable: str) -> bytes | None:
    """Returns the lines of some rows, or None if a value cannot be written."""
    schema, encoder = written_schema(name), encoder_of(name, on_unwritable)
    batch = pa.RecordBatch.from_pylist(rows, schema=schema)
    try:
        return encoder.head + bytes(encoder.to_bytes(encoder.encode(batch)))
    except RecordError:
        return None


@functools.cache
def written_schema(name: str) -> pa.Schema:
    """Returns the schema without ``date`` and ``time`` if ``timestamp`` has both, because random values would differ."""
    schema = schema_of(name)
    twice = {"timestamp", "date", "time"} <= set(schema.names)
    return pa.schema([field for field in schema if not (twice and field.name in ("date", "time"))])


@functools.cache
def written_decoder(name: str) -> Decoder:
    return compile_decoder(FormatOptions("preset", name), written_schema(name), judge_whole=True)


def rows_to_write(name: str) -> list[dict[str, Any]]:
    return read_back(name, sample_of(name))[0]


def read_back(name: str, raw: bytes) -> tuple[list[dict[str, Any]], list[bool]]:
    return decoded(written_decoder(name), name, raw, written_schema(name))


READ_ONLY = {
    **dict.fromkeys(["aws_cloudtrail", "aws_cloudwatch_subscription"], "reads only: its files are documents"),
    "mysql_slow": "can be read only",
}
WRITABLE = [name for name in PRESETS if name not in READ_ONLY]


@pytest.mark.parametrize("name", READ_ONLY)
def test_writing_a_read_only_preset_is_an_error(name: str) -> None:
    with pytest.raises(FormatError, match=READ_ONLY[name]):
        compile_encoder(FormatOptions("preset", name), schema_of(name))


@pytest.mark.parametrize("name", WRITABLE)
def test_rows_of_the_sample_are_written_and_read_back(name: str) -> None:
    rows = rows_to_write(name)
    raw = written(name, rows, "fail")
    assert raw is not None
    assert read_back(name, raw) == (rows, [False] * len(rows))


@pytest.mark.parametrize("name", ["aws_cloudfront", "w3c_iis"])
def test_date_and_time_must_agree_with_the_timestamp(name: str) -> None:
    options, schema = FormatOptions("preset", name), schema_of(name)
    rows, _ = decoded(compile_decoder(options, schema, judge_whole=True), name, sample_of(name), schema)
    encoder = compile_encoder(options, schema)
    raw = encoder.head + bytes(encoder.to_bytes(encoder.encode(pa.RecordBatch.from_pylist(rows, schema=schema))))
    assert decoded(compile_decoder(options, schema, judge_whole=True), name, raw, schema) == (rows, [False] * len(rows))
    with pytest.raises(RecordError, match=r"column 'timestamp': .* differs from 'date' and 'time'"):
        encoder.encode(pa.RecordBatch.from_pylist([{**rows[0], "time": "23:59:59"}], schema=schema))


@pytest.mark.parametrize("name", WRITABLE)
@few
@given(data=st.data())
def test_written_rows_are_read_back(name: str, data: st.DataObject) -> None:
    schema = written_schema(name)
    good = rows_to_write(name)
    rows: list[dict[str, Any]] = []
    for _ in range(data.draw(st.integers(1, 4))):
        row = dict(data.draw(st.sampled_from(good)))
        changed = data.draw(st.lists(st.sampled_from(schema.names), max_size=3))
        rows.append({**row, **{one: data.draw(values_of(schema.field(one).type) | st.none()) for one in changed}})
    raw = written(name, rows, "fail")
    if raw is not None:
        batch = pa.RecordBatch.from_pylist(rows, schema=schema)
        assert read_back(name, raw) == (batch.to_pylist(), [False] * len(rows)), raw
    for on_unwritable in ("null", "space"):
        raw = written(name, rows, on_unwritable)
        if raw is not None:
            assert read_back(name, raw)[1] == [False] * len(rows), raw
