"""Credentials of S3 connections: service credentials, providers of users, roles, and their renewal.

Credentials belong to a session of aiobotocore, which asks them for keys before it signs each attempt. Renewable credentials
are fetched again some minutes before they expire, and when the server calls them expired.
"""

from __future__ import annotations

import asyncio
import datetime as dt
import pkgutil
from collections.abc import Awaitable, Callable, Mapping
from dataclasses import dataclass
from typing import Any

from pyspark_logs.errors import AccessDeniedError, OptionError
from pyspark_logs.options import StoreOptions
from pyspark_logs.store.error_codes import RoleCallError
from pyspark_logs.store.masking import remember_secrets

_SESSION_NAME = "pyspark-logs"
# The last parts of the lifetime of keys in which a request renews them, and in which all requests wait for new ones. botocore's
# 15 and 10 minutes bound both; alone, they would renew keys that live for 15 minutes before each request.
_RENEWING, _WAITING = 1 / 3, 1 / 6
_NEVER = dt.datetime(9999, 1, 1, tzinfo=dt.timezone.utc)


@dataclass(frozen=True)
class Keys:
    """Keys that a source of credentials returned.

    Attributes:
        access_key: access key.
        secret_key: secret key.
        token: session token; None for permanent keys.
        expires: instant at which the keys expire; None if the source does not know it.
    """

    access_key: str
    secret_key: str
    token: str | None = None
    expires: dt.datetime | None = None

    def __repr__(self) -> str:
        return f"Keys({self.access_key!r}, expires={self.expires})"

    def as_metadata(self) -> dict[str, Any]:
        """Returns the keys in the form that botocore's renewable credentials take."""
        remember_secrets(self.secret_key, self.token)
        expires = (self.expires or _NEVER).isoformat()
        return {
            "access_key": self.access_key,
            "secret_key": self.secret_key,
            "token": self.token,
            "expiry_time": expires,
        }


class SessionCredentials:
    """The component of a session that finds credentials.

    Args:
        session: session of aiobotocore.
        options: options that name the credentials.
        sts_arguments: arguments of clients of the service that assumes roles.
    """

    def __init__(self, session: Any, options: StoreOptions, sts_arguments: Mapping[str, Any]) -> None:
        self._options, self._session, self._sts_arguments = options, session, dict(sts_arguments)
        self._default = session.get_component("credential_provider")
        self._fetch = _source(options)
        self._renewable: list[Any] = []
        if self._fetch is not None or options.role_arn is not None:
            session.register_component("credential_provider", self)

    async def load_credentials(self) -> Any:
        """Returns the credentials of the session, which are fetched when they are first used."""
        credentials = await self._base_credentials()
        if self._options.role_arn is None:
            return credentials
        if credentials is None:
            raise AccessDeniedError(
                f"cannot assume the role {self._options.role_arn}: no credentials were found to do so. Give accessKey and"
                " secretKey, profile or credential, or credentials in the environment."
            )
        return self._renewable_credentials(self._assume_role(credentials), "assume-role")

    def renew(self) -> bool:
        """Discards the keys of renewable credentials, so that the next attempt fetches new ones; False if there are none."""
        for credentials in self._renewable:
            credentials.discard()
        return bool(self._renewable)

    async def _base_credentials(self) -> Any:
        """Returns the credentials without a role."""
        from aiobotocore.credentials import AioCredentials

        options, fetch = self._options, self._fetch
        if fetch is not None:
            return self._renewable_credentials(lambda: asyncio.to_thread(fetch), "provider")
        if options.access_key is not None:
            return AioCredentials(options.access_key, options.secret_key, options.session_token)
        return await self._default.load_credentials()

    def _assume_role(self, credentials: Any) -> Callable[[], Awaitable[Keys]]:
        """Returns the function that assumes the role with the given credentials."""
        from botocore.exceptions import BotoCoreError, ClientError

        options = self._options
        request = {"RoleArn": options.role_arn, "RoleSessionName": options.role_session_name or _SESSION_NAME}
        if options.external_id is not None:
            request["ExternalId"] = options.external_id
        duration: dict[str, Any] = {}
        if options.role_duration_s is not None:
            duration["DurationSeconds"] = int(options.role_duration_s)

        async def fetch() -> Keys:
            frozen = await credentials.get_frozen_credentials()
            keys = {
                "aws_access_key_id": frozen.access_key,
                "aws_secret_access_key": frozen.secret_key,
                "aws_session_token": frozen.token,
            }
            async with self._session.create_client("sts", **self._sts_arguments, **keys) as sts:
                try:
                    found = (await sts.assume_role(**request, **duration))["Credentials"]
                except (BotoCoreError, ClientError, KeyError) as error:
                    raise RoleCallError(f"sts:AssumeRole of {options.role_arn} at {sts.meta.endpoint_url}") from error
            return Keys(found["AccessKeyId"], found["SecretAccessKey"], found["SessionToken"], found["Expiration"])

        return fetch

    def _renewable_credentials(self, fetch: Callable[[], Awaitable[Keys]], method: str) -> Any:
        from aiobotocore.credentials import AioDeferredRefreshableCredentials

        class RenewableCredentials(AioDeferredRefreshableCredentials):  # type: ignore[misc]
            def discard(self) -> None:
                """Forgets the keys."""
                self._frozen_credentials = None

            def plan_renewal(self, lifetime_s: float) -> None:
                """Sets how long before their expiry keys are renewed."""
                cls = AioDeferredRefreshableCredentials
                self._advisory_refresh_timeout = min(cls._advisory_refresh_timeout, lifetime_s * _RENEWING)
                self._mandatory_refresh_timeout = min(cls._mandatory_refresh_timeout, lifetime_s * _WAITING)

        async def metadata() -> dict[str, Any]:
            keys = await fetch()
            credentials.plan_renewal(((keys.expires or _NEVER) - now()).total_seconds())
            return keys.as_metadata()

        credentials = RenewableCredentials(metadata, method, time_fetcher=now)
        self._renewable.append(credentials)
        return credentials


