"""The retry policy of S3: which failed attempts are repeated, when, and when an operation is given up.

Event hooks of botocore see each attempt of a request. Their return value is the delay before the next attempt, and an
exception ends the operation, so that botocore's own rules never decide. Direct requests call the same functions.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable, Mapping
from contextvars import ContextVar
from dataclasses import dataclass, field
from typing import Any, ClassVar

from pyspark_logs.options import StoreOptions
from pyspark_logs.store.circuit_breaker import LONGEST_PAUSE_S, CircuitBreaker, backoff_s
from pyspark_logs.store.error_codes import classify_error, classify_response, find_message, is_unreachable
from pyspark_logs.terminal_text import get_logger

_log = get_logger(__name__)

_KINDS = {
    "ListObjectsV2": "LIST",
    "GetObject": "GET",
    "HeadObject": "HEAD",
    "PutObject": "PUT",
    "DeleteObject": "DELETE",
    "DeleteObjects": "DELETE",
    "CreateMultipartUpload": "CREATE",
    "UploadPart": "PART",
    "CompleteMultipartUpload": "COMPLETE",
    "AbortMultipartUpload": "ABORT",
    "ListMultipartUploads": "UPLOADS",
}
# Not failures of the store. S3 documents that the client should retry them.
_CONFLICTS = ("ConditionalRequestConflict", "OperationAborted")
_EXPIRED = ("ExpiredToken", "ExpiredTokenException", "TokenRefreshRequired")
_REDIRECTS = (301, 302, 307, 308)
# A name that does not resolve, or a closed port, is an error of the configuration rather than a failure of a store that no
# request has reached yet.
_LONGEST_SEARCH_S = 1.5
# A request that transfers bytes more slowly counts as stalled.
LEAST_BYTES_PER_S = 32 << 10

# Circuit breaker of the store that makes the current request. asyncio copies the caller's context to the loop's thread.
BREAKER: ContextVar[CircuitBreaker | None] = ContextVar("pyspark_logs_circuit_breaker", default=None)
# Keys in botocore's context of a request.
_TICKET, _STARTED, _RENEWED = "pyspark_logs_ticket", "pyspark_logs_started", "pyspark_logs_renewed"


@dataclass(frozen=True)
class Attempt:
    """An attempt of a request that has ended.

    Attributes:
        operation: name of the operation, such as ``GetObject``.
        number: number of attempts so far.
        status: HTTP status; 0 without a response.
        headers: headers of the response.
        parsed: response as botocore parses it.
        error: exception of the attempt; None if there was a response.
    """

    operation: str
    number: int
    status: int = 0
    headers: Mapping[str, str] = field(default_factory=dict)
    parsed: Mapping[str, Any] = field(default_factory=dict)
    error: Exception | None = None

    def failure(self) -> Exception:
        """Returns the exception to raise for the attempt."""
        from botocore.exceptions import ClientError

        return self.error or ClientError(dict(self.parsed), self.operation)


class RetryPolicy:
    """Decides on each attempt of the requests of one connection.

    Args:
        options: limits of attempts and times.
        renew: function that discards credentials which the server calls expired; returns False if they cannot be renewed.
    """

    def __init__(self, options: StoreOptions, renew: Callable[[], bool]) -> None:
        self._max_retries = options.max_retries
        self._region = options.region
        self._timeout_s = options.operation_timeout_s
        self._renew = renew
        self._followed: set[str] = set()

    def register(self, session: Any) -> None:
        """Registers the hooks in a session, before any client is created."""
        session.register("before-call.s3", self.before_call)
        session.register("needs-retry.s3", self.after_attempt)

    async def before_call(self, context: dict[str, Any], **_: Any) -> None:
        """Handles the event that botocore emits once for a request, before its first attempt."""
        breaker = BREAKER.get()
        if breaker is not None:
            await asyncio.sleep(breaker.delay_s())
            self.begin(breaker, context)

    async def after_attempt(
        self, response: Any, operation: Any, attempts: int, caught_exception: Any, request_dict: Any, **_: Any
    ) -> float | None:
        """Handles the event that botocore emits after each attempt.

        Returns:
            Seconds until the next attempt; ``None`` if the operation has ended, or botocore is to look for the region of the
            bucket.

        Raises:
            Exception: the failure of the attempt, if it must not be repeated.
        """
        breaker = BREAKER.get()
        if breaker is None:
            return None
        answer = {} if response is None else _answer(*response)
        attempt = Attempt(operation.name, attempts, error=caught_exception, **answer)
        context = request_dict["context"]
        delay_s = self.delay_after(attempt, breaker, context)
        if delay_s is not None:
            await asyncio.sleep(breaker.delay_s())
            self.repeat(breaker, context)
        return delay_s

    def begin(self, breaker: CircuitBreaker, context: dict[str, Any]) -> None:
        """Notes the start of a request, after the pause that the breaker asks for."""
        context[_TICKET], context[_STARTED] = breaker.ticket(), time.monotonic()

    def repeat(self, breaker: CircuitBreaker, context: dict[str, Any]) -> None:
        """Notes the start of another attempt, after the pause that the breaker asks for."""
        context[_TICKET] = breaker.ticket()

    def delay_after(self, attempt: Attempt, breaker: CircuitBreaker, context: dict[str, Any]) -> float | None:
        """Counts an attempt, and returns the delay before the next one.

        Args:
            attempt: the attempt.
            breaker: circuit breaker of the store that makes the request.
            context: notes on the request, which its attempts share.

        Returns:
            Seconds until the next attempt, without the pause that the breaker asks for; ``None`` if there is none.

        Raises:
            Exception: the failure of the attempt, if it must not be repeated.
        """
        breaker.count_request(_KINDS.get(attempt.operation, attempt.operation))
        if attempt.error is not None:
            code, category = classify_error(attempt.error)
            reason = f"{code}: {find_message(attempt.error)}"
        else:
            code, category = classify_response(attempt.parsed, attempt.status)
            reason = f"{attempt.operation}: {code}"
        if not category.transient and attempt.error is not None:
            raise attempt.error  # botocore would repeat it, such as a failed TLS handshake
        if not category.transient:
            breaker.record_success()  # the store responded, even if with an error
            return self._after_answer(code, attempt, context)
        breaker.record_failure(context.get(_TICKET, -1), reason, advice=category.advice, throttled=category.throttled)
        delay_s = max(backoff_s(attempt.number), _retry_after_s(attempt.headers))
        elapsed_s = time.monotonic() - context.get(_STARTED, time.monotonic())
        lost = not breaker.has_succeeded and is_unreachable(attempt.error)
        if (
            breaker.is_open
            or attempt.number > self._max_retries
            or elapsed_s + breaker.delay_s() + delay_s > (_LONGEST_SEARCH_S if lost else self._timeout_s)
        ):
            raise attempt.failure()
        breaker.count_retry(code)
        return delay_s

    def _after_answer(self, code: str, attempt: Attempt, context: dict[str, Any]) -> float | None:
        """Returns the delay before a repetition of a request that the store answered, and did not fail to process."""
        if attempt.operation == "HeadBucket" and attempt.status in _REDIRECTS:
            # botocore makes this request to find the region. It would ask again for each redirect of it, without end.
            raise attempt.failure()
        if attempt.status in _REDIRECTS or code == "AuthorizationHeaderMalformed":
            self._warn_of_region(attempt.parsed, context)
        if code in _EXPIRED and not context.get(_RENEWED) and self._renew():
            context[_RENEWED] = True
            return 0.0
        return backoff_s(attempt.number) if code in _CONFLICTS and attempt.number <= self._max_retries else None

    def _warn_of_region(self, parsed: Mapping[str, Any], context: dict[str, Any]) -> None:
        """Logs once for each bucket that its region is another one; botocore follows the first redirect."""
        bucket = str(context.get("s3_redirect", {}).get("bucket", ""))
        headers = parsed.get("ResponseMetadata", {}).get("HTTPHeaders", {})
        region = headers.get("x-amz-bucket-region") or parsed.get("Error", {}).get("Region")
        if region and bucket not in self._followed:
            self._followed.add(bucket)
            _log.warning(
                "bucket %s is in region %s, not %s: requests are repeated there; set the option region to %s",
                bucket, region, self._region or "the default one", region,
            )  # fmt: skip


def _answer(response: Any, parsed: Mapping[str, Any]) -> dict[str, Any]:
    return {"status": response.status_code, "headers": response.headers, "parsed": parsed}


def _retry_after_s(headers: Mapping[str, str]) -> float:
    """Returns the delay that the server asks for in seconds, within bounds; 0 if it asks for none."""
    text = str(headers.get("retry-after", ""))
    return min(float(text), LONGEST_PAUSE_S) if text.isdecimal() else 0.0


def attempt_bound_s(timeout_s: float, size: int) -> float:
    """Returns the longest time of one attempt that transfers ``size`` bytes, in seconds."""
    return timeout_s + size / LEAST_BYTES_PER_S


def bounded_session_class(timeout_s: float) -> Any:
    """Returns a class of HTTP sessions that end an attempt after a time which its size allows.

    aiohttp's read timeout limits the time without a byte, so a server that sends single bytes could keep an attempt alive
    forever. The attribute ``arguments`` of the class has the arguments of its last session: proxies, certificates, timeouts.
    """
    from aiobotocore.httpsession import AIOHTTPSession
    from botocore.exceptions import ReadTimeoutError

    class BoundedSession(AIOHTTPSession):  # type: ignore[misc]
        arguments: ClassVar[dict[str, Any]] = {}

        def __init__(self, **arguments: Any) -> None:
            super().__init__(**arguments)
            self.arguments.update(arguments)

        async def send(self, request: Any) -> Any:
            length = request.headers.get("X-Amz-Decoded-Content-Length") or request.headers.get("Content-Length") or 0
            try:
                return await asyncio.wait_for(super().send(request), attempt_bound_s(timeout_s, int(length)))
            except asyncio.TimeoutError as error:
                raise ReadTimeoutError(endpoint_url=request.url) from error

    return BoundedSession
