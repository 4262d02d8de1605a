"""The body of a GetObject response, read on the event loop of its connection."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
from collections.abc import Mapping
from typing import Any

from pyspark_logs.store.s3_retries import attempt_bound_s

_CLOSING: set[Any] = set()  # strong references, because asyncio keeps only weak references to tasks


class ResponseBody:
    """The body of one GetObject response. The caller must close it.

    Attributes:
        ticket: ticket of the request, see :meth:`CircuitBreaker.ticket`.
        start: offset in the file at which the requested range starts.
        first: offset in the file at which the response starts; -1 if the server's header is malformed.
        end: offset in the file after the last byte of the body; -1 if the response has no ``Content-Length``.
        etag: version of the file; empty if the server sent none.
    """

    def __init__(
        self,
        response: Mapping[str, Any],
        loop: asyncio.AbstractEventLoop,
        start: int,
        end: int | None,
        ticket: int,
        *,
        timeout_s: float,
    ) -> None:
        self._stream = response["Body"]
        self._loop = loop
        self._timeout_s = timeout_s
        self._pid = os.getpid()
        self.ticket = ticket
        self.start = start
        self.etag = str(response.get("ETag", "")).strip('"')
        match = re.match(r"bytes (\d+)-", response.get("ContentRange") or "bytes 0-")
        self.first = int(match[1]) if match else -1
        length = response.get("ContentLength")
        self.end = -1 if length is None else start + length
        if end is not None:
            self.end = min(self.end, end)

    def read(self, size: int) -> tuple[bytes, Exception | None]:
        """Returns the next ``size`` bytes, or fewer bytes together with the error that ended the body.

        A body that arrives more slowly than ``LEAST_BYTES_PER_S`` ends with an error, too.
        """
        from fsspec.asyn import sync

        bound_s = attempt_bound_s(self._timeout_s, size)
        result: tuple[bytes, Exception | None] = sync(self._loop, _read, self._stream, size, bound_s)
        return result

    def close(self) -> None:
        """Closes the connection, or returns it to the pool, without waiting."""
        # The garbage collector may close a generator in any thread, so the loop's own thread closes the stream. In a forked
        # child the connection belongs to the parent.
        if os.getpid() == self._pid and not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_close, self._stream)


async def _read(stream: Any, size: int, bound_s: float) -> tuple[bytes, Exception | None]:
    parts: list[bytes] = []
    try:
        error = await asyncio.wait_for(_fill(stream, size, parts), bound_s)
    except asyncio.TimeoutError:
        missing = size - sum(map(len, parts))
        error = TimeoutError(f"{missing} of {size} bytes did not arrive within {bound_s:.0f} s")
    return b"".join(parts), error


async def _fill(stream: Any, size: int, parts: list[bytes]) -> Exception | None:
    """Appends the next ``size`` bytes of a stream; returns the error that ended it early."""
    missing = size
    try:
        while missing > 0:
            part = await stream.read(missing)
            if not part:
                return EOFError(f"the body ended {missing} bytes early")
            parts.append(part)
            missing -= len(part)
    # Not raised: the bytes received so far are valid, and the driver's own timeouts are TimeoutErrors, too.
    except Exception as error:  # noqa: BLE001
        return error
    return None


def _close(stream: Any) -> None:
    closing = stream.close()
    if inspect.isawaitable(closing):  # with the httpx backend
        task = asyncio.ensure_future(closing)
        _CLOSING.add(task)
        task.add_done_callback(_CLOSING.discard)
