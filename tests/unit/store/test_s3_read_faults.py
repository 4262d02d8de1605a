"""Reads from S3 while requests fail."""

from __future__ import annotations

import gc
import json
import pickle
import random
import time
import traceback
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace

import pytest

from pyspark_logs.errors import (
    AccessDeniedError,
    CircuitOpenError,
    LogSourceError,
    SnapshotChangedError,
    StoreError,
    TruncatedBodyError,
)
from pyspark_logs.store import Store, open_store
from pyspark_logs.store.s3_connection import _MAX_SHARED, shared_filesystem
from tests.support.fault_proxy import (
    ConnectionReset,
    DroppedHeader,
    ErrorResponse,
    FaultProxy,
    StalledBody,
    TruncatedBody,
)
from tests.support.s3_server import S3Bucket
from tests.support.trials import tries
from tests.unit.store.read_suite import DATA, MIB, read_all


@pytest.mark.usefixtures("no_backoff")
class TestFaults:
    @pytest.fixture(autouse=True)
    def prepare(self, s3: S3Bucket, faulty: FaultProxy):
        self.s3, self.faulty = s3, faulty
        self.options = replace(s3.options, endpoint=faulty.endpoint)
        self.path = s3.put("app/a.log", DATA)
        self.root = s3.url + "/"

    def store(self, **changes) -> Store:
        return open_store(self.root, replace(self.options, **changes))

    @pytest.mark.parametrize(
        "fault",
        [
            ErrorResponse(503, "SlowDown"),
            ErrorResponse(503, "ServiceUnavailable"),
            ErrorResponse(500, "InternalError"),
            ErrorResponse(429, "TooManyRequests"),
            ConnectionReset(),
        ],
        ids=lambda fault: getattr(fault, "code", "reset"),
    )
    def test_transient_errors_are_retried(self, fault):
        store = self.store()
        self.faulty.inject(fault, fault)
        assert store.head(self.path).size == len(DATA)
        self.faulty.inject(fault, fault)
        assert len(store.list_page(self.root, recursive=True).files) == 1
        self.faulty.inject(fault, fault)
        assert read_all(store, self.path) == DATA
        # aiohttp itself retries once, invisibly to botocore, if an open connection turns out to be closed.
        seen = 2 if fault == ConnectionReset() else 3
        assert store.request_counts == {"HEAD": seen, "LIST": seen, "GET": seen}
        assert self.faulty.count("GET") == 3

    @pytest.mark.parametrize(
        "fault", [ErrorResponse(500, "InternalError"), ErrorResponse(429, "TooManyRequests"), ConnectionReset()]
    )
    def test_retries_are_bounded(self, fault):
        self.faulty.inject(then=fault)
        with pytest.raises(
            StoreError, match=r"cannot list s3://.*endpoint http://127.*maxRetries|requestTimeout"
        ) as caught:
            self.store(max_retries=2).list_page(self.root, recursive=True)
        assert not isinstance(caught.value, CircuitOpenError)
        assert self.faulty.count("GET") == (6 if fault == ConnectionReset() else 3)

    def test_no_retries(self):
        self.faulty.inject(then=ErrorResponse(503, "SlowDown"))
        with pytest.raises(StoreError):
            self.store(max_retries=0).head(self.path)
        assert self.faulty.count("HEAD") == 1

    @pytest.mark.parametrize(
        "fault",
        [TruncatedBody(MIB), TruncatedBody(0), TruncatedBody(1_500_000, reset=True), TruncatedBody(1_500_000)],
        ids=str,
    )
    def test_a_truncated_body_is_resumed_at_its_end(self, fault):
        self.faulty.inject(fault, fault)
        assert read_all(self.store(), self.path, chunk_bytes=MIB) == DATA
        first, *resumed = [headers for _, _, headers in self.faulty.requests]
        assert "Range" not in first
        assert len(resumed) >= 1
        etag = self.store().head(self.path).etag
        assert all(headers["If-Match"] == f'"{etag}"' for headers in resumed)
        assert all(headers["Range"].endswith(f"-{len(DATA) - 1}") for headers in resumed)

    def test_a_truncated_range_is_resumed(self):
        self.faulty.inject(TruncatedBody(100), TruncatedBody(100))
        assert read_all(self.store(), self.path, 1000, 500_000) == DATA[1000:500_000]
        assert self.faulty.requests[0][2]["Range"] == "bytes=1000-499999"
        assert self.faulty.count("GET") == 3

    def test_a_body_that_stalls_is_resumed(self):
        self.faulty.inject(StalledBody(100_000, seconds=600.0))
        began = time.monotonic()
        assert read_all(self.store(request_timeout_s=2.0), self.path) == DATA
        assert time.monotonic() - began < 60  # two seconds on an idle machine

    def test_a_body_that_always_stalls_is_an_error(self):
        self.faulty.inject(then=StalledBody(1000, seconds=600.0))
        with pytest.raises(TruncatedBodyError, match="Read timeout on endpoint"):
            read_all(self.store(request_timeout_s=2.0, max_retries=0), self.path)

    def test_a_body_that_is_always_truncated_is_an_error(self):
        self.faulty.inject(then=TruncatedBody(1000))
        received = []
        with pytest.raises(TruncatedBodyError, match=rf"a\.log.*of {len(DATA)}") as caught:
            received.extend(self.store(max_retries=3).read(self.path))
        assert len(b"".join(received)) <= 4000
        assert DATA.startswith(b"".join(received))
        assert self.faulty.count("GET") == 4
        assert isinstance(pickle.loads(pickle.dumps(caught.value)), TruncatedBodyError)

    def test_progress_resets_the_retries(self):
        # Each request returns some complete chunks before its body ends.
        self.faulty.inject(then=TruncatedBody(700_000))
        assert read_all(self.store(max_retries=1), self.path, chunk_bytes=100_000) == DATA
        assert self.faulty.count("GET") >= 5

    @tries("a file replaced while it is read", "`SnapshotChangedError`")
    def test_a_file_is_replaced_before_its_body_is_resumed(self):
        self.faulty.inject(TruncatedBody(MIB))
        body = self.store().read(self.path, chunk_bytes=MIB // 2)
        received = [next(body)]
        self.s3.put("app/a.log", b"other" * len(DATA))
        with pytest.raises(SnapshotChangedError, match=r"a\.log"):
            received.extend(body)
        assert DATA.startswith(b"".join(received))

    def test_a_file_is_deleted_before_its_body_is_resumed(self):
        self.faulty.inject(TruncatedBody(MIB))
        body = self.store().read(self.path, chunk_bytes=MIB // 2)
        next(body)
        self.s3.delete("app/a.log")
        with pytest.raises(SnapshotChangedError, match=r"a\.log"):
            list(body)

    @tries("servers that ignore conditions or byte ranges", "an error")
    def test_servers_that_ignore_conditions_or_ranges(self):
        self.faulty.inject(then=DroppedHeader(name="If-Match"))
        with pytest.raises(SnapshotChangedError, match="'0123' expected"):
            list(self.store().read(self.path, etag="0123"))
        self.faulty.inject(then=DroppedHeader(name="Range"))
        with pytest.raises(StoreError, match="ignores byte ranges"):
            list(self.store().read(self.path, 10, 20))
        assert read_all(self.store(), self.path, 0, 20) == DATA[:20]

    @tries("wrong keys, no permission", "an error after one request, which names the permission or key")
    @pytest.mark.parametrize("code", ["InvalidAccessKeyId", "SignatureDoesNotMatch", "AccessDenied", "ExpiredToken"])
    def test_wrong_credentials_fail_at_once(self, code):
        for act in (
            lambda store: store.list_page(self.root, recursive=True),
            lambda store: list(store.read(self.path)),
            lambda store: store.head(self.path),
        ):
            self.faulty.inject(then=ErrorResponse(403, code))
            with pytest.raises(AccessDeniedError, match="s3://") as caught:
                act(self.store())
            assert isinstance(caught.value, PermissionError)
            assert len(self.faulty.requests) == 1

    def test_permanent_errors_never_open_the_circuit(self):
        store = self.store(max_consecutive_failures=2)
        self.faulty.inject(then=ErrorResponse(403, "AccessDenied"))
        for _ in range(4):
            with pytest.raises(AccessDeniedError):
                store.head(self.path)
        self.faulty.inject()
        assert store.head(self.path) is not None

    def test_a_store_that_stays_down_opens_the_circuit(self):
        store = self.store(max_retries=2, max_consecutive_failures=5)
        self.faulty.inject(then=ErrorResponse(503, "SlowDown"))
        with pytest.raises(StoreError, match="fewer requests") as caught:
            store.head(self.path)
        assert not isinstance(caught.value, CircuitOpenError)
        with pytest.raises(
            CircuitOpenError, match=r"5 requests in a row failed.*SlowDown.*maxConsecutiveFailures"
        ) as caught:
            store.list_page(self.root, recursive=True)
        assert caught.value.__cause__ is not None
        assert len(self.faulty.requests) == 5
        for _ in range(3):  # no further requests are made
            with pytest.raises(CircuitOpenError):
                list(store.read(self.path))
        assert len(self.faulty.requests) == 5

    def test_success_resets_the_failures(self):
        store = self.store(max_retries=2, max_consecutive_failures=3)
        for _ in range(4):
            self.faulty.inject(ErrorResponse(503, "SlowDown"), ConnectionReset())
            assert store.head(self.path) is not None

    def test_truncated_bodies_count_as_failures(self):
        self.faulty.inject(then=TruncatedBody(0))
        with pytest.raises(TruncatedBodyError):
            list(self.store(max_retries=1, max_consecutive_failures=9).read(self.path))
        self.faulty.inject(TruncatedBody(0), then=ErrorResponse(503, "SlowDown"))
        with pytest.raises(CircuitOpenError):
            list(self.store(max_retries=4, max_consecutive_failures=3).read(self.path))
        assert len(self.faulty.requests) == 3

    def test_bodies_are_closed_when_the_consumer_stops_early(self):
        store = self.store()
        for number in range(50):
            body = store.read(self.path, chunk_bytes=1000)
            next(body)
            if number % 2:
                body.close()
            del body  # closed by the reference count, as when a task drops its generator
        assert store.head(self.path) is not None
        assert read_all(store, self.path) == DATA
        for _ in range(100):
            if self.faulty.open_connections <= 2:
                break
            time.sleep(0.02)
        assert self.faulty.open_connections <= 2

    @pytest.mark.parametrize(("direct", "connections"), [(False, 1), (True, 2)])
    def test_complete_bodies_reuse_one_connection_of_each_client(self, direct, connections):
        store = self.store(direct_reads=direct)
        for _ in range(20):
            assert len(read_all(store, self.path, 0, 1000)) == 1000
        assert self.faulty.open_connections == connections

    def test_random_faults(self):
        dice = random.Random(11)
        faults = [
            ErrorResponse(503, "SlowDown"),
            ErrorResponse(500, "InternalError"),
            ConnectionReset(),
            TruncatedBody(70_000),
            TruncatedBody(10, reset=True),
        ]
        self.faulty.choose = lambda method: dice.choice(faults) if dice.random() < 0.2 else None
        store = self.store(max_retries=6, max_consecutive_failures=8)
        with ThreadPoolExecutor(4) as pool:
            found = list(pool.map(lambda start: read_all(store, self.path, start, start + 100_000), range(80)))
        assert found == [DATA[start : start + 100_000] for start in range(80)]

    def test_explicit_credentials_are_not_mixed_with_the_environment(self, monkeypatch):
        monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AMBIENT")
        monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "ambient-secret")
        monkeypatch.setenv("AWS_SESSION_TOKEN", "ambient-token")
        self.faulty.inject()
        self.store().head(self.path)
        with pytest.raises(AccessDeniedError):  # the object is private
            self.store(access_key=None, secret_key=None, anonymous=True).head(self.path)
        self.store(access_key=None, secret_key=None, default_credential=True).head(self.path)
        self.store(session_token="mine").head(self.path)
        explicit, anonymous, default, token = [headers for _, _, headers in self.faulty.requests]
        assert "Credential=testing/" in explicit["Authorization"]
        assert "X-Amz-Security-Token" not in explicit
        assert "Authorization" not in anonymous
        assert "Credential=AMBIENT/" in default["Authorization"]
        assert default["X-Amz-Security-Token"] == "ambient-token"
        assert token["X-Amz-Security-Token"] == "mine"

    def test_stores_share_a_connection_and_nothing_else(self):
        first, second = self.store(), self.store()
        assert first.head(self.path) == second.head(self.path)
        assert first._filesystem() is second._filesystem()
        assert first.request_counts == second.request_counts == {"HEAD": 1}
        self.faulty.inject(then=ErrorResponse(503, "SlowDown"))
        with pytest.raises(CircuitOpenError):
            self.store(max_consecutive_failures=1).head(self.path)
        self.faulty.inject()
        assert self.store(max_consecutive_failures=1).head(self.path) is not None

    def test_rejected_credentials_are_looked_up_again(self):
        refused = self.store()
        self.faulty.inject(ErrorResponse(403, "ExpiredToken"))
        with pytest.raises(AccessDeniedError, match="expired"):
            refused.list_page(self.root, recursive=True)
        again = self.store()
        assert again.head(self.path) is not None
        assert again._filesystem() is not refused._filesystem()

    def test_a_connection_in_use_survives_its_eviction(self):
        store = self.store()
        body = store.read(self.path, chunk_bytes=1000)
        parts = [next(body)]
        for number in range(_MAX_SHARED):
            shared_filesystem(replace(self.options, max_retries=90 + number))
        gc.collect()
        assert b"".join([*parts, *body]) == DATA
        assert shared_filesystem(self.options) is not store._filesystem()

    def test_no_credentials_at_all(self):
        with pytest.raises(AccessDeniedError, match="anonymous=true"):
            self.store(access_key=None, secret_key=None).head(self.path)
        with pytest.raises(AccessDeniedError, match="profile"):
            self.store(access_key=None, secret_key=None, profile="no-such-profile").head(self.path)

    def test_secrets_are_masked(self, caplog):
        caplog.set_level("INFO")
        secret, token, other = "s3cr3t/Value+1", "t0ken-value", "0ther-s3cret"
        store = self.store(
            secret_key=secret,
            session_token=token,
            storage_options=json.dumps({"config_kwargs": {"proxies": {}}, "password": other}),
        )
        message = f"bad {secret} {token} {other}"
        shown = [repr(store), repr(store.options), str(store)]
        for fault in (
            ErrorResponse(403, "AccessDenied", message),
            ErrorResponse(500, "InternalError", message),
            ErrorResponse(404, "NoSuchBucket", message),
        ):
            self.faulty.inject(then=fault)
            with pytest.raises(LogSourceError, match=r"bad \*\*\* \*\*\* \*\*\*") as caught:
                store.list_page(self.root, recursive=True)
            shown += traceback.format_exception(caught.value)
        text = "".join(shown) + caplog.text
        assert not [value for value in (secret, token, other) if value in text]


def test_an_endpoint_without_a_server(s3: S3Bucket):
    store = open_store("s3://b", replace(s3.options, endpoint="http://127.0.0.1:1", max_retries=1))
    with pytest.raises(
        StoreError, match=r"cannot list s3://bkt/x .*127\.0\.0\.1:1.*Check the network and the endpoint"
    ):
        store.list_page("s3://bkt/x", recursive=True)


@tries("a store that stays down", "`CircuitOpenError` after `maxConsecutiveFailures` requests")
@pytest.mark.parametrize("code", ["SlowDown", "InternalError"])
def test_a_store_that_stays_down_fails_after_three_requests(s3: S3Bucket, faulty: FaultProxy, code: str):
    store = open_store(s3.url, replace(s3.options, endpoint=faulty.endpoint, max_retries=3, max_consecutive_failures=3))
    faulty.inject(then=ErrorResponse(503, code))
    with pytest.raises(CircuitOpenError):
        store.list_page(s3.url, recursive=True)
    assert len(faulty.requests) == 3
