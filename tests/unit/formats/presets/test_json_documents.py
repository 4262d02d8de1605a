"""Presets of JSON documents and their lines: CloudTrail, CloudWatch Logs, Azure Monitor, CloudFront."""

from __future__ import annotations

import gzip
import json
from pathlib import Path
from typing import Any

import pytest

import pyspark_logs
from pyspark_logs.errors import FormatError
from pyspark_logs.formats.presets import PRESETS
from tests.support.preset_lines import at
from tests.support.records import scan_rows

EVENT = json.dumps({"eventVersion": "1.08", "eventTime": "2026-11-22T01:00:11Z", "eventName": "X", "readOnly": True})


@pytest.mark.parametrize(
    "text",
    [
        f'{{"Records":[{EVENT},{EVENT},{EVENT}]}}',
        f'{{"Records":[{EVENT}]}}\n{{"Records":[{EVENT},{EVENT}]}}\n',
        f"{EVENT}\n{EVENT}\n{EVENT}\n",
        f"{EVENT}{EVENT}{EVENT}",
        f"[{EVENT},\n{EVENT},{EVENT}]",
        json.dumps([json.loads(EVENT)] * 3, indent=1),
        f'{{"Records":[{EVENT}]}}{EVENT}\n[{EVENT}]',
    ],
)
def test_forms_of_cloudtrail(tmp_path: Path, text: str) -> None:
    (tmp_path / "a.json.gz").write_bytes(gzip.compress(text.encode()))
    rows = scan_rows(tmp_path, preset="aws_cloudtrail", mode="FAILFAST", maxPartitionBytes=50)
    assert [(row["eventName"], row["eventTime"], row["readOnly"]) for row in rows] == [
        ("X", at(2026, 11, 22, 1, 0, 11), True)
    ] * 3


def test_objects_that_are_no_events_of_cloudtrail(tmp_path: Path) -> None:
    (tmp_path / "a.json").write_text(f'{{"awsAccountId":"1"}}\n{EVENT}\n')
    rows = scan_rows(tmp_path, preset="aws_cloudtrail", schema="eventName string, _corrupt_record string")
    assert [row["eventName"] for row in rows] == [None, "X"]
    assert rows[0]["_corrupt_record"] == '{"awsAccountId":"1"}'


def subscription(kind: str, *messages: str) -> bytes:
    events = [{"id": str(index), "timestamp": 1795309211045, "message": text} for index, text in enumerate(messages)]
    document = {"messageType": kind, "owner": "1", "logGroup": "/a", "logStream": "s", "subscriptionFilters": ["f"]}
    return gzip.compress(json.dumps({**document, "logEvents": events}).encode())


def test_subscriptions_in_objects_of_firehose(tmp_path: Path) -> None:
    members = [
        subscription("DATA_MESSAGE", "a", "b\n c"),
        subscription("CONTROL_MESSAGE", "check"),
        subscription("DATA_MESSAGE", "d"),
    ]
    (tmp_path / "a").write_bytes(b"".join(members))
    rows = scan_rows(tmp_path, preset="aws_cloudwatch_subscription", mode="FAILFAST")
    assert [row["message"] for row in rows] == ["a", "b\n c", "d"]
    assert {(row["owner"], row["logGroup"], row["logStream"]) for row in rows} == {("1", "/a", "s")}
    assert rows[0]["timestamp"] == at(2026, 11, 22, 1, 0, 11, 45000)


def test_exports_of_cloudwatch_with_messages_of_several_lines(tmp_path: Path) -> None:
    (tmp_path / "a").write_bytes(
        gzip.compress(b"2026-11-22T01:00:11.045Z START\n at x\n2026-11-22T01:00:12.000Z END\n")
    )
    rows = scan_rows(tmp_path, preset="aws_cloudwatch_export", multiLine=True, mode="FAILFAST", timeZone="Asia/Tokyo")
    assert [row["message"] for row in rows] == ["START\n at x", "END"]
    assert pyspark_logs.scan(str(tmp_path), preset="aws_cloudwatch_export", timeZone="Asia/Tokyo").schema.names == [
        "timestamp",
        "message",
    ]


