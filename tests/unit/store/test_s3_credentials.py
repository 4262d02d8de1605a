"""Credentials of S3: their sources, roles, renewal, and their absence from everything that is produced."""

from __future__ import annotations

import datetime as dt
import json
import logging
import pickle
import sys
import types
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

from pyspark_logs import scan, write
from pyspark_logs.errors import AccessDeniedError, OptionError, StoreError
from pyspark_logs.options import StoreOptions, parse_read_options, parse_write_options
from pyspark_logs.store import open_store, s3_credentials
from pyspark_logs.stream import LogStream
from tests.support.fault_proxy import CannedResponse, ErrorResponse, FaultProxy
from tests.support.s3_server import S3Bucket
from tests.support.trials import tries

START = dt.datetime(2026, 11, 22, tzinfo=dt.timezone.utc)
BASE = {"path": "s3://b/app", "template": "{m}"}


class Clock:
    """The time of credentials, which tests move."""

    def __init__(self) -> None:
        self.now = START

    def __call__(self) -> dt.datetime:
        return self.now


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> Clock:
    clock = Clock()
    monkeypatch.setattr(s3_credentials, "now", clock)
    return clock


@pytest.fixture
def proxy(s3: S3Bucket) -> Iterator[FaultProxy]:
    proxy = FaultProxy(s3.endpoint)
    proxy.start()
    yield proxy
    proxy.stop()


class Issuer:
    """Issues keys, and counts them."""

    def __init__(self, clock: Clock) -> None:
        self.clock, self.issued, self.lifetime = clock, 0, dt.timedelta(hours=1)

    def keys(self) -> dict[str, Any]:
        self.issued += 1
        return {
            "accessKey": f"AKIA{self.issued}",
            "secretKey": f"sEcReT-key-{self.issued}",
            "sessionToken": f"sEcReT-token-{self.issued}",
            "expiration": (self.clock() + self.lifetime).isoformat(),
        }


@pytest.fixture
def issuer(clock: Clock, monkeypatch: pytest.MonkeyPatch) -> Issuer:
    issuer = Issuer(clock)
    module = types.ModuleType("issuing_module")
    module.keys = issuer.keys
    module.broken = lambda: {"accessKey": "AKIA", "secretkey": "sEcReT"}
    module.number = 7
    monkeypatch.setitem(sys.modules, "issuing_module", module)
    return issuer


def keys_of(proxy: FaultProxy) -> list[str]:
    """Returns the access key of each request, without repetitions."""
    return list(dict.fromkeys(_keys(proxy.requests)))


def _keys(requests: list[tuple[str, str, dict[str, str]]]) -> list[str]:
    return [headers["Authorization"].partition("Credential=")[2].partition("/")[0] for _, _, headers in requests]


def without_keys(s3: S3Bucket, proxy: FaultProxy, **options: Any) -> StoreOptions:
    return replace(s3.options, endpoint=proxy.endpoint, access_key=None, secret_key=None, **options)


@tries("keys that expire during a task", "renewed before they expire")
def test_keys_of_a_provider_are_renewed_before_they_expire(
    s3: S3Bucket, proxy: FaultProxy, issuer: Issuer, clock: Clock
) -> None:
    store = open_store("s3://b", without_keys(s3, proxy, credentials_provider="issuing_module:keys"))
    paths = [s3.put(f"{hour}.log", b"x") for hour in range(5)]
    for path in paths:  # a task of hours
        assert store.get(path) == b"x"
        assert store.get(path) == b"x"
        clock.now += dt.timedelta(minutes=55)
    upload = store.start_upload(f"{s3.url}/w.log", token="t", staging="")
    clock.now += dt.timedelta(hours=2)
    etag = store.upload_part(f"{s3.url}/w.log", upload, 1, b"data")
    clock.now += dt.timedelta(hours=2)
    assert store.complete_upload(f"{s3.url}/w.log", upload, [etag], size=4)
    assert keys_of(proxy) == [f"AKIA{number}" for number in range(1, 9)]
    assert {headers["X-Amz-Security-Token"] for _, _, headers in proxy.requests} == {
        f"sEcReT-token-{number}" for number in range(1, 9)
    }


