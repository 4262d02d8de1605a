"""Direct requests: GetObject and ListObjectsV2 without s3fs and aiobotocore, which take three times the processor time.

s3fs makes the first request of each kind to a bucket. Its URL, its headers and the region of its signature are the form of all later
requests, so that endpoints, addressing styles and options apply to them. A request that has no form, or that the bucket
redirects to its region, is left to s3fs.
"""

from __future__ import annotations

import re
import threading
import time
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, TypeVar
from urllib.parse import parse_qsl, quote, urlsplit

from pyspark_logs.store import s3_credentials
from pyspark_logs.store.bounded_session import deadline, open_session
from pyspark_logs.store.circuit_breaker import CircuitBreaker
from pyspark_logs.store.error_codes import classify_response, is_in_another_region
from pyspark_logs.store.s3_listing import CONSTANTS, PARAMETERS, parse_listing
from pyspark_logs.store.s3_retries import Attempt, RetryPolicy
from pyspark_logs.store.s3_signature import sign
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)
T = TypeVar("T")

_KEYS_S = 1.0  # time for which keys are used without asking their source again, which is on the event loop of s3fs
_MAX_ERROR_BYTES = 1 << 16
_SCOPE = re.compile(r"AWS4-HMAC-SHA256 Credential=.+/\d{8}/([^/]+)/s3/aws4_request, .*")
# Headers of one request, and the header that asks for a checksum, which is not read.
_OF_ONE_REQUEST = frozenset((
    "authorization", "x-amz-date", "x-amz-content-sha256", "x-amz-security-token", "range", "if-match",
    "amz-sdk-invocation-id", "amz-sdk-request", "x-amzn-trace-id", "x-amz-checksum-mode", "host", "content-length",
))  # fmt: skip
_DEFAULT_PORTS = {"http": ":80", "https": ":443"}
_SENT: ContextVar[list[tuple[str, Mapping[str, Any]]] | None] = ContextVar("pyspark_logs_sent_requests", default=None)


@dataclass(frozen=True)
class RequestForm:
    """The form of the requests of one kind to a bucket.

    Attributes:
        origin: scheme and host of the URL.
        prefix: path of the URL before the key.
        headers: headers of all requests, with names in lower case.
        region: region of the signature; None: requests are not signed.
    """

    origin: str
    prefix: str
    headers: Mapping[str, str]
    region: str | None


@dataclass(frozen=True)
class DirectResponse:
    """A response to a direct request.

    Attributes:
        headers: headers; their names match without case.
        raw: the body, a response of urllib3.
    """

    headers: Mapping[str, str]
    raw: Any


