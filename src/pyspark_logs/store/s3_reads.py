"""Listing and reading of S3: by direct requests where their form is known, else through s3fs.

Bodies that end early are resumed here at the offset reached.
"""

from __future__ import annotations

import time
from collections.abc import Iterator, Mapping
from typing import Any

from pyspark_logs.errors import LogSourceError, PathNotFoundError, StoreError, TruncatedBodyError
from pyspark_logs.store.circuit_breaker import backoff_s
from pyspark_logs.store.error_codes import classify_error, find_message
from pyspark_logs.store.listings import Page, StoredFile
from pyspark_logs.store.paths import split_s3_bucket
from pyspark_logs.store.s3_direct import DirectClient
from pyspark_logs.store.s3_listing import PARAMETERS
from pyspark_logs.store.s3_requests import TOKEN_METADATA, S3Requests, milliseconds
from pyspark_logs.store.s3_response_body import LoopStream, ResponseBody, SocketStream

_HEADERS = {"Range": "range", "IfMatch": "if-match"}  # of the parameters of GetObject


class S3Reads(S3Requests):
    """The methods of a store that list and read."""

    def list_page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        """Makes one ``ListObjectsV2`` request."""
        options = {} if recursive else {"Delimiter": "/"}
        return self._list_objects(prefix, options if token is None else {**options, "ContinuationToken": token})

    def list_after(self, prefix: str, after: str) -> Page:
        """Makes one ``ListObjectsV2`` request."""
        return self._list_objects(prefix, {"StartAfter": split_s3_bucket(after)[2]})

    def _list_objects(self, prefix: str, options: Mapping[str, str]) -> Page:
        root, bucket, key = split_s3_bucket(prefix)
        request = {"Bucket": bucket, "Prefix": key, "MaxKeys": self.page_size, **options}
        with self._request_context("list", prefix):
            response = self._request_listing(request)
        if response.get("IsTruncated") and not response.get("NextContinuationToken"):
            raise self._missing_token(prefix)
        files = (_to_stored_file(root, item) for item in response.get("Contents", ()) if not item["Key"].endswith("/"))
        directories = (root + item["Prefix"] for item in response.get("CommonPrefixes", ()))
        return Page(tuple(files), tuple(directories), response.get("NextContinuationToken"))

    def _request_listing(self, request: Mapping[str, Any]) -> Any:
        """Makes one ``ListObjectsV2`` request, directly if possible."""
        filesystem, bucket = self._filesystem(), request["Bucket"]
        direct: DirectClient | None = filesystem.direct
        if direct is None:
            return self._call("list_objects_v2", **request)
        parameters = {PARAMETERS[name]: str(value) for name, value in request.items() if name in PARAMETERS}
        response = direct.list_objects(filesystem.loop, bucket, parameters, self._breaker)
        if response is not None:
            return response
        with direct.learning("ListObjectsV2", bucket):
            return self._call("list_objects_v2", **request)

    def head(self, path: str) -> StoredFile | None:
        """Makes one ``HeadObject`` request, whose response is the same for a missing bucket and a missing key."""
        _, bucket, key = split_s3_bucket(path)
        if not key or key.endswith("/"):
            return None
        try:
            with self._request_context("describe", path):
                response = self._call("head_object", Bucket=bucket, Key=key)
        except PathNotFoundError:
            return None
        etag, token = response.get("ETag", "").strip('"'), response.get("Metadata", {}).get(TOKEN_METADATA, "")
        return StoredFile(path, response["ContentLength"], milliseconds(response["LastModified"]), etag, token)

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """Makes one ``GetObject`` request, and another each time the body ends early."""
        position, failures = start, 0
        while end is None or position < end:
            body = self._open_body(path, position, end, etag, resumed=failures > 0 or position > start)
            if body is None:
                return
            # The end and the version of the first response apply to all requests that resume the read.
            etag, end = body.etag, body.end
            error: Exception | None = None
            try:
                while position < end and error is None:
                    size = min(chunk_bytes, end - position)
                    chunk, error = body.read(size)
                    position += len(chunk)
                    if len(chunk) == size:
                        failures = 0
                    if chunk:
                        yield chunk
            finally:
                body.close()
            if error is not None:
                failures += 1
                self._handle_broken_body(path, position, failures, body, error)

    def _open_body(self, path: str, position: int, end: int | None, etag: str, *, resumed: bool) -> ResponseBody | None:
        """Returns the body from ``position`` on; ``None`` if the file ends before.

        Args:
            path: path of the file.
            position: offset of the first byte.
            end: offset after the last byte; ``None`` for the end of the file.
            etag: expected version; empty for any version.
            resumed: True if an earlier response has established that the file and its version exist.
        """
        _, bucket, key = split_s3_bucket(path)
        request = {}
        if position or end is not None:
            request["Range"] = f"bytes={position}-" + ("" if end is None else str(end - 1))
        if etag:
            request["IfMatch"] = f'"{etag}"'
        ticket = self._breaker.ticket()
        try:
            with self._request_context("read", path):
                try:
                    response = self._get_object(bucket, key, request)
                except Exception as error:
                    if not resumed and classify_error(error)[0] in ("InvalidRange", "416"):
                        return None
                    raise
        except PathNotFoundError as error:
            if resumed:
                raise self._errors.version_changed(path, etag, "nothing") from error
            raise
        body = ResponseBody(
            **response, start=position, end=end, ticket=ticket, timeout_s=self.options.request_timeout_s
        )
        problem = self._find_mismatch(path, body, etag)
        if problem is not None:
            body.close()
            raise problem
        return body

    def _get_object(self, bucket: str, key: str, conditions: Mapping[str, str]) -> dict[str, Any]:
        """Makes one ``GetObject`` request, directly if possible; returns the stream and the headers of the body."""
        filesystem = self._filesystem()
        direct: DirectClient | None = filesystem.direct
        if direct is None:
            return self._get_object_by_s3fs(bucket, key, conditions)
        headers = {_HEADERS[name]: value for name, value in conditions.items()}
        response = direct.get(filesystem.loop, bucket, key, headers, self._breaker)
        if response is None:
            with direct.learning("GetObject", bucket, key):
                return self._get_object_by_s3fs(bucket, key, conditions)
        length = response.headers.get("content-length")
        return {
            "stream": SocketStream(response.raw),
            "etag": response.headers.get("etag", ""),
            "content_range": response.headers.get("content-range", ""),
            "length": None if length is None else int(length),
        }

    def _get_object_by_s3fs(self, bucket: str, key: str, conditions: Mapping[str, str]) -> dict[str, Any]:
        response = self._call("get_object", Bucket=bucket, Key=key, **conditions)
        return {
            "stream": LoopStream(response["Body"], self._filesystem().loop),
            "etag": response.get("ETag", ""),
            "content_range": response.get("ContentRange", ""),
            "length": response.get("ContentLength"),
        }

    def _find_mismatch(self, path: str, body: ResponseBody, etag: str) -> LogSourceError | None:
        """Returns the error for a response that does not match the request: some servers ignore conditions or ranges."""
        if etag and body.etag != etag:
            return self._errors.version_changed(path, etag, body.etag)
        if body.first != body.start:
            return StoreError(
                f"cannot read {path}{self._errors.endpoint}: the server ignores byte ranges; use another server"
            )
        if body.end < 0:
            return StoreError(
                f"cannot read {path}{self._errors.endpoint}: the response has no Content-Length, without which a truncated body "
                "cannot be detected; use another server"
            )
        return None

    def _handle_broken_body(
        self, path: str, position: int, failures: int, body: ResponseBody, error: Exception
    ) -> None:
        """Records a body that ended early, and waits before the next attempt.

        Raises:
            CircuitOpenError: the failure opened the circuit.
            TruncatedBodyError: no attempt is left.
        """
        code, category = classify_error(error)
        reason = self._errors.mask(f"{code}: {find_message(error)}")
        self._breaker.record_failure(body.ticket, reason, advice=category.advice)
        if self._breaker.is_open:
            raise self._errors.circuit_open("read", path) from error
        # Without an ETag, the rest could be of another version.
        if failures > self.options.max_retries or not body.etag:
            raise TruncatedBodyError(
                f"cannot read {path}{self._errors.endpoint}: the body ended at byte {position} of {body.end}, {failures} times without "
                f"progress ({reason}). Check the network and proxies; raise maxRetries or requestTimeout."
            ) from error
        time.sleep(backoff_s(failures) + self._breaker.delay_s())


def _to_stored_file(root: str, item: Mapping[str, Any]) -> StoredFile:
    return StoredFile(
        root + item["Key"], item["Size"], milliseconds(item["LastModified"]), item.get("ETag", "").strip('"')
    )