@tries("keys that the server reports as expired", "renewed once")
def test_keys_that_the_server_calls_expired_are_renewed_once(s3: S3Bucket, proxy: FaultProxy, issuer: Issuer) -> None:
    path = s3.put("a.log", b"x")
    store = open_store(path, without_keys(s3, proxy, credentials_provider="issuing_module:keys"))
    proxy.inject(ErrorResponse(400, "ExpiredToken"))
    assert store.get(path) == b"x"
    assert keys_of(proxy) == ["AKIA1", "AKIA2"]
    proxy.inject(then=ErrorResponse(400, "ExpiredToken"))
    with pytest.raises(AccessDeniedError, match="have expired"):
        store.get(path)
    assert proxy.count("GET") == 2


@tries("keys that expire during a read, a write and a stream of hours", "renewed; each row once")
def test_keys_expire_during_a_write_a_read_and_a_stream(
    s3: S3Bucket, proxy: FaultProxy, issuer: Issuer, clock: Clock
) -> None:
    """The server refuses keys that have expired. With each request, two of the sixty minutes of the keys pass."""
    issued: dict[str, dt.datetime] = {}

    def refuse_expired_keys(method: str) -> ErrorResponse | None:
        (key,) = _keys(proxy.requests[-1:])
        clock.now += dt.timedelta(minutes=2)
        began = issued.setdefault(key, clock.now)
        return ErrorResponse(400, "ExpiredToken") if clock.now >= began + issuer.lifetime else None

    proxy.choose = refuse_expired_keys
    options = {"endpoint": proxy.endpoint, "region": "us-east-1", "template": "{n:long}",
               "credentialsProvider": "issuing_module:keys"}  # fmt: skip
    root, numbers = f"{s3.url}/app", list(range(80))
    write(pa.table({"n": numbers}), root, maxRecordsPerFile="2", **options)
    written = issuer.issued
    assert written > 3
    assert sorted(scan(root, **options).read_all()["n"].to_pylist()) == numbers
    read = issuer.issued
    assert read > written
    stream = LogStream(parse_read_options({"path": root, **options}), "n bigint")
    start, found = stream.initial_offset(), []
    while (end := stream.latest_offset(start, max_files=10, max_bytes=None)) != start:
        parts = [part for task in stream.plan_batch(start, end) for part in stream.reader.read_task(task)]
        found += [n for part in parts for n in part["n"].to_pylist()]
        start = end
    assert sorted(found) == numbers
    assert issuer.issued > read


@pytest.mark.parametrize(
    ("reference", "error", "match"),
    [
        ("issuing_module:none", OptionError, "cannot be imported"),
        ("no_such_module:keys", OptionError, "cannot be imported"),
        ("issuing_module:number", OptionError, "is a int, not a callable"),
        ("issuing_module:broken", AccessDeniedError, r"value hidden\) instead of a mapping with 'accessKey'"),
    ],
)
def test_providers_that_do_not_work(
    s3: S3Bucket, proxy: FaultProxy, issuer: Issuer, reference: str, error: type[Exception], match: str
) -> None:
    store = open_store("s3://b", without_keys(s3, proxy, credentials_provider=reference))
    with pytest.raises(error, match=match) as raised:
        store.get(f"{s3.url}/a.log")
    assert "sEcReT" not in f"{raised.value!r}{raised.value.__cause__!r}"


