"""The body of a GET from S3: taken in pieces, always closed, on the loop that it belongs to."""

from __future__ import annotations

import asyncio
import inspect
import os
import re
from collections.abc import Mapping
from typing import Any

_CLOSING: set[Any] = set()  # asyncio itself keeps tasks by weak references only


class Body:
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
