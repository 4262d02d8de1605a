"""State and error handling that all stores share: connections of this process, request counts, forks and pickling."""

from __future__ import annotations

import os
import threading
import weakref
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any

from pyspark_logs.errors import LogSourceError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.circuit_breaker import CircuitBreaker
from pyspark_logs.store.error_codes import is_defect
from pyspark_logs.store.error_translation import ErrorTranslator


class StoreBase:
    """Base class of :class:`~pyspark_logs.store.interface.Store`.

    A pickled store consists of its scheme and options. All other state belongs to one process.

    Attributes:
        scheme: scheme of the paths; empty for local paths.
        options: endpoint, credentials, timeouts and retries.
    """

    def __init__(self, scheme: str, options: StoreOptions) -> None:
        self.scheme = scheme
        self.options = options
        self._reset()
        _STORES.add(self)

    def _reset(self) -> None:
        """Initialises the state of this process; called again in a forked child."""
        self._lock = threading.Lock()
        self._breaker = CircuitBreaker(self.options.max_consecutive_failures)
        self._errors = ErrorTranslator(self.scheme, self.options, self._breaker)
        self._handles: dict[str, Any] = {}

    def __reduce__(self) -> tuple[Any, ...]:
        return type(self), (self.scheme, self.options)

    def __repr__(self) -> str:
        return f"{type(self).__name__}({self.scheme!r}, {self.options!r})"

    @property
    def request_counts(self) -> Counter[str]:
        """Number of requests of this process so far by kind, retries included.

        The kinds are ``LIST``, ``GET``, ``HEAD``, ``PUT`` and ``DELETE``, and for uploads ``CREATE``, ``PART``,
        ``COMPLETE``, ``ABORT`` and ``UPLOADS``.
        """
        return self._breaker.request_counts

    @property
    def retry_counts(self) -> Counter[str]:
        """Number of repeated requests of this process so far by error code, such as ``SlowDown``."""
        return self._breaker.retry_counts

    @contextmanager
    def _request_context(self, action: str, path: str, *, writing: bool = False) -> Iterator[None]:
        """Context for requests: fails if the circuit is open, and translates exceptions of the driver.

        An exception that tells of a defect in a program, such as a ``TypeError``, is raised as it is.

        Args:
            action: completes the message "cannot <action> <path>".
            path: path of the requests.
            writing: True if the requests change something.
        """
        if self._breaker.is_open:
            raise self._errors.circuit_open(action, path)
        try:
            yield
        except LogSourceError:
            raise
        except Exception as error:
            exposes_secret = self._errors.exposes_secret(error)
            if is_defect(error) and not exposes_secret:
                raise
            translated = self._translate(action, path, error, writing=writing)
            raise translated from (None if exposes_secret else error)

    def _translate(self, action: str, path: str, error: Exception, *, writing: bool) -> LogSourceError:
        """Returns the error to raise; subclasses extend it to react to failures."""
        return self._errors.translate(action, path, error, writing=writing)


_STORES: weakref.WeakSet[StoreBase] = weakref.WeakSet()


def count_requests() -> Counter[str]:
    """Returns the numbers of requests of all stores of this process that are in use, by kind, as ``request_counts`` does."""
    return sum((store.request_counts for store in list(_STORES)), Counter[str]())


_INHERITED: list[Any] = []


def _leave_handles_to_parent() -> None:
    # A forked child shares the sockets and the epoll instance of its parent. Closing an inherited connection, even by
    # garbage collection, would unregister the parent's connection. Keeping a reference prevents the collection.
    for store in list(_STORES):
        _INHERITED.append(store._handles)  # noqa: SLF001
        store._reset()  # noqa: SLF001


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_handles_to_parent)
