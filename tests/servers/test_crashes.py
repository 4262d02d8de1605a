"""The suite of crashes at each request, on S3 servers of other programs."""

from __future__ import annotations

import pytest

from pyspark_logs.store import open_store
from tests.protocol.test_commit_crashes import die_at_each_request, test_number_of_requests_of_a_commit
from tests.support.s3_server import S3Bucket

__all__ = ["test_number_of_requests_of_a_commit"]


# Each takes about ten seconds of processor time.
@pytest.mark.parametrize("kind", ["append", pytest.param("overwrite", marks=pytest.mark.slow)])
def test_a_driver_dies_at_each_request(s3: S3Bucket, kind: str, record_property) -> None:
    die_at_each_request((open_store(s3.url, s3.options), f"{s3.url}/"), kind, record_property)