class DirectClient:
    """Makes direct requests on the connection of an s3fs file system. Safe to use from threads.

    Args:
        policy: retry policy of the connection.
        session_arguments: arguments of the HTTP session of aiobotocore, which its first client adds.
        timeout_s: longest time until the headers of a response, in seconds.
        operation_timeout_s: longest time of a request with all its attempts, in seconds.
    """

    def __init__(
        self, policy: RetryPolicy, session_arguments: Mapping[str, Any], timeout_s: float, operation_timeout_s: float
    ) -> None:
        self._policy, self._arguments = policy, session_arguments
        self._timeout_s, self._operation_timeout_s = timeout_s, operation_timeout_s
        self._lock = threading.Lock()
        self._forms: dict[tuple[str, str], RequestForm | None] = {}
        self._session: Any = None
        self._signer: Any = None
        self._keys: tuple[str, str, str | None] = ("", "", None)
        self._keys_at: Any = None

    def register(self, session: Any) -> None:
        """Registers the hooks that observe the requests of s3fs, before any client is created."""
        session.register("before-sign.s3", self._before_sign)
        session.register("before-send.s3", self._before_send)

    def _before_sign(self, request_signer: Any, **_: Any) -> None:
        self._signer = request_signer

    def _before_send(self, request: Any, **_: Any) -> None:
        sent = _SENT.get()
        if sent is not None:
            sent.append((request.url, request.headers))

    @contextmanager
    def learning(self, operation: str, bucket: str, key: str = "") -> Iterator[None]:
        """Context for a request of s3fs; if it succeeds, its form is that of direct requests of this kind to the bucket."""
        sent: list[tuple[str, Mapping[str, Any]]] = []
        token = _SENT.set(sent)
        try:
            yield
        finally:
            _SENT.reset(token)
        if sent and self._arguments and (operation, bucket) not in self._forms:
            self._add(operation, bucket, form_of(*sent[-1], key, _QUERIES[operation]))

    def _add(self, operation: str, bucket: str, form: RequestForm | None) -> None:
        """Keeps a form, and opens the session if this is the first one."""
        with self._lock:
            try:
                self._session = self._session or open_session(self._arguments)
            except (AttributeError, TypeError) as error:
                _log.info("s3fs makes all requests: %s: %s", type(error).__name__, error)
                form = None
            self._forms[operation, bucket] = form
        if form is None:
            _log.info("s3fs makes %s requests to the bucket %s, because their form is not known", operation, bucket)

    def get(
        self, loop: Any, bucket: str, key: str, headers: Mapping[str, str], breaker: CircuitBreaker
    ) -> DirectResponse | None:
        """Makes a GetObject request with all its attempts.

        Args:
            loop: event loop of the file system.
            bucket: name of the bucket.
            key: key of the object.
            headers: headers of this request, with names in lower case.
            breaker: circuit breaker of the store that makes the request.

        Returns:
            The response; None if s3fs is to make the request.

        Raises:
            Exception: the failure of the last attempt, as botocore raises it.
        """
        form = self._forms.get(("GetObject", bucket))
        if form is None or "/." in f"/{key}":  # urllib3 removes the segments . and .. of a path
            return None
        request = _Request(form.prefix + quote(key, safe="/~"), "", headers)
        return self._repeat(loop, "GetObject", bucket, form, request, _response_of, breaker)

    def list_objects(
        self, loop: Any, bucket: str, parameters: Mapping[str, str], breaker: CircuitBreaker
    ) -> dict[str, Any] | None:
        """Makes a ListObjectsV2 request with all its attempts; see :meth:`get`.

        Args:
            loop: event loop of the file system.
            bucket: name of the bucket.
            parameters: parameters of this request by their names in the query.
            breaker: circuit breaker of the store that makes the request.

        Returns:
            The response as botocore parses it; None if s3fs is to make the request.
        """
        form = self._forms.get(("ListObjectsV2", bucket))
        if form is None:
            return None
        query = "&".join(
            f"{name}={quote(value, safe='~')}" for name, value in sorted({**CONSTANTS, **parameters}.items())
        )
        return self._repeat(loop, "ListObjectsV2", bucket, form, _Request(form.prefix, query, {}), _listing_of, breaker)

    def _repeat(
        self,
        loop: Any,
        operation: str,
        bucket: str,
        form: RequestForm,
        request: _Request,
        read: Callable[[Any], T],
        breaker: CircuitBreaker,
    ) -> T | None:
        """Makes a request with all its attempts.

        Args:
            loop: event loop of the file system.
            operation: name of the operation.
            bucket: name of the bucket.
            form: form of the request.
            request: the request.
            read: function that returns the result of a successful response.
            breaker: circuit breaker of the store that makes the request.
        """
        context: dict[str, Any] = {"s3_redirect": {"bucket": bucket}}  # as botocore notes it
        _pause(breaker.delay_s())
        self._policy.begin(breaker, context)
        ends_at = time.monotonic() + self._operation_timeout_s
        number = 0
        while True:
            number += 1
            found, attempt = self._attempt(loop, operation, form, request, read, number, ends_at)
            delay_s = self._policy.delay_after(attempt, breaker, context)
            if delay_s is None and found is not None:
                return found
            if delay_s is None:
                if is_in_another_region(classify_response(attempt.parsed, attempt.status)[0]):
                    self._forms.pop((operation, bucket), None)
                    return None
                raise attempt.failure()
            _pause(breaker.delay_s())
            self._policy.repeat(breaker, context)
            _pause(delay_s)
            self._keys_at = None  # the server may have called them expired

    def _attempt(
        self,
        loop: Any,
        operation: str,
        form: RequestForm,
        request: _Request,
        read: Callable[[Any], T],
        number: int,
        ends_at: float,
    ) -> tuple[T | None, Attempt]:
        """Makes one attempt; returns its result if it succeeded."""
        from botocore.exceptions import HTTPClientError
        from botocore.parsers import ResponseParserError

        headers = {**form.headers, **request.headers}
        if form.region is not None:
            keys = self._current_keys(loop, form.region)
            headers = sign("GET", request.path, request.query, headers, keys=keys, region=form.region)
        url = form.origin + request.path + (f"?{request.query}" if request.query else "")
        bound_s = min(self._timeout_s, max(0.0, ends_at - time.monotonic()))
        try:
            with deadline(bound_s):
                response = self._session.send(_SentRequest(url, headers))
                status = response.status_code
                if status < 300:
                    return read(response), Attempt(operation, number, status)
                body = _read_body(response, _MAX_ERROR_BYTES)
            parsed = _parse_error(status, response.headers, body)
        except (HTTPClientError, ResponseParserError) as error:
            return None, Attempt(operation, number, error=error)
        return None, Attempt(operation, number, status, response.headers, parsed)

    def _current_keys(self, loop: Any, region: str) -> tuple[str, str, str | None]:
        """Returns the keys of the connection, which its source renews."""
        from fsspec.asyn import sync

        now = s3_credentials.now()
        if self._keys_at is None or not 0 <= (now - self._keys_at).total_seconds() < _KEYS_S:
            auth = sync(loop, self._signer.get_auth_instance, "s3", region, "s3v4", timeout=self._operation_timeout_s)
            found = auth.credentials
            self._keys, self._keys_at = (found.access_key, found.secret_key, found.token), now
        return self._keys


