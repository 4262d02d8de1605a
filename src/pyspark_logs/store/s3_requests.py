"""Requests to S3 through s3fs's ``call_s3``: one call is one request, and nothing is cached.

botocore's ``standard`` mode retries requests. Event hooks report each attempt to the circuit breaker, which therefore opens
during the retries.
"""

from __future__ import annotations

import asyncio
import datetime as dt
from typing import Any
from urllib.parse import urlsplit

from pyspark_logs.errors import AccessDeniedError, LogSourceError, StoreError
from pyspark_logs.store.interface import Store
from pyspark_logs.store.paths import split_s3_bucket
from pyspark_logs.store.s3_connection import discard_filesystem, shared_filesystem
from pyspark_logs.store.s3_parameters import request_parameters
from pyspark_logs.store.s3_retries import BREAKER, attempt_bound_s

TOKEN_METADATA = "pyspark-logs-job"  # noqa: S105 - name of the object metadata that holds an upload's token

# Codes of the errors that the methods of the store turn into results.
MISSING = ("NoSuchKey", "NoSuchUpload", "404", "NotFound")
CONDITION_FAILED = ("PreconditionFailed", "412")
UNSUPPORTED = ("NotImplemented", "501", "MethodNotAllowed", "405", "MissingContentMD5")

_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


class S3Requests(Store):
    """Makes requests on the connection that stores with equal options share."""

    def _call(self, method: str, **request: Any) -> Any:
        """Makes one request on the shared connection; its attempts are reported to the circuit breaker of this store.

        Raises:
            StoreError: the request took longer than ``operationTimeout``.
        """
        from fsspec.asyn import FSTimeoutError, sync

        BREAKER.set(self._breaker)
        filesystem = self._filesystem()
        request = {**request_parameters(self.options, method), **request}
        bound_s = attempt_bound_s(self.options.operation_timeout_s, len(request.get("Body", b"")))

        async def call() -> Any:
            # Cancelled at the bound, so that neither the request nor its connection remains.
            return await asyncio.wait_for(filesystem._call_s3(method, **request), bound_s)  # noqa: SLF001

        try:
            return sync(filesystem.loop, call)
        except FSTimeoutError as error:
            path = f"s3://{request.get('Bucket', '')}/{request.get('Key', request.get('Prefix', ''))}"
            raise StoreError(
                f"{method} of {path}{self._errors.endpoint} took longer than {bound_s:g} s with all its attempts, the last failure"
                f" {self._errors.mask(self._breaker.last_failure) or 'none'}. Raise operationTimeout if the store is that slow."
            ) from error

    def _supports_parameter(self, operation: str, parameter: str) -> bool:
        """True if the installed botocore has the parameter; s3fs silently drops parameters that it does not have."""
        model = self._filesystem().s3.meta.service_model.operation_model(operation)
        return parameter in model.input_shape.members

    def _is_aws(self) -> bool:
        host = urlsplit(self._filesystem().s3.meta.endpoint_url).hostname or ""
        return host.endswith((".amazonaws.com", ".amazonaws.com.cn"))

    def _missing_token(self, prefix: str) -> StoreError:
        return StoreError(
            f"cannot list {prefix}{self._errors.endpoint}: the response has further pages but no continuation token that leads to them; use another server"
        )

    def _filesystem(self) -> Any:
        with self._lock:
            if "s3" not in self._handles:
                self._handles["s3"] = shared_filesystem(self.options)
            return self._handles["s3"]

    def _translate(self, action: str, path: str, error: Exception, *, writing: bool) -> LogSourceError:
        translated = super()._translate(action, path, error, writing=writing)
        if isinstance(translated, AccessDeniedError):
            discard_filesystem(self.options)
        return translated


def bucket_and_key(path: str) -> dict[str, Any]:
    """Returns the parameters of a request that name an object."""
    _, bucket, key = split_s3_bucket(path)
    return {"Bucket": bucket, "Key": key}


def milliseconds(instant: dt.datetime) -> int:
    """Returns the milliseconds since the epoch of an instant."""
    return (instant - _EPOCH) // dt.timedelta(milliseconds=1)
