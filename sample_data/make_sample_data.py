"""Writes the sample logs, with the same bytes in every run on every machine.

Two sources of invented traffic, from 2026-11-21 22:00 to 2026-11-23 02:00 UTC::

    app/<team>/<yyyy>/<MM>/<dd>/<HH>/app-<n>.log[.gz]     an application's own format
    lb/AWSLogs/123456789012/elasticloadbalancing/...      a load balancer's access logs

and ``expected.json`` with the numbers of their records. Addresses are from the ranges for documentation (RFC 5737), the
account is that of AWS's examples, host names end in ``.example``.

    python sample_data/make_sample_data.py [directory]
"""

from __future__ import annotations

import datetime as dt
import gzip
import io
import json
import random
import sys
from collections import Counter
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import TypeVar

T = TypeVar("T")

SEED = 20261122
START = dt.datetime(2026, 11, 21, 22, tzinfo=dt.timezone.utc)
HOURS = 28

APP_TEMPLATE = (
    "{ts:timestamp} {level} [{service}] req={request_id} user={user:long?} took={took_ms:double?}ms {message}"
)
APP_LAYOUT = "{team}/{yyyy}/{MM}/{dd}/{HH}"
ALB_LAYOUT = "AWSLogs/{account}/elasticloadbalancing/{region}/{yyyy}/{MM}/{dd}"

SERVICES = {"payments": ("checkout", "ledger", "refunds"), "search": ("query", "indexer", "suggest")}
MESSAGES = {
    "DEBUG": ("cache hit for key {n}", "retry budget at {n} of 100"),
    "INFO": (
        "request served, {n} items",
        "order {n} accepted",
        "page {n} rendered",
        "session for user agent 'app/{n}' [new]",
    ),
    "WARN": ("slow upstream: {n} ms over budget", "queue depth {n}; shedding soon"),
    "ERROR": ("upstream answered 50{d} after {d} tries", "cannot parse amount '{n},{d}0 €'"),
}
TRACES = (
    """Traceback (most recent call last):
  File "/srv/app/handlers.py", line 118, in serve
    return self.upstream.call(request)
  File "/srv/app/upstream.py", line 52, in call
    raise UpstreamError(f"{response.status} from {self.name}")
UpstreamError: 503 from inventory""",
    """java.lang.IllegalStateException: pool exhausted
	at example.shop.Pool.take(Pool.java:88)
	at example.shop.Ledger.post(Ledger.java:41)
Caused by: java.util.concurrent.TimeoutException: 250 ms
	at example.shop.Pool.await(Pool.java:131)
	... 12 more""",
)
# Lines that do not match the template, for different reasons.
BROKEN = (
    "2026-11-22T10:05:0",
    "-- log rotated --",
    "{ts} INFO [checkout] user=17 took=3.2ms the request id is missing",
    "{ts} INFO [query] req=deadbeef user=seventeen took=3.2ms the user is not a number",
    "yesterday INFO [ledger] req=deadbeef user=17 took=3.2ms the time is not a time",
)


class Dice(random.Random):
    """Random choices that use only ``random()``, whose sequence is the same in all versions of Python."""

    def below(self, limit: int) -> int:
        return int(self.random() * limit)

    def pick(self, values: Sequence[T]) -> T:
        return values[self.below(len(values))]

    def hex(self, digits: int) -> str:
        return "".join(self.pick("0123456789abcdef") for _ in range(digits))


def gzipped(data: bytes) -> bytes:
    buffer = io.BytesIO()
    # No name and no time in the header, which would differ between runs.
    with gzip.GzipFile(filename="", mode="wb", compresslevel=9, fileobj=buffer, mtime=0) as out:
        out.write(data)
    return buffer.getvalue()


def iso(moment: dt.datetime, digits: int = 3) -> str:
    return f"{moment:%Y-%m-%dT%H:%M:%S}.{moment.microsecond:06d}"[: 20 + digits] + "Z"


