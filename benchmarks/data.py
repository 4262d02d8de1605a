"""Generated logs in seven formats, with a fixed seed. Files are generated once and kept."""

from __future__ import annotations

import datetime as dt
import json
import random
import shutil
from collections.abc import Iterator
from pathlib import Path

APP = "{ts:timestamp} {level} [{service}] req={request_id} user={user:long} {message}"
LEVELS = ["INFO"] * 80 + ["DEBUG"] * 10 + ["WARN"] * 8 + ["ERROR"] * 2
SERVICES = ["checkout", "cart", "auth", "search", "payments", "inventory", "gateway", "shipping", "mail", "advice"]
WORDS = [
    "request",
    "completed",
    "order",
    "item",
    "cache",
    "miss",
    "hit",
    "timeout",
    "calling",
    "upstream",
    "retry",
    "updated",
    "session",
    "rows",
    "queue",
]
MONTHS = ["Jan", "Feb", "Mar", "Apr", "May", "Jun", "Jul", "Aug", "Sep", "Oct", "Nov", "Dec"]
START = dt.datetime(2026, 11, 22)


def _times(rng: random.Random, step: float) -> Iterator[tuple[dt.datetime, int]]:
    seconds = 0.0
    while True:
        seconds += step * rng.random()
        yield START + dt.timedelta(seconds=int(seconds)), int(seconds % 1 * 1000)


def _messages(rng: random.Random) -> list[str]:
    return [" ".join(rng.choices(WORDS, k=rng.randint(4, 14))) for _ in range(20_000)]


def _web(rng: random.Random) -> tuple[list[str], list[str], list[str]]:
    addresses = [f"203.0.113.{rng.randint(1, 254)}" for _ in range(200)] + [
        f"198.51.{rng.randint(0, 255)}.{rng.randint(1, 254)}" for _ in range(20_000)
    ]
    parts = [
        "api",
        "v1",
        "v2",
        "cart",
        "checkout",
        "product",
        "images",
        "static",
        "user",
        "search",
        "login",
        "blog",
        "assets",
    ]
    paths = [
        "/" + "/".join(rng.choices(parts, k=rng.randint(1, 4))) + f"?id={rng.randint(1, 9999)}" for _ in range(20_000)
    ]
    systems = ["Windows NT 10.0; Win64; x64", "Macintosh; Intel Mac OS X 10_15_7", "X11; Linux x86_64"]
    agents = [
        f"Mozilla/5.0 ({rng.choice(systems)}) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/{v}.0.0.0 Safari/537.36"
        for v in range(100, 180)
    ] + ["curl/8.11.0", "kube-probe/1.31"]
    return addresses, paths, agents


def app() -> Iterator[str]:
    """An application log in an invented format, about 130 bytes a line; 2% of the lines are errors."""
    rng = random.Random(2)
    messages, choice, bits = _messages(rng), rng.choice, rng.getrandbits
    for time, ms in _times(rng, 0.02):
        yield (
            f"{time:%Y-%m-%dT%H:%M:%S}.{ms:03d}Z {choice(LEVELS)} [{choice(SERVICES)}] req={bits(64):016x}"
            f" user={bits(20)} {choice(messages)} n={bits(14)}\n"
        )


def mixed() -> Iterator[str]:
    """The application log, of which 1% of the lines are lines of stack traces in no format."""
    rng = random.Random(6)
    for number, line in enumerate(app()):
        yield line
        if number % 99 == 0:
            yield f"    at com.example.{rng.choice(SERVICES)}.Handler.run(Handler.java:{rng.getrandbits(9)})\n"


def combined() -> Iterator[str]:
    """Apache's combined format, about 230 bytes a line."""
    rng = random.Random(1)
    addresses, paths, agents = _web(rng)
    choice, rnd = rng.choice, rng.random
    users, statuses = ["-"] * 30 + ["alice", "bob"], ["200"] * 88 + ["304"] * 5 + ["404"] * 4 + ["302", "500", "503"]
    referers = ["-"] * 40 + ["https://www.example.com" + path for path in paths[:60]]
    for time, _ in _times(rng, 0.06):
        stamp = f"{time.day:02d}/{MONTHS[time.month - 1]}/{time.year}:{time:%H:%M:%S} +0000"
        size = "-" if rnd() < 0.03 else str(int(200 + rnd() * rnd() * 200_000))
        yield (
            f'{choice(addresses)} - {choice(users)} [{stamp}] "GET {choice(paths)} HTTP/1.1" {choice(statuses)} {size}'
            f' "{choice(referers)}" "{choice(agents)}"\n'
        )


