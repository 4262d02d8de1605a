"""What every store offers, and what all of them do the same way: errors, secrets, forks, pickling."""

from __future__ import annotations

import abc
import json
import os
import re
import threading
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any

from pyspark_logs.errors import CircuitOpenError, LogSourceError, SnapshotChangedError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.faults import find_fault, find_text
from pyspark_logs.store.gate import Gate


@dataclass(frozen=True)
class StoredFile:
    """One file, as a listing or a HEAD described it.

    Attributes:
        path: the full path as the user writes it; the scheme stays as given (``s3a`` stays ``s3a``).
        size: bytes.
        modified_ms: modification time, milliseconds since the epoch, UTC.
        etag: opaque identity of this version of the content; ``""`` where the store has none.
    """

    path: str
    size: int
    modified_ms: int
    etag: str


@dataclass(frozen=True)
class Page:
    """One answer to a list request.

    Attributes:
        files: files, in order of path.
        directories: full paths that end in ``/``; empty when the listing is recursive.
        next_token: opaque, for the next request; ``None`` on the last page.
    """

    files: tuple[StoredFile, ...]
    directories: tuple[str, ...]
    next_token: str | None


class Store(abc.ABC):
    """A place that holds files. Made by :func:`pyspark_logs.store.open_store`.

    Cheap to make, safe to use from threads, usable on both sides of a fork (each process makes a
    connection of its own), and picklable: what travels is scheme and options.
    """

    def __init__(self, scheme: str, options: StoreOptions) -> None:
        self.scheme = scheme
        self.options = options
        self._reset()
        _STORES.add(self)

    def _reset(self) -> None:
        """State of this process: nothing of it is valid in another one."""
        self._lock = threading.Lock()
        self._gate = Gate(self.options.max_consecutive_failures)
        self._handles: dict[str, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.scheme, self.options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.scheme!r}, {self.options!r})"

    @property
    def calls(self) -> Counter[str]:
        """Requests made by this process so far, retries included, by kind: ``LIST``, ``GET``, ``HEAD``."""
        return self._gate.calls

    @abc.abstractmethod
    def page(self, prefix: str, *, recursive: bool, token: str | None = None) -> Page:
        """Files and directories whose path starts with ``prefix``, by one list request.

        Args:
            prefix: a raw prefix: ``s3://b/app/2026/`` or ``s3://b/app/dt=2026`` (any path that starts so).
            recursive: everything below; otherwise what follows the next ``/`` is grouped into directories.
            token: ``next_token`` of the page before.

        Returns:
            A page; an empty one if nothing is there. Names that end in ``/`` are never files.

        Raises:
            PathNotFoundError: the bucket does not exist.
            StoreError: the store refused or failed.
        """

    @abc.abstractmethod
    def head(self, path: str) -> StoredFile | None:
        """Describe one file; ``None`` if there is none at this path.

        Raises:
            StoreError: the store refused or failed.
        """

    @abc.abstractmethod
    def read(
        self, path: str, start: int = 0, end: int | None = None, *, etag: str = "", chunk_bytes: int = 1 << 20
    ) -> Iterator[bytes]:
        """Bytes ``[start, end)`` in chunks as they arrive; nothing is fetched ahead of the consumer.

        Args:
            path: the file.
            start: first byte.
            end: the byte after the last one; ``None``, or beyond the end of the file: to its end.
            etag: the version that is expected; ``""``: the one that is there now.
            chunk_bytes: no chunk is larger; memory is bounded by it.

        Raises:
            SnapshotChangedError: the file is not, or no longer, the version ``etag``.
            PathNotFoundError: there is no such file.
            TruncatedBodyError: fewer bytes came than the store had promised, after all retries.
            StoreError: the store refused or failed.
        """

    # --- for the stores -------------------------------------------------------------------------

    @contextmanager
    def _errors(self, doing: str, path: str) -> Iterator[None]:
        """Requests run inside: the circuit is checked before, and what they raise becomes ours."""
        if self._gate.is_open:
            raise CircuitOpenError(self._circuit_message(doing, path))
        try:
            yield
        except LogSourceError:
            raise
        except Exception as error:  # noqa: BLE001 - drivers raise anything; all of it is raised again
            translated = self._translate(doing, path, error)
            leaks = _leaks(error, self._secrets())
            raise translated from (None if leaks else error)

    def _translate(self, doing: str, path: str, error: Exception) -> LogSourceError:
        code, fault = find_fault(error)
        if fault.transient and self._gate.is_open:
            return CircuitOpenError(self._circuit_message(doing, path))
        text = find_text(error)
        reason = self._mask(text if code in text else f"{code}: {text}")
        return fault.error(f"cannot {doing} {path}{self._where()}: {reason}. {fault.advice}")

    def _circuit_message(self, doing: str, path: str) -> str:
        last = self._mask(self._gate.last_failure)
        return (
            f"gave up trying to {doing} {path}{self._where()}: {self.options.max_consecutive_failures} requests in a row "
            f"failed, the last with {last}. Try again when the store is well, or raise maxConsecutiveFailures."
        )

    def _changed(self, path: str, expected: str, found: str) -> SnapshotChangedError:
        return SnapshotChangedError(
            f"cannot read {path}{self._where()}: it changed after the query was planned (version {expected!r} expected, "
            f"{found!r} found). Load it again, since a Spark frame keeps its plan; log files that are read must not be rewritten."
        )

    def _where(self) -> str:
        return f" (endpoint {self.options.endpoint})" if self.options.endpoint and self.scheme else ""

    def _secrets(self) -> list[str]:
        values = [self.options.secret_key, self.options.session_token]
        values += _texts(json.loads(self.options.storage_options or "{}"))
        return [value for value in values if value]

    def _mask(self, text: str) -> str:
        for secret in self._secrets():
            text = text.replace(secret, "***")
        return text


_STORES: weakref.WeakSet[Store] = weakref.WeakSet()
_INHERITED: list[Any] = []


def _leave_handles_to_parent() -> None:
    # The child shares the parent's sockets and its epoll instance. Closing an inherited connection,
    # by garbage collection too, would unhook the parent's: so nothing of it is ever collected here.
    for store in list(_STORES):
        _INHERITED.append(store._handles)  # noqa: SLF001
        store._reset()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_handles_to_parent)


_SECRET_NAME = re.compile(r"key|secret|token|pass|credential|account|sas|conn", re.IGNORECASE)


def _texts(value: Any, secret: bool = False) -> list[str]:
    """Strings of a JSON value that stand under a name that sounds secret."""
    if isinstance(value, dict):
        return [text for key, item in value.items() for text in _texts(item, secret or bool(_SECRET_NAME.search(key)))]
    if isinstance(value, list):
        return [text for item in value for text in _texts(item, secret)]
    return [value] if secret and isinstance(value, str) else []


def _leaks(error: BaseException | None, secrets: list[str]) -> bool:
    """Whether the text of an exception, or of one it is chained to, holds a secret."""
    for _ in range(10):
        if error is None:
            return False
        text = f"{error} {error!r}"
        if any(secret in text for secret in secrets):
            return True
        error = error.__cause__ or error.__context__
    return True
