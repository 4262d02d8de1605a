"""Masking of secrets in the texts of messages."""

from __future__ import annotations

import json
import re
from collections import deque
from typing import Any
from urllib.parse import urlsplit

from pyspark_logs.options import StoreOptions

_SECRET_NAME = re.compile(r"key|secret|token|pass|credential|account|sas|conn", re.IGNORECASE)
_LEAST_MASKED = 8
_MAX_REMEMBERED = 64  # keys of roles change each hour
_MAX_CHAIN = 10  # a longer chain of exceptions is a cycle


def secret_values(options: StoreOptions) -> list[str]:
    """Returns the secrets in the options: keys, tokens, and values in ``storageOptions`` whose names sound secret."""
    values = [options.secret_key, options.session_token, _password(options.proxy)]
    # A short external id, such as a name of a company, is part of many other words.
    values += [options.external_id] if len(options.external_id or "") >= _LEAST_MASKED else []
    values += _secret_strings(json.loads(options.storage_options or "{}"))
    return [value for value in (*values, *_REMEMBERED) if value]


_REMEMBERED: deque[str] = deque(maxlen=_MAX_REMEMBERED)


def remember_secrets(*secrets: str | None) -> None:
    """Adds secrets that a source of credentials returned to those that are masked in this process."""
    _REMEMBERED.extend(secret for secret in secrets if secret and secret not in _REMEMBERED)


def remembered_secrets() -> list[str]:
    """Returns the secrets that sources of credentials returned in this process."""
    return [*_REMEMBERED]


def _password(url: str | None) -> str | None:
    try:
        return None if url is None else urlsplit(url).password
    except ValueError:
        return url


def mask_secrets(text: str, secrets: list[str]) -> str:
    """Returns the text with each secret replaced by ``***``.

    Example:
        >>> mask_secrets("bad key wJalr", ["wJalr"])
        'bad key ***'
    """
    for secret in secrets:
        text = text.replace(secret, "***")
    return text


def contains_secret(error: BaseException | None, secrets: list[str]) -> bool:
    """True if the text of an exception, or of an exception in its chain, contains a secret."""
    for _ in range(_MAX_CHAIN):
        if error is None:
            return False
        text = f"{error} {error!r}"
        if any(secret in text for secret in secrets):
            return True
        error = error.__cause__ or error.__context__
    return True


def _secret_strings(value: Any, secret: bool = False) -> list[str]:
    """Returns the strings of a JSON value that are below a name that sounds secret."""
    if isinstance(value, dict):
        items = value.items()
        return [text for key, item in items for text in _secret_strings(item, secret or bool(_SECRET_NAME.search(key)))]
    if isinstance(value, list):
        return [text for item in value for text in _secret_strings(item, secret)]
    return [value] if secret and isinstance(value, str) else []
