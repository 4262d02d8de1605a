"""The default chain of credentials: environment, profile, web identity, role of a container, role of an instance."""

from __future__ import annotations

import datetime as dt
import json
import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest

from pyspark_logs.store import open_store
from tests.support.fault_proxy import FaultProxy
from tests.support.s3_server import S3Bucket

# botocore renews keys ten minutes before they expire, so the first ones are renewed before the next request. It extends the
# lifetime of those of instances, which are valid for longer than they say if the metadata server has a fault.
LIFETIMES = (dt.timedelta(minutes=5), dt.timedelta(hours=1))


class Metadata:
    """A server that issues keys as those of containers and instances do. The first keys live for five minutes."""

    def __init__(self) -> None:
        self.issued = 0
        self.paths: list[str] = []
        owner = self

        class Handler(BaseHTTPRequestHandler):
            def do_GET(self) -> None:
                owner.paths.append(self.path)
                body = b"token" if self.path.endswith("/token") else owner.answer(self.path)
                self.send_response(200)
                self.send_header("Content-Length", str(len(body)))
                self.send_header("X-aws-ec2-metadata-token-ttl-seconds", "600")
                self.end_headers()
                self.wfile.write(body)

            def do_PUT(self) -> None:
                self.do_GET()

            def log_message(self, *args: Any) -> None:
                """Logs nothing."""

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.url = f"http://127.0.0.1:{self.server.server_address[1]}"
        threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True).start()

    def answer(self, path: str) -> bytes:
        if path.endswith("/security-credentials/"):
            return b"role-of-the-instance"
        self.issued += 1
        expires = dt.datetime.now(dt.timezone.utc) + LIFETIMES[min(self.issued, 2) - 1]
        return json.dumps({
            "Code": "Success", "Type": "AWS-HMAC", "AccessKeyId": f"ASIA{self.issued}", "SecretAccessKey": "sEcReT",
            "Token": f"token-{self.issued}", "Expiration": f"{expires:%Y-%m-%dT%H:%M:%SZ}", "LastUpdated": "2026-11-22T00:00:00Z",
        }).encode()  # fmt: skip


@pytest.fixture
def metadata() -> Iterator[Metadata]:
    metadata = Metadata()
    yield metadata
    metadata.server.shutdown()
    metadata.server.server_close()


@pytest.fixture
def proxy(s3: S3Bucket) -> Iterator[FaultProxy]:
    proxy = FaultProxy(s3.endpoint)
    proxy.start()
    yield proxy
    proxy.stop()


def keys_used(s3: S3Bucket, proxy: FaultProxy, **options: Any) -> list[str]:
    """Returns the access keys of five requests, of which s3fs makes the first, without repetitions."""
    given = replace(s3.options, endpoint=proxy.endpoint, access_key=None, secret_key=None, **options)
    store = open_store(s3.url, given)
    path = s3.put("a.log", b"x")
    for _ in range(5):
        assert store.get(path) == b"x"
    signed = [headers["Authorization"] for _, path, headers in proxy.requests if path.endswith("/a.log")]
    return list(dict.fromkeys(text.partition("Credential=")[2].partition("/")[0] for text in signed))


def test_environment(s3: S3Bucket, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", "AKIAENV")
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "sEcReT")
    assert keys_used(s3, proxy, default_credential=True) == ["AKIAENV"]


@pytest.mark.parametrize(("profile", "key"), [(None, "AKIADEFAULT"), ("logs", "AKIALOGS")])
def test_profiles(
    s3: S3Bucket, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path, profile: str | None, key: str
) -> None:
    lines = [
        f"[{name}]\naws_access_key_id = {key}\naws_secret_access_key = sEcReT\n"
        for name, key in (("default", "AKIADEFAULT"), ("logs", "AKIALOGS"))
    ]
    (tmp_path / "credentials").write_text("\n".join(lines))
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    assert keys_used(s3, proxy, profile=profile) == [key]


def of_a_container(monkeypatch: pytest.MonkeyPatch, metadata: Metadata) -> None:
    monkeypatch.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{metadata.url}/container")


def of_an_instance(monkeypatch: pytest.MonkeyPatch, metadata: Metadata) -> None:
    monkeypatch.delenv("AWS_EC2_METADATA_DISABLED")
    monkeypatch.setenv("AWS_EC2_METADATA_SERVICE_ENDPOINT", metadata.url)


@pytest.mark.parametrize(("configure", "issued"), [(of_a_container, 2), (of_an_instance, 1)])
def test_roles(
    s3: S3Bucket,
    proxy: FaultProxy,
    monkeypatch: pytest.MonkeyPatch,
    metadata: Metadata,
    configure: Callable[[pytest.MonkeyPatch, Metadata], None],
    issued: int,
) -> None:
    configure(monkeypatch, metadata)
    assert keys_used(s3, proxy)[-1] == f"ASIA{issued}"
    assert metadata.issued == issued


def test_web_identity(s3: S3Bucket, proxy: FaultProxy, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("web-identity-token")
    monkeypatch.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    monkeypatch.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/pod")
    monkeypatch.setenv("AWS_ENDPOINT_URL_STS", proxy.endpoint)
    bodies: list[bytes] = []
    proxy.observe = bodies.append
    (key,) = keys_used(s3, proxy)
    assert key.startswith("ASIA")
    (request,) = [body for body in bodies if b"AssumeRoleWithWebIdentity" in body]
    assert b"web-identity-token" in request
