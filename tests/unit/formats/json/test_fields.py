"""Documented fields of JSON: paths, notations of times, requested types, and writing."""

from __future__ import annotations

import datetime as dt
import json
from collections.abc import Iterator
from typing import Any, ClassVar

import pyarrow as pa
import pytest
from hypothesis import given
from hypothesis import strategies as st

from pyspark_logs.errors import FormatError, SchemaError
from pyspark_logs.formats import registry
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.json.fields import JsonField
from pyspark_logs.formats.json.format import JsonFormat, documented
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.writing.encoder import Encoder
from pyspark_logs.formats.writing.roundtrip_checks import RoundtripChecks
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import DocumentRule, read_lines
from pyspark_logs.schema import parse_ddl
from tests.conformance.suite import FormatConformance
from tests.conformance.test_engines import plain, rows_of, thorough
from tests.conformance.test_engines_json import scalars

OPTIONS = FormatOptions("preset", "example")
UTC = dt.timezone.utc

MONGODB = documented(
    OPTIONS,
    [JsonField("t", "timestamp", "t.$date"), JsonField("s"), JsonField("id", "int"), JsonField("attr", "json")],
)
WAF = documented(
    OPTIONS,
    [
        JsonField("timestamp", "epoch(ms)"),
        JsonField("action"),
        JsonField("client_ip", path="httpRequest.clientIp"),
        JsonField("method", path="httpRequest.httpMethod"),
        JsonField("headers", "array<struct<name:string,value:string>>", "httpRequest.headers"),
    ],
)
GELF = documented(OPTIONS, [JsonField("timestamp", "epoch(s)"), JsonField("level", "int"), JsonField("host")])
CLF = documented(OPTIONS, [JsonField("at", "timestamp(%d/%b/%Y:%H:%M:%S %z)"), JsonField("n", "decimal(5,2)")])


def read(
    fmt: JsonFormat, lines: list[str], ddl: str = "", zone: str = "UTC", **how: Any
) -> tuple[list[Any], list[bool]]:
    schema = parse_ddl(ddl) if ddl else fmt.schema()
    assert schema is not None
    hidden = how.get("aside", ())
    columns = pa.schema([field for field in schema if field.name not in hidden])
    projection = Projection(columns, pa.schema([schema.field(name) for name in hidden]), how.get("judge_whole", False))
    decoder = fmt.decoder(projection)
    return rows_of(decoder, read_lines(iter(["\n".join(lines).encode()])), TimestampContext(zone))


