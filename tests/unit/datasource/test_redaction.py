"""The names of options with secrets in Spark's setting of redaction."""

from __future__ import annotations

import re
from types import SimpleNamespace
from typing import Any

import pytest

from pyspark_logs.datasource.redaction import PATTERN, REDACTION_CONF, redact_options
from pyspark_logs.options.table import OPTIONS
from pyspark_logs.options.text import parse_proxy, parse_secret, parse_storage_options

SPARKS = re.compile(r"(?i)secret|password|token|access[.]?key")  # default of spark.redaction.regex


@pytest.mark.parametrize(
    ("before", "after"),
    [("(?i)url", f"(?i)url|{PATTERN}"), (None, PATTERN), ("", PATTERN), (f"{PATTERN}|x", f"{PATTERN}|x")],
)
def test_the_names_are_added_once(before: str | None, after: str) -> None:
    conf: dict[str, Any] = {REDACTION_CONF: before}
    session: Any = SimpleNamespace(conf=SimpleNamespace(get=conf.get, set=conf.__setitem__))
    for _ in range(2):
        redact_options(session)
    assert conf == {REDACTION_CONF: after}


def test_all_options_with_secrets_are_redacted() -> None:
    parsers = (parse_secret, parse_proxy, parse_storage_options)
    secrets = [option.name for option in OPTIONS if option.parse in parsers]
    assert len(secrets) >= 6
    for name in (*secrets, *map(str.lower, secrets)):
        assert SPARKS.search(name) or re.search(PATTERN, name), name
    assert not re.search(PATTERN, "template")