def now() -> dt.datetime:
    """Returns the current time, with which the expiry of credentials is compared."""
    return dt.datetime.now(dt.timezone.utc)


def _source(options: StoreOptions) -> Callable[[], Keys] | None:
    """Returns the function that fetches keys; None for explicit keys and for the default chain."""
    if options.credential is not None:
        return _service_credential(options.credential)
    if options.credentials_provider is not None:
        return _user_provider(options.credentials_provider)
    return None


# --- Unity Catalog ------------------------------------------------------------------------------------------


def _service_credential(name: str) -> Callable[[], Keys]:
    """Returns a function that fetches the keys of a service credential of Unity Catalog.

    Workers have ``databricks.service_credentials``, notebooks on the driver have ``dbutils.credentials``; both return a
    session of botocore on AWS. See
    https://docs.databricks.com/en/connect/unity-catalog/cloud-services/use-service-credentials.html
    """
    get_provider = _databricks_provider(name)

    def fetch() -> Keys:
        try:
            credentials = get_provider(name).get_credentials()
            frozen = credentials.get_frozen_credentials()
        except Exception as error:
            raise AccessDeniedError(
                f"option 'credential': cannot get the service credential {name!r}: {type(error).__name__}: {error}. It must"
                " exist in Unity Catalog for AWS, with the privilege ACCESS for this user."
            ) from error
        expires = getattr(credentials, "_expiry_time", None)
        return Keys(frozen.access_key, frozen.secret_key, frozen.token, expires)

    return fetch


def _databricks_provider(name: str) -> Callable[[str], Any]:
    try:
        from databricks.service_credentials import getServiceCredentialsProvider
    except ImportError:
        pass
    else:
        provider: Callable[[str], Any] = getServiceCredentialsProvider
        return provider
    try:
        from databricks.sdk.runtime import dbutils

        provider = dbutils.credentials.getServiceCredentialsProvider
    except (ImportError, AttributeError) as error:
        raise OptionError(
            f"option 'credential': {name!r} is a service credential of Unity Catalog, which exists on Databricks only (Runtime"
            " 16.2 or later; neither databricks.service_credentials nor dbutils was found). Elsewhere, use a role, profile,"
            " or credentialsProvider"
        ) from error
    return provider


# --- providers of users -------------------------------------------------------------------------------------


def _user_provider(reference: str) -> Callable[[], Keys]:
    """Returns a function that fetches keys from the callable ``module:callable``."""
    try:
        provider = pkgutil.resolve_name(reference)
    except (ImportError, AttributeError) as error:
        raise OptionError(
            f"option 'credentialsProvider': {reference!r} cannot be imported: {error}. It must be importable on the driver and"
            " on the executors"
        ) from error
    if not callable(provider):
        raise OptionError(f"option 'credentialsProvider': {reference!r} is a {type(provider).__name__}, not a callable")

    def fetch() -> Keys:
        try:
            found = provider()
        except Exception as error:
            raise AccessDeniedError(
                f"option 'credentialsProvider': {reference} failed: {type(error).__name__}: {error}. Correct the callable, or"
                " what it depends on."
            ) from error
        return _keys_of(reference, found)

    return fetch


def _keys_of(reference: str, found: Any) -> Keys:
    """Returns the keys of the mapping that a provider returned. No message shows its values."""
    expected = "a mapping with 'accessKey' and 'secretKey', and optionally 'sessionToken' and 'expiration'"
    if not isinstance(found, Mapping) or not all(isinstance(found.get(key), str) for key in ("accessKey", "secretKey")):
        raise AccessDeniedError(
            f"option 'credentialsProvider': {reference} returned a {type(found).__name__} (value hidden) instead of {expected}."
        )
    unknown = sorted(set(map(str, found)) - {"accessKey", "secretKey", "sessionToken", "expiration"})
    if unknown:
        raise AccessDeniedError(
            f"option 'credentialsProvider': {reference} returned the unknown keys {unknown}; expected is {expected}."
        )
    expires = found.get("expiration")
    try:
        instant = dt.datetime.fromisoformat(expires.replace("Z", "+00:00")) if isinstance(expires, str) else expires
        if instant is not None and instant.tzinfo is None:
            instant = instant.replace(tzinfo=dt.timezone.utc)
    except (ValueError, AttributeError) as error:
        raise AccessDeniedError(
            f"option 'credentialsProvider': {reference} returned an 'expiration' that is neither a datetime nor a time in ISO"
            " 8601."
        ) from error
    return Keys(found["accessKey"], found["secretKey"], found.get("sessionToken"), instant)
