"""Error messages of a store, and translation of driver exceptions into errors of this package."""

from __future__ import annotations

from pyspark_logs.errors import (
    CircuitOpenError,
    CorruptFileError,
    LogSourceError,
    ReadOnlyStoreError,
    SnapshotChangedError,
)
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.circuit_breaker import CircuitBreaker
from pyspark_logs.store.error_codes import classify_error, find_message, find_role_call
from pyspark_logs.store.masking import contains_secret, mask_secrets, secret_values


class ErrorTranslator:
    """Builds the errors of one store. Messages name the action, the path and the endpoint, and contain no secrets.

    The actions complete the sentence "cannot <action> <path>", for example "list" or "upload to".
    """

    def __init__(self, scheme: str, options: StoreOptions, breaker: CircuitBreaker) -> None:
        self._scheme = scheme
        self._options = options
        self._breaker = breaker

    @property
    def endpoint(self) -> str:
        """The endpoint in parentheses after a space, for use after a path; empty if none is configured."""
        return f" (endpoint {self._options.endpoint})" if self._options.endpoint and self._scheme else ""

    def translate(self, action: str, path: str, error: Exception, *, writing: bool) -> LogSourceError:
        """Returns the error of this package for an exception of a driver.

        Args:
            action: action that failed.
            path: path of the request.
            error: exception that the driver raised.
            writing: True if the request was to change something, for which some codes get different advice.
        """
        local = not self._scheme
        code, category = classify_error(error, writing=writing, local=local)
        if category.transient and self._breaker.is_open:
            return self.circuit_open(action, path)
        message = find_message(error)
        reason = message if code in message else f"{code}: {message}"
        role_call = find_role_call(error)
        reason = self.mask(f"{role_call} failed: {reason}" if role_call else reason)
        # A listing fails for one of many directories, which the exception of the operating system names.
        if local and not writing and isinstance(error, OSError) and isinstance(error.filename, str):
            path = error.filename
        return category.error(f"cannot {action} {path}{self.endpoint}: {reason}. {category.advice}")

    def circuit_open(self, action: str, path: str) -> CircuitOpenError:
        """Returns the error for a request that is not made, or not repeated, because the circuit is open."""
        return CircuitOpenError(
            f"gave up trying to {action} {path}{self.endpoint}: {self._options.max_consecutive_failures} requests in a row "
            f"failed, the last with {self.mask(self._breaker.last_failure)}. {self._breaker.last_advice} A higher "
            "maxConsecutiveFailures allows more failures."
        )

    def read_only(self, action: str, path: str) -> ReadOnlyStoreError:
        """Returns the error for a writing method of a store that cannot be written to."""
        return ReadOnlyStoreError(
            f"cannot {action} {path}: {self._scheme}:// is read-only here. Write to S3 (s3://, s3a://), to local files, or "
            "to memory://."
        )

    def version_changed(self, path: str, expected: str, found: str) -> SnapshotChangedError:
        """Returns the error of a read that met another version of the file than the expected etag."""
        return SnapshotChangedError(
            f"cannot read {path}{self.endpoint}: it changed after the query was planned (version {expected!r} expected, "
            f"{found!r} found). Load it again, because a DataFrame keeps its plan, and do not rewrite log files that are "
            "being read."
        )

    def too_large(self, path: str, max_bytes: int) -> CorruptFileError:
        """Returns the error of a document that is larger than the limit of its kind."""
        return CorruptFileError(
            f"{path} is larger than {max_bytes} bytes, the limit for a document of its kind; it was not processed. Look"
            " at the file, and delete it if pyspark-logs did not write it."
        )

    def mask(self, text: str) -> str:
        """Returns the text with the secrets of the options masked."""
        return mask_secrets(text, secret_values(self._options))

    def exposes_secret(self, error: BaseException) -> bool:
        """True if the exception must not become a cause of a raised error because its text contains a secret."""
        return contains_secret(error, secret_values(self._options))