def app_record(dice: Dice, moment: dt.datetime, team: str, counts: Counter[str]) -> str:
    level = dice.pick(("DEBUG", "INFO", "INFO", "INFO", "INFO", "INFO", "INFO", "WARN", "WARN", "ERROR"))
    counts["records"] += 1
    counts[f"level {level}"] += 1
    counts[f"team {team}"] += 1
    counts[f"hour {moment:%Y-%m-%dT%H}"] += 1
    user = "-" if dice.random() < 0.15 else str(1000 + dice.below(9000))
    took = "-" if level == "DEBUG" else f"{dice.random() ** 3 * 900 + 0.4:.1f}"
    counts["nulls user"] += user == "-"
    counts["nulls took_ms"] += took == "-"
    message = dice.pick(MESSAGES[level]).format(n=dice.below(2000), d=1 + dice.below(4))
    line = f"{iso(moment)} {level} [{dice.pick(SERVICES[team])}] req={dice.hex(12)} user={user} took={took}ms {message}"
    if level == "ERROR" and dice.random() < 0.2:
        trace = dice.pick(TRACES)
        counts["continuation_lines"] += trace.count("\n") + 1
        line += "\n" + trace
    return line


def app_file(dice: Dice, hour: dt.datetime, team: str, counts: Counter[str]) -> bytes:
    lines = []
    # Some records are up to 90 seconds older than the hour of their file.
    moments = sorted(
        hour + dt.timedelta(milliseconds=dice.below(3_690_000) - 90_000) for _ in range(40 + dice.below(50))
    )
    for moment in moments:
        lines.append(app_record(dice, moment, team, counts))
        if dice.random() < 0.004:
            counts["broken_lines"] += 1
            lines.append(dice.pick(BROKEN).format(ts=iso(moment)))
        if dice.random() < 0.004:
            lines.append("")  # blank lines are not records
    return ("\n".join(lines) + "\n").encode()


def app_files(dice: Dice, counts: Counter[str]) -> Iterator[tuple[str, bytes]]:
    for team in SERVICES:
        for number in range(HOURS):
            hour = START + dt.timedelta(hours=number)
            folder = f"app/{team}/{hour:%Y/%m/%d/%H}"
            if number % 3 == 0:
                yield f"{folder}/app-0.log", app_file(dice, hour, team, counts)
            else:
                yield f"{folder}/app-0.log.gz", gzipped(app_file(dice, hour, team, counts))
            if number % 5 == 0:  # two gzip members in one file, as `cat a.gz b.gz` makes
                members = [gzipped(app_file(dice, hour, team, counts)) for _ in range(2)]
                yield f"{folder}/app-1.log.gz", b"".join(members)


ACCOUNT, REGION, BALANCER = "123456789012", "eu-central-1", "app/shop-lb/50dc6c495c0c9188"
NODES = ("198.51.100.11", "198.51.100.27")
AGENTS = (
    "Mozilla/5.0 (X11; Linux x86_64) AppleWebKit/537.36 (KHTML, like Gecko) Chrome/142.0.0.0 Safari/537.36",
    "curl/8.11.0",
    "shop-app/7.3 (phone; build 4411)",
    "-",
)
PATHS = ("/", "/cart", "/api/v2/orders?page={n}", "/api/v2/search?q=red%20shoes&limit={n}", "/static/app.{n}.js")
FIELD_COUNTS = (25, 29, 29, 30, 30, 30, 33, 34)  # numbers of fields in lines of different years


