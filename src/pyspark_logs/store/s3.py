"""S3 and what speaks its protocol, through s3fs's ``call_s3``: one call is one request, nothing is cached.

botocore's ``standard`` mode retries requests; its event hooks show every attempt to the gate, so that
a row of failures is seen while it happens. Bodies that break are resumed here, from the byte reached.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import inspect
import os
import re
import time
from collections.abc import Iterator, Mapping
from importlib.util import find_spec
from typing import Any

from pyspark_logs.errors import (
    AccessDeniedError,
    CircuitOpenError,
    LogSourceError,
    OptionError,
    PathNotFoundError,
    StoreError,
    TruncatedBodyError,
)
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.faults import find_fault, find_text
from pyspark_logs.store.gate import backoff_s
from pyspark_logs.store.interface import Page, Store, StoredFile
from pyspark_logs.store.paths import split_bucket
from pyspark_logs.store.s3_connection import GATE, connection, forget

_CLOSING: set[Any] = set()  # asyncio itself keeps tasks by weak references only
_EPOCH = dt.datetime(1970, 1, 1, tzinfo=dt.timezone.utc)


class S3Store(Store):
    """``s3://``, ``s3a://`` and ``s3n://``."""

    page_size = 1000
    """Keys asked for per list request; S3 gives at most 1000."""

    def __init__(self, scheme: str, options: StoreOptions) -> None:
        super().__init__(scheme, options)
        if find_spec("s3fs") is None:
            raise OptionError(f"{scheme}:// paths need s3fs, which is not installed: pip install 'pyspark-logs[s3]'")
        if "@" in (options.endpoint or ""):
            raise OptionError("option 'endpoint' holds a user name or password; give accessKey and secretKey instead")

    def page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        """One ``ListObjectsV2``."""
        root, bucket, key = split_bucket(prefix)
        request = {"Bucket": bucket, "Prefix": key, "MaxKeys": self.page_size}
        if not recursive:
            request["Delimiter"] = "/"
        if token is not None:
            request["ContinuationToken"] = token
        with self._errors("list", prefix):
            answer = self._call("list_objects_v2", **request)
        if answer.get("IsTruncated") and not answer.get("NextContinuationToken"):
            raise StoreError(
                f"cannot list {prefix}{self._where()}: the server says there is more and not where; use another server"
            )
        files = (_listed(root, item) for item in answer.get("Contents", ()) if not item["Key"].endswith("/"))
        directories = (root + item["Prefix"] for item in answer.get("CommonPrefixes", ()))
        return Page(tuple(files), tuple(directories), answer.get("NextContinuationToken"))

    def head(self, path: str) -> StoredFile | None:
        """One ``HeadObject``; it cannot tell a missing bucket from a missing key."""
        _, bucket, key = split_bucket(path)
        if not key or key.endswith("/"):
            return None
        try:
            with self._errors("look at", path):
                answer = self._call("head_object", Bucket=bucket, Key=key)
        except PathNotFoundError:
            return None
        return StoredFile(
            path, answer["ContentLength"], _milliseconds(answer["LastModified"]), answer.get("ETag", "").strip('"')
        )

    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """One ``GetObject``, and one more for each time the body breaks."""
        position, failures = start, 0
        while end is None or position < end:
            body = self._get(path, position, end, etag, resumed=failures > 0 or position > start)
            if body is None:
                return
            # The first answer says where the file ends and which version it is: resumed requests keep to both.
            etag, end = body.etag, body.end
            error: Exception | None = None
            try:
                while position < end and error is None:
                    wanted = min(chunk_bytes, end - position)
                    chunk, error = body.take(wanted)
                    position += len(chunk)
                    if len(chunk) == wanted:
                        failures = 0
                    if chunk:
                        yield chunk
            finally:
                body.close()
            if error is not None:
                failures += 1
                self._after_break(path, position, failures, body, error)

    def _get(self, path: str, position: int, end: int | None, etag: str, *, resumed: bool) -> _Body | None:
        """Open the body from ``position`` on; ``None`` if the file has no byte there."""
        _, bucket, key = split_bucket(path)
        request = {"Bucket": bucket, "Key": key}
        if position or end is not None:
            request["Range"] = f"bytes={position}-" + ("" if end is None else str(end - 1))
        if etag:
            request["IfMatch"] = f'"{etag}"'
        ticket = self._gate.ticket()
        try:
            with self._errors("read", path):
                try:
                    answer = self._call("get_object", **request)
                except Exception as error:
                    if not resumed and find_fault(error)[0] in ("InvalidRange", "416"):
                        return None
                    raise
        except PathNotFoundError as error:
            if resumed:
                raise self._changed(path, etag, "nothing") from error
            raise
        body = _Body(answer, self._filesystem().loop, position, end, ticket)
        problem = self._find_mismatch(path, body, etag)
        if problem is not None:
            body.close()
            raise problem
        return body

    def _find_mismatch(self, path: str, body: _Body, etag: str) -> LogSourceError | None:
        """An answer that is not what was asked for: servers exist that ignore conditions or ranges."""
        if etag and body.etag != etag:
            return self._changed(path, etag, body.etag)
        if body.first != body.start:
            return StoreError(f"cannot read {path}{self._where()}: the server ignores byte ranges; use another server")
        if body.end < 0:
            return StoreError(
                f"cannot read {path}{self._where()}: no Content-Length, so a short body could not be told"
            )
        return None

    def _after_break(self, path: str, position: int, failures: int, body: _Body, error: Exception) -> None:
        """Count a body that broke; wait before the next try, or raise if there is none."""
        reason = self._mask(f"{find_fault(error)[0]}: {find_text(error)}")
        self._gate.failed(body.ticket, reason)
        if self._gate.is_open:
            raise CircuitOpenError(self._circuit_message("read", path)) from error
        # Without an ETag nothing tells whether the rest would be of the same version.
        if failures > self.options.max_retries or not body.etag:
            raise TruncatedBodyError(
                f"cannot read {path}{self._where()}: the body broke at byte {position} of {body.end}, {failures} times without "
                f"progress ({reason}). Check the network and proxies; raise maxRetries or requestTimeout."
            ) from error
        time.sleep(backoff_s(failures) + self._gate.delay_s())

    def _call(self, method: str, **request: Any) -> Any:
        """One request; its attempts are seen by the gate of this store, though connections are shared."""
        GATE.set(self._gate)
        return self._filesystem().call_s3(method, **request)

    def _filesystem(self) -> Any:
        with self._lock:
            if "s3" not in self._handles:
                self._handles["s3"] = connection(self.options)
            return self._handles["s3"]

    def _translate(self, doing: str, path: str, error: Exception) -> LogSourceError:
        translated = super()._translate(doing, path, error)
        if isinstance(translated, AccessDeniedError):
            forget(self.options)
        return translated


