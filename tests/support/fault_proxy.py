"""A proxy for an S3 server that injects faults: error responses, resets, and truncated, stalled or lost responses."""

from __future__ import annotations

import http.client
import socket
import ssl
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class ErrorResponse:
    """An S3 error response instead of the response of the server, which gets no request."""

    status: int
    code: str
    message: str = "injected"


@dataclass(frozen=True)
class CannedResponse:
    """A response with this body instead of the response of the server, which gets no request."""

    body: str
    status: int = 200


@dataclass(frozen=True)
class LostResponse:
    """The server applies the request; the connection is reset before its response."""


@dataclass(frozen=True)
class ConnectionReset:
    """The connection is reset; the server gets no request."""


@dataclass(frozen=True)
class TruncatedBody:
    """The complete ``Content-Length`` and ``sent`` bytes of the body, after which the connection is closed or reset."""

    sent: int
    reset: bool = False


@dataclass(frozen=True)
class StalledBody:
    """The complete ``Content-Length`` and ``sent`` bytes of the body, then nothing for ``seconds``."""

    sent: int
    seconds: float


@dataclass(frozen=True)
class DroppedHeader:
    """The request without a header, as a server treats it that ignores the header."""

    name: str


@dataclass(frozen=True)
class SlowBody:
    """The response byte by byte, with a pause of ``seconds`` before each of the first ``slow_bytes``."""

    seconds: float
    slow_bytes: int = 100


@dataclass(frozen=True)
class WrongEtag:
    """The response of the server with another ETag in its header."""


@dataclass(frozen=True)
class DuplicateRequest:
    """The server applies the request twice; the client gets the second response."""


Fault = (
    SlowBody
    | WrongEtag
    | DuplicateRequest
    | ErrorResponse
    | CannedResponse
    | LostResponse
    | ConnectionReset
    | TruncatedBody
    | StalledBody
    | DroppedHeader
)


@dataclass
class FaultProxy:
    """A proxy that forwards requests to an S3 server.

    Attributes:
        upstream: URL of the S3 server.
        choose: function that returns the fault of a request, given its method; None for no fault.
        requests: method, path and headers of each request so far. Names of headers that were sent in lower case are
            capitalised, as s3fs sends them.
        observe: function that is called with the body of each request.
        tls: certificate of the proxy; None for a proxy without TLS.
        open_connections: number of open client connections.
        endpoint: URL of the proxy, once it is started.
    """

    upstream: str
    choose: Callable[[str], Fault | None] = lambda method: None
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
    observe: Callable[[bytes], None] = lambda body: None
    tls: ssl.SSLContext | None = None
    open_connections: int = 0
    lock: Any = field(default_factory=threading.Lock)

    def start(self) -> None:
        proxy = self
        self.released = threading.Event()

        class Handler(_Handler):
            owner = proxy

        self.server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
        self.server.daemon_threads = True
        self.server.block_on_close = False
        if self.tls is not None:
            self.server.socket = self.tls.wrap_socket(self.server.socket, server_side=True)
        self.endpoint = f"{'http' if self.tls is None else 'https'}://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def inject(self, *faults: Fault | None, then: Fault | None = None) -> None:
        """Clears ``requests`` and injects one fault into each of the next requests, and ``then`` into all later ones."""
        remaining = list(faults)
        self.requests.clear()

        def choose(method: str) -> Fault | None:
            return remaining.pop(0) if remaining else then

        self.choose = choose

    def count(self, method: str) -> int:
        """Returns the number of requests of a method."""
        return sum(1 for request_method, _, _ in self.requests if request_method == method)


class _Handler(BaseHTTPRequestHandler):
    owner: FaultProxy
    protocol_version = "HTTP/1.1"

    def setup(self) -> None:
        super().setup()
        with self.owner.lock:
            self.owner.open_connections += 1

    def finish(self) -> None:
        with self.owner.lock:
            self.owner.open_connections -= 1
        try:
            super().finish()
        except OSError:
            self.close_connection = True  # the client closed the connection, as many tests intend

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        """Logs nothing."""

    def do_GET(self) -> None:
        owner = self.owner
        request_body = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with owner.lock:
            headers = {name.title() if name.islower() else name: value for name, value in self.headers.items()}
            owner.requests.append((self.command, self.path, headers))
            owner.observe(request_body)
            fault = owner.choose(self.command)
        if isinstance(fault, ConnectionReset):
            return self.reset_connection()
        if isinstance(fault, ErrorResponse):
            return self.send_error_response(fault)
        if isinstance(fault, CannedResponse):
            return self.send_body(fault.status, fault.body.encode())
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        if isinstance(fault, DroppedHeader):
            headers = {name: value for name, value in headers.items() if name.lower() != fault.name.lower()}
        response, body = self.forward(request_body, headers)
        if isinstance(fault, DuplicateRequest):
            response, body = self.forward(request_body, headers)
        if isinstance(fault, LostResponse):
            return self.reset_connection()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "server", "date", "content-length"):
                wrong = isinstance(fault, WrongEtag) and name.lower() == "etag"
                self.send_header(name, '"0123456789abcdef0123456789abcdef"' if wrong else value)
        length = response.getheader("Content-Length") if self.command == "HEAD" else len(body)
        if response.status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if isinstance(fault, (TruncatedBody, StalledBody)) and fault.sent < len(body):
            self.wfile.write(body[: fault.sent])
            self.wfile.flush()
            if isinstance(fault, StalledBody):
                owner.released.wait(fault.seconds)
            elif fault.reset:
                time.sleep(0.05)  # lets the sent bytes arrive before the reset
                return self.reset_connection()
            self.close_connection = True
            return None
        slow = min(len(body), fault.slow_bytes) if isinstance(fault, SlowBody) else 0
        for index in range(slow):
            owner.released.wait(fault.seconds)
            self.wfile.write(body[index : index + 1])
            self.wfile.flush()
        self.wfile.write(body[slow:])
        return None

    def forward(self, request_body: bytes, headers: dict[str, str]) -> tuple[http.client.HTTPResponse, bytes]:
        """Sends the request to the server; returns its response and the body."""
        host, port = self.owner.upstream.removeprefix("http://").split(":")
        upstream = http.client.HTTPConnection(host, int(port))
        path = (
            self.path if self.path.startswith("/") else "/" + self.path.split("/", 3)[3]
        )  # as a client of an HTTP proxy
        upstream.request(self.command, path, body=request_body or None, headers=headers)
        response = upstream.getresponse()
        body = response.read()
        upstream.close()
        return response, body

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def reset_connection(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def send_error_response(self, fault: ErrorResponse) -> None:
        self.send_body(
            fault.status, f"<Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>".encode()
        )

    def send_body(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
