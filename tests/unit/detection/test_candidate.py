"""The code of a candidate."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

import pyspark_logs
from pyspark_logs.detection.candidate import Candidate
from pyspark_logs.errors import OptionError

texts = st.text(max_size=12) | st.sampled_from(["\\\"'", "${x}", "\x1b\n\t\u2028\U000e0001", "\udc80"])


@given(texts, texts)
def test_literals_of_python_are_exact_and_printable(path: str, value: str) -> None:
    candidate = Candidate({"template": value}, 1, 1, 1.0, "a string", path)
    for language in ("python", "scan"):
        code = candidate.code(language)
        literals = [node.value for node in ast.walk(ast.parse(code)) if isinstance(node, ast.Constant)]
        assert path in literals
        assert value in literals
    assert all(
        char.isprintable() or char == "\n" for name in ("python", "scan", "sql") for char in candidate.code(name)
    )


def test_sql_escapes_quotes_and_variables() -> None:
    code = Candidate({"logback": "%d ${PID} 'a' \"b\" \\"}, 1, 1, 1.0, "a string", "s3://acme/it's").code("sql")
    assert code == "\n".join(
        [
            "CREATE OR REPLACE TEMPORARY VIEW log_records",
            "USING logs",
            "OPTIONS (",
            "  'logback' '%d \\u0024{PID} \\'a\\' \"b\" \\\\',",
            "  'path' 's3://acme/it\\'s'",
            ")",
        ]
    )


def test_code_has_the_given_options_without_credentials(tmp_path: Path) -> None:
    (tmp_path / "a.log").write_text('{"a": 1}\n{"a": 2}\n')
    candidate = pyspark_logs.detect(tmp_path, timeZone="Europe/Berlin", secretKey="hidden", accessKey="hidden")[0]
    assert 'timeZone="Europe/Berlin"' in candidate.code("scan")
    assert "hidden" not in candidate.code("scan") + candidate.code("sql") + candidate.code() + repr(candidate)
    names: dict[str, object] = {}
    exec(candidate.code("scan"), names)
    with pytest.raises(OptionError, match="python, sql, scan, not 'java'"):
        candidate.code("java")
