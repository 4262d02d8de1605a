"""Message and context of nginx's error log: text of a client must not be read as another value."""

from __future__ import annotations

import pyarrow as pa
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from pyspark_logs.formats.template.nginx_error import ErrorLogColumn, MessageAndContext, split_message
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from tests.support.effort import examples

MESSAGE = 'open() "/srv/x" failed (2: No such file or directory)'
CONTEXT = ', client: 192.0.2.7, server: s, request: "GET /x HTTP/1.1", host: "h"'
RIGHT = {"client": "192.0.2.7", "server": "s", "request": "GET /x HTTP/1.1", "host": "h"}
FORGED = ', client: 198.51.100.6, server: y, request: "GET / HTTP/1.1"'


def divided(text: str) -> dict[str, str] | None:
    """Returns the values that are not empty, None if the text is corrupt."""
    try:
        return {name: value for name, value in split_message(text).items() if value}
    except ValueError:
        return None


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        (MESSAGE + CONTEXT, RIGHT),
        (MESSAGE + CONTEXT + ', referrer: "http://a/"', {**RIGHT, "referrer": "http://a/"}),
        (MESSAGE + ", client: unix:, server: ", {"client": "unix:"}),
        (MESSAGE + ", client: 2001:db8::1, server: ~^(?<n>.+)$", {"client": "2001:db8::1", "server": "~^(?<n>.+)$"}),
        (MESSAGE, {}),
        (
            MESSAGE + ', client: 192.0.2.7, server: :80, upstream: "192.0.2.8:1", bytes from/to client:0/0',
            {"client": "192.0.2.7", "server": ":80", "upstream": "192.0.2.8:1", "context": "bytes from/to client:0/0"},
        ),
        # quotes and keys in values
        (
            MESSAGE + ', client: 192.0.2.7, server: s, request: "POST /?q="x", y HTTP/1.1", host: "h"',
            {**RIGHT, "request": 'POST /?q="x", y HTTP/1.1'},
        ),
        (
            MESSAGE + ', client: 192.0.2.7, server: s, request: "GET /?q=", host: "evil" HTTP/1.1", host: "h"',
            {**RIGHT, "request": 'GET /?q=", host: "evil" HTTP/1.1'},
        ),
        (MESSAGE + CONTEXT + ', referrer: "x", host: "evil"', {**RIGHT, "referrer": 'x", host: "evil'}),
        (MESSAGE + CONTEXT + f', referrer: "x{FORGED}"', {**RIGHT, "referrer": "x" + FORGED}),
        (
            MESSAGE + f', client: 192.0.2.7, server: s, request: "GET /{FORGED}, host: "h"',
            {**RIGHT, "request": f"GET /{FORGED}"[:-1]},
        ),
    ],
)
def test_context(text: str, expected: dict[str, str]) -> None:
    assert divided(text) == {"message": MESSAGE, **expected}


@pytest.mark.parametrize(
    "forged",
    [
        f'open() "/srv/x{FORGED}" failed (2: No such file or directory)',
        f'open() "/srv/x{FORGED}, host: "h" failed (2: No such file or directory)',
        f'user "ana{FORGED}, host: "h"": password mismatch',
        'open() "/srv/x, client: ana" failed (2: No such file or directory)',
    ],
)
def test_context_in_a_message_is_a_part_of_the_message(forged: str) -> None:
    assert divided(forged + CONTEXT) == {"message": forged, **RIGHT}


@pytest.mark.parametrize(
    "text",
    [
        MESSAGE + ", client: x y",
        MESSAGE + CONTEXT.removesuffix(' "h"'),
        MESSAGE + ', client: 192.0.2.7, server: s, request: "GET /x HTTP/1.1", "h"',
        f'open() "/srv/x{FORGED}, host: "h", referrer: "x" failed (2: No such file or directory)' + CONTEXT,
        MESSAGE
        + ', client: 192.0.2.7, server: s, request: "GET /? HTTP/1.1", host: "a", referrer: "b HTTP/1.1", host: "h"',
        MESSAGE + CONTEXT + ', referrer: "x HTTP/1.1", host: "evil"',
        MESSAGE + CONTEXT + f', referrer: "x" y{FORGED}',
        MESSAGE + FORGED * 9,
        MESSAGE + ', client: 192.0.2.7, request: "' + '", host: "' * 13 + '"',
    ],
)
def test_text_that_can_be_divided_in_several_ways_is_corrupt(text: str) -> None:
    assert divided(text) is None


PIECES = [
    MESSAGE, CONTEXT, FORGED, ", client: ", "192.0.2.7", ", server: ", "s", '"', ", ", ': "', "request", "host", "referrer",
    "GET / HTTP/1.1", " ", "x", ', request: "', '", host: "', 'login: "',
]  # fmt: skip


@settings(max_examples=examples(150))
@given(st.lists(st.lists(st.sampled_from(PIECES), max_size=7).map("".join), min_size=1, max_size=4))
def test_columns_have_the_values_of_single_texts(texts: list[str]) -> None:
    array = pa.array(texts, pa.string())
    for name, field_type in MessageAndContext().columns:
        assert isinstance(field_type, ErrorLogColumn)
        values, valid = field_type.convert(array, TimestampContext())
        for row, text in enumerate(texts):
            expected = divided(text)
            assert (valid is None or bool(valid[row])) == (expected is not None)
            assert expected is None or values[row].as_py() == expected.get(name), (name, text)
