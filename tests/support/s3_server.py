"""An S3 server in this process, and a fresh bucket for each test: the fixtures ``s3_server`` and ``s3``."""

from __future__ import annotations

import http.client
import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from pyspark_logs.options import StoreOptions
from tests.support.aws_answers import answer_as_aws


@dataclass(frozen=True)
class S3Bucket:
    """A fresh bucket on an S3 server in this process.

    Attributes:
        endpoint: the server's URL.
        bucket: the bucket's name.
        options: reach it with these.
    """

    endpoint: str
    bucket: str
    options: StoreOptions

    @property
    def url(self) -> str:
        """``s3://bucket``, without a slash at the end."""
        return f"s3://{self.bucket}"

    def put(self, key: str, data: bytes) -> str:
        """Store an object; returns its path."""
        self._request("PUT", "/" + quote(key), data)
        return f"{self.url}/{key}"

    def delete(self, key: str) -> None:
        """Delete an object."""
        self._request("DELETE", "/" + quote(key))

    def create(self) -> None:
        """Create the bucket."""
        self._request("PUT", "")

    def _request(self, method: str, path: str, data: bytes = b"") -> None:
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"), timeout=20)
        try:
            connection.request(method, f"/{self.bucket}{path}", body=data, headers={"Authorization": _SIGNED})
            status = connection.getresponse().status
        finally:
            connection.close()
        assert status < 300, (method, path, status)


_numbers = itertools.count(1)
# The server checks no signature, but lets nobody overwrite an object without one.
_SIGNED = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """URL of an S3 server in this process; takes any credentials."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with pytest.MonkeyPatch.context() as patch:
        # Nothing of the machine's own AWS set-up reaches a test.
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"):
            patch.delenv(name, raising=False)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, "/dev/null")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        answer_as_aws(patch)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def s3(s3_server: str) -> S3Bucket:
    """A fresh, empty bucket."""
    options = StoreOptions(
        endpoint=s3_server,
        region="us-east-1",
        access_key="testing",
        secret_key="test-secret",
        request_timeout_s=10.0,
        max_retries=2,
    )
    bucket = S3Bucket(s3_server, f"bucket-{next(_numbers)}", options)
    bucket.create()
    return bucket