def alb() -> Iterator[str]:
    """An AWS load balancer's log with 29 fields, about 650 bytes a line."""
    rng = random.Random(3)
    addresses, paths, agents = _web(rng)
    choice, bits = rng.choice, rng.getrandbits
    group = "arn:aws:elasticloadbalancing:us-east-2:123456789012:targetgroup/my-targets/73e2d6bc24d8a067"
    cert = "arn:aws:acm:us-east-2:123456789012:certificate/12345678-1234-1234-1234-123456789012"
    for time, ms in _times(rng, 0.02):
        stamp, status, target = f"{time:%Y-%m-%dT%H:%M:%S}.{ms:03d}000Z", choice((200, 200, 200, 404, 502)), bits(6)
        yield (
            f"{choice(('http', 'https', 'h2'))} {stamp} app/my-loadbalancer/50dc6c495c0c9188 {choice(addresses)}:"
            f"{1024 + bits(15)} 10.0.0.{target}:80 0.00{bits(3)} 0.{bits(9):03d} 0.000 {status} {status} {bits(10)}"
            f' {bits(16)} "GET https://www.example.com:443{choice(paths)} HTTP/1.1" "{choice(agents)}"'
            f' ECDHE-RSA-AES128-GCM-SHA256 TLSv1.2 {group} "Root=1-{bits(32):08x}-{bits(96):024x}" "www.example.com"'
            f' "{cert}" {bits(2)} {stamp} "forward" "-" "-" "10.0.0.{target}:80" "{status}" "-" "-"\n'
        )


def json_lines() -> Iterator[str]:
    """JSON with eight keys, about 230 bytes a line."""
    rng = random.Random(4)
    messages, choice, bits = _messages(rng), rng.choice, rng.getrandbits
    for time, ms in _times(rng, 0.02):
        yield (
            json.dumps(
                {
                    "timestamp": f"{time:%Y-%m-%dT%H:%M:%S}.{ms:03d}Z",
                    "level": choice(LEVELS),
                    "service": choice(SERVICES),
                    "request_id": f"{bits(64):016x}",
                    "user_id": bits(20),
                    "duration_ms": bits(16) / 32,
                    "status": choice((200, 200, 200, 404, 500)),
                    "message": choice(messages),
                },
                separators=(",", ":"),
            )
            + "\n"
        )


def logfmt() -> Iterator[str]:
    """Pairs of eight keys, about 200 bytes a line."""
    rng = random.Random(5)
    messages, choice, bits = _messages(rng), rng.choice, rng.getrandbits
    for time, ms in _times(rng, 0.02):
        yield (
            f"ts={time:%Y-%m-%dT%H:%M:%S}.{ms:03d}Z level={choice(LEVELS)} service={choice(SERVICES)} request_id={bits(64):016x}"
            f' user_id={bits(20)} duration_ms={bits(16) / 32} status={choice((200, 200, 200, 404, 500))} msg="{choice(messages)}"\n'
        )


def wide() -> Iterator[str]:
    """JSON with 100 keys, about 2,000 bytes a line."""
    rng = random.Random(7)
    choice, bits = rng.choice, rng.getrandbits
    for time, ms in _times(rng, 0.02):
        values: dict[str, object] = {"timestamp": f"{time:%Y-%m-%dT%H:%M:%S}.{ms:03d}Z", "level": choice(LEVELS)}
        for name, kind in WIDE.items():
            values[name] = bits(20) if kind == "bigint" else bits(16) / 32 if kind == "double" else choice(WORDS)
        yield json.dumps(values, separators=(",", ":")) + "\n"


WIDE = {f"field_{n:02}": ("varchar", "varchar", "bigint", "double")[n % 4] for n in range(98)}
"""Columns of :func:`wide` after the first two, with the types of DuckDB."""

KINDS = {
    "app": app,
    "mixed": mixed,
    "combined": combined,
    "alb": alb,
    "json": json_lines,
    "logfmt": logfmt,
    "wide": wide,
}


def make(kind: str, root: Path, mib: int, copies: int = 4) -> Path:
    """Returns a directory of ``copies`` files with ``mib`` MiB in total; the files are equal, because generating text is slow."""
    folder = root / f"{kind}-{mib}"
    if (folder / "_done").exists():
        return folder
    shutil.rmtree(folder, ignore_errors=True)
    folder.mkdir(parents=True)
    first, size, most = folder / "part-0.log", 0, mib * (1 << 20) // copies
    with first.open("w", buffering=1 << 20) as file:
        for line in KINDS[kind]():
            file.write(line)
            size += len(line)
            if size >= most:
                break
    for copy in range(1, copies):
        shutil.copy(first, folder / f"part-{copy}.log")
    (folder / "_done").touch()
    return folder


def total_bytes(folder: Path) -> int:
    """Returns the total size of the log files of a directory."""
    return sum(path.stat().st_size for path in folder.glob("*.log"))
