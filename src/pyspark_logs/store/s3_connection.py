"""Connections to S3: s3fs file systems that stores share, and their arguments."""

from __future__ import annotations

import functools
import inspect
import json
import os
import sys
import threading
from collections.abc import Mapping
from pathlib import Path
from typing import Any
from urllib.parse import urlsplit

from pyspark_logs.errors import OptionError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.driver_logs import filter_driver_logs
from pyspark_logs.store.masking import remember_secrets, secret_values
from pyspark_logs.store.s3_credentials import SessionCredentials
from pyspark_logs.store.s3_direct import DirectClient
from pyspark_logs.store.s3_retries import RetryPolicy, bounded_session_class

# Two attempts of TCP. A longer timeout would hide a wrong endpoint.
_MAX_CONNECT_TIMEOUT_S = 2.5
_MAX_SHARED = 8  # file systems kept for later stores

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
    _share_data_loader(session)
    credentials = SessionCredentials(session, options, _sts_arguments(options, arguments))
    policy = RetryPolicy(options, credentials.renew)
    policy.register(session)
    http_session = arguments["config_kwargs"].get("http_session_cls")
    direct = None
    if options.direct_reads and http_session is not None:
        direct = DirectClient(
            policy, http_session.arguments, arguments["config_kwargs"]["read_timeout"], options.operation_timeout_s
        )
        direct.register(session)
    remember_secrets(*secret_values(options))
    filter_driver_logs()
    filesystem = _filesystem_class()(session=session, **arguments)
    filesystem.direct = direct
    return filesystem


def _share_data_loader(session: Any) -> None:
    """Lets a session use the descriptions of services that were loaded for another one.

    Each session parses them anew, which takes 95 of the 105 ms in which a client is created.
    """
    components = getattr(session, "_components", None)
    if components is not None:
        # Lazily, as botocore does: the path is in the user's configuration, whose errors belong to the first request.
        components.lazy_register_component(
            "data_loader", lambda: _data_loader(session.get_config_variable("data_path"))
        )


@functools.cache
def _data_loader(data_path: str | None) -> Any:
    from botocore.loaders import create_loader

    return create_loader(data_path)


def _sts_arguments(options: StoreOptions, arguments: Mapping[str, Any]) -> dict[str, Any]:
    """Returns the arguments of clients that assume roles: as those of S3, but with their own endpoint."""
    from aiobotocore.config import AioConfig

    client, config = arguments["client_kwargs"], arguments["config_kwargs"]
    endpoint = arguments.get("endpoint_url") or client.get("endpoint_url")
    host = urlsplit(endpoint or "").hostname or ""
    if host.endswith((".amazonaws.com", ".amazonaws.com.cn")):
        endpoint = None  # an endpoint of S3, such as one of a private network
    shared = {
        name: config[name] for name in ("read_timeout", "connect_timeout", "proxies", "retries") if name in config
    }
    found = {"endpoint_url": options.sts_endpoint or endpoint, "config": AioConfig(**shared)}
    # Without a region, clients of STS use the global endpoint, which is the one of us-east-1.
    found["region_name"] = client.get("region_name") or os.environ.get("AWS_REGION") or "us-east-1"
    return found | ({"verify": client["verify"]} if "verify" in client else {})


@functools.cache
def _filesystem_class() -> Any:
    from s3fs import S3FileSystem

    class SingleTryS3FileSystem(S3FileSystem):  # type: ignore[misc]
        # s3fs's own retries would multiply botocore's: a failing GET would take 25 attempts.
        retries = 1
        direct: DirectClient | None = None

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
    if (
        options.anonymous
        or options.default_credential
        or options.access_key is not None
        or options.credential is not None
        or options.credentials_provider is not None
        or options.role_arn is not None
    ):
        # Arguments that are None are passed, too: s3fs would read absent credentials from the environment.
        for name in _CREDENTIAL_CLIENT_ARGUMENTS:
            client.pop(name, None)
        for name in _CREDENTIAL_ARGUMENTS:
            arguments.pop(name, None)
        # A role is assumed with the keys, and not used beside them.
        key, secret, token = options.access_key, options.secret_key, options.session_token
        if options.role_arn is not None:
            key = secret = token = None
        arguments |= {"anon": options.anonymous, "key": key, "secret": secret, "token": token}
    if options.endpoint is not None:
        client.pop("endpoint_url", None)
        arguments["endpoint_url"] = options.endpoint
    if options.region is not None:
        client["region_name"] = options.region
    if options.profile is not None:
        arguments["profile"] = options.profile
    if options.ca_bundle is not None:
        if not Path(options.ca_bundle).exists():
            raise OptionError(
                f"option 'caBundle': there is no {options.ca_bundle} on this machine; the file must be at this path on the driver"
                " and on each executor"
            )
        client["verify"] = options.ca_bundle
    if options.proxy is not None:
        config["proxies"] = {"http": options.proxy, "https": options.proxy}
    if options.addressing_style is not None:
        config["s3"] = dict(config.get("s3") or {}) | {"addressing_style": options.addressing_style}
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
    if "http_session_cls" in _session_options():
        defaults["http_session_cls"] = bounded_session_class(float(config["read_timeout"]))
    return defaults | config


@functools.cache
def _session_options() -> frozenset[str]:
    from aiobotocore.config import AioConfig

    return frozenset(inspect.signature(AioConfig.__init__).parameters)


@functools.cache
def _config_options() -> frozenset[str]:
    from botocore.config import Config

    return frozenset(Config.OPTION_DEFAULTS)