@pytest.mark.parametrize("on_driver", [False, True], ids=["worker", "driver"])
def test_service_credentials_of_unity_catalog(
    s3: S3Bucket, proxy: FaultProxy, issuer: Issuer, clock: Clock, monkeypatch: pytest.MonkeyPatch, on_driver: bool
) -> None:
    """A stand-in with the interface of Databricks: a session of botocore for the name of a credential."""
    from botocore.credentials import Credentials
    from botocore.session import Session

    def provider(name: str) -> Session:
        assert name == "logs-reader"
        keys, session = issuer.keys(), Session()
        session._credentials = Credentials(keys["accessKey"], keys["secretKey"], keys["sessionToken"])
        session._credentials._expiry_time = clock() + dt.timedelta(hours=1)
        return session

    package, module = types.ModuleType("databricks"), types.ModuleType("databricks.service_credentials")
    if on_driver:
        monkeypatch.setitem(sys.modules, "databricks.service_credentials", None)
        sdk, module = types.ModuleType("databricks.sdk"), types.ModuleType("databricks.sdk.runtime")
        module.dbutils = types.SimpleNamespace(
            credentials=types.SimpleNamespace(getServiceCredentialsProvider=provider)
        )
        monkeypatch.setitem(sys.modules, "databricks.sdk", sdk)
    else:
        module.getServiceCredentialsProvider = provider
    monkeypatch.setitem(sys.modules, "databricks", package)
    monkeypatch.setitem(sys.modules, module.__name__, module)
    path = s3.put("a.log", b"x")
    store = open_store(path, without_keys(s3, proxy, credential="logs-reader"))
    assert store.get(path) == b"x"
    clock.now += dt.timedelta(minutes=55)
    assert store.get(path) == b"x"
    assert keys_of(proxy) == ["AKIA1", "AKIA2"]


def test_service_credentials_outside_of_databricks(s3: S3Bucket, proxy: FaultProxy) -> None:
    store = open_store("s3://b", without_keys(s3, proxy, credential="logs-reader"))
    with pytest.raises(OptionError, match="exists on Databricks only"):
        store.get(f"{s3.url}/a.log")


@pytest.mark.parametrize("source", ["keys", "provider"])
def test_roles_are_assumed_with_any_credentials(
    s3: S3Bucket, proxy: FaultProxy, issuer: Issuer, clock: Clock, source: str
) -> None:
    clock.now = dt.datetime.now(dt.timezone.utc)  # of the server that assumes roles
    options = without_keys(s3, proxy, role_arn="arn:aws:iam::123456789012:role/reader", external_id="acme",
                           role_session_name="job-7", role_duration_s=1800.0)  # fmt: skip
    if source == "keys":
        options = replace(options, access_key="AKIA1", secret_key="sEcReT")
    else:
        options = replace(options, credentials_provider="issuing_module:keys")
    bodies: list[bytes] = []
    proxy.observe = bodies.append
    path = s3.put("a.log", b"x")
    store = open_store(path, options)
    assert store.get(path) == b"x"
    clock.now += dt.timedelta(minutes=25)
    assert store.get(path) == b"x"
    found = keys_of(proxy)
    assert found[0] == "AKIA1"
    assert len({key for key in found if key.startswith("ASIA")}) == 2
    (assume, *_) = [body.decode() for body in bodies if b"AssumeRole" in body]
    for text in ("ExternalId=acme", "RoleSessionName=job-7", "DurationSeconds=1800", "role%2Freader"):
        assert text in assume


def test_keys_that_live_for_15_minutes_serve_more_than_one_request(
    s3: S3Bucket, proxy: FaultProxy, issuer: Issuer, clock: Clock
) -> None:
    issuer.lifetime = dt.timedelta(minutes=15)
    path = s3.put("a.log", b"x")
    store = open_store(path, without_keys(s3, proxy, credentials_provider="issuing_module:keys"))
    for _ in range(4):  # at 0, 4, 8 and 12 minutes
        assert store.get(path) == b"x"
        clock.now += dt.timedelta(minutes=4)
    assert issuer.issued == 2


ROLE = "arn:aws:iam::123456789012:role/other"


def refusal(code: str, message: str) -> CannedResponse:
    """Returns the response of a server that does not assume a role."""
    return CannedResponse(
        f"<ErrorResponse><Error><Code>{code}</Code><Message>{message}</Message></Error></ErrorResponse>", 403
    )


