"""What a request to S3 is about, and a moment at which a server stops answering."""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import unquote

from tests.support.fault_proxy import ConnectionReset, Fault, FaultProxy

CREATE, PART, COMPLETE, ABORT = "CREATE", "PART", "COMPLETE", "ABORT"
INTENT, RECORD, CLAIM, OTHER = "INTENT", "RECORD", "CLAIM", "OTHER"


def kind_of(method: str, path: str) -> str:
    """The step of a write that a request is, if it is one that changes something."""
    key, _, query = unquote(path).partition("?")
    if "uploadId=" in query:
        return {"PUT": PART, "POST": COMPLETE, "DELETE": ABORT}.get(method, OTHER)
    if method == "POST" and query.startswith("uploads"):
        return CREATE
    if method == "PUT" and "/_commits/" in key:
        return INTENT if key.endswith("~intent.json") else RECORD
    return CLAIM if method == "PUT" and "/_claims/" in key else OTHER


class Hold:
    """Lets requests through up to one; there all stops until it is told to go on.

    Args:
        server: in front of the S3 server.
        here: told the kinds of all requests so far, whether the last of them is the one to stop at.
        then: what becomes of the request that was held, and of all later ones; ``None``: they are answered as ever.
    """

    def __init__(self, server: FaultProxy, here: Callable[[list[str]], bool], then: Fault | None = None) -> None:
        self.then = then or None
        self.kinds: list[str] = []
        self.reached = threading.Event()
        self._go_on = threading.Event()
        self._server, self._here = server, here
        server.requests.clear()
        server.choose = self._choose

    def go_on(self) -> None:
        self._go_on.set()

    def _choose(self, method: str) -> Fault | None:
        # The server's lock is held, so nothing overtakes the request that waits here.
        if self.reached.is_set():
            return self.then
        self.kinds.append(kind_of(*self._server.requests[-1][:2]))
        if self._here(self.kinds):
            self.reached.set()
            self._go_on.wait(300)
            return self.then
        return None


def at(kind: str, number: int) -> Callable[[list[str]], bool]:
    """Before the so-manyth request of a kind is served."""
    return lambda kinds: kinds[-1] == kind and kinds.count(kind) == number


def after(kind: str) -> Callable[[list[str]], bool]:
    """Before the request that follows the first of a kind is served."""
    return lambda kinds: kind in kinds[:-1]


LOST = ConnectionReset()