def alb_record(dice: Dice, moment: dt.datetime, node: str, counts: Counter[str]) -> str:
    kind = dice.pick(("http", "https", "https", "h2", "h2"))
    tls = kind != "http"
    status = dice.pick((200, 200, 200, 200, 200, 204, 301, 304, 404, 404, 460, 500, 502, 503))
    lost = status in (460, 502, 503)  # no target answered
    redirected = status == 301
    without_target = lost or redirected
    times = ("-1", "-1", "-1") if lost else (f"{dice.random() / 500:.3f}", f"{dice.random() ** 4 * 3:.3f}", "0.000")
    target = "-" if without_target else f"192.0.2.{10 + dice.below(8)}:8080"
    target_status = "-" if without_target else str(status)
    path = dice.pick(PATHS).format(n=dice.below(100))
    scheme, port = ("https", 443) if tls else ("http", 80)
    group = f"arn:aws:elasticloadbalancing:{REGION}:{ACCOUNT}:targetgroup/shop/73e2d6bc24d8a067"
    certificate = f"arn:aws:acm:{REGION}:{ACCOUNT}:certificate/12345678-1234-1234-1234-123456789012"
    actions = "redirect" if redirected else "waf,forward" if dice.random() < 0.3 else "forward"
    fields = [
        kind, iso(moment, 6), BALANCER,
        f"203.0.113.{1 + dice.below(254)}:{1024 + dice.below(60000)}", target, *times, str(status), target_status,
        str(60 + dice.below(900)), str(dice.below(60000)),
        f'"{dice.pick(("GET", "GET", "GET", "POST", "DELETE"))} {scheme}://shop.example:{port}{path} HTTP/{"2.0" if kind == "h2" else "1.1"}"',
        f'"{dice.pick(AGENTS)}"',
        "TLS_AES_128_GCM_SHA256" if tls else "-", "TLSv1.3" if tls else "-",
        "-" if redirected else group, f'"Root=1-{int(moment.timestamp()):x}-{dice.hex(24)}"',
        '"shop.example"' if tls else '"-"', f'"{certificate}"' if tls else '"-"', str(dice.below(4)),
        iso(moment - dt.timedelta(milliseconds=3 + dice.below(90)), 6), f'"{actions}"',
        f'"https://www.shop.example:443{path}"' if redirected else '"-"', '"-"',
        f'"{target}"', f'"{target_status}"', '"-"', '"-"', f"TID_{dice.hex(32)}", '"-"', '"-"', "-", node,
    ]  # fmt: skip
    width = dice.pick(FIELD_COUNTS)
    counts["records"] += 1
    counts[f"status {status}"] += 1
    counts[f"fields {width}"] += 1
    counts[f"day {moment:%Y-%m-%d}"] += 1
    return " ".join(fields[:width])


def alb_files(dice: Dice, counts: Counter[str]) -> Iterator[tuple[str, bytes]]:
    # One interval of five minutes an hour, a file for each node. Directory and name have the end of the interval, so the
    # last file before midnight is in the directory of the next day.
    for number in range(HOURS):
        end = START + dt.timedelta(hours=number, minutes=5 * dice.below(12))
        if end.hour == 0:
            end = end.replace(minute=0)
        for node in NODES:
            moments = sorted(
                end - dt.timedelta(microseconds=1 + dice.below(300_000_000)) for _ in range(10 + dice.below(16))
            )
            text = "".join(alb_record(dice, moment, node, counts) + "\n" for moment in moments)
            folder = f"lb/AWSLogs/{ACCOUNT}/elasticloadbalancing/{REGION}/{end:%Y/%m/%d}"
            name = f"{ACCOUNT}_elasticloadbalancing_{REGION}_{BALANCER.replace('/', '.')}"
            yield f"{folder}/{name}_{end:%Y%m%dT%H%MZ}_{node}_{dice.hex(8)}.log.gz", gzipped(text.encode())


def sample_files() -> dict[str, bytes]:
    """Returns the contents of all files of the sample by path below ``sample_data/``."""
    app_counts: Counter[str] = Counter()
    alb_counts: Counter[str] = Counter()
    app = dict(app_files(Dice(SEED), app_counts))
    alb = dict(alb_files(Dice(SEED + 1), alb_counts))
    app_counts["files"], alb_counts["files"] = len(app), len(alb)
    expected = {
        "app": {"template": APP_TEMPLATE, "layout": APP_LAYOUT, **nested(app_counts)},
        "lb": {"preset": "aws_alb", "layout": ALB_LAYOUT, **nested(alb_counts)},
    }
    return {**app, **alb, "expected.json": (json.dumps(expected, indent=2) + "\n").encode()}


def nested(counts: Counter[str]) -> dict[str, object]:
    """Returns ``{"level INFO": 3, "records": 5}`` as ``{"level": {"INFO": 3}, "records": 5}``, sorted."""
    groups = sorted({key.partition(" ")[0] for key in counts if " " in key})
    table: dict[str, object] = {key: counts[key] for key in sorted(counts) if " " not in key}
    for group in groups:
        table[group] = {key.partition(" ")[2]: counts[key] for key in sorted(counts) if key.startswith(f"{group} ")}
    return table


def main() -> None:
    folder = Path(sys.argv[1]) if len(sys.argv) > 1 else Path(__file__).parent
    files = sample_files()
    for name, data in files.items():
        path = folder / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)
    print(f"{len(files)} files, {sum(map(len, files.values())):,} bytes, in {folder}")


if __name__ == "__main__":
    main()
