"""The conformance suites of stores, on S3 servers of other programs."""

from __future__ import annotations

from dataclasses import replace

import pytest

from pyspark_logs.errors import AccessDeniedError
from pyspark_logs.store import open_store
from tests.servers.conftest import SERVERS
from tests.support.s3_server import S3Bucket
from tests.unit.store.test_s3 import TestReads, TestWrites

__all__ = ["TestReads", "TestWrites"]


@pytest.mark.parametrize("wrong", [{"secret_key": "wrong"}, {"access_key": "unknown"}])
def test_wrong_keys_are_refused(s3: S3Bucket, wrong: dict[str, str], request: pytest.FixtureRequest) -> None:
    if not SERVERS[request.node.callspec.params["s3_server"]].verifies_signatures:
        pytest.skip("the server accepts any keys")
    path = s3.put("a.log", b"x")
    store = open_store(path, replace(s3.options, **wrong))
    for call in (
        lambda: store.head(path), lambda: list(store.read(path)), lambda: store.list_page(f"{s3.url}/", recursive=True),
        lambda: store.create(path + "2", b"x"), lambda: store.list_uploads(f"{s3.url}/"),
    ):  # fmt: skip
        with pytest.raises(AccessDeniedError):
            call()