@pytest.mark.parametrize("times", [1, 40], ids=["one line", "many lines"])
class TestReading:
    def one(self, fmt: JsonFormat, line: str, times: int, ddl: str = "", zone: str = "UTC", **how: Any) -> Any:
        rows, corrupt = read(fmt, [line] * times, ddl, zone, **how)
        assert rows == rows[:1] * times
        assert corrupt == corrupt[:1] * times
        return "corrupt" if corrupt[0] else rows[0]

    def test_paths_and_json_text_of_objects(self, times: int) -> None:
        line = '{"t":{"$date":"2020-05-18T20:18:13.533+00:00"},"s":"I","id":51803,"attr":{"ns": "a.b", "n": [1, {"x": 1.50}]}}'
        at = dt.datetime(2020, 5, 18, 20, 18, 13, 533000, tzinfo=UTC)
        micros = int(at.timestamp() * 1e6)
        assert self.one(MONGODB, line, times)[1:] == ["I", 51803, '{"ns":"a.b","n":[1,{"x":1.50}]}']
        assert self.one(MONGODB, line, times, "t timestamp") == plain(pa.array([micros], pa.timestamp("us", "UTC")))
        assert self.one(MONGODB, line, times, "t string") == ["2020-05-18T20:18:13.533+00:00"]
        assert self.one(MONGODB, line, times, "t timestamp_ntz", "Europe/Berlin") == [at.replace(tzinfo=None, hour=22)]
        assert self.one(MONGODB, line, times, "T date", "Asia/Tokyo") == [dt.date(2020, 5, 19)]
        assert self.one(MONGODB, line, times, "attr struct<n:array<string>>, ns string") == [
            {"n": ["1", '{"x":1.50}']},
            None,
        ]

    def test_missing_keys_are_null_and_scalars_on_a_path_are_corrupt(self, times: int) -> None:
        assert self.one(MONGODB, '{"s":"I"}', times) == [None, "I", None, None]
        assert self.one(MONGODB, '{"s":"I","t":null}', times) == [None, "I", None, None]
        assert self.one(MONGODB, '{"s":"I","t":{}}', times) == [None, "I", None, None]
        for wrong in ('"2020-05-18T20:18:13Z"', "1", "[]", '{"$date":1}', '{"$date":"yesterday"}', '{"$date":{}}'):
            assert self.one(MONGODB, f'{{"s":"I","t":{wrong}}}', times) == "corrupt"
            assert self.one(MONGODB, f'{{"s":"I","t":{wrong}}}', times, "s string") == ["I"]
            assert self.one(MONGODB, f'{{"s":"I","t":{wrong}}}', times, "s string", judge_whole=True) == "corrupt"

    def test_a_hidden_time_makes_no_line_corrupt(self, times: int) -> None:
        assert self.one(MONGODB, '{"s":"I","t":1}', times, "s string, t timestamp", aside=["t"]) == ["I", None]

    def test_elements_of_arrays(self, times: int) -> None:
        line = (
            '{"timestamp":1573255402000,"action":"BLOCK","httpRequest":{"clientIp":"1.2.3.4","httpMethod":"GET",'
            '"headers":[{"name":"Host","value":"example.com"},{"name":"Accept","value":"*/*"}]}}'
        )
        row = self.one(WAF, line, times)
        assert row[1:4] == ["BLOCK", "1.2.3.4", "GET"]
        assert row[4] == [{"name": "Host", "value": "example.com"}, {"name": "Accept", "value": "*/*"}]
        assert self.one(WAF, line, times, "timestamp timestamp_ntz") == [dt.datetime(2019, 11, 8, 23, 23, 22)]
        assert self.one(WAF, line, times, "timestamp bigint, HTTPREQUEST struct<clientIP:string>") == [
            1573255402000,
            {"clientIP": "1.2.3.4"},
        ]

    @pytest.mark.parametrize(
        ("text", "time"),
        [
            ("1385053862.3072", dt.datetime(2013, 11, 21, 17, 11, 2, 307200)),
            ("1385053862", dt.datetime(2013, 11, 21, 17, 11, 2)),
            ("-1.5", dt.datetime(1969, 12, 31, 23, 59, 58, 500000)),
            ("1.385053862e9", dt.datetime(2013, 11, 21, 17, 11, 2)),
            ("1E-3", dt.datetime(1970, 1, 1, 0, 0, 0, 1000)),
            ("1e999999999", None),
            ("99999999999999", None),
            ('"1385053862"', None),
            ("true", None),
            ("[1]", None),
        ],
    )
    def test_epoch_times(self, text: str, time: dt.datetime | None, times: int) -> None:
        found = self.one(GELF, f'{{"timestamp":{text},"level":6}}', times, "timestamp timestamp_ntz, level int")
        assert found == ("corrupt" if time is None else [time, 6])

    def test_times_by_pattern(self, times: int) -> None:
        line = '{"at":"22/Nov/2026:10:00:00 +0100","n":1.50}'
        assert self.one(CLF, line, times, "at timestamp_ntz") == [dt.datetime(2026, 11, 22, 9)]
        assert self.one(CLF, line.replace("Nov", "nope"), times) == "corrupt"
        assert self.one(CLF, line.replace('"22', "22").replace('0100"', "0100"), times) == "corrupt"

    def test_values_without_a_field_are_rescued(self, times: int) -> None:
        fmt = JsonFormat(FormatOptions("preset", "x", rescued_column="rest"), MONGODB.fields)
        line = '{"t":{"$date":"2020-05-18T20:18:13Z","tz":1},"s":"I","id":1,"attr":{"x":1},"more":[]}'
        assert self.one(fmt, line, times, "t timestamp, s string, id int, attr string, rest string")[-1] == (
            '{"t":{"tz":1},"more":[]}'
        )


