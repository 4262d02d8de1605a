"""HTTP sessions of direct requests: urllib3 with the settings of botocore, and deadlines that a slow server cannot extend."""

from __future__ import annotations

import functools
import io
import socket
import threading
import time
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from typing import Any

_MIN_IDLE = 128  # connections that are kept; urllib3 warns of each further connection that it closes after a request
_LIMITS = threading.local()


@contextmanager
def deadline(after_s: float) -> Iterator[float]:
    """Limits the time that the sockets of this thread wait for bytes; yields the instant of ``time.monotonic()``."""
    at = time.monotonic() + after_s
    _LIMITS.deadline = at
    try:
        yield at
    finally:
        _LIMITS.deadline = None


class BoundedSocket:
    """A socket whose reads end at the deadline of the thread.

    The timeout of a socket limits the time without a byte, so a server that sends single bytes could keep a read alive
    forever.
    """

    def __init__(self, wrapped: Any) -> None:
        self._socket = wrapped
        self._timeout_s: float | None = wrapped.gettimeout()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._socket, name)

    def settimeout(self, timeout_s: float | None) -> None:
        """Sets the longest time without a byte."""
        self._timeout_s = timeout_s
        self._socket.settimeout(timeout_s)

    def recv_into(self, *arguments: Any) -> int:
        """Receives bytes into a buffer.

        Raises:
            TimeoutError: the deadline of the thread, or the timeout of the socket has passed.
        """
        at = getattr(_LIMITS, "deadline", None)
        if at is not None:
            left_s = at - time.monotonic()
            if left_s <= 0:
                raise TimeoutError("timed out")
            self._socket.settimeout(left_s if self._timeout_s is None else min(left_s, self._timeout_s))
        received: int = self._socket.recv_into(*arguments)
        return received

    def makefile(self, mode: str = "rb", buffering: int | None = None) -> Any:
        """Returns a buffered file that reads from this socket."""
        self._socket._io_refs += 1  # noqa: SLF001 - as socket.makefile does: closing the socket waits for its files
        raw = socket.SocketIO(self, "r")  # type: ignore[arg-type]
        return io.BufferedReader(raw, io.DEFAULT_BUFFER_SIZE if buffering in (None, -1) else buffering or 1)


def open_session(arguments: Mapping[str, Any]) -> Any:
    """Returns a ``URLLib3Session`` of botocore with the arguments of a session of aiobotocore.

    Args:
        arguments: proxies, certificates, timeouts and size of the pool.
    """
    from botocore.httpsession import URLLib3Session

    known = {name: value for name, value in arguments.items() if name != "connector_args"}
    session = URLLib3Session(**known | {"max_pool_connections": max(_MIN_IDLE, known.get("max_pool_connections", 0))})
    session._pool_classes_by_scheme.update(_pool_classes())  # noqa: SLF001 - there is no argument for them
    return session


@functools.cache
def _pool_classes() -> dict[str, type]:
    from urllib3.connection import HTTPConnection, HTTPSConnection
    from urllib3.connectionpool import HTTPConnectionPool, HTTPSConnectionPool

    class BoundedHTTPConnection(HTTPConnection):
        def connect(self) -> None:
            super().connect()
            self.sock = BoundedSocket(self.sock)

    class BoundedHTTPSConnection(HTTPSConnection):
        def connect(self) -> None:
            super().connect()
            self.sock = BoundedSocket(self.sock)

    class BoundedHTTPPool(HTTPConnectionPool):
        ConnectionCls = BoundedHTTPConnection

    class BoundedHTTPSPool(HTTPSConnectionPool):
        ConnectionCls = BoundedHTTPSConnection

    return {"http": BoundedHTTPPool, "https": BoundedHTTPSPool}
