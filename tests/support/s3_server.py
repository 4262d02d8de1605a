"""The fixtures ``s3_server``, an S3 server in this process, and ``s3``, a new bucket for each test.

``tests/servers`` replaces ``s3_server`` by servers of other programs, which verify the signatures of requests.
"""

from __future__ import annotations

import contextlib
import http.client
import itertools
import logging
import socketserver
import sys
from collections.abc import Iterator
from dataclasses import dataclass
from urllib.parse import quote

import pytest

from pyspark_logs.options import StoreOptions
from tests.support.moto_corrections import correct_moto


@dataclass(frozen=True)
class S3Bucket:
    """A bucket of an S3 server.

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
        status, body = request(self.endpoint, method, f"/{self.bucket}{path}", data)
        assert status < 300, (method, path, status, body)


def request(endpoint: str, method: str, path: str, data: bytes = b"") -> tuple[int, bytes]:
    """Makes a signed request without the package under test; returns the status and the body of the response."""
    from botocore.auth import S3SigV4Auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import Credentials

    signed = AWSRequest(method, endpoint + path, data=data)
    S3SigV4Auth(Credentials(ACCESS_KEY, SECRET_KEY), "s3", "us-east-1").add_auth(signed)
    connection = http.client.HTTPConnection(endpoint.removeprefix("http://"), timeout=20)
    try:
        connection.request(method, path, body=data, headers=dict(signed.headers.items()))
        response = connection.getresponse()
        return response.status, response.read()
    finally:
        connection.close()


def bucket_options(endpoint: str) -> StoreOptions:
    """Returns the options of a store that connects to a server."""
    return StoreOptions(
        endpoint=endpoint,
        region="us-east-1",
        access_key=ACCESS_KEY,
        secret_key=SECRET_KEY,
        request_timeout_s=10.0,
        max_retries=2,
    )


# Credentials of all servers.
ACCESS_KEY, SECRET_KEY = "testing", "test-secret"
_numbers = itertools.count(1)


@contextlib.contextmanager
def without_aws_configuration() -> Iterator[pytest.MonkeyPatch]:
    """Hides the AWS configuration of the machine, on which tests must not depend."""
    with pytest.MonkeyPatch.context() as patch:
        for name in ("AWS_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN", "AWS_REGION"):
            patch.delenv(name, raising=False)
        for name in ("AWS_CONFIG_FILE", "AWS_SHARED_CREDENTIALS_FILE"):
            patch.setenv(name, "/dev/null")
        patch.setenv("AWS_EC2_METADATA_DISABLED", "true")
        yield patch


@pytest.fixture(scope="session")
def s3_server() -> Iterator[str]:
    """URL of an S3 server in this process that accepts any credentials."""
    from moto.server import ThreadedMotoServer

    logging.getLogger("werkzeug").setLevel(logging.ERROR)
    with without_aws_configuration() as patch:
        correct_moto(patch)
        _serve_fast(patch)
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0)
        server.start()
        host, port = server.get_host_and_port()
        yield f"http://{host}:{port}"
        server.stop()


def _serve_fast(patch: pytest.MonkeyPatch) -> None:
    """Removes what makes servers in this process wait or compute for nothing.

    Servers send headers and body in two packets. With Nagle's algorithm, the second one waits for the acknowledgment of the
    first, which the client delays by 40 ms. The tracer of coverage would see the code of the server only.
    """
    serve = socketserver.ThreadingMixIn.process_request_thread

    def serve_untraced(self, request, client_address):
        sys.settrace(None)
        serve(self, request, client_address)

    patch.setattr(socketserver.ThreadingMixIn, "process_request_thread", serve_untraced)
    patch.setattr(socketserver.StreamRequestHandler, "disable_nagle_algorithm", True)


@pytest.fixture
def s3(s3_server: str) -> S3Bucket:
    """A new, empty bucket."""
    bucket = S3Bucket(s3_server, f"bucket-{next(_numbers)}", bucket_options(s3_server))
    bucket.create()
    return bucket
