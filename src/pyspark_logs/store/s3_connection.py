"""Connections to S3: s3fs file systems that stores share, their arguments, and the event hooks of botocore."""

from __future__ import annotations

import asyncio
import functools
import inspect
import json
import os
import sys
import threading
from contextvars import ContextVar
from typing import Any

from pyspark_logs.errors import OptionError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.circuit_breaker import CircuitBreaker, backoff_s
from pyspark_logs.store.error_codes import classify_error, classify_response, find_message

_KINDS = {
    "ListObjectsV2": "LIST",
    "GetObject": "GET",
    "HeadObject": "HEAD",
    "PutObject": "PUT",
    "DeleteObject": "DELETE",
    "DeleteObjects": "DELETE",
    "CreateMultipartUpload": "CREATE",
    "UploadPart": "PART",
    "CompleteMultipartUpload": "COMPLETE",
    "AbortMultipartUpload": "ABORT",
    "ListMultipartUploads": "UPLOADS",
}
_NOT_RETRIED_BY_BOTOCORE = (
    *("TooManyRequests", "429", "ServerBusy", "408", "OperationTimedOut"),
    *("BadDigest", "IncompleteBody", "XAmzContentSHA256Mismatch"),
)
# Not failures of the store. S3 documents that the client should retry them.
_CONFLICTS = ("ConditionalRequestConflict", "OperationAborted")
_MAX_CONNECT_TIMEOUT_S = 10.0
_MAX_SHARED = 8  # file systems kept for later stores

# Circuit breaker of the store that makes the current request. asyncio copies the caller's context to the loop's thread.
BREAKER: ContextVar[CircuitBreaker | None] = ContextVar("pyspark_logs_circuit_breaker", default=None)
_TICKET = "pyspark_logs_ticket"  # key in botocore's context of a request

_SHARED: dict[StoreOptions, Any] = {}
_LOCK = threading.Lock()
_INHERITED: list[Any] = []


def shared_filesystem(options: StoreOptions) -> Any:
    """Returns the s3fs file system of these options in this process.

    Stores are created for every task, while Spark reuses its Python workers. Creating a client takes a quarter of a second,
    so stores with equal options share a file system. Callers keep a reference, because the least recently used file
    systems are dropped from the cache.
    """
    with _LOCK:
        filesystem = _SHARED.pop(options, None) or _connect(options)
        _SHARED[options] = filesystem
        if len(_SHARED) > _MAX_SHARED:
            del _SHARED[next(iter(_SHARED))]
        return filesystem


def discard_filesystem(options: StoreOptions) -> None:
    """Drops the shared file system, so that the next store looks up credentials again after these were refused."""
    with _LOCK:
        _SHARED.pop(options, None)


def _leave_connections_to_parent() -> None:
    global _LOCK  # noqa: PLW0603 - another thread of the parent may hold the old lock
    _LOCK = threading.Lock()
    # Without a reference, the garbage collector would close the parent's sockets.
    _INHERITED.append(dict(_SHARED))
    _SHARED.clear()
    # Older versions of fsspec do not detect forks: the child would wait for an event loop whose thread exists only in the
    # parent.
    asyn = sys.modules.get("fsspec.asyn")
    if asyn is not None:
        asyn.reset_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_connections_to_parent)


async def _before_call(context: dict[str, Any], **_: Any) -> None:
    """Handles the event ``before-call``, which botocore emits once for a request, before its first attempt."""
    breaker = BREAKER.get()
    if breaker is not None:
        await asyncio.sleep(breaker.delay_s())
        context[_TICKET] = breaker.ticket()


async def _after_attempt(
    max_retries: int,
    response: Any,
    operation: Any,
    attempts: int,
    caught_exception: Any,
    request_dict: Any,
    **_: Any,
) -> float | None:
    """Handles the event ``needs-retry``, which botocore emits after each attempt.

    Returns:
        Seconds until the next attempt; ``None`` to leave the decision to botocore's ``standard`` mode.
    """
    from botocore.exceptions import ClientError

    breaker = BREAKER.get()
    if breaker is None:
        return None
    breaker.count_request(_KINDS.get(operation.name, operation.name))
    if caught_exception is not None:
        code, category = classify_error(caught_exception)
        reason = f"{code}: {find_message(caught_exception)}"
    else:
        code, category = classify_response(response[1], response[0].status_code)
        reason = f"{operation.name}: {code}"
    if not category.transient:
        breaker.record_success()  # the store responded, even if with an error
        return backoff_s(attempts) if code in _CONFLICTS and attempts <= max_retries else None
    context = request_dict["context"]
    breaker.record_failure(context.get(_TICKET, -1), reason, throttled=category.throttled)
    if breaker.is_open:
        # An exception, because versions of botocore differ in the return value that overrules the other handlers.
        raise caught_exception or ClientError(response[1], operation.name)
    await asyncio.sleep(breaker.delay_s())
    context[_TICKET] = breaker.ticket()
    if code in _NOT_RETRIED_BY_BOTOCORE and attempts <= max_retries:
        return backoff_s(attempts)
    return None


