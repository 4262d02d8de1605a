"""Directory buckets of S3, which are refused, and the checksums of requests."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path

import pyarrow as pa
import pytest
from botocore.config import Config

import pyspark_logs
from pyspark_logs.errors import OptionError
from pyspark_logs.options import StoreOptions, parse_read_options
from pyspark_logs.schema_inference import infer_schema
from pyspark_logs.store import open_store
from pyspark_logs.store.s3_connection import connection_arguments
from pyspark_logs.stream.log_stream import LogStream
from tests.support.s3_server import S3Bucket

DIRECTORY_BUCKETS = [
    "s3://logs--use1-az4--x-s3/app/",
    "s3a://logs--use1-az4--x-s3/app/",
    "s3://logs--use1-az4--xa-s3/app/",
]


@pytest.mark.parametrize("path", DIRECTORY_BUCKETS)
def test_a_directory_bucket_is_refused(path: str) -> None:
    with pytest.raises(OptionError, match=r"is a directory bucket .* Use a general purpose bucket"):
        open_store(path, StoreOptions())


PATH = DIRECTORY_BUCKETS[0]
ROWS = pa.table({"level": ["INFO"], "message": ["m"]})
TEMPLATE = {"template": "{level} {message}"}
# The Spark source calls read, write and stream; the commands call the functions of the same name.
ENTRY_POINTS: dict[str, Callable[[], object]] = {
    "scan": lambda: pyspark_logs.scan(PATH, json=True).read_all(),
    "scan of a glob": lambda: pyspark_logs.scan(PATH + "*.log", json=True).read_all(),
    "schema": lambda: infer_schema(parse_read_options({"path": PATH, "json": "true"})),
    "write": lambda: pyspark_logs.write(ROWS, PATH, **TEMPLATE),
    "overwrite": lambda: pyspark_logs.write(ROWS, PATH, mode="overwrite", **TEMPLATE),
    "detect": lambda: pyspark_logs.detect(PATH + "a.log"),
    "recover": lambda: pyspark_logs.recover(PATH),
    "vacuum": lambda: pyspark_logs.vacuum(PATH, dry_run=True),
    "stream": lambda: LogStream(parse_read_options({"path": PATH, **TEMPLATE}), "level string").initial_offset(),
}


@pytest.mark.parametrize("name", ENTRY_POINTS)
def test_each_entry_point_refuses_a_directory_bucket(name: str) -> None:
    with pytest.raises(OptionError, match="is a directory bucket"):
        ENTRY_POINTS[name]()


def test_a_directory_bucket_in_an_option_or_a_second_path_is_refused(s3: S3Bucket) -> None:
    path = s3.put("a.log", b"INFO m\nx\n")
    options = {
        **TEMPLATE, "endpoint": s3.endpoint, "region": "us-east-1", "accessKey": "testing", "secretKey": "test-secret",
    }  # fmt: skip
    for paths, more in ((path, {"badRecordsPath": PATH}), ([path, PATH], {})):
        with pytest.raises(OptionError, match="is a directory bucket"):
            pyspark_logs.scan(paths, **options, **more).read_all()
    archive = parse_read_options({"path": path, **options, "cleanSource": "archive", "sourceArchiveDir": PATH})
    with pytest.raises(OptionError, match="is a directory bucket"):
        LogStream(archive, "level string").initial_offset()


def test_a_directory_bucket_among_others_is_refused_before_a_request() -> None:
    store = open_store("s3://logs/app/", StoreOptions())
    for request in (
        lambda: store.list_page(DIRECTORY_BUCKETS[0], recursive=True),
        lambda: store.head(DIRECTORY_BUCKETS[0] + "x"),
        lambda: store.create(DIRECTORY_BUCKETS[0] + "x", b""),
    ):
        with pytest.raises(OptionError, match="is a directory bucket"):
            request()


def test_a_local_directory_may_have_such_a_name(tmp_path: Path) -> None:
    assert open_store(f"{tmp_path}/logs--use1-az4--x-s3/", StoreOptions()).scheme == ""
    assert open_store("s3://logs/logs--use1-az4--x-s3/", StoreOptions()).scheme == "s3"


@pytest.mark.skipif("request_checksum_calculation" not in Config.OPTION_DEFAULTS, reason="needs botocore 1.36")
def test_checksums_are_sent_only_where_s3_requires_them() -> None:
    name = "request_checksum_calculation"
    assert connection_arguments(StoreOptions())["config_kwargs"][name] == "when_required"
    given = StoreOptions(storage_options=json.dumps({"config_kwargs": {name: "when_supported"}}))
    assert connection_arguments(given)["config_kwargs"][name] == "when_supported"


def test_a_listing_begins_after_a_path(s3: S3Bucket, tmp_path: Path) -> None:
    """S3 answers with one request, and a local directory with the same page."""
    names = ["a/.x", "a/1", "a/2", "a/3"]
    for name in names:
        s3.put(name, b"x")
        path = tmp_path / name
        path.parent.mkdir(exist_ok=True)
        path.write_bytes(b"x")
    for root, options in ((s3.url.rstrip("/") + "/", s3.options), (f"{tmp_path}/", StoreOptions())):
        store = open_store(root, options)
        found = {after: [file.path for file in store.list_after(f"{root}a/", root + after).files] for after in names}
        expected = {after: [root + name for name in names if name > after] for after in names}
        assert found == expected
        assert store.request_counts["LIST"] == len(names)
