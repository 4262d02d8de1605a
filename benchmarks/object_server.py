"""A read-only server with the protocol of S3, in a process of its own, that delays every response.

It holds one content under many keys. A response costs it about a tenth of what moto needs, so that the time of a benchmark is
that of the reader.
"""

from __future__ import annotations

import asyncio
import hashlib
import re
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import parse_qs, unquote, urlsplit

BUCKET = "logs"
_MODIFIED = ("2026-11-22T00:00:00.000Z", "Sun, 22 Nov 2026 00:00:00 GMT")


@contextmanager
def serving(file: Path, count: int, delay_s: float) -> Iterator[dict[str, str]]:
    """Serves ``count`` objects ``s3://logs/app/*.log.gz`` with the content of a file; yields the options of a reader."""
    command = [sys.executable, "-m", "benchmarks.object_server", str(file), str(count), str(delay_s)]
    process = subprocess.Popen(command, stdout=subprocess.PIPE, text=True, cwd=Path(__file__).parents[1])
    try:
        port = process.stdout.readline().strip() if process.stdout else ""
        keys = {"region": "us-east-1", "accessKey": "k", "secretKey": "s"}
        yield {"endpoint": f"http://127.0.0.1:{port}", **keys}
    finally:
        process.terminate()
        process.wait()


class Server:
    """The objects, and the responses to requests."""

    def __init__(self, content: bytes, count: int, delay_s: float) -> None:
        self.content, self.delay_s = content, delay_s
        self.etag = hashlib.md5(content, usedforsecurity=False).hexdigest()
        self.keys = [f"app/{number:06}.log.gz" for number in range(count)]
        self.known = frozenset(self.keys)

    async def serve(self) -> None:
        server = await asyncio.start_server(self._connection, "127.0.0.1", 0, backlog=256)
        print(server.sockets[0].getsockname()[1], flush=True)
        async with server:
            await server.serve_forever()

    async def _connection(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            while True:
                head = (await reader.readuntil(b"\r\n\r\n")).decode("latin-1").split("\r\n")
                headers = dict(line.lower().split(": ", 1) for line in head[1:] if ": " in line)
                method, target, _ = head[0].split(" ")
                await asyncio.sleep(self.delay_s)
                status, extra, body = self._respond(target, headers)
                lines = [f"HTTP/1.1 {status}", f"Content-Length: {len(body)}", *extra, "", ""]
                writer.write("\r\n".join(lines).encode() + (b"" if method == "HEAD" else body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            writer.close()

    def _respond(self, target: str, headers: dict[str, str]) -> tuple[str, list[str], bytes]:
        url = urlsplit(target)
        _, _, key = unquote(url.path).lstrip("/").partition("/")
        if not key:
            return "200 OK", ["Content-Type: application/xml"], self._list(parse_qs(url.query, keep_blank_values=True))
        if key not in self.known:
            return "404 Not Found", ["Content-Type: application/xml"], b"<Error><Code>NoSuchKey</Code></Error>"
        facts = [f'ETag: "{self.etag}"', f"Last-Modified: {_MODIFIED[1]}", "Accept-Ranges: bytes"]
        match = re.fullmatch(r"bytes=(\d+)-(\d*)", headers.get("range", ""))
        if match is None:
            return "200 OK", facts, self.content
        start, end = int(match[1]), min(int(match[2] or len(self.content)) + 1, len(self.content))
        facts.append(f"Content-Range: bytes {start}-{end - 1}/{len(self.content)}")
        return "206 Partial Content", facts, self.content[start:end]

    def _list(self, query: dict[str, list[str]]) -> bytes:
        """Returns a page of the keys; all of them are in one directory."""
        prefix, delimiter = query.get("prefix", [""])[0], query.get("delimiter", [""])[0]
        if delimiter and "/" not in prefix:
            listed = "<CommonPrefixes><Prefix>app/</Prefix></CommonPrefixes>" if "app/".startswith(prefix) else ""
            return f"<ListBucketResult><IsTruncated>false</IsTruncated>{listed}</ListBucketResult>".encode()
        first = int(query.get("continuation-token", ["0"])[0])
        most = int(query.get("max-keys", ["1000"])[0])
        matching = [key for key in self.keys if key.startswith(prefix)]
        items = "".join(
            f"<Contents><Key>{key}</Key><LastModified>{_MODIFIED[0]}</LastModified><ETag>&quot;{self.etag}&quot;</ETag>"
            f"<Size>{len(self.content)}</Size></Contents>"
            for key in matching[first : first + most]
        )
        is_truncated = first + most < len(matching)
        token = f"<NextContinuationToken>{first + most}</NextContinuationToken>" if is_truncated else ""
        return (
            f"<ListBucketResult><IsTruncated>{str(is_truncated).lower()}</IsTruncated>{token}{items}</ListBucketResult>"
        ).encode()


if __name__ == "__main__":
    asyncio.run(Server(Path(sys.argv[1]).read_bytes(), int(sys.argv[2]), float(sys.argv[3])).serve())
