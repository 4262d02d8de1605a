"""Direct requests to S3: their form and signature, and that they behave as those of s3fs."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from typing import Any

import pytest
from botocore.parsers import ResponseParserError

from pyspark_logs.errors import (
    AccessDeniedError,
    CircuitOpenError,
    SnapshotChangedError,
    StoreError,
    TruncatedBodyError,
)
from pyspark_logs.store import Store, open_store, s3_retries
from pyspark_logs.store.s3_direct import RequestForm, form_of
from pyspark_logs.store.s3_listing import parse_listing
from pyspark_logs.store.s3_signature import sign
from tests.support.fault_proxy import (
    CannedResponse,
    ConnectionReset,
    DroppedHeader,
    ErrorResponse,
    FaultProxy,
    SlowBody,
    StalledBody,
    TruncatedBody,
)
from tests.support.s3_server import S3Bucket
from tests.unit.store.read_suite import DATA, MIB, ReadSuite, all_pages, in_forked_child, read_all

pytestmark = pytest.mark.usefixtures("no_backoff")


@pytest.fixture(autouse=True)
def only_direct(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[str]]:
    """Keys and prefixes of the GetObject and ListObjectsV2 requests that s3fs was asked for."""
    from pyspark_logs.store.s3 import S3Store

    keys: list[str] = []
    by_s3fs = S3Store._call

    def call(store: S3Store, method: str, **request: Any) -> Any:
        if method in ("get_object", "list_objects_v2") and store.options.direct_reads:
            keys.append(request.get("Key", request.get("Prefix")))
        return by_s3fs(store, method, **request)

    monkeypatch.setattr(S3Store, "_call", call)
    yield keys
    assert set(keys) <= {"~first"}


def open_direct(s3: S3Bucket, **changes: Any) -> Store:
    """Returns a store that has made no request, on a connection that knows the form of requests to the bucket."""
    options = replace(s3.options, **changes)
    path = s3.put("~first", b"x")
    store = open_store(path, options)
    assert store.get(path) == b"x"
    assert len(store.list_page(path, recursive=True).files) == 1
    s3.delete("~first")
    return open_store(path, options)


class TestReads(ReadSuite):
    @pytest.fixture(autouse=True)
    def prepare(self, s3: S3Bucket):
        self.s3, self.root = s3, s3.url + "/"
        self.store = open_direct(s3)

    def put(self, name, data):
        return self.s3.put(name, data)


def test_listings_are_those_of_s3fs(s3: S3Bucket) -> None:
    direct = open_direct(s3)
    s3fs = open_store(s3.url, replace(s3.options, direct_reads=False))
    for name in ("a b", "a+b", "a%20b", "a&<>b", "é/x", "d/~x", "d/y=1,2;3"):
        s3.put(f"p/{name}", b"x")
    direct.page_size = s3fs.page_size = 3
    for recursive in (True, False):
        pages = all_pages(direct, f"{s3.url}/p/", recursive=recursive)
        assert pages == all_pages(s3fs, f"{s3.url}/p/", recursive=recursive)
        assert pages[2] == (3 if recursive else 2)
    after = f"{s3.url}/p/a b"
    assert direct.list_after(f"{s3.url}/p/", after) == s3fs.list_after(f"{s3.url}/p/", after)


@pytest.mark.parametrize("namespace", ["", ' xmlns="http://s3.amazonaws.com/doc/2006-03-01/"'])
def test_responses_of_servers(namespace: str) -> None:
    item = (
        "<Key>{}</Key><LastModified>{}</LastModified><ETag>&quot;e&quot;</ETag><Size>7</Size><Owner><ID>i</ID></Owner>"
    )
    items = (
        ("a+b%2B", "2026-11-22T00:00:00.123Z"),
        ("c", "2026-11-22T00:00:00Z"),
        ("d", "Sun, 22 Nov 2026 00:00:00 GMT"),
    )
    for encoding, key in (("<EncodingType>url</EncodingType>", "a b+"), ("", "a+b%2B")):
        contents = "".join(f"<Contents>{item.format(*one)}</Contents>" for one in items)
        found = parse_listing(f"<ListBucketResult{namespace}>{encoding}{contents}</ListBucketResult>".encode())
        assert [one["Key"] for one in found["Contents"]] == [key, "c", "d"]
        assert [one["LastModified"].timestamp() for one in found["Contents"]] == [
            1795305600.123,
            1795305600,
            1795305600,
        ]
        assert (found["IsTruncated"], found["NextContinuationToken"], found["CommonPrefixes"]) == (False, None, [])
    for damaged in (b"", b"<Error/>", b"<ListBucketResult><Contents><Key>a</Key></Contents></ListBucketResult>"):
        with pytest.raises(ResponseParserError, match="ListObjectsV2"):
            parse_listing(damaged)


class TestFaults:
    @pytest.fixture(autouse=True)
    def prepare(self, s3: S3Bucket, faulty: FaultProxy):
        self.s3, self.faulty = s3, faulty
        self.path = s3.put("app/a.log", DATA)

    def store(self, *faults: Any, then: Any = None, **changes: Any) -> Store:
        """Returns a store, and injects faults into its requests."""
        store = open_direct(self.s3, endpoint=self.faulty.endpoint, **changes)
        self.faulty.inject(*faults, then=then)
        return store

    @pytest.mark.parametrize(
        "fault",
        [
            ErrorResponse(503, "SlowDown"),
            ErrorResponse(500, "InternalError"),
            ErrorResponse(429, ""),
            ConnectionReset(),
        ],
        ids=str,
    )
    def test_transient_errors_are_retried(self, fault):
        store = self.store(fault, fault)
        assert read_all(store, self.path) == DATA
        assert store.request_counts == {"GET": 3}
        assert sum(store.retry_counts.values()) == 2
        assert self.faulty.count("GET") == 3
        self.faulty.inject(fault, fault)
        assert len(store.list_page(self.path, recursive=True).files) == 1
        assert store.request_counts == {"GET": 3, "LIST": 3}

    def test_a_listing_that_ends_early_is_repeated(self):
        store = self.store(TruncatedBody(100), CannedResponse("<Error/>"))
        assert len(store.list_page(self.path, recursive=True).files) == 1
        assert store.retry_counts == {"ConnectionClosedError": 1, "ResponseParserError": 1}

    @pytest.mark.parametrize(
        ("code", "error"),
        [("AccessDenied", AccessDeniedError), ("ExpiredToken", AccessDeniedError), ("Odd", StoreError)],
    )
    def test_other_errors_fail_at_once(self, code, error):
        store = self.store(then=ErrorResponse(403, code, "because"))
        with pytest.raises(error, match=rf"cannot read {self.path} .*(403|{code}): because"):
            list(store.read(self.path))
        assert len(self.faulty.requests) == 1

    def test_a_store_that_stays_down_opens_the_circuit(self):
        store = self.store(then=ErrorResponse(503, "SlowDown"), max_retries=2, max_consecutive_failures=5)
        with pytest.raises(StoreError, match="fewer requests"):
            list(store.read(self.path))
        with pytest.raises(CircuitOpenError, match="5 requests in a row failed"):
            list(store.read(self.path))
        assert len(self.faulty.requests) == 5

    @pytest.mark.parametrize(
        "fault", [TruncatedBody(MIB), TruncatedBody(0), TruncatedBody(1_500_000, reset=True)], ids=str
    )
    def test_a_truncated_body_is_resumed(self, fault):
        store = self.store(fault, fault)
        assert read_all(store, self.path, chunk_bytes=MIB) == DATA
        first, *resumed = [headers for _, _, headers in self.faulty.requests]
        assert "Range" not in first
        assert len(resumed) >= 1
        assert all(headers["If-Match"] and headers["Range"].endswith(f"-{len(DATA) - 1}") for headers in resumed)

    def test_a_body_that_stalls_is_resumed(self):
        store = self.store(StalledBody(100_000, seconds=600.0), request_timeout_s=2.0)
        assert read_all(store, self.path) == DATA
        assert self.faulty.count("GET") == 2

    def test_a_body_that_trickles_ends(self):
        store = self.store(then=SlowBody(0.1), request_timeout_s=3.0, max_retries=0)
        with pytest.raises(TruncatedBodyError, match="did not arrive within 3 s"):
            list(store.read(self.path, 0, 1000, chunk_bytes=1000))

    def test_another_version(self):
        store = self.store(then=DroppedHeader(name="If-Match"))
        with pytest.raises(SnapshotChangedError, match="'0123' expected"):
            list(store.read(self.path, etag="0123"))
        self.faulty.inject(TruncatedBody(MIB))
        body = store.read(self.path, chunk_bytes=MIB // 2)
        next(body)
        self.s3.put("app/a.log", b"other" * len(DATA))
        with pytest.raises(SnapshotChangedError, match=r"a\.log"):
            list(body)

    def test_connections_are_reused_and_closed(self):
        store = self.store()
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda start: read_all(store, self.path, start, start + 1000), range(40)))
        assert found == [DATA[start : start + 1000] for start in range(40)]
        open_before = self.faulty.open_connections
        assert open_before <= 6  # those of the threads, and of s3fs
        for _ in range(10):
            next(store.read(self.path, chunk_bytes=1000))  # closed early
        assert read_all(store, self.path) == DATA
        self.faulty.inject()
        assert in_forked_child(lambda: read_all(store, self.path) == DATA) == "True"


def test_the_first_request_to_a_bucket_gives_the_form(s3: S3Bucket, faulty: FaultProxy, only_direct: list[str]) -> None:
    path = s3.put("~first", b"x" * 100)
    store = open_store(path, replace(s3.options, endpoint=faulty.endpoint, requester_pays=True, session_token="t0k3n"))
    etag = store.head(path).etag
    faulty.inject()
    assert [read_all(store, path, 5, 50, etag=etag) for _ in range(2)] == [b"x" * 45] * 2
    assert only_direct == ["~first"]
    first, second = ({name.lower(): value for name, value in headers.items()} for _, _, headers in faulty.requests)
    assert second["x-amz-request-payer"] == "requester"
    assert second["x-amz-security-token"] == "t0k3n"
    changing = {"authorization", "x-amz-date", "x-amz-content-sha256"}
    for name in second.keys() - changing:
        assert second[name] == first[name]
    assert {name for name in first.keys() - second.keys() if not name.startswith("amz-sdk-")} <= {
        "accept",
        "x-amz-checksum-mode",
    }
    scopes = [headers["authorization"].split(",")[0].split("Credential=")[1] for headers in (first, second)]
    assert scopes[0] == scopes[1]


def test_without_direct_reads(s3: S3Bucket, only_direct: list[str]) -> None:
    path = s3.put("~first", b"x")
    store = open_store(path, replace(s3.options, direct_reads=False))
    assert [store.get(path), store.get(path)] == [b"x", b"x"]
    assert store._filesystem().direct is None


def test_another_region_is_left_to_s3fs(
    s3: S3Bucket, faulty: FaultProxy, caplog: pytest.LogCaptureFixture, only_direct: list[str]
) -> None:
    store = open_direct(s3, endpoint=faulty.endpoint)
    path = s3.put("~first", b"x")
    wrong = "<Error><Code>AuthorizationHeaderMalformed</Code><Message>m</Message><Region>eu-west-3</Region></Error>"
    faulty.inject(CannedResponse(wrong, 400), CannedResponse(wrong, 400))
    assert [store.get(path), store.get(path)] == [b"x", b"x"]
    assert len(only_direct) == 3  # two that gave the forms, and the redirected one
    scopes = [headers["Authorization"].split("/")[2] for _, _, headers in faulty.requests]
    assert scopes == ["us-east-1", "us-east-1", "eu-west-3", "eu-west-3"]
    assert len([record for record in caplog.records if "is in region eu-west-3" in record.getMessage()]) == 1


def test_no_secret_is_logged(s3: S3Bucket, faulty: FaultProxy, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level(logging.DEBUG):
        store = open_direct(s3, endpoint=faulty.endpoint, secret_key="sEcReT-v1", session_token="sEcReT-v2")
        faulty.inject(then=ErrorResponse(500, "InternalError", "sEcReT-v2"))
        with pytest.raises(StoreError) as raised:
            store.get(f"{s3.url}/a.log")
    assert "sEcReT" not in caplog.text + repr(raised.value) + repr(vars(store._filesystem().direct)["_forms"])


def test_no_attempt_begins_after_the_time_of_the_operation(s3: S3Bucket, faulty: FaultProxy, monkeypatch) -> None:
    store = open_direct(s3, endpoint=faulty.endpoint, max_retries=50)
    monkeypatch.setattr(s3_retries, "backoff_s", lambda failures: store.options.operation_timeout_s + 1)
    faulty.inject(then=ErrorResponse(500, "InternalError"))
    with pytest.raises(StoreError, match="InternalError"):
        store.get(f"{s3.url}/a.log")
    assert len(faulty.requests) == 1


@pytest.mark.parametrize("token", [None, "t+/="])
@pytest.mark.parametrize("query", ["", "list-type=2&prefix=a%2Fb%20c"])
def test_signatures_are_those_of_botocore(token: str | None, query: str, monkeypatch: pytest.MonkeyPatch) -> None:
    from botocore import auth
    from botocore.awsrequest import AWSRequest
    from botocore.credentials import ReadOnlyCredentials

    headers = {
        "host": "b.example:8080", "range": "bytes=0-9", "if-match": '"e"', "x-amz-request-payer": "requester",
        "user-agent": "a  b", "x-amz-meta": "two  blanks",
    }  # fmt: skip
    path = "/b/a%20%2B%C3%A9/~x"
    found = sign("GET", path, query, headers, keys=("AK", "SK", token), region="eu-west-3", time_s=1_800_000_000)
    request = AWSRequest("GET", f"http://b.example:8080{path}" + (f"?{query}" if query else ""), headers=headers)
    request.context["timestamp"] = found["x-amz-date"]
    signer = auth.S3SigV4Auth(ReadOnlyCredentials("AK", "SK", token), "s3", "eu-west-3")
    signer._modify_request_before_signing(request)
    expected = signer.signature(signer.string_to_sign(request, signer.canonical_request(request)), request)
    assert found["authorization"].endswith(f"Signature={expected}")
    assert found.get("x-amz-security-token") == token


_SIGNED = "AWS4-HMAC-SHA256 Credential=AK/20260101/eu-west-3/s3/aws4_request, SignedHeaders=host, Signature=0"


@pytest.mark.parametrize(
    ("url", "origin", "prefix", "host"),
    [
        ("http://127.0.0.1:9000/b/a%20b", "http://127.0.0.1:9000", "/b/", "127.0.0.1:9000"),
        ("https://b.s3.eu-west-3.amazonaws.com/a%20b", "https://b.s3.eu-west-3.amazonaws.com", "/", "b.s3.eu-west-3.amazonaws.com"),
        ("https://Host:443/x/b/a%20b", "https://Host:443", "/x/b/", "host"),
    ],
)  # fmt: skip
def test_forms(url: str, origin: str, prefix: str, host: str) -> None:
    headers = {"Authorization": _SIGNED, "User-Agent": b"me", "Range": "bytes=0-1", "X-Amz-Date": "d"}
    kept = {"user-agent": "me", "host": host, "accept-encoding": "identity"}
    assert form_of(url, headers, "a b") == RequestForm(origin, prefix, kept, "eu-west-3")
    assert form_of(url, {}, "a b").region is None
    listing = form_of(
        f"{origin}{prefix.rstrip('/')}?list-type=2&prefix=a", headers, "", frozenset(("list-type", "prefix"))
    )
    assert listing == RequestForm(origin, prefix.rstrip("/") or "/", kept, "eu-west-3")
    assert form_of(f"{origin}{prefix}?list-type=2&fetch-owner=true", headers, "", frozenset(("list-type",))) is None


@pytest.mark.parametrize(
    ("url", "headers"),
    [
        ("http://h/b/other", {}),
        ("http://h/b/k?versionId=1", {}),
        ("http://h/b/k", {"Authorization": "AWS AK:signature"}),
        ("http://h/b/k", {"Authorization": _SIGNED.replace("/s3/", "/s3express/")}),
        ("http://h/b/k", {"Authorization": _SIGNED, "X-Amz-S3session-Token": "t"}),
    ],
)
def test_requests_that_are_left_to_s3fs(url: str, headers: dict[str, str]) -> None:
    assert form_of(url, headers, "k") is None
