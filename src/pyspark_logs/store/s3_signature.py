"""Signature Version 4 of requests to S3 without a body.

See https://docs.aws.amazon.com/AmazonS3/latest/API/sig-v4-header-based-auth.html. botocore derives the signing key anew for each
request; a signature takes 7 us here.
"""

from __future__ import annotations

import functools
import hashlib
import hmac
import time
from collections.abc import Mapping

_ALGORITHM = "AWS4-HMAC-SHA256"
_EMPTY_BODY = hashlib.sha256(b"").hexdigest()


def sign(
    method: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    *,
    keys: tuple[str, str, str | None],
    region: str,
    time_s: float | None = None,
) -> dict[str, str]:
    """Returns the headers of a signed request.

    Args:
        method: HTTP method.
        path: path of the URL, percent-encoded.
        query: query of the URL, percent-encoded and sorted by name.
        headers: other headers, with names in lower case, and ``host``.
        keys: access key, secret key, and session token.
        region: region of the bucket.
        time_s: time of the request in seconds since the epoch; None for now.
    """
    access_key, secret_key, token = keys
    stamp = time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(time_s))
    day = stamp[:8]
    signed = {**headers, "x-amz-content-sha256": _EMPTY_BODY, "x-amz-date": stamp}
    if token:
        signed["x-amz-security-token"] = token
    # The name of the client is not signed, because proxies may change it.
    values = sorted((name, " ".join(value.split())) for name, value in signed.items() if name != "user-agent")
    names = ";".join(name for name, _ in values)
    lines = (f"{name}:{value}" for name, value in values)
    canonical = "\n".join((method, path, query, *lines, "", names, _EMPTY_BODY))
    scope = f"{day}/{region}/s3/aws4_request"
    text = f"{_ALGORITHM}\n{stamp}\n{scope}\n{hashlib.sha256(canonical.encode()).hexdigest()}"
    signature = hmac.digest(_signing_key(secret_key, day, region), text.encode(), "sha256").hex()
    signed["authorization"] = (
        f"{_ALGORITHM} Credential={access_key}/{scope}, SignedHeaders={names}, Signature={signature}"
    )
    return signed


@functools.lru_cache(maxsize=16)
def _signing_key(secret_key: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = hmac.digest(key, part.encode(), "sha256")
    return key