class _Body:
    """The body of one GET: bytes ``[start, end)`` of the version ``etag``; always to be closed."""

    def __init__(
        self, answer: Mapping[str, Any], loop: asyncio.AbstractEventLoop, start: int, end: int | None, ticket: int
    ) -> None:
        self._stream = answer["Body"]
        self._loop = loop
        self._pid = os.getpid()
        self.ticket = ticket
        self.start = start
        self.etag = str(answer.get("ETag", "")).strip('"')
        match = re.match(r"bytes (\d+)-", answer.get("ContentRange") or "bytes 0-")
        self.first = int(match[1]) if match else -1
        length = answer.get("ContentLength")
        self.end = -1 if length is None else start + length
        if end is not None:
            self.end = min(self.end, end)

    def take(self, size: int) -> tuple[bytes, Exception | None]:
        """``size`` bytes; fewer only together with the error that says why."""
        from fsspec.asyn import sync

        taken: tuple[bytes, Exception | None] = sync(self._loop, _take, self._stream, size)
        return taken

    def close(self) -> None:
        # Not waited for, and on the loop's own thread: a generator may be closed by the garbage collector
        # on any thread. A forked child leaves its parent's connection alone.
        if os.getpid() == self._pid and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_close, self._stream)


async def _take(stream: Any, size: int) -> tuple[bytes, Exception | None]:
    parts: list[bytes] = []
    missing = size
    try:
        while missing > 0:
            part = await stream.read(missing)
            if not part:
                raise EOFError(f"the body ended {missing} bytes early")
            parts.append(part)
            missing -= len(part)
    except Exception as error:  # noqa: BLE001 - returned, not raised: the bytes that did arrive are good
        return b"".join(parts), error
    return b"".join(parts), None


def _close(stream: Any) -> None:
    closing = stream.close()
    if inspect.isawaitable(closing):  # with the httpx backend
        task = asyncio.ensure_future(closing)
        _CLOSING.add(task)
        task.add_done_callback(_CLOSING.discard)


def _listed(root: str, item: Mapping[str, Any]) -> StoredFile:
    return StoredFile(
        root + item["Key"], item["Size"], _milliseconds(item["LastModified"]), item.get("ETag", "").strip('"')
    )


def _milliseconds(moment: dt.datetime) -> int:
    return (moment - _EPOCH) // dt.timedelta(milliseconds=1)
