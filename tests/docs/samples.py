"""The working directory and the buckets that the pages of the documentation assume.

A page runs in a directory of its own, which holds the sample of the repository as ``sample_data`` and the files of
:data:`LOGS`. The bucket ``acme-logs`` has the sample, too, as ``app/`` and ``lb/``, and the objects of :data:`OBJECTS`.
"""

from __future__ import annotations

import shutil
from collections.abc import Mapping
from pathlib import Path

from pyspark_logs.formats.presets import PRESETS
from tests.support.doc_blocks import ROOT

SAMPLE = ROOT / "sample_data"


def _preset(name: str) -> bytes:
    return "".join(f"{line}\n" for line in PRESETS[name].sample).encode()


# Path in the working directory of a page -> content.
LOGS: Mapping[str, bytes] = {
    "app.log": (SAMPLE / "app/search/2026/11/23/01/app-0.log").read_bytes(),
    "logs/alb/a.log": _preset("aws_alb"),
    "logs/apache/access.log": _preset("apache_common"),
    "logs/app/a.log": b"2026-11-22T00:00:00Z\tINFO\t12.5\tstarted\n",
    "logs/audit/a.csv": b'time,user,action\n2026-11-22T00:00:00Z,7,"log in, log out"\n',
    "logs/iis/u_ex261122.log": _preset("w3c_iis"),
    "logs/json/a.json": b'{"time": "2026-11-22T00:00:00Z", "level": "INFO", "msg": "started", "items": [{"id": 1, "price": 9.90}]}\n',
    "logs/nginx/access.log": b'192.0.2.7 - - [22/Nov/2026:01:00:11 +0000] "GET /cart?id=7 HTTP/1.1" 200 5120 rt=0.004\n',
    "logs/mail/mail.log": b"Nov 22 10:00:00 mx1 postfix/smtpd[17]: 4F1A2B3C4D: client=mail.example.org[192.0.2.1]\n",
    "logs/numbers/a.log": (
        b"2026-11-22T00:00:00Z INFO 1 ok\n"
        b"2026-11-22T00:00:01Z WARN many x\n"
        b"2026-11-22T00:00:02Z\n"
        b"2026-11-22T00:00:03Z INFO 2 ok\n"
    ),
    "logs/router/a.log": b'ts=2026-11-22T10:00:00Z level=info msg="took \\"long\\"" took_ms=12.5 retry\n',
    "logs/zeek/conn.log": (
        b"#separator \\x09\n#set_separator\t,\n#fields\tts\tuid\tid.orig_h\n#types\ttime\tstring\taddr\n"
        b"1795305600.123456\tCHhAvVGS1DHFjwGM9\t192.0.2.7\n"
    ),
}

# Path -> content. The bucket `acme-logs` has the sample of the repository, too.
OBJECTS: Mapping[str, bytes] = {
    "acme-logs/alb/AWSLogs/123456789012/elasticloadbalancing/us-east-2/2026/11/22/a.log": _preset("aws_alb"),
    "acme-logs/cloudfront/E2EXAMPLE.2026-11-22-01.a1b2": _preset("aws_cloudfront"),
    "acme-logs/flow/AWSLogs/123456789012/vpcflowlogs/us-east-2/2026/11/22/a.log": _preset("aws_vpc_flow"),
    "acme-logs/trail/AWSLogs/123456789012/CloudTrail/us-east-2/2026/11/22/a.json": _preset("aws_cloudtrail"),
    "acme-logs/mixed/a.log": _preset("nginx_combined")
    + b'2026-11-22T00:00:00Z INFO [cart] started\n{"level": "INFO"}\n',
    "acme-audits/README.txt": b"",
    "acme-bad/app/a.json": b'{"path": "s3://acme-logs/app/a.log", "offset": 31, "record": "x", "reason": "no time"}\n',
    "open-logs/lb/a.log": _preset("aws_alb"),
    "partner-logs/lb/a.log": _preset("aws_alb"),
}


def make_directory(directory: Path) -> None:
    """Writes the files of a page to a directory, in place of all that it contains."""
    for path in directory.iterdir():
        if path.is_dir() and not path.is_symlink():
            shutil.rmtree(path)
        else:
            path.unlink()
    (directory / "examples").mkdir()
    (directory / "sample_data").symlink_to(SAMPLE, target_is_directory=True)
    for name, data in LOGS.items():
        path = directory / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(data)


def put_objects() -> None:
    """Puts the objects into the server of this process, in place of all that it contains."""
    from moto.core import DEFAULT_ACCOUNT_ID
    from moto.s3.models import s3_backends

    s3_backends.reset()
    backend = s3_backends[DEFAULT_ACCOUNT_ID]["aws"]
    files = (path for path in SAMPLE.rglob("*") if path.name.endswith((".log", ".log.gz")))
    objects = {**{f"acme-logs/{path.relative_to(SAMPLE)}": path.read_bytes() for path in files}, **OBJECTS}
    for bucket in {name.partition("/")[0] for name in objects}:
        backend.create_bucket(bucket, "us-east-1")
    for name, data in objects.items():
        bucket, _, key = name.partition("/")
        backend.put_object(bucket, key, data)