@given(
    st.lists(scalars | scalars.map('{{"b":{0}}}'.format) | scalars.map('{{"b":{{"c":{0}}},"d":1}}'.format), max_size=30)
)
@thorough
def test_a_path_reads_like_a_struct_with_one_field(texts: list[str]) -> None:
    lines = [f'{{"a":{text}}}' for text in texts if "\n" not in text]
    for kind in ("string", "bigint", "double", "timestamp", "struct<c:string>"):
        fmt = documented(OPTIONS, [JsonField("x", kind, "a.b"), JsonField("y", "string", ("a", "b", "c"))])
        flat, bad = read(fmt, lines, f"x {kind}")
        deep, bad_deep = read(fmt, lines, f"a struct<b:{kind}>")
        assert bad == bad_deep
        assert [row[0] for row in flat] == [None if row[0] is None else row[0]["b"] for row in deep]


class TestDocumentedFormat(FormatConformance):
    """A format of nested records with a time that is a number, as presets declare it."""

    options: ClassVar[dict[str, Any]] = {"preset": "nested"}
    lines: ClassVar[list[str]] = [
        '{"timestamp":1573255402005,"http":{"ip":"1.2.3.4","headers":[{"name":"A","value":"b"}]},"extra":{"a": 1.50},"n":7}',
        '{"timestamp":1573255402006,"http":{"ip":"1.2.3.5","headers":[{"name":"\\"A","value":"\\u00e9"}]},"extra":"x","n":8}',
        '{"http": null, "n": null}',
        "{}",
    ]
    rows: ClassVar[list[dict[str, Any]]] = [
        {
            "timestamp": dt.datetime(2019, 11, 8, 23, 23, 22, 5000, tzinfo=UTC), "ip": "1.2.3.4",
            "headers": [{"name": "A", "value": "b"}], "extra": '{"a":1.50}', "n": 7,
        },
        {
            "timestamp": dt.datetime(2019, 11, 8, 23, 23, 22, 6000, tzinfo=UTC), "ip": "1.2.3.5",
            "headers": [{"name": '"A', "value": "é"}], "extra": "x", "n": 8,
        },
        dict.fromkeys(["timestamp", "ip", "headers", "extra", "n"]),
        dict.fromkeys(["timestamp", "ip", "headers", "extra", "n"]),
    ]  # fmt: skip

    @pytest.fixture(autouse=True)
    def nested(self, monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
        fields = [
            JsonField("timestamp", "epoch(ms)"),
            JsonField("ip", path="http.ip"),
            JsonField("headers", "array<struct<name:string,value:string>>", "http.headers"),
            JsonField("extra", "json"),
            JsonField("n", "int"),
        ]
        monkeypatch.setitem(registry.FORMATS, "preset", lambda options: documented(options, fields))
        registry.resolve_format.cache_clear()
        yield
        registry.resolve_format.cache_clear()


@pytest.mark.parametrize("kind", ["epoch", "epoch(h)", "strings", "timestamp(%Q)", "array<", "list(,)"])
def test_invalid_types_are_refused(kind: str) -> None:
    with pytest.raises(FormatError):
        documented(OPTIONS, [JsonField("x", kind)]).schema()


def written(fmt: JsonFormat, batch: pa.RecordBatch, zone: str = "UTC") -> list[str]:
    writer = fmt.writer(batch.schema, zone=zone, unencodable=None, forbidden_prefixes=())
    checks = RoundtripChecks(writer.line_writer, fmt.options, (), writer.decoder, zone)
    lines: list[str] = Encoder(writer.line_writer, checks, "utf-8", "fail").encode(batch).to_pylist()
    return [line.removesuffix("\n") for line in lines]


def test_columns_of_one_object_are_written_together() -> None:
    at = dt.datetime(2019, 11, 8, 23, 23, 22, 5000, tzinfo=UTC)
    batch = pa.RecordBatch.from_pylist(
        [{"client_ip": "1.2.3.4", "timestamp": at, "method": "GET", "note": 'a "b"'}, {"action": "é"}],
        pa.schema(
            [("client_ip", "string"), ("timestamp", pa.timestamp("us", "UTC")), ("action", "string"), ("method", "string"),
             ("note", "string")]
        ),
    )  # fmt: skip
    lines = written(WAF, batch)
    assert lines == [
        '{"httpRequest":{"clientIp":"1.2.3.4","httpMethod":"GET"},"timestamp":1573255402005,"action":null,"note":"a \\"b\\""}',
        '{"httpRequest":{"clientIp":null,"httpMethod":null},"timestamp":null,"action":"é","note":null}',
    ]
    rows, corrupt = read(WAF, lines, "client_ip string, timestamp timestamp, action string, method string, note string")
    assert not any(corrupt)
    assert rows == [list(row) for row in zip(*(plain(column) for column in batch.columns), strict=True)]


instants = st.datetimes(dt.datetime(1, 1, 3), dt.datetime(9999, 12, 28)).map(lambda at: at.replace(tzinfo=UTC))
json_texts = st.recursive(
    st.none() | st.integers() | st.text(max_size=5),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=3), inner, max_size=3),
).map(lambda value: json.dumps(value, ensure_ascii=False, separators=(",", ":")))
texts = st.text(st.characters(exclude_categories=["Cs"]), max_size=8)

