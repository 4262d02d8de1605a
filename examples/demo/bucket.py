"""An S3 server in this process, with the sample in a bucket, that records the requests it receives."""

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

# The machine's own AWS configuration and proxy must not reach the demo, in this process or in Spark's workers.
_REMOVED_VARIABLES = (
    *("AWS_PROFILE", "AWS_DEFAULT_PROFILE", "AWS_ACCESS_KEY_ID", "AWS_SECRET_ACCESS_KEY", "AWS_SESSION_TOKEN"),
    *("AWS_REGION", "AWS_DEFAULT_REGION", "AWS_ENDPOINT_URL", "AWS_ENDPOINT_URL_S3"),
)
_SET_VARIABLES = {
    "AWS_CONFIG_FILE": os.devnull,
    "AWS_SHARED_CREDENTIALS_FILE": os.devnull,
    "AWS_EC2_METADATA_DISABLED": "true",
    "NO_PROXY": "127.0.0.1",
    "no_proxy": "127.0.0.1",
}


@dataclass(frozen=True)
class Bucket:
    """A bucket and the server's record of requests.

    Attributes:
        endpoint: URL of the server.
        files: contents of the uploaded sample, by key.
        requests: requests since the last :meth:`clear_requests`, as ``("GET", "/bucket/key?query")``.
    """

    endpoint: str
    files: Mapping[str, bytes]
    requests: list[tuple[str, str]] = field(default_factory=list)

    def sample_files(self, prefix: str) -> dict[str, bytes]:
        """Returns the contents of the uploaded sample files whose keys have a prefix, by key."""
        return {key: data for key, data in self.files.items() if key.startswith(prefix)}

    def clear_requests(self) -> None:
        """Clears the record of requests."""
        self.requests.clear()

    def fetched_keys(self) -> set[str]:
        """Returns the keys of the objects that were read."""
        return {key for method, key in self._requested_keys() if method == "GET" and key}

    def list_requests(self) -> int:
        """Returns the number of LIST requests."""
        return sum(method == "GET" and not key for method, key in self._requested_keys())

    def keys(self, prefix: str) -> list[str]:
        """Returns the keys that the server lists for a prefix."""
        return re.findall("<Key>([^<]*)</Key>", self._get(f"list-type=2&prefix={quote(prefix)}"))

    def open_uploads(self) -> int:
        """Returns the number of multipart uploads that are neither completed nor aborted."""
        return self._get("uploads").count("<UploadId>")

    def _get(self, query: str) -> str:
        connection = http.client.HTTPConnection(self.endpoint.removeprefix("http://"), timeout=30)
        try:
            connection.request("GET", f"/{BUCKET}?{query}")
            return connection.getresponse().read().decode()
        finally:
            connection.close()

    def data_files(self, prefix: str, suffix: str = ".gz") -> list[str]:
        """Returns the keys of the log files that the server lists for a prefix."""
        return [key for key in self.keys(prefix) if key.endswith(suffix)]

    def writes(self) -> list[str]:
        """Returns the purposes of the write requests in order: ``create``, ``part``, ``complete``, ``intent``, ``record``."""
        purposes = {
            r"POST .*\?uploads$": "create",
            r"PUT .*partNumber=": "part",
            r"POST .*\?uploadId=": "complete",
            r"PUT .*/_commits/[^/]*~intent\.json$": "intent",
            r"PUT .*/_commits/[^/]*\.json$": "record",
        }
        requests = [f"{method} {unquote(target)}" for method, target in list(self.requests)]
        matches = (
            next((name for pattern, name in purposes.items() if re.match(pattern, text)), None) for text in requests
        )
        return [name for name in matches if name is not None]

    def _requested_keys(self) -> Iterator[tuple[str, str]]:
        for method, target in list(self.requests):
            yield method, unquote(target.partition("?")[0]).removeprefix(f"/{BUCKET}").lstrip("/")


@contextmanager
def serve(directory: Path, port: int = 0) -> Iterator[Bucket]:
    """Serves a bucket with the ``.log`` and ``.log.gz`` files of a directory until the block ends.

    Args:
        directory: directory of the files.
        port: port of the server; 0: any free one.
    """
    from moto.server import ThreadedMotoServer

    paths = (path for path in sorted(directory.rglob("*")) if path.name.endswith((".log", ".log.gz")))
    files = {path.relative_to(directory).as_posix(): path.read_bytes() for path in paths}
    with _environment(), _request_log() as requests:
        server = ThreadedMotoServer(ip_address="127.0.0.1", port=port, verbose=False)
        server.start()
        try:
            host, used_port = server.get_host_and_port()
            _upload(host, used_port, files)
            bucket = Bucket(f"http://{host}:{used_port}", files, requests)
            bucket.clear_requests()
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
    before = {name: os.environ.get(name) for name in (*_REMOVED_VARIABLES, *_SET_VARIABLES)}
    for name in _REMOVED_VARIABLES:
        os.environ.pop(name, None)
    os.environ.update(_SET_VARIABLES)
    try:
        yield
    finally:
        for name, value in before.items():
            os.environ.pop(name, None)
            if value is not None:
                os.environ[name] = value


class _RequestLogHandler(logging.Handler):
    """Collects method and target of the requests in the server's access log."""

    def __init__(self) -> None:
        super().__init__()
        self.requests: list[tuple[str, str]] = []

    def emit(self, record: logging.LogRecord) -> None:
        match = re.search(r"([A-Z]+) (/.*) HTTP/1", record.getMessage())
        if match:
            self.requests.append((match[1], match[2]))


@contextmanager
def _request_log() -> Iterator[list[tuple[str, str]]]:
    """Collects requests from the logger ``werkzeug``; a logger with a handler of its own writes nothing to the terminal."""
    logger, handler = logging.getLogger("werkzeug"), _RequestLogHandler()
    level, propagate = logger.level, logger.propagate
    logger.addHandler(handler)
    logger.setLevel(logging.INFO)
    logger.propagate = False
    try:
        yield handler.requests
    finally:
        logger.removeHandler(handler)
        logger.setLevel(level)
        logger.propagate = propagate