@dataclass(frozen=True)
class _Request:
    """Differences between the requests of a form: path, query, and headers with names in lower case."""

    path: str
    query: str
    headers: Mapping[str, str]


@dataclass(frozen=True)
class _SentRequest:
    """A request, as ``URLLib3Session.send`` takes it."""

    url: str
    headers: Mapping[str, str] = field(repr=False)
    method: str = "GET"
    body: None = None
    stream_output: bool = True
    context: Mapping[str, Any] = field(default_factory=dict)


def form_of(url: str, headers: Mapping[str, Any], key: str, query: frozenset[str] = frozenset()) -> RequestForm | None:
    """Returns the form of a request that s3fs has sent; None if others cannot be made from it.

    Args:
        url: URL of the request.
        headers: headers of the request.
        key: key of the object; empty if the path is that of a bucket.
        query: names of the parameters that direct requests can have.
    """
    parts = urlsplit(url)
    path = quote(key, safe="/~")
    lower = {
        name.lower(): value.decode() if isinstance(value, bytes) else str(value) for name, value in headers.items()
    }
    authorization = lower.get("authorization")
    scope = _SCOPE.fullmatch(authorization or "")
    if (
        any(name not in query for name, _ in parse_qsl(parts.query, keep_blank_values=True))
        or not (parts.path.endswith("/" + path) or not path)
        or (authorization is not None and scope is None)
        or "x-amz-s3session-token" in lower
    ):
        return None
    kept = {name: value for name, value in lower.items() if name not in _OF_ONE_REQUEST}
    prefix = parts.path.removesuffix(path) or "/"
    kept["host"] = parts.netloc.lower().removesuffix(_DEFAULT_PORTS[parts.scheme])
    kept["accept-encoding"] = "identity"
    return RequestForm(f"{parts.scheme}://{parts.netloc}", prefix, kept, scope[1] if scope else None)


def _pause(seconds: float) -> None:
    if seconds > 0:  # time.sleep(0) would yield the processor to other processes
        time.sleep(seconds)


def _response_of(response: Any) -> DirectResponse:
    return DirectResponse(response.headers, response.raw)


def _listing_of(response: Any) -> dict[str, Any]:
    return parse_listing(_read_body(response))


_QUERIES = {"GetObject": frozenset[str](), "ListObjectsV2": frozenset((*CONSTANTS, *PARAMETERS.values()))}


def _read_body(response: Any, limit: int | None = None) -> bytes:
    """Returns the body of a response, or its first bytes.

    Raises:
        ConnectionClosedError: the connection failed, or the body is shorter than the response announces.
    """
    from botocore.exceptions import ConnectionClosedError

    try:
        body: bytes = response.raw.read(limit)
        announced = response.headers.get("content-length", "")
        if announced.isdecimal() and len(body) < min(int(announced), limit or int(announced)):
            raise EOFError(f"the body ended after {len(body)} of {announced} bytes")
    except Exception as error:
        raise ConnectionClosedError(endpoint_url=response.url, error=error) from error
    finally:
        response.raw.close()
    return body


def _parse_error(status: int, headers: Mapping[str, str], body: bytes) -> dict[str, Any]:
    """Returns an error response as botocore parses it."""
    from botocore.parsers import create_parser

    parsed: dict[str, Any] = create_parser("rest-xml").parse(
        {"status_code": status, "headers": headers, "body": body}, None
    )
    return parsed
