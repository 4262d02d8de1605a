"""Message and context of a line of nginx's error log.

ngx_log_error_core() appends the context of the connection to the message: ``, client: `` and ``, server: ``, then values
in quotes in a fixed order. Nothing is escaped. A path or a user's name in the message may therefore look like a context,
and so may a value of the context itself.

Source: ngx_http_log_error_handler() and ngx_http_log_error() in ngx_http_request.c.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import numpy as np
import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import as_bool, from_numpy, from_texts, only_where, text_scalar, to_scalar
from pyspark_logs.formats.columnar import spans
from pyspark_logs.formats.columnar.conversion import ConversionResult
from pyspark_logs.formats.columnar.spans import Bool
from pyspark_logs.formats.template.composite_fields import CompositeField, FieldPart
from pyspark_logs.formats.timestamps.parsing import TimestampContext
from pyspark_logs.formats.types.field_type import FieldType
from pyspark_logs.formats.types.text import Text

_QUOTED_KEYS = ("request", "subrequest", "upstream", "host", "referrer")
_KEYS = "|".join(_QUOTED_KEYS)
_NAMES = ("message", "client", "server", *_QUOTED_KEYS, "context")
_CLIENT = ", client: "
# Characters of addresses, which RE2 matches faster than their exact forms.
_ADDRESS = r'(?:[0-9A-Fa-f.:]+(?:%[0-9A-Za-z._~-]+)?|unix:[^ ,"]*)'
# ngx_http_validate_host() refuses spaces; a name with a quote cannot be resolved.
_HOST = r'[^" ]*'
_NO_QUOTES = '[^"]*'
_PLAIN_VALUES = {"host": _HOST}
# A context whose values have no quotes.
_PLAIN_CONTEXT = (
    rf'(?P<client>{_ADDRESS})(?:, server: (?P<server>[^,"]*))?'
    + "".join(f'(?:, {key}: "(?P<{key}>{_PLAIN_VALUES.get(key, _NO_QUOTES)})")?' for key in _QUOTED_KEYS)
    # ngx_mail_log_error() writes a login in quotes, and ngx_stream_proxy_log_error() numbers of bytes.
    + r'(?:, (?P<context>login: "[^"]*"[^"]*|[^"]*))?'
)
_PLAIN_TEXT = rf"^(?s:(?P<message>.*?)(?:{_CLIENT}{_PLAIN_CONTEXT})?)$"
_PLAIN_WHOLE_CONTEXT = f"^(?s:{_PLAIN_CONTEXT})$"
# The context of a request. Each character determines what comes next, and no expression has more than five groups, so that RE2
# takes one pass (re2/onepass.cc), which is three times as fast.
_REQUEST_CONTEXT = (
    rf'^(?s:(?P<client>{_ADDRESS}), server: (?P<server>[^,"]*), request: "(?P<request>[^"]*)", (?P<others>.*))$'
)
_OTHERS = (
    r'^(?s:(?:subrequest: "(?P<subrequest>[^"]*)", )?(?:upstream: "(?P<upstream>[^"]*)", )?'
    rf'host: "(?P<host>{_HOST})"(?:, referrer: "(?P<referrer>[^"]*)")?)$'
)
_HEAD = re.compile(rf'(?P<client>{_ADDRESS})(?:, server: (?P<server>[^,"]*))?, (?P<key>{_KEYS}): "')
_BOUNDARY = re.compile(rf'", ({_KEYS}): "')
_REQUEST_LINE = re.compile(r"[^ ]+ .* HTTP/\d(?:\.\d)?", re.DOTALL)
# Text by which another request than a complete one would include the next value.
_SUSPICIOUS = re.compile(rf'", |(?:{_KEYS}): "')
_STRICT_REQUEST_LINE = re.compile(r"[^ ]+ [^ ]+ HTTP/\d(?:\.\d)?")
# The beginning of a context up to a value in quotes that is not closed.
_OPEN_VALUE = re.compile(
    rf'{_ADDRESS}(?:, server: [^,"]*)?(?:, (?:{_KEYS}): "[^"]*")*'
    rf', (?:{_KEYS}): "[^"]*'
)
_INCOMPLETE = re.compile(rf"(?:{_KEYS}|client|server):")  # a key whose value is not of the documented form
# A line with more contexts, or with more texts that may end a value, is corrupt: the time to compare them is bounded.
_MAX_CONTEXTS = 8
_MAX_BOUNDARIES = 12

Values = dict[str, "str | None"]


def split_message(text: str) -> Values:
    """Returns the message and the values of its context.

    The context is the last one in the text that is of the documented form, unless it is within a value of another.

    Raises:
        ValueError: the text after ``, client: `` is not a context, or several divisions of the text are possible.

    >>> found = split_message('open() "/a" failed, client: 192.0.2.7, server: _, request: "GET /"x", y HTTP/1.1", host: "h"')
    >>> found["client"], found["request"], found["host"]
    ('192.0.2.7', 'GET /"x", y HTTP/1.1', 'h')
    """
    starts = [match.start() for match in re.finditer(_CLIENT, text)]
    if len(starts) > _MAX_CONTEXTS:
        raise ValueError(f"{_CLIENT!r} occurs more than {_MAX_CONTEXTS} times")
    if not starts:
        return {"message": text}
    found = list(_contexts(text, starts))
    if not found:
        raise ValueError(f"the text after {_CLIENT!r} is not the context of a message")
    strict = [one for one in found if any(_STRICT_REQUEST_LINE.fullmatch(v.get("request") or "") for v in one)] or found
    if len(strict) > 1 or len(strict[0]) > 1:
        raise ValueError(f"the text from {_CLIENT!r} on can be divided into values in several ways")
    return strict[0][0]


def _contexts(text: str, starts: list[int]) -> Iterator[list[Values]]:
    """Yields the possible values for each position at which the context may begin.

    Args:
        text: message and context.
        starts: offsets of ``, client: ``.
    """
    for index, start in enumerate(starts):
        after = start + len(_CLIENT)
        values = _parse_context(text[after:])
        if values:
            yield [{"message": text[:start], **one} for one in values]
            if starts[index + 1 :] and _OPEN_VALUE.fullmatch(text, after, starts[index + 1]):
                return  # the other positions are within a value of this context


def _parse_context(text: str) -> list[Values]:
    """Returns the possible values of a context, none if it is not of the documented form.

    Of the divisions with the same request, the one into the most values counts: a value contains the beginning of
    another only if it cannot end before that.
    """
    plain = re.fullmatch(_PLAIN_CONTEXT, text, re.DOTALL)
    if plain is not None:
        return [] if _INCOMPLETE.match(plain["context"] or "") else [dict(plain.groupdict())]
    head = _HEAD.match(text)
    closing = text.rfind('"')
    context = text[closing + 1 :]
    if (
        head is None
        or closing < head.end()
        or (context and not context.startswith(", "))
        or _INCOMPLETE.match(context[2:])
    ):
        return []
    divisions = list(_divisions(text[head.end() : closing], head["key"]))
    whole = [one for one in divisions if _REQUEST_LINE.fullmatch(one.get("request") or "")]
    groups: dict[str | None, list[Values]] = {}
    for one in whole or divisions:
        groups.setdefault(one.get("request") if whole else None, []).append(one)
    rest = {"client": head["client"], "server": head["server"], "context": context[2:] or None}
    return [{**one, **rest} for group in groups.values() for one in group if len(one) == max(map(len, group))]


def _divisions(text: str, key: str) -> Iterator[Values]:
    """Yields the values in quotes for each way to divide a text in which the known keys follow each other in order.

    Args:
        text: text after the first opening quote, up to the last closing quote.
        key: key of the first value.
    """
    boundaries = list(_BOUNDARY.finditer(text))
    if len(boundaries) > _MAX_BOUNDARIES:
        return
    for chosen in _ordered(boundaries, _QUOTED_KEYS.index(key)):
        ends = [*(one.start() for one in chosen), len(text)]
        begins = [0, *(one.end() for one in chosen)]
        keys = [key, *(one[1] for one in chosen)]
        values: Values = {name: text[begin:end] for name, begin, end in zip(keys, begins, ends, strict=True)}
        request = values.get("request") or ""
        is_known = _REQUEST_LINE.fullmatch(request) is not None or _SUSPICIOUS.search(request) is None
        if is_known and re.fullmatch(_HOST, values.get("host") or ""):
            yield values


def _ordered(boundaries: list[re.Match[str]], last: int) -> Iterator[list[re.Match[str]]]:
    """Yields the selections of boundaries whose keys are in the order of the documentation, after the key ``last``."""
    yield []
    for index, boundary in enumerate(boundaries):
        key = _QUOTED_KEYS.index(boundary[1])
        if key > last:
            for rest in _ordered(boundaries[index + 1 :], key):
                yield [boundary, *rest]


@dataclass(frozen=True)
class ErrorLogColumn(FieldType):
    """Type that reads one column from message and context.

    Attributes:
        name: name of the column.
    """

    name: str = ""

    def arrow(self) -> pa.DataType:
        return pa.string()

    def parse(self, text: str, context: TimestampContext) -> str | None:
        return split_message(text).get(self.name) or None

    def extract(self, array: pa.Array) -> tuple[Mapping[str, pa.Array], Bool]:
        """Returns the columns by name, and a mask of the texts that can be divided."""
        messages, contexts, has_context = _split_at_client(array)
        found = _match_contexts(contexts, has_context)
        columns = {name: pc.struct_field(found, [name]) for name in _NAMES if name != "message"}
        unsure = has_context & (
            as_bool(found.is_null())
            | as_bool(pc.match_substring(contexts, _CLIENT))
            | as_bool(pc.match_substring_regex(columns["context"], "^" + _INCOMPLETE.pattern))
        )
        columns = {"message": messages, **columns}
        rows = np.flatnonzero(unsure)
        valid = np.ones(len(array), np.bool_)
        columns = {name: only_where(pc.not_equal(column, text_scalar("")), column) for name, column in columns.items()}
        if len(rows):
            divided = [_try_split(text) for text in array.take(from_numpy(rows)).to_pylist()]
            valid[rows] = [values is not None for values in divided]
            mask = np.zeros(len(array), np.bool_)
            mask[rows] = True
            for name, column in columns.items():
                values = from_texts([(one or {}).get(name) or None for one in divided])
                columns[name] = pc.replace_with_mask(column, from_numpy(mask), values)
        return columns, valid

    def convert(self, array: pa.Array, context: TimestampContext) -> ConversionResult:
        return self.convert_extracted(array, self.extract(array), context)

    def convert_extracted(self, array: pa.Array, extracted: Any, context: TimestampContext) -> ConversionResult:
        columns, valid = extracted
        return columns[self.name], None if valid.all() else valid


def _match_contexts(contexts: pa.Array, has_context: Bool) -> pa.Array:
    """Returns the values of contexts that have no quotes in values, as structs; null for other texts."""
    names = [name for name in _NAMES if name != "message"]
    head = pc.extract_regex(contexts, _REQUEST_CONTEXT)
    others = pc.extract_regex(pc.struct_field(head, ["others"]), _OTHERS)
    unmatched = has_context & as_bool(others.is_null())
    rest = from_numpy(unmatched)
    if unmatched.sum() > len(contexts) // 2:
        return pc.extract_regex(contexts, _PLAIN_WHOLE_CONTEXT)
    columns = {
        name: pc.struct_field(part, [name]) for part in (head, others) for name in part.type.names if name in names
    }
    columns["context"] = pc.if_else(others.is_null(), to_scalar(None, pa.string()), text_scalar(""))
    if unmatched.any():
        matched = pc.extract_regex(contexts.filter(rest), _PLAIN_WHOLE_CONTEXT)
        columns = {
            name: pc.replace_with_mask(column, rest, pc.struct_field(matched, [name]))
            for name, column in columns.items()
        }
    return pa.StructArray.from_arrays([columns[name] for name in names], names, mask=columns["context"].is_null())


def _split_at_client(array: pa.Array) -> tuple[pa.Array, pa.Array, Bool]:
    """Splits texts at the first ``, client: ``: the expression is slower on long texts, and on those without a context.

    Returns:
        Messages, contexts, which are empty where the text has none, and a mask of the texts that have one.
    """
    view = spans.string_bytes(array)
    offsets = np.frombuffer(array.buffers()[1], np.int32)[array.offset : array.offset + len(array) + 1]
    starts, limits = offsets[:-1] - offsets[0], offsets[1:] - offsets[0]
    block = view.tobytes()
    found = spans.find_literal(block, starts, limits, _CLIENT)
    has_context = found >= 0
    ends = np.where(has_context, found, limits)
    begins = np.where(has_context, found + np.int32(len(_CLIENT)), limits)
    return spans.field_strings(block, starts, ends), spans.field_strings(block, begins, limits), has_context


def _try_split(text: str) -> Values | None:
    try:
        return split_message(text)
    except ValueError:
        return None


class MessageAndContext(CompositeField):
    """Message and context as columns, for a field that is the rest of the line."""

    def __init__(self) -> None:
        quoted = (FieldPart(key, Text(), before=f', {key}: "', after='"') for key in _QUOTED_KEYS)
        parts = (
            FieldPart("message", Text()),
            FieldPart("client", Text(), before=_CLIENT),
            FieldPart("server", Text(), before=", server: "),
            *quoted,
            FieldPart("context", Text(), before=", "),
        )
        super().__init__(_PLAIN_TEXT, parts)

    @property
    def columns(self) -> tuple[tuple[str, FieldType], ...]:
        return tuple((name, ErrorLogColumn(name)) for name in _NAMES)