@tries("a role that may not be assumed", "an error that names it")
@pytest.mark.parametrize(
    ("answer", "match"),
    [
        (refusal("AccessDenied", "no rule allows it"), r"AccessDenied: no rule allows it\. Allow sts:AssumeRole on the role"),
        (refusal("InvalidClientTokenId", "the key is invalid"), "the key is invalid. Check accessKey and secretKey"),
        (ErrorResponse(405, "MethodNotAllowed"), "The server does not assume roles: set stsEndpoint"),
    ],
)  # fmt: skip
def test_a_role_that_may_not_be_assumed(
    s3: S3Bucket, proxy: FaultProxy, caplog: pytest.LogCaptureFixture, answer: Any, match: str
) -> None:
    options = replace(s3.options, endpoint=proxy.endpoint, role_arn=ROLE)
    proxy.inject(answer)
    call = rf"cannot read {s3.url}/a.log \(endpoint \S+\): sts:AssumeRole of {ROLE} at {proxy.endpoint} failed: "
    with pytest.raises(StoreError, match=call + ".*" + match):
        open_store("s3://b", options).get(f"{s3.url}/a.log")
    assert len(proxy.requests) == 1
    # aiobotocore logs the traceback of the failure, which Python prints where no logging is configured.
    assert not caplog.records


def test_a_role_that_cannot_be_assumed_again_is_one_line_while_its_keys_live(
    s3: S3Bucket, proxy: FaultProxy, clock: Clock, caplog: pytest.LogCaptureFixture
) -> None:
    clock.now = dt.datetime.now(dt.timezone.utc)  # of the server that assumes roles
    path = s3.put("a.log", b"x")
    store = open_store(path, replace(s3.options, endpoint=proxy.endpoint, role_arn=ROLE))
    assert store.get(path) == b"x"
    clock.now += dt.timedelta(minutes=49)
    proxy.inject(refusal("AccessDenied", "no rule allows it"))
    assert store.get(path) == b"x"
    (record,) = caplog.records
    assert record.exc_info is None
    assert f"sts:AssumeRole of {ROLE} at {proxy.endpoint}: no rule allows it. A later" in record.getMessage()


@pytest.mark.parametrize(
    ("options", "match"),
    [
        ({"credential": "c", "accessKey": "a", "secretKey": "s"}, "credential and accessKey contradict"),
        ({"credential": "c", "credentialsProvider": "a:b"}, "credential and credentialsProvider contradict"),
        ({"anonymous": "true", "roleArn": "arn:aws:iam::123456789012:role/r"}, "'anonymous' and 'roleArn' contradict"),
        ({"externalId": "x"}, "'externalId' needs 'roleArn'"),
        ({"roleDuration": "1h"}, "'roleDuration' needs 'roleArn'"),
        ({"roleArn": "arn:aws:iam::123456789012:role/r", "roleDuration": "5m"}, "not between 15m and 12h"),
        ({"credentialsProvider": "module"}, "a function as 'module:callable'"),
        ({"kmsKeyId": "k"}, "needs sse=aws:kms"),
        ({"kmsKeyId": "k", "sse": "AES256"}, "needs sse=aws:kms"),
        ({"bucketKey": "true", "sse": "aws:kms:dsse"}, "needs sse=aws:kms"),
        ({"storageClass": "GLACIER"}, "one of STANDARD"),
        ({"objectTags": '{"a": 1}'}, "names and values are strings"),
        ({"addressingStyle": "host"}, "one of auto, path, virtual"),
    ],
)
def test_options_that_contradict(options: dict[str, str], match: str) -> None:
    with pytest.raises(OptionError, match=match):
        parse_write_options({**BASE, **options})


