"""The body of a GetObject response, read on the event loop of s3fs or from the socket of a direct request."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
import time
from typing import Any, Protocol

from pyspark_logs.store.bounded_session import deadline
from pyspark_logs.store.s3_retries import attempt_bound_s

_CLOSING: set[Any] = set()  # strong references, because asyncio keeps only weak references to tasks
_PIECE_BYTES = 1 << 17  # read at once from a socket; of a piece that ends early, the bytes may be lost


class BodyStream(Protocol):
    """The bytes of a body."""

    def read(self, size: int, bound_s: float) -> tuple[bytes, Exception | None]:
        """Returns the next ``size`` bytes, or fewer bytes together with the error that ended the body.

        Args:
            size: number of bytes.
            bound_s: longest time for them, in seconds.
        """

    def close(self) -> None:
        """Closes the connection, or returns it to the pool, without waiting."""


class ResponseBody:
    """The body of one GetObject response. The caller must close it.

    Args:
        stream: the bytes.
        etag: header ``ETag`` of the response.
        content_range: header ``Content-Range``; empty if there is none.
        length: header ``Content-Length``; None if there is none.
        start: offset in the file at which the requested range starts.
        end: offset after the requested range; None for the end of the file.
        ticket: ticket of the request.
        timeout_s: option ``requestTimeout`` in seconds.

    Attributes:
        ticket: ticket of the request, see :meth:`CircuitBreaker.ticket`.
        start: offset in the file at which the requested range starts.
        first: offset in the file at which the response starts; -1 if the server's header is malformed.
        end: offset in the file after the last byte of the body; -1 if the response has no ``Content-Length``.
        etag: version of the file; empty if the server sent none.
    """

    def __init__(
        self,
        stream: BodyStream,
        *,
        etag: str,
        content_range: str,
        length: int | None,
        start: int,
        end: int | None,
        ticket: int,
        timeout_s: float,
    ) -> None:
        self._stream = stream
        self._timeout_s = timeout_s
        self._pid = os.getpid()
        self.ticket = ticket
        self.start = start
        self.etag = etag.strip('"')
        match = re.match(r"bytes (\d+)-", content_range or "bytes 0-")
        self.first = int(match[1]) if match else -1
        self.end = -1 if length is None else start + length
        if end is not None:
            self.end = min(self.end, end)

    def read(self, size: int) -> tuple[bytes, Exception | None]:
        """Returns the next ``size`` bytes, or fewer bytes together with the error that ended the body.

        A body that arrives more slowly than ``LEAST_BYTES_PER_S`` ends with an error, too.
        """
        return self._stream.read(size, attempt_bound_s(self._timeout_s, size))

    def close(self) -> None:
        """Closes the connection, or returns it to the pool, without waiting."""
        if os.getpid() == self._pid:  # in a forked child the connection belongs to the parent
            self._stream.close()


class LoopStream:
    """The body of a response of aiobotocore."""

    def __init__(self, stream: Any, loop: asyncio.AbstractEventLoop) -> None:
        self._stream = stream
        self._loop = loop

    def read(self, size: int, bound_s: float) -> tuple[bytes, Exception | None]:
        """Reads on the event loop."""
        from fsspec.asyn import sync

        result: tuple[bytes, Exception | None] = sync(self._loop, _read, self._stream, size, bound_s)
        return result

    def close(self) -> None:
        """Closes the stream in the thread of the loop, because the garbage collector may call this in any thread."""
        if not self._loop.is_closed():
            self._loop.call_soon_threadsafe(_close, self._stream)


class SocketStream:
    """The body of a response of urllib3."""

    def __init__(self, raw: Any) -> None:
        self._raw = raw

    def read(self, size: int, bound_s: float) -> tuple[bytes, Exception | None]:
        """Reads from the socket. The last byte returns the connection to the pool."""
        parts: list[bytes] = []
        missing = size
        with deadline(bound_s) as ends_at:
            try:
                while missing > 0:
                    part = self._raw.read(min(missing, _PIECE_BYTES))
                    if not part:
                        return b"".join(parts), EOFError(f"the body ended {missing} bytes early")
                    parts.append(part)
                    missing -= len(part)
            except Exception as error:  # noqa: BLE001 - returned: the bytes received so far are valid
                late = time.monotonic() >= ends_at
                return b"".join(parts), _late(missing, size, bound_s) if late else error
        return b"".join(parts), None

    def close(self) -> None:
        """Closes the connection, unless the body was read to its end."""
        self._raw.close()


def _late(missing: int, size: int, bound_s: float) -> TimeoutError:
    return TimeoutError(f"{missing} of {size} bytes did not arrive within {bound_s:.0f} s")


async def _read(stream: Any, size: int, bound_s: float) -> tuple[bytes, Exception | None]:
    parts: list[bytes] = []
    try:
        error = await asyncio.wait_for(_fill(stream, size, parts), bound_s)
    except asyncio.TimeoutError:
        error = _late(size - sum(map(len, parts)), size, bound_s)
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
