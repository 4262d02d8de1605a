"""Faults of requests by name, with random details. docs/promises.md has a row for each."""

from __future__ import annotations

import random
from collections.abc import Callable
from dataclasses import dataclass

from tests.support.fault_proxy import (
    ConnectionReset,
    DuplicateRequest,
    ErrorResponse,
    Fault,
    LostResponse,
    SlowBody,
    StalledBody,
    TruncatedBody,
    WrongEtag,
)


@dataclass(frozen=True)
class RandomFault:
    """A kind of fault.

    Attributes:
        make: function that returns a fault with random details.
        what: description.
        injected: point of the request at which it is injected.
        outcome: promised outcome.
    """

    make: Callable[[random.Random], Fault]
    what: str
    injected: str
    outcome: str

    def __call__(self, choose: random.Random) -> Fault:
        return self.make(choose)


_REPEATED = "repeated with pauses, then an error"
FAULTS: dict[str, RandomFault] = {
    "503": RandomFault(lambda _: ErrorResponse(503, "SlowDown"), "status 503 with `SlowDown`", "instead of the request", _REPEATED),
    "500": RandomFault(lambda _: ErrorResponse(500, "InternalError"), "status 500 with `InternalError`", "instead of the request", _REPEATED),
    "reset before": RandomFault(
        lambda _: ConnectionReset(), "connection reset before the request", "the server does not get the request", "repeated, then an error"
    ),
    "reset after": RandomFault(lambda _: LostResponse(), "connection reset after the request", "the server applied it", "the result is read back"),
    "truncated": RandomFault(
        lambda choose: TruncatedBody(choose.randint(0, 40), reset=choose.random() < 0.5),
        "body truncated, or reset", "after up to 40 bytes", "resumed where it ended, then an error",
    ),
    "stalled": RandomFault(
        lambda choose: StalledBody(choose.randint(0, 40), 3.0),
        "body stalled", "after up to 40 bytes, for three seconds", "ended after `requestTimeout`, resumed",
    ),
    "slow": RandomFault(lambda _: SlowBody(0.002), "body slow", "byte by byte", "read, if faster than the bound of `requestTimeout`"),
    "wrong etag": RandomFault(
        lambda _: WrongEtag(), "wrong `ETag`", "in the response", "`SnapshotChangedError`, or a part that the server refuses"
    ),
    "duplicate": RandomFault(lambda _: DuplicateRequest(), "duplicate", "the server applies the request twice", "the result is read back"),
}  # fmt: skip
