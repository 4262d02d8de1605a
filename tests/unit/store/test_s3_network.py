"""Requests through an HTTP proxy, and to servers with certificates of their own: by s3fs, and made directly."""

from __future__ import annotations

import datetime as dt
import ipaddress
import ssl
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

import pytest

from pyspark_logs.errors import OptionError, StoreError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store import Store, open_store
from tests.support.fault_proxy import FaultProxy
from tests.support.s3_server import S3Bucket
from tests.support.trials import tries


def certificate(folder: Path) -> Path:
    """Writes a certificate for 127.0.0.1 that it signs itself, with its key; returns the file."""
    from cryptography import x509
    from cryptography.hazmat.primitives import hashes, serialization
    from cryptography.hazmat.primitives.asymmetric import ec
    from cryptography.x509.oid import NameOID

    key = ec.generate_private_key(ec.SECP256R1())
    name = x509.Name([x509.NameAttribute(NameOID.COMMON_NAME, "tests")])
    now = dt.datetime.now(dt.timezone.utc)
    alternatives = x509.SubjectAlternativeName([x509.IPAddress(ipaddress.ip_address("127.0.0.1"))])
    builder = x509.CertificateBuilder().subject_name(name).issuer_name(name).public_key(key.public_key())
    builder = builder.serial_number(x509.random_serial_number()).add_extension(alternatives, critical=False)
    builder = builder.not_valid_before(now - dt.timedelta(days=1)).not_valid_after(now + dt.timedelta(days=1))
    made = builder.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True).sign(
        key, hashes.SHA256()
    )
    private = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    path = folder / "certificate.pem"
    path.write_bytes(made.public_bytes(serialization.Encoding.PEM) + private)
    return path


@pytest.fixture
def tls(s3: S3Bucket, tmp_path: Path) -> Iterator[tuple[FaultProxy, Path]]:
    """Proxy with TLS, and its certificate."""
    path = certificate(tmp_path)
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(path)
    proxy = FaultProxy(s3.endpoint, tls=context)
    proxy.start()
    yield proxy, path
    proxy.stop()


def use(s3: S3Bucket, options: StoreOptions) -> Store:
    """Makes requests of each kind, of which the second of a kind is made directly."""
    path = s3.put("a.log", b"data")
    store = open_store(path, options)
    for _ in range(2):
        assert store.get(path) == b"data"
        assert [file.path for file in store.list_page(f"{s3.url}/", recursive=True).files] == [path]
    assert store.create(f"{s3.url}/_commits/x.json", b"{}")
    upload = store.start_upload(f"{s3.url}/w.log", token="t", staging="")
    etag = store.upload_part(f"{s3.url}/w.log", upload, 1, b"data")
    assert store.complete_upload(f"{s3.url}/w.log", upload, [etag], size=4)
    return store


def test_a_server_with_a_certificate_of_its_own(s3: S3Bucket, tls: tuple[FaultProxy, Path]) -> None:
    proxy, trusted = tls
    use(s3, replace(s3.options, endpoint=proxy.endpoint, ca_bundle=str(trusted)))
    assert len(proxy.requests) == 8


@tries("a server whose certificate is not trusted", "an error that names `caBundle`, after one request")
def test_a_certificate_that_is_not_trusted(s3: S3Bucket, tls: tuple[FaultProxy, Path]) -> None:
    proxy, _ = tls
    path = s3.put("a.log", b"data")
    store = open_store(path, replace(s3.options, endpoint=proxy.endpoint))
    with pytest.raises(StoreError, match="caBundle"):
        store.get(path)
    assert proxy.requests == []


def test_a_bundle_that_is_not_there(s3: S3Bucket, tls: tuple[FaultProxy, Path], tmp_path: Path) -> None:
    options = replace(s3.options, endpoint=tls[0].endpoint, ca_bundle=str(tmp_path / "none.pem"))
    with pytest.raises(OptionError, match=r"option 'caBundle': there is no .*none.pem"):
        open_store(s3.url, options).get(f"{s3.url}/a.log")


def test_requests_through_a_proxy(s3: S3Bucket) -> None:
    proxy = FaultProxy(s3.endpoint)
    proxy.start()
    try:
        use(s3, replace(s3.options, proxy=proxy.endpoint.replace("//", "//user:sEcReT@")))
        assert len(proxy.requests) == 8
        for _, target, headers in proxy.requests:
            assert target.startswith(f"{s3.endpoint}/")
            assert headers["Proxy-Authorization"].startswith("Basic ")
    finally:
        proxy.stop()