def test_azure_logs_as_lines_and_as_documents(tmp_path: Path) -> None:
    (line,) = PRESETS["azure_diagnostics"].sample
    (tmp_path / "a.json").write_text(f'{line}\n{line}\n{{"records":[{line}]}}\n')
    rows = scan_rows(tmp_path, preset="azure_diagnostics", mode="FAILFAST")
    assert len(rows) == 3
    assert rows[0] == rows[1] == rows[2]
    table = pyspark_logs.scan(str(tmp_path), preset="azure_diagnostics").read_all()
    with pytest.raises(FormatError, match="only with 'time'; add the column"):
        pyspark_logs.write(
            table.select(["category"]).to_batches(), str(tmp_path / "w"), preset="azure_diagnostics",
            schema=table.select(["category"]).schema,
        )  # fmt: skip


def test_missing_numbers_of_cloudfront(tmp_path: Path) -> None:
    line = '{"date":"2026-11-22","time":"01:00:11","sc-bytes":"-","time-taken":"0.5","cs(Referer)":"-","timestamp(ms)":"-"}'
    (tmp_path / "a.json").write_text(f"{line}\n" * 2)
    (row, _) = scan_rows(tmp_path, preset="cloudfront_json", mode="FAILFAST")
    assert (row["sc_bytes"], row["timestamp"], row["time_taken"], row["cs_referer"]) == (None, None, 0.5, "-")


def test_missing_numbers_of_cloudfront_read_as_strings(tmp_path: Path) -> None:
    # The second line is left to the line parser, because its surrogate is not paired.
    (tmp_path / "a.json").write_text('{"sc-bytes":"-"}\n{"sc-bytes":"-","cs-uri-stem":"\\ud800"}\n')
    assert scan_rows(tmp_path, preset="cloudfront_json", schema="sc_bytes string") == [{"sc_bytes": "-"}] * 2


@pytest.mark.slow  # tests/unit/detection recognises the same samples, not repeated
@pytest.mark.parametrize(
    "name",
    ["cloudfront_json", "aws_cloudwatch_subscription", "gcp_logging", "azure_diagnostics", "cloudflare", "fastly", "k8s_audit",
     "traefik", "caddy", "vault_audit"],
)  # fmt: skip
def test_samples_are_recognised(tmp_path: Path, name: str) -> None:
    (tmp_path / "a.log").write_text("\n".join(PRESETS[name].sample * 3) + "\n")
    assert pyspark_logs.detect(tmp_path)[0].options == {"preset": name}


def read_json(folder: Path, text: str, **options: Any) -> list[dict[str, Any]]:
    (folder / "a.json").write_text(text)
    return scan_rows(folder, json=True, **options)


@pytest.mark.parametrize("size", [5, 23, 1 << 20])
def test_splits_of_values_over_several_lines(tmp_path: Path, size: int) -> None:
    text = "".join(json.dumps({"a": index, "b": ["x"] * index}, indent=1) + "\n" for index in range(5))
    rows = read_json(tmp_path, text, maxPartitionBytes=size, openCostInBytes=1, metadata=True)
    assert [row["a"] for row in rows] == [0, 1, 2, 3, 4]
    offsets = [row["_metadata"]["record_offset"] for row in rows]
    assert [json.JSONDecoder().raw_decode(text[offset:])[0]["a"] for offset in offsets] == [0, 1, 2, 3, 4]


def test_schema_of_documents_is_inferred_from_their_records(tmp_path: Path) -> None:
    text = '{"host":"w","run":{"id":7,"rows":[{"ms":5},{"ms":9}]},"late":true}\n{"other":1}\n'
    rows = read_json(tmp_path, text, recordsPath="run.rows", mode="DROPMALFORMED")
    assert rows == [{"parent": {"host": "w", "late": True, "run": {"id": 7}}, "ms": ms} for ms in (5, 9)]
    schema = "ms int, `parent.run.id` bigint, parent struct<host:string>"
    assert read_json(tmp_path, text, recordsPath="run.rows", schema=schema)[1:] == [
        {"ms": 9, "parent.run.id": 7, "parent": {"host": "w"}},
        {"ms": None, "parent.run.id": None, "parent": None},
    ]
    with pytest.raises(FormatError, match=r"'a\.\.b' has an empty key"):
        read_json(tmp_path, text, recordsPath="a..b", schema="ms int")


def test_a_file_without_line_ends_may_exceed_the_limit_of_a_record(tmp_path: Path) -> None:
    rows = read_json(tmp_path, '{"a":"xxxxxxxx"}' * 5_000, maxRecordBytes=1000, mode="FAILFAST")
    assert len(rows) == 5_000
