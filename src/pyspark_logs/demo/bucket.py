"""An S3 server in this process, with a bucket of the sample logs in it, which counts what it is asked for."""

from __future__ import annotations

import http.client
import logging
import os
import re
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import quote, unquote

BUCKET = "acme-logs"

# Nothing of the machine's own AWS set-up or proxy reaches the demo, in this process or in Spark's workers.
_NOT_OURS = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"),
)
_OURS = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


@dataclass(frozen=True)
class Bucket:
    """The bucket, and the server's own record of requests.

    Attributes:
        endpoint: URL of the server.
        files: key to contents of everything in the bucket.
        requests: what was asked for since the last :meth:`forget`, as ``("GET", "/bucket/key?query")``.
    """

    endpoint: str
    files: Mapping[str, bytes]
    requests: list[tuple[str, str]] = field(default_factory=list)

    def below(self, prefix: str) -> dict[str, bytes]:
        """Key to contents of what is below a prefix."""
        return {key: data for key, data in self.files.items() if key.startswith(prefix)}

    def forget(self) -> None:
        """Begin to count anew."""
        self.requests.clear()

    def fetched(self) -> set[str]:
        """Keys of the objects that were read."""
        return {key for method, key in self._asked() if method == "GET" and key}

    def listings(self) -> int:
        """How many LIST requests there were."""
        return sum(method == "GET" and not key for method, key in self._asked())

    def listed(self, prefix: str) -> list[str]:
        """Keys of the objects that are below a prefix now, as any program sees them."""
        return re.findall("<Key>([^<]*)</Key>", self._answer(f"list-type=2&prefix={quote(prefix)}"))

    def open_uploads(self) -> int:
        """How many uploads somebody has begun and nobody has completed or aborted."""
        return self._answer("uploads").count("<UploadId>")

    def _answer(self, query: str) -> str:
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"), timeout=30)
        try:
            connection.request("GET", f"/{BUCKET}?{query}")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def data_files(self, prefix: str, ending: str = ".gz") -> list[str]:
        """Those of :meth:`listed` that are logs."""
        return [key for key in self.listed(prefix) if key.endswith(ending)]

    def writes(self) -> list[str]:
        """What the writing requests were for, in their order: ``create``, ``part``, ``complete``, ``intent``, ``record``."""
        kinds = {
            r"POST .*\?uploads$": "create",
            r"PUT .*partNumber=": "part",
            r"POST .*\?uploadId=": "complete",
            r"PUT .*/_commits/[^/]*~intent\.json$": "intent",
            r"PUT .*/_commits/[^/]*\.json$": "record",
        }
        asked = [f"{method} {unquote(target)}" for method, target in list(self.requests)]
        found = (next((kind for pattern, kind in kinds.items() if re.match(pattern, text)), None) for text in asked)
        return [kind for kind in found if kind is not None]

    def _asked(self) -> Iterator[tuple[str, str]]:
        for method, target in list(self.requests):
            yield method, unquote(target.partition("?")[0]).removeprefix(f"/{BUCKET}").lstrip("/")


@contextmanager
def serve(folder: Path) -> Iterator[Bucket]:
    """Serve a bucket with the ``.log`` and ``.log.gz`` files of a folder, until the block ends."""
    from moto.server import ThreadedMotoServer

    paths = (path for path in sorted(folder.rglob("*")) if path.name.endswith((".log", ".log.gz")))
    files = {path.relative_to(folder).as_posix(): path.read_bytes() for path in paths}
    with _environment(), _request_log() as requests:
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=0, verbose=False)
        server.start()
        try:
            host, port = server.get_host_and_port()
            _upload(host, port, files)
            bucket = Bucket(f"http://{host}:{port}", files, requests)
            bucket.forget()
            yield bucket
        finally:
            server.stop()


def _upload(host: str, port: int, files: Mapping[str, bytes]) -> None:
    connection = http.client.HTTPConnection(host, port, timeout=30)
    try:
        for target, body in {"": b"", **{f"/{quote(key)}": data for key, data in files.items()}}.items():
            connection.request("PUT", f"/{BUCKET}{target}", body=body)
            response = connection.getresponse()
            response.read()
            if response.status >= 300:
                raise OSError(f"the S3 server answered {response.status} to PUT /{BUCKET}{target}")
    finally:
        connection.close()


@contextmanager
def _environment() -> Iterator[None]:
    before = {name: os.environ.get(name) for name in (*_NOT_OURS, *_OURS)}
    for name in _NOT_OURS:
        os.environ.pop(name, None)
    os.environ.update(_OURS)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class _Requests(logging.Handler):
    """Collects the lines of the server's access log."""

    def __init__(self) -> None:
        super().__init__()
        self.seen: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        found = re.search(r"([A-Z]+) (/.*) HTTP/1", record.getMessage())
        if found:
            self.seen.append((found[1], found[2]))


@contextmanager
def _request_log() -> Iterator[list[tuple[str, str]]]:
    """The server logs requests to the logger ``werkzeug``; with a handler there, it writes nothing to the terminal."""
    logger, handler = logging.getLogger("werkzeug"), _Requests()
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield handler.seen
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
