"""Faults of requests by name, with random details."""

from __future__ import annotations

import random
from collections.abc import Callable

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

FAULTS: dict[str, Callable[[random.Random], Fault]] = {
    "503": lambda _: ErrorResponse(503, "SlowDown"),
    "500": lambda _: ErrorResponse(500, "InternalError"),
    "reset before": lambda _: ConnectionReset(),
    "reset after": lambda _: LostResponse(),
    "truncated": lambda choose: TruncatedBody(choose.randint(0, 40), reset=choose.random() < 0.5),
    "stalled": lambda choose: StalledBody(choose.randint(0, 40), 3.0),
    "slow": lambda _: SlowBody(0.002),
    "wrong etag": lambda _: WrongEtag(),
    "duplicate": lambda _: DuplicateRequest(),
}