EVERY = documented(
    OPTIONS,
    [
        JsonField("iso", "timestamp", "a.b"), JsonField("ms", "epoch(ms)"), JsonField("s", "epoch(s)", "a.c.d"),
        JsonField("text", "string", "z.y"), JsonField("raw", "json", "z.raw"),
        JsonField("clf", "timestamp(%d/%b/%Y:%H:%M:%S.%f %z)"), JsonField("tags", "array<string>", "a.c.e"),
    ],
)  # fmt: skip


@given(
    st.lists(
        st.fixed_dictionaries(
            {},
            optional={
                "iso": instants, "ms": instants, "s": instants, "text": texts, "raw": json_texts | texts,
                "clf": st.datetimes(dt.datetime(1000, 1, 1)).map(lambda at: at.replace(tzinfo=UTC)),
                "tags": st.lists(texts, max_size=3), "own key": texts,
            },
        ),
        min_size=1, max_size=8,
    )
)  # fmt: skip
@thorough
def test_written_lines_read_back(rows: list[dict[str, Any]]) -> None:
    schema = EVERY.schema()
    assert schema is not None
    batch = pa.RecordBatch.from_pylist(rows, schema.append(pa.field("own key", pa.string())))
    decoder = EVERY.decoder(Projection(batch.schema, judge_whole=True))
    found, corrupt = rows_of(decoder, read_lines(iter(["\n".join(written(EVERY, batch)).encode()])), TimestampContext())
    assert not any(corrupt)
    assert found == [list(row) for row in zip(*(plain(column) for column in batch.columns), strict=True)]


def test_columns_that_do_not_read_back_are_refused() -> None:
    def refuse(says: str, *fields: tuple[str, Any]) -> None:
        with pytest.raises(SchemaError, match=says):
            MONGODB.writer(pa.schema(fields), zone="UTC", unencodable=None, forbidden_prefixes=())

    refuse("'id' is int64, not int32", ("id", pa.int64()))
    refuse("'t' is string, not timestamp", ("t", pa.string()))
    refuse("'attr' is struct", ("attr", pa.struct([("x", pa.int32())])))
    clash = documented(OPTIONS, [JsonField("at", "timestamp", "t.at")])
    with pytest.raises(SchemaError, match="'at' would be inside 't'"):
        clash.writer(
            pa.schema([("at", pa.timestamp("us", "UTC")), ("t", pa.string())]),
            zone="UTC",
            unencodable=None,
            forbidden_prefixes=(),
        )


def test_documents_are_read_only() -> None:
    fmt = documented(OPTIONS, [JsonField("eventTime", "timestamp")], documents=DocumentRule(("Records",)))
    with pytest.raises(FormatError, match="reads only"):
        fmt.writer(
            pa.schema([("eventTime", pa.timestamp("us", "UTC"))]), zone="UTC", unencodable=None, forbidden_prefixes=()
        )
