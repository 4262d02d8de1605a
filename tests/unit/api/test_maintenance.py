"""recover() and vacuum()."""

from __future__ import annotations

import datetime as dt
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import OptionError, PathNotFoundError
from pyspark_logs.jobs.names import new_job_id
from pyspark_logs.options import FORMATS, parse_write_options
from pyspark_logs.store import open_store
from tests.support.dead_jobs import OPTIONS, write_dead_jobs
from tests.support.s3_server import S3Bucket


@pytest.fixture
def dead_job(tmp_path: Path) -> str:
    """The id of a job that died while it published its files into ``tmp_path``."""
    return write_dead_jobs(tmp_path)


def files_of(root: Path) -> list[str]:
    return sorted(path.relative_to(root).parts[0] for path in root.rglob("*") if path.is_file())


def test_recover_and_vacuum(tmp_path: Path, dead_job: str) -> None:
    before = files_of(tmp_path)
    assert pyspark_logs.recover(tmp_path).young == (dead_job,)
    assert pyspark_logs.recover(tmp_path, "0s", dry_run=True).rolled_back == (dead_job,)
    assert pyspark_logs.vacuum(tmp_path, "0s", dry_run=True).uploads
    assert files_of(tmp_path) == before
    # The options of the job, which name a format, are accepted too.
    assert pyspark_logs.recover(str(tmp_path), dt.timedelta(0), **OPTIONS).rolled_back == (dead_job,)
    assert pyspark_logs.vacuum(f"{tmp_path}/", "0s").uploads
    assert set(files_of(tmp_path)) <= {"_commits"}
    assert pyspark_logs.recover(tmp_path, "0s").rolled_back == ()


FORMAT_VALUES = {
    "template": "{ts:timestamp} {message}",
    "preset": "nginx_combined",
    "nginx": "$remote_addr $request",
    "apache": "%h %r",
    "logback": "%d %msg%n",
    "grok": "%{WORD:a}",
    "regex": "(?P<a>.*)",
    "json": True,
    "logfmt": "true",
    "delimited": ",",
    "anyOf": '[{"json": true}, {"preset": "nginx_combined"}]',
    "formatClass": "module:Class",
}


@pytest.mark.parametrize("name", FORMATS)
@pytest.mark.parametrize("spell", [str, str.lower, str.upper])
@pytest.mark.parametrize("maintain", [pyspark_logs.recover, pyspark_logs.vacuum])
def test_each_format_of_a_writer_is_accepted(
    tmp_path: Path, name: str, spell: Callable[[str], str], maintain: Callable[..., Any]
) -> None:
    options = {spell(name): FORMAT_VALUES[name], "compression": "zstd", "timeColumn": "ts", "txnId": "x"}
    assert not maintain(tmp_path, **options).failed
    assert not maintain(tmp_path, **{spell(name): None}).failed


def test_the_options_of_a_format_are_accepted(tmp_path: Path) -> None:
    pyspark_logs.recover(tmp_path, delimited=",", quote="'", header="first")
    pyspark_logs.vacuum(tmp_path, template="{a}", escape="backslash", nullValue="-")


def test_bad_arguments_are_errors(tmp_path: Path, dead_job: str) -> None:
    with pytest.raises(OptionError, match="older_than"):
        pyspark_logs.recover(tmp_path, "soon")
    with pytest.raises(OptionError, match="there is no job nope at"):
        pyspark_logs.recover(tmp_path, job="nope")
    with pytest.raises(OptionError, match="did you mean 'endpoint'"):
        pyspark_logs.vacuum(tmp_path, endpiont="x")


def test_a_named_job_is_recovered_whatever_its_age(tmp_path: Path, dead_job: str) -> None:
    assert pyspark_logs.recover(tmp_path, job=dead_job).rolled_back == (dead_job,)


@pytest.mark.parametrize("maintain", [pyspark_logs.recover, pyspark_logs.vacuum])
def test_a_missing_directory_is_an_error_and_an_empty_one_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, maintain: Callable[..., Any]
) -> None:
    root = f"{tmp_path}/mispelt"
    with pytest.raises(PathNotFoundError, match=f"there is nothing at {root}/: no file and no job"):
        maintain(root)
    Path(root).mkdir()
    maintain(root)
    assert f"there is nothing at {root}/" in caplog.text
    caplog.clear()
    pyspark_logs.write([pa.record_batch({"a": [1]})], root, json=True)
    maintain(root)
    assert caplog.text == ""


@pytest.mark.parametrize("maintain", [pyspark_logs.recover, pyspark_logs.vacuum])
def test_another_directory_than_that_of_the_jobs_is_a_warning(
    tmp_path: Path, caplog: pytest.LogCaptureFixture, maintain: Callable[..., Any]
) -> None:
    pyspark_logs.write([pa.record_batch({"a": [1], "p": ["x"]})], tmp_path / "t", json=True, layout="{p}")
    maintain(tmp_path)
    assert f"no job is known at {tmp_path}/, which has no _commits/. Check the path" in caplog.text
    caplog.clear()
    maintain(tmp_path / "t" / "x")
    assert f"Jobs of {tmp_path}/t/ may have written its files" in caplog.text


def test_uploads_are_removed_where_no_file_is(s3: S3Bucket, caplog: pytest.LogCaptureFixture) -> None:
    """A job died on S3 before its first file was visible."""
    options = {"endpoint": s3.endpoint, "region": "us-east-1", "accessKey": "testing", "secretKey": "testing"}
    store = open_store(s3.url, parse_write_options({"path": s3.url, "json": "true", **options}).store)
    job = new_job_id("append", 1_795_305_600_000_000, "x")
    store.start_upload(f"{s3.url}/app/part-00000-0-{job}-0.log.gz", token=job, staging=f"{s3.url}/app/_staging/{job}")
    report = pyspark_logs.vacuum(f"{s3.url}/app", "0s", **options)
    assert len(report.uploads) == 1
    assert "there is nothing at" in caplog.text
    assert pyspark_logs.vacuum(f"{s3.url}/app", "0s", **options).uploads == ()