def _connect(options: StoreOptions) -> Any:
    """Creates an s3fs file system without caches and retries of its own, whose attempts the circuit breaker observes."""
    from aiobotocore.session import AioSession
    from s3fs import S3FileSystem

    arguments = connection_arguments(options)
    known = {*inspect.signature(S3FileSystem.__init__).parameters, "use_listings_cache", "skip_instance_cache"}
    # The other arguments are for the session, which is created here to register the event handlers.
    extra = {name: arguments.pop(name) for name in list(arguments) if name not in known}
    try:
        session = AioSession(**extra)
    except TypeError as error:
        raise OptionError(
            f"option 'storageOptions': s3fs has no argument {', '.join(sorted(extra))}; check the names"
        ) from error
    session.register("before-call.s3", _before_call)
    session.register("needs-retry.s3", functools.partial(_after_attempt, options.max_retries))
    return _filesystem_class()(session=session, **arguments)


@functools.cache
def _filesystem_class() -> Any:
    from s3fs import S3FileSystem

    class SingleTryS3FileSystem(S3FileSystem):  # type: ignore[misc]
        # s3fs's own retries would multiply botocore's: a failing GET would take 25 attempts.
        retries = 1

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            pid, close = os.getpid(), S3FileSystem.close_session

            def close_session(loop: Any, s3: Any) -> None:
                # Also called at exit. In a forked child the connections belong to the parent.
                if os.getpid() == pid:
                    close(loop, s3)

            self.close_session = close_session

    return SingleTryS3FileSystem


_CREDENTIAL_ARGUMENTS = ("anon", "key", "secret", "token", "username", "password")
_CREDENTIAL_CLIENT_ARGUMENTS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


def connection_arguments(options: StoreOptions) -> dict[str, Any]:
    """Returns the arguments of s3fs's constructor: ``storageOptions``, overridden by the options that are set."""
    arguments: dict[str, Any] = json.loads(options.storage_options or "{}")
    client = dict(arguments.get("client_kwargs") or {})
    config = dict(arguments.get("config_kwargs") or {})
    if options.anonymous or options.default_credential or options.access_key is not None:
        # Arguments that are None are passed, too: s3fs would read absent credentials from the environment.
        for name in _CREDENTIAL_CLIENT_ARGUMENTS:
            client.pop(name, None)
        for name in _CREDENTIAL_ARGUMENTS:
            arguments.pop(name, None)
        arguments |= {"anon": options.anonymous, "key": options.access_key, "secret": options.secret_key}
        arguments["token"] = options.session_token
    if options.endpoint is not None:
        client.pop("endpoint_url", None)
        arguments["endpoint_url"] = options.endpoint
    if options.region is not None:
        client["region_name"] = options.region
    if options.profile is not None:
        arguments["profile"] = options.profile
    if arguments.get("endpoint_url") or client.get("endpoint_url"):
        config["s3"] = {"addressing_style": "path"} | dict(config.get("s3") or {})
    arguments["client_kwargs"], arguments["config_kwargs"] = client, _with_limits(config, options)
    return arguments | {"use_listings_cache": False, "skip_instance_cache": True}


def _with_limits(config: dict[str, Any], options: StoreOptions) -> dict[str, Any]:
    """Returns botocore's configuration with timeouts, retries and the size of the connection pool."""
    timeout = options.request_timeout_s
    timeouts = {"read_timeout": timeout, "connect_timeout": min(timeout, _MAX_CONNECT_TIMEOUT_S)}
    # The default cannot be distinguished from an unset option, so that timeouts in storageOptions override it.
    if timeout == StoreOptions().request_timeout_s:
        config = timeouts | config
    else:
        config = config | timeouts
    config["retries"] = {"mode": "standard", "total_max_attempts": options.max_retries + 1}
    defaults: dict[str, Any] = {"max_pool_connections": options.connections}
    if "request_checksum_calculation" in _config_options():
        # botocore 1.36 and later adds CRC32 checksums to parts, and S3-compatible servers fail to complete such uploads.
        defaults["request_checksum_calculation"] = "when_required"
    return defaults | config


@functools.cache
def _config_options() -> frozenset[str]:
    from botocore.config import Config

    return frozenset(Config.OPTION_DEFAULTS)
