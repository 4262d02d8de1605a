"""The fixtures ``s3_server``, an S3 server in this process, and ``s3``, a new bucket for each test."""

from __future__ import annotations

import http.client
import itertools
import logging
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from pyspark_logs.options import StoreOptions
from tests.support.moto_corrections import correct_moto


@dataclass(frozen=True)
class S3Bucket:
    """A bucket of an S3 server in this process.

    Attributes:
        endpoint: URL of the server.
        bucket: name of the bucket.
        options: options of a store that connects to the server.
    """

    endpoint: str
    bucket: str
    options: StoreOptions

    @property
    def url(self) -> str:
        """URL of the bucket without a trailing slash."""
        return f"s3://{self.bucket}"

    def put(self, key: str, data: bytes) -> str:
        """Writes an object and returns its path."""
        self._request("PUT", "/" + quote(key), data)
        return f"{self.url}/{key}"

    def delete(self, key: str) -> None:
        """Deletes an object."""
        self._request("DELETE", "/" + quote(key))

    def create(self) -> None:
        """Creates the bucket."""
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
# The server does not verify signatures, but requires one to overwrite an object.
_SIGNED = "AWS4-HMAC-SHA256 Credential=testing/20260101/us-east-1/s3/aws4_request, SignedHeaders=host, Signature=0"


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """URL of an S3 server in this process that accepts any credentials."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with pytest.MonkeyPatch.context() as patch:
        # Tests must not depend on the AWS configuration of the machine.
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"):
            patch.delenv(name, raising=False)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, "/dev/null")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        correct_moto(patch)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


@pytest.fixture
def s3(s3_server: str) -> S3Bucket:
    """A new, empty bucket."""
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
