"""The s3fs connection of an :class:`~pyspark_logs.store.s3.S3Store`: its arguments, and who watches its requests."""

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
from pyspark_logs.store.faults import find_fault, find_response_fault, find_text
from pyspark_logs.store.gate import Gate, backoff_s

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
# An answer, not a failure, and S3 asks for another try.
_CONFLICTS = ("ConditionalRequestConflict", "OperationAborted")
_POOL = 32  # connections; with fewer, parallel listings queue behind open bodies
_LONGEST_CONNECT_S = 10.0
_KEPT = 8  # connections that are kept for stores to come


# Whose request it is. asyncio carries the caller's context along to the loop's thread.
GATE: ContextVar[Gate | None] = ContextVar("pyspark_logs_gate", default=None)

_CONNECTIONS: dict[StoreOptions, Any] = {}
_LOCK = threading.Lock()
_INHERITED: list[Any] = []


def connection(options: StoreOptions) -> Any:
    """The s3fs file system for these options in this process.

    Stores come and go with tasks while Spark keeps its Python workers; making a client costs a quarter
    of a second, so stores share them. Callers keep the reference: the least recent ones are dropped here.
    """
    with _LOCK:
        found = _CONNECTIONS.pop(options, None) or _connect(options)
        _CONNECTIONS[options] = found
        if len(_CONNECTIONS) > _KEPT:
            del _CONNECTIONS[next(iter(_CONNECTIONS))]
        return found


def forget(options: StoreOptions) -> None:
    """Let the next store look for credentials again, after these were refused."""
    with _LOCK:
        _CONNECTIONS.pop(options, None)


def _leave_connections_to_parent() -> None:
    global _LOCK  # noqa: PLW0603 - another thread of the parent may have held it
    _LOCK = threading.Lock()
    # Kept, or the garbage collector would close the parent's sockets.
    _INHERITED.append(dict(_CONNECTIONS))
    _CONNECTIONS.clear()
    # Older versions of fsspec do not notice forks: the child would wait for a loop whose thread it does not have.
    asyn = sys.modules.get("fsspec.asyn")
    if asyn is not None:
        asyn.reset_lock()


if hasattr(os, "register_at_fork"):
    os.register_at_fork(after_in_child=_leave_connections_to_parent)


async def _before_call(context: dict[str, Any], **_: Any) -> None:
    """The event ``before-call``: once for a request, before its first attempt."""
    gate = GATE.get()
    if gate is not None:
        await asyncio.sleep(gate.delay_s())
        context["pyspark_logs_ticket"] = gate.ticket()


async def _after_attempt(
    max_retries: int,
    response: Any,
    operation: Any,
    attempts: int,
    caught_exception: Any,
    request_dict: Any,
    **_: Any,
) -> float | None:
    """The event ``needs-retry``, after each attempt: a delay, or ``None`` to let ``standard`` mode decide."""
    from botocore.exceptions import ClientError

    gate = GATE.get()
    if gate is None:
        return None
    gate.count(_KINDS.get(operation.name, operation.name))
    if caught_exception is not None:
        code, fault = find_fault(caught_exception)
        reason = f"{code}: {find_text(caught_exception)}"
    else:
        code, fault = find_response_fault(response[1], response[0].status_code)
        reason = f"{operation.name}: {code}"
    if not fault.transient:
        gate.succeeded()  # an answer, if perhaps an unwelcome one
        return backoff_s(attempts) if code in _CONFLICTS and attempts <= max_retries else None
    context = request_dict["context"]
    gate.failed(context.get("pyspark_logs_ticket", -1), reason, throttled=fault.throttled)
    if gate.is_open:
        # Raised, since botocores differ in what they take for a "no" that overrules the other handlers.
        raise caught_exception or ClientError(response[1], operation.name)
    await asyncio.sleep(gate.delay_s())
    context["pyspark_logs_ticket"] = gate.ticket()
    if code in _NOT_RETRIED_BY_BOTOCORE and attempts <= max_retries:
        return backoff_s(attempts)
    return None


def _connect(options: StoreOptions) -> Any:
    """An s3fs file system that caches nothing, retries nothing itself, and shows each attempt to the gate."""
    from aiobotocore.session import AioSession
    from s3fs import S3FileSystem

    arguments = connection_arguments(options)
    known = {*inspect.signature(S3FileSystem.__init__).parameters, "use_listings_cache", "skip_instance_cache"}
    # The rest belongs to the session, which is made here because events are registered on it.
    extra = {name: arguments.pop(name) for name in list(arguments) if name not in known}
    try:
        session = AioSession(**extra)
    except TypeError as error:
        raise OptionError(f"option 'storageOptions': s3fs knows none of {', '.join(sorted(extra))}") from error
    session.register("before-call.s3", _before_call)
    session.register("needs-retry.s3", functools.partial(_after_attempt, options.max_retries))
    return _filesystem_class()(session=session, **arguments)


@functools.cache
def _filesystem_class() -> Any:
    from s3fs import S3FileSystem

    class SingleTryS3FileSystem(S3FileSystem):  # type: ignore[misc]
        # s3fs's retries nest over botocore's: a failing GET would cost 25 attempts.
        retries = 1

        def __init__(self, *args: Any, **kwargs: Any) -> None:
            super().__init__(*args, **kwargs)
            made_in, close = os.getpid(), S3FileSystem.close_session

            def close_session(loop: Any, s3: Any) -> None:
                # Also called at exit; in a forked child the connections are the parent's.
                if os.getpid() == made_in:
                    close(loop, s3)

            self.close_session = close_session

    return SingleTryS3FileSystem


_CREDENTIAL_ARGUMENTS = ("anon", "key", "secret", "token", "username", "password")
_CREDENTIAL_CLIENT_ARGUMENTS = ("aws_access_key_id", "aws_secret_access_key", "aws_session_token")


def connection_arguments(options: StoreOptions) -> dict[str, Any]:
    """Arguments of s3fs's constructor: ``storageOptions``, overruled by the options that are given."""
    arguments: dict[str, Any] = json.loads(options.storage_options or "{}")
    client = dict(arguments.get("client_kwargs") or {})
    config = dict(arguments.get("config_kwargs") or {})
    if options.anonymous or options.default_credential or options.access_key is not None:
        # All of them are set, to None too: what is left out would be filled from the environment.
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
    timeout = options.request_timeout_s
    timeouts = {"read_timeout": timeout, "connect_timeout": min(timeout, _LONGEST_CONNECT_S)}
    if timeout == StoreOptions().request_timeout_s:
        config = timeouts | config
    else:
        config = config | timeouts
    config["retries"] = {"mode": "standard", "total_max_attempts": options.max_retries + 1}
    return {"max_pool_connections": _POOL} | config