def test_parameters_of_requests(s3: S3Bucket, proxy: FaultProxy) -> None:
    options = replace(s3.options, endpoint=proxy.endpoint, requester_pays=True, sse="aws:kms", kms_key_id="k-1",
                      bucket_key=True, acl="bucket-owner-full-control", storage_class="STANDARD_IA",
                      object_tags='{"team": "a b"}')  # fmt: skip
    store = open_store(s3.url, options)
    path = f"{s3.url}/w.log"
    upload = store.start_upload(path, token="t", staging="")
    assert store.complete_upload(path, upload, [store.upload_part(path, upload, 1, b"data")], size=4)
    assert store.create(f"{s3.url}/_commits/x.json", b"{}")
    assert store.get(path) == b"data"
    store.list_page(s3.url + "/", recursive=True)
    lower = [
        (method, {name.lower(): value for name, value in headers.items()}) for method, _, headers in proxy.requests
    ]
    assert all(headers["x-amz-request-payer"] == "requester" for _, headers in lower)
    start, record = lower[0][1], lower[3][1]
    for headers in (start, record):
        assert headers["x-amz-server-side-encryption"] == "aws:kms"
        assert headers["x-amz-server-side-encryption-aws-kms-key-id"] == "k-1"
        assert headers["x-amz-server-side-encryption-bucket-key-enabled"] == "true"
        assert headers["x-amz-acl"] == "bucket-owner-full-control"
    assert (start["x-amz-storage-class"], start["x-amz-tagging"]) == ("STANDARD_IA", "team=a+b")
    assert not {"x-amz-storage-class", "x-amz-tagging"} & set(record)


def test_connections(tmp_path: Path) -> None:
    from pyspark_logs.store.s3_connection import connection_arguments

    bundle = tmp_path / "ca.pem"
    bundle.touch()
    found = connection_arguments(
        StoreOptions(endpoint="http://s", addressing_style="virtual", ca_bundle=str(bundle), proxy="http://u:p@proxy:1")
    )
    assert found["client_kwargs"]["verify"] == str(bundle)
    assert found["config_kwargs"]["s3"] == {"addressing_style": "virtual"}
    assert found["config_kwargs"]["proxies"] == {"http": "http://u:p@proxy:1", "https": "http://u:p@proxy:1"}


@tries("secrets in options, credentials and responses", "in no error, log record, pickle or object")
def test_no_secret_is_in_anything_that_is_produced(
    s3: S3Bucket, proxy: FaultProxy, issuer: Issuer, clock: Clock, caplog: pytest.LogCaptureFixture, tmp_path: Any
) -> None:
    """Options, errors, pickles, log records at level DEBUG, and the objects and records of a write job."""
    clock.now = dt.datetime.now(dt.timezone.utc)
    secrets = ["sEcReT"]
    explicit = {"accessKey": "AKIA0", "secretKey": "sEcReT-key-0", "sessionToken": "sEcReT-token-0",
                "storageOptions": json.dumps({"client_kwargs": {"some_secret": "sEcReT-9"}})}  # fmt: skip
    produced = [repr(parse_read_options({**BASE, **explicit})), repr(parse_write_options({**BASE, **explicit}))]
    common = {"endpoint": proxy.endpoint, "region": "us-east-1", "template": "{level} {m}", "maxRetries": "0"}
    role = {"roleArn": "arn:aws:iam::123456789012:role/reader", "externalId": "sEcReT-id"}
    with caplog.at_level(logging.DEBUG):
        options = {"credentialsProvider": "issuing_module:keys", **role}
        write(pa.table({"level": ["INFO"], "m": ["x"]}), f"{s3.url}/out", **common, **options)
        for fault in (ErrorResponse(403, "InvalidToken", "sEcReT-token-1"), ErrorResponse(500, "InternalError")):
            proxy.inject(then=fault)
            with pytest.raises(StoreError) as raised:
                scan(f"{s3.url}/out", **common, **options)
            error: BaseException | None = raised.value
            produced.append(repr(pickle.dumps(error)))
            while error is not None:
                produced.append(f"{error} {error!r}")
                error = error.__cause__ or (None if error.__suppress_context__ else error.__context__)
            proxy.inject()
    produced += [record.getMessage() for record in caplog.records] + [caplog.text]
    assert any(record.name.startswith("botocore") for record in caplog.records)
    store = open_store(s3.url, s3.options)
    produced += [repr(store.get(file.path)) for file in store.list_page(f"{s3.url}/out/", recursive=True).files]
    for text in produced:
        for secret in secrets:
            assert secret not in text, text[max(text.find(secret) - 300, 0) : text.find(secret) + 100]
