"""Parts of requests: the option ``requestParts``."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pyarrow as pa
import pytest

import pyspark_logs
from pyspark_logs.errors import FormatError, LogSourceError
from pyspark_logs.formats.decoding.decoder import Decoder
from pyspark_logs.formats.decoding.requested_column import Projection
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.request import PARTS
from pyspark_logs.options import FormatOptions
from pyspark_logs.records import find_lines
from tests.support.formats import line_format

# Request as nginx and Apache write it -> method, path, query, protocol.
REQUESTS: dict[str, tuple[str | None, ...]] = {
    "GET /cart?id=7&x=%20 HTTP/1.1": ("GET", "/cart", "id=7&x=%20", "HTTP/1.1"),
    "GET / HTTP/2.0": ("GET", "/", None, "HTTP/2.0"),
    "GET /? HTTP/1.1": ("GET", "/", None, "HTTP/1.1"),
    "GET /a?b?c HTTP/1.1": ("GET", "/a", "b?c", "HTTP/1.1"),
    "GET /a b?c d HTTP/1.1": ("GET", "/a b", "c d", "HTTP/1.1"),
    "GET /old": ("GET", "/old", None, None),
    "GET /old?x": ("GET", "/old", "x", None),
    "POST https://shop.example:443/a?b HTTP/1.1": ("POST", "/a", "b", "HTTP/1.1"),
    "GET http://shop.example HTTP/1.1": ("GET", None, None, "HTTP/1.1"),
    "CONNECT shop.example:443 HTTP/1.1": ("CONNECT", "shop.example:443", None, "HTTP/1.1"),
    "OPTIONS * HTTP/1.1": ("OPTIONS", "*", None, "HTTP/1.1"),
    "M-SEARCH * HTTP/1.1": ("M-SEARCH", "*", None, "HTTP/1.1"),
    "GET /caf\u00e9 HTTP/1.1": ("GET", "/caf\u00e9", None, "HTTP/1.1"),
    **dict.fromkeys(
        ["-", "", "GET", r"\x16\x03\x01", "SSH-2.0-OpenSSH_9", "<BADREQ>", "- http://h:80- -", " / x"], (None,) * 4
    ),
}
LINE = '192.0.2.7 - - [22/Nov/2026:01:00:11 +0000] "%s" 200 5 "-" "curl"\n'


@pytest.mark.parametrize("preset", ["nginx_combined", "apache_combined"])
def test_parts_in_engine_and_line_parser(preset: str) -> None:
    form = line_format(FormatOptions("preset", preset, request_parts=True))
    schema = form.schema()
    assert schema is not None
    fast = form.decoder(Projection(schema, judge_whole=True))
    slow = Decoder([], fast.line_parser, fast.native, fast.target)
    block = find_lines("".join(LINE % request for request in REQUESTS).encode(), 0)
    for decoder in (fast, slow):
        decoded = decoder.decode(block, TimestampContext())
        table = pa.table(decoded.columns, schema=schema)
        columns = [table[f"request_{part}"].to_pylist() for part in PARTS]
        assert list(zip(*columns, strict=True)) == list(REQUESTS.values())
        assert decoded.corrupt is None
        assert table["status"].to_pylist() == [200] * len(REQUESTS)
        assert table["request"].to_pylist()[0] == "GET /cart?id=7&x=%20 HTTP/1.1"


def scanned(tmp_path: Path, text: str, **options: Any) -> list[dict[str, Any]]:
    (tmp_path / "a.log").write_text(text)
    return pyspark_logs.scan(str(tmp_path), requestParts=True, **options).read_all().to_pylist()


@pytest.mark.parametrize(
    ("options", "text"),
    [
        ({"template": '{a} "{request}"'}, 'x "GET /c?d HTTP/1.1"\n'),
        ({"nginx": '$remote_addr "$request"'}, '192.0.2.7 "GET /c?d HTTP/1.1"\n'),
        ({"nginx": '$request_method "$request"'}, 'GET "GET /c?d HTTP/1.1"\n'),
        ({"apache": '%h \\"%r\\"'}, '192.0.2.7 "GET /c?d HTTP/1.1"\n'),
        ({"nginx": 'escape=json \'{"a":"$host","request":"$request"}\''}, '{"request":"GET /c?d HTTP/1.1","a":"h"}\n'),
    ],
)
def test_formats_with_requests(options: dict[str, str], text: str, tmp_path: Path) -> None:
    [row] = scanned(tmp_path, text, **options)
    parts = [row[f"request_{part}"] for part in PARTS]
    assert (row["request"], parts) == ("GET /c?d HTTP/1.1", ["GET", "/c", "d", "HTTP/1.1"])


def test_parts_in_a_schema_and_a_condition(tmp_path: Path) -> None:
    text = LINE % "GET /a HTTP/1.1" + LINE % "POST /b HTTP/1.1"
    found = scanned(
        tmp_path, text, preset="nginx_combined", schema="request_method string", where="request_path = '/b'"
    )
    assert found == [{"request_method": "POST"}]


def test_formats_without_requests_are_errors(tmp_path: Path) -> None:
    with pytest.raises(
        FormatError, match=r"'requestParts': template '\{a\}' has no column 'request' or 'http_request'"
    ):
        scanned(tmp_path, "x\n", template="{a}")
    for options in ({"json": True}, {"preset": "aws_waf"}, {"preset": "aws_vpc_flow"}):
        with pytest.raises(LogSourceError, match=r"requestParts.*leave it out"):
            scanned(tmp_path, "x\n", **options)
