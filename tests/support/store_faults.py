"""A proxy in front of an S3 server that fails on purpose: answers, resets, cuts, stalls and losses, as it is told."""

from __future__ import annotations

import http.client
import socket
import struct
import threading
import time
from collections.abc import Callable
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any


@dataclass(frozen=True)
class Answer:
    """An error answer instead of the server's."""

    status: int
    code: str
    message: str = "injected"


@dataclass(frozen=True)
class Reply:
    """This body instead of the server's answer."""

    body: str
    status: int = 200


@dataclass(frozen=True)
class Lost:
    """The server does what is asked; the connection is reset before its answer."""


@dataclass(frozen=True)
class Reset:
    """The connection is reset before an answer."""


@dataclass(frozen=True)
class Cut:
    """The whole body is promised, ``sent`` bytes come, then the connection closes (or resets)."""

    sent: int
    reset: bool = False


@dataclass(frozen=True)
class Stall:
    """The whole body is promised, ``sent`` bytes come, then nothing for ``seconds``."""

    sent: int
    seconds: float


@dataclass(frozen=True)
class Rewrite:
    """The request loses a header on its way: a server that ignores it."""

    without: str


Fault = Answer | Reply | Lost | Reset | Cut | Stall | Rewrite


@dataclass
class FaultyServer:
    """``endpoint`` forwards to ``upstream``; ``choose`` is asked for the fault of each request."""

    upstream: str
    choose: Callable[[str], Fault | None] = lambda method: None
    requests: list[tuple[str, str, dict[str, str]]] = field(default_factory=list)
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
        self.endpoint = f"http://127.0.0.1:{self.server.server_address[1]}"
        self.thread = threading.Thread(target=self.server.serve_forever, kwargs={"poll_interval": 0.05}, daemon=True)
        self.thread.start()

    def stop(self) -> None:
        self.released.set()
        self.server.shutdown()
        self.server.server_close()
        self.thread.join()

    def inject(self, *faults: Fault | None, then: Fault | None = None) -> None:
        """These faults for the next requests, one each, and ``then`` for all that follow."""
        left = list(faults)
        self.requests.clear()

        def choose(method: str) -> Fault | None:
            return left.pop(0) if left else then

        self.choose = choose

    def count(self, method: str) -> int:
        return sum(1 for found, _, _ in self.requests if found == method)


class _Handler(BaseHTTPRequestHandler):
    owner: FaultyServer
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
            self.close_connection = True  # the client went away: often what a test is about

    def handle(self) -> None:
        try:
            super().handle()
        except OSError:
            self.close_connection = True

    def log_message(self, *args: Any) -> None:
        """Keep quiet."""

    def do_GET(self) -> None:
        owner = self.owner
        sent = self.rfile.read(int(self.headers.get("Content-Length") or 0))
        with owner.lock:
            owner.requests.append((self.command, self.path, dict(self.headers)))
            fault = owner.choose(self.command)
        if isinstance(fault, Reset):
            return self.reset()
        if isinstance(fault, Answer):
            return self.answer(fault)
        if isinstance(fault, Reply):
            return self.reply(fault.status, fault.body.encode())
        headers = {name: value for name, value in self.headers.items() if name.lower() != "expect"}
        if isinstance(fault, Rewrite):
            headers = {name: value for name, value in headers.items() if name.lower() != fault.without.lower()}
        host, port = owner.upstream.removeprefix("http://").split(":")
        upstream = http.client.HTTPConnection(host, int(port))
        upstream.request(self.command, self.path, body=sent or None, headers=headers)
        response = upstream.getresponse()
        body = response.read()
        upstream.close()
        if isinstance(fault, Lost):
            return self.reset()
        self.send_response(response.status)
        for name, value in response.getheaders():
            if name.lower() not in ("connection", "transfer-encoding", "server", "date", "content-length"):
                self.send_header(name, value)
        length = response.getheader("Content-Length") if self.command == "HEAD" else len(body)
        if response.status != 204:
            self.send_header("Content-Length", str(length))
        self.end_headers()
        if isinstance(fault, (Cut, Stall)) and fault.sent < len(body):
            self.wfile.write(body[: fault.sent])
            self.wfile.flush()
            if isinstance(fault, Stall):
                owner.released.wait(fault.seconds)
            elif fault.reset:
                time.sleep(0.05)  # what was sent arrives first
                return self.reset()
            self.close_connection = True
            return None
        self.wfile.write(body)
        return None

    def do_HEAD(self) -> None:
        self.do_GET()

    def do_PUT(self) -> None:
        self.do_GET()

    def do_POST(self) -> None:
        self.do_GET()

    def do_DELETE(self) -> None:
        self.do_GET()

    def reset(self) -> None:
        self.connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
        self.close_connection = True
        self.connection.close()

    def answer(self, fault: Answer) -> None:
        self.reply(fault.status, f"<Error><Code>{fault.code}</Code><Message>{fault.message}</Message></Error>".encode())

    def reply(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Type", "application/xml")
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        if self.command != "HEAD":
            self.wfile.write(body)
