"""Kinds of S3 requests, and a server that holds requests from a chosen one on."""

from __future__ import annotations

import threading
from collections.abc import Callable
from urllib.parse import unquote

from tests.support.fault_proxy import ConnectionReset, Fault, FaultProxy

CREATE, PART, COMPLETE, ABORT = "CREATE", "PART", "COMPLETE", "ABORT"
INTENT, RECORD, CLAIM, OTHER = "INTENT", "RECORD", "CLAIM", "OTHER"


def kind_of(method: str, path: str) -> str:
    """Returns the step of a write to which a request belongs; ``OTHER`` for requests that change nothing."""
    key, _, query = unquote(path).partition("?")
    if "uploadId=" in query:
        return {"PUT": PART, "POST": COMPLETE, "DELETE": ABORT}.get(method, OTHER)
    if method == "POST" and query.startswith("uploads"):
        return CREATE
    if method == "PUT" and "/_commits/" in key:
        return INTENT if key.endswith("~intent.json") else RECORD
    return CLAIM if method == "PUT" and "/_claims/" in key else OTHER


class Hold:
    """Forwards requests up to a chosen one, and holds that request until :meth:`go_on`.

    Args:
        server: proxy of the S3 server.
        here: predicate on the kinds of all requests so far; True if the last request is the one to hold.
        then: fault of the held request and of all later ones; ``None``: they are served normally.
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
        # The server's lock is held, so no request overtakes the held one.
        if self.reached.is_set():
            return self.then
        self.kinds.append(kind_of(*self._server.requests[-1][:2]))
        if self._here(self.kinds):
            self.reached.set()
            self._go_on.wait(300)
            return self.then
        return None


def at(kind: str, number: int) -> Callable[[list[str]], bool]:
    """Returns a predicate for :class:`Hold`: before the ``number``-th request of a kind is served."""
    return lambda kinds: kinds[-1] == kind and kinds.count(kind) == number


def after(kind: str) -> Callable[[list[str]], bool]:
    """Returns a predicate for :class:`Hold`: before the request after the first one of a kind is served."""
    return lambda kinds: kind in kinds[:-1]


LOST = ConnectionReset()
