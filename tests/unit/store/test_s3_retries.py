"""The retry policy: bounds in time, permanent errors, redirects, and the counts of what was repeated."""

from __future__ import annotations

import contextlib
import socket
import time
from collections.abc import Iterator
from dataclasses import replace

import pytest

from pyspark_logs.errors import AccessDeniedError, LogSourceError, StoreError, TruncatedBodyError
from pyspark_logs.store import open_store, s3_retries
from pyspark_logs.store.error_codes import CATEGORIES
from tests.support.fault_proxy import CannedResponse, ErrorResponse, FaultProxy, SlowBody
from tests.support.s3_server import S3Bucket
from tests.support.trials import tries


@pytest.fixture
def proxy(s3: S3Bucket) -> Iterator[FaultProxy]:
    proxy = FaultProxy(s3.endpoint)
    proxy.start()
    yield proxy
    proxy.stop()


def closed_port() -> str:
    with socket.socket() as unused:
        unused.bind(("127.0.0.1", 0))
        return f"http://127.0.0.1:{unused.getsockname()[1]}"


@tries("closed port, name that does not resolve", "an error within the deadline of an operation")
@pytest.mark.parametrize("endpoint", [closed_port(), "http://no-such-host.invalid"], ids=["closed port", "no host"])
@pytest.mark.parametrize("max_consecutive_failures", [2, 0], ids=["open circuit", "no circuit"])
def test_an_endpoint_that_cannot_be_reached(s3: S3Bucket, endpoint: str, max_consecutive_failures: int) -> None:
    limits = {"max_retries": 1000, "operation_timeout_s": 600.0, "request_timeout_s": 60.0}
    limits["max_consecutive_failures"] = max_consecutive_failures
    store = open_store(s3.url, replace(s3.options, endpoint=endpoint, **limits))
    started = time.monotonic()
    with pytest.raises(StoreError, match="Check the network and the endpoint"):
        store.get(f"{s3.url}/a.log")
    assert time.monotonic() - started < 60  # less than two seconds, if the machine has nothing else to do


@tries("server without TLS", "an error after one request, which names the scheme")
def test_a_server_without_tls(s3: S3Bucket, proxy: FaultProxy) -> None:
    secure = proxy.endpoint.replace("http://", "https://")
    store = open_store(s3.url, replace(s3.options, endpoint=secure, max_retries=4))
    with pytest.raises(StoreError, match="Check that endpoint begins with https:// where the server uses TLS"):
        store.get(f"{s3.url}/a.log")
    assert store.request_counts["GET"] == 1


@tries("bucket in another region", "followed once, with a warning that names the region")
def test_a_wrong_region_is_followed_once_and_logged(
    s3: S3Bucket, proxy: FaultProxy, caplog: pytest.LogCaptureFixture
) -> None:
    paths = [s3.put(f"{number}.log", b"x") for number in range(2)]
    store = open_store(s3.url, replace(s3.options, endpoint=proxy.endpoint))
    wrong = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>eu-west-3</Region></Error>"
    proxy.inject(CannedResponse(wrong, 400))
    assert [store.get(path) for path in paths] == [b"x", b"x"]
    scopes = [headers["Authorization"].split("/")[2] for _, _, headers in proxy.requests]
    assert scopes[:2] == ["us-east-1", "eu-west-3"]
    (record,) = [record for record in caplog.records if record.name.startswith("pyspark_logs")]
    assert "is in region eu-west-3, not us-east-1" in record.getMessage()


@tries("redirects without end", "an error after four requests at most")
def test_redirects_without_end(s3: S3Bucket, proxy: FaultProxy) -> None:
    store = open_store(s3.url, replace(s3.options, endpoint=proxy.endpoint))
    proxy.inject(then=CannedResponse("<Error><Code>TemporaryRedirect</Code><Message>m</Message></Error>", 307))
    with pytest.raises(StoreError, match="another region"):
        store.get(f"{s3.url}/a.log")
    assert len(proxy.requests) <= 4


@tries(
    "server that sends single bytes at long intervals", "ended after `requestTimeout` and one second for each 32 KiB"
)
def test_a_body_that_trickles_ends(s3: S3Bucket, proxy: FaultProxy) -> None:
    path = s3.put("a.log", b"x" * 1000)
    store = open_store(s3.url, replace(s3.options, endpoint=proxy.endpoint, request_timeout_s=0.5, max_retries=1))
    proxy.inject(then=SlowBody(0.1, slow_bytes=1000))
    started = time.monotonic()
    with pytest.raises(TruncatedBodyError, match="did not arrive within 1 s"):
        list(store.read(path, 0, 1000, chunk_bytes=1000))
    with pytest.raises(LogSourceError):
        store.list_page(s3.url + "/", recursive=True)
    assert time.monotonic() - started < 60  # four seconds on an idle machine; one body takes 100 s


def test_an_operation_has_a_deadline(s3: S3Bucket, proxy: FaultProxy) -> None:
    options = replace(s3.options, endpoint=proxy.endpoint, operation_timeout_s=2.0, max_retries=50)
    store = open_store(s3.url, replace(options, max_consecutive_failures=0))
    with contextlib.suppress(StoreError):
        store.head(f"{s3.url}/a.log")  # creates the connection
    proxy.inject(then=ErrorResponse(500, "InternalError"))
    started = time.monotonic()
    with pytest.raises(StoreError, match="InternalError"):
        store.get(f"{s3.url}/a.log")
    assert time.monotonic() - started < 60  # two seconds on an idle machine; fifty retries take many minutes


def test_repeated_attempts_are_counted(s3: S3Bucket, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(s3_retries, "backoff_s", lambda failures: 0.0)
    path = s3.put("a.log", b"x")
    store = open_store(s3.url, replace(s3.options, endpoint=proxy.endpoint))
    proxy.inject(ErrorResponse(503, "SlowDown"), ErrorResponse(500, "InternalError"))
    assert store.get(path) == b"x"
    assert store.retry_counts == {"SlowDown": 1, "InternalError": 1}


@tries("permanent errors", "an error after one request")
@pytest.mark.parametrize(
    "code", ["AccessDenied", "InvalidAccessKeyId", "NoSuchBucket", "InvalidBucketName", "NotImplemented"]
)
def test_permanent_errors_are_not_repeated(s3: S3Bucket, proxy: FaultProxy, code: str) -> None:
    store = open_store(s3.url, replace(s3.options, endpoint=proxy.endpoint))
    proxy.inject(then=ErrorResponse(403 if CATEGORIES[code].error is AccessDeniedError else 400, code))
    with pytest.raises(CATEGORIES[code].error, match=code):
        store.list_page(s3.url + "/", recursive=True)
    assert len(proxy.requests) == 1
