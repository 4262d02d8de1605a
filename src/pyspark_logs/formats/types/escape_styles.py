r"""Escape styles of servers, all of which use backslashes.

An escape style is an attribute of a text type. ``BACKSLASH`` is the style of the template notation; the others are those
of programs whose configuration can be pasted. Escapes that a program never writes are read as in the most similar style.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence
from collections.abc import Set as AbstractSet
from dataclasses import dataclass

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import FALSE, from_texts
from pyspark_logs.formats.columnar.spans import string_bytes
from pyspark_logs.formats.types import escapes


@dataclass(frozen=True)
class EscapeStyle:
    r"""``\\ \" \n \r \t \xHH``."""

    def unescape(self, text: str) -> str:
        """Replaces the escapes by the characters they stand for; unknown escapes are kept."""
        return escapes.unescape(text)

    def unescape_strings(self, array: pa.Array) -> pa.Array:
        """Unescapes the strings of a column."""
        escaped = pc.match_substring(array, "\\")
        if not pc.any(escaped).as_py():
            return array
        plain = [self.unescape(text) for text in array.filter(escaped).to_pylist()]
        return pc.replace_with_mask(array, escaped, from_texts(plain))

    def escape_all(self, text: str) -> str:
        """Returns the text with all characters escaped."""
        return escapes.hex_escape(text)

    def escape(
        self, array: pa.Array, *, quoted: bool = False, avoid: Sequence[str] = (), tails: Sequence[str] = ()
    ) -> pa.Array:
        """Escapes strings; the inverse of :meth:`unescape`.

        See :func:`~pyspark_logs.formats.types.escapes.escape_strings` for the arguments.
        """
        return escapes.escape_strings(array, quoted=quoted, avoid=avoid, tails=tails)


@dataclass(frozen=True)
class _Nginx(EscapeStyle):
    r"""``escape=default``: ``\xHH`` for ``"``, ``\`` and all bytes below 32 and above 126.

    nginx, "Module ngx_http_log_module", ``log_format``.
    """

    def escape(
        self, array: pa.Array, *, quoted: bool = False, avoid: Sequence[str] = (), tails: Sequence[str] = ()
    ) -> pa.Array:
        return _escape_special(self, array, quoted, avoid, tails, r"[^ !#-\[\]-~]", _upper_hex, _HEX)


@dataclass(frozen=True)
class _Apache(EscapeStyle):
    r"""``\" \\ \b \n \r \t \v``, and ``\xhh`` for other characters that are not printable.

    Apache HTTP Server 2.4, "Apache Module mod_log_config", Format Notes.
    """

    def unescape(self, text: str) -> str:
        return escapes.unescape(re.sub(r"\\[\\bvf]", _hex_of_rare, text) if _RARE.search(text) else text)

    def escape(
        self, array: pa.Array, *, quoted: bool = False, avoid: Sequence[str] = (), tails: Sequence[str] = ()
    ) -> pa.Array:
        return _escape_special(self, array, quoted, avoid, tails, r"[^ !#-\[\]-~]", _c_style, _HEX | set('nrtbv"'))


@dataclass(frozen=True)
class _Json(EscapeStyle):
    r"""The escapes of JSON strings (RFC 8259); nginx writes them with ``escape=json``."""

    def unescape(self, text: str) -> str:
        if "\\" not in text:
            return text
        plain = _JSON_ESCAPE.sub(lambda match: chr(int(match[1], 16)) if match[1] else _JSON_PLAIN[match[2]], text)
        if _SURROGATE.search(plain):  # two surrogates are one character; a single surrogate is invalid
            plain = plain.encode("utf-16-le", "surrogatepass").decode("utf-16-le", "replace")
        return plain

    def escape_all(self, text: str) -> str:
        units = text.encode("utf-16-be")
        return "".join(f"\\u{units[at]:02X}{units[at + 1]:02X}" for at in range(0, len(units), 2))

    def escape(
        self, array: pa.Array, *, quoted: bool = False, avoid: Sequence[str] = (), tails: Sequence[str] = ()
    ) -> pa.Array:
        return _escape_special(self, array, quoted, avoid, tails, r'["\\\x00-\x1f]', _json_style, _HEX | set('bfnrtu"'))


BACKSLASH, NGINX, APACHE, JSON = EscapeStyle(), _Nginx(), _Apache(), _Json()

_SURROGATE = re.compile("[\ud800-\udfff]")
_JSON_ESCAPE = re.compile(r'\\(?:u([0-9a-fA-F]{4})|(["\\/bfnrt]))')
_JSON_PLAIN = {'"': '"', "\\": "\\", "/": "/", "b": "\b", "f": "\f", "n": "\n", "r": "\r", "t": "\t"}
_JSON_ESCAPED = {character: "\\" + letter for letter, character in _JSON_PLAIN.items() if letter != "/"}
_RARE = re.compile(r"\\[bvf]")
_RARE_IN_HEX = {"\\b": "\\x08", "\\v": "\\x0b", "\\f": "\\x0c"}
_C_ESCAPED = {'"': '\\"', "\\": "\\\\", "\b": "\\b", "\n": "\\n", "\r": "\\r", "\t": "\\t", "\v": "\\v"}
_HEX = frozenset("0123456789abcdefABCDEFx")


def _hex_of_rare(match: re.Match[str]) -> str:
    return _RARE_IN_HEX.get(
        match[0], match[0]
    )  # a pair of backslashes is kept, so that what follows it is not an escape


def _upper_hex(character: str) -> str:
    return "".join(f"\\x{byte:02X}" for byte in character.encode())


def _c_style(character: str) -> str:
    return _C_ESCAPED.get(character) or escapes.hex_escape(character)


def _json_style(character: str) -> str:
    return _JSON_ESCAPED.get(character) or f"\\u{ord(character):04X}"


def _escape_special(
    style: EscapeStyle, array: pa.Array, quoted: bool, avoid: Sequence[str], tails: Sequence[str], special: str,
    escape: Callable[[str], str], alphabet: AbstractSet[str],
) -> pa.Array:  # fmt: skip
    """Escapes special characters and then the texts to avoid.

    A text to avoid that begins with a character of ``alphabet`` may occur within an escape. Such texts are escaped in the
    style of the notation, which all styles but JSON's read; with JSON's style the writer refuses them.

    Args:
        style: the escape style.
        array: strings.
        quoted: True if the texts are enclosed in double quotes.
        avoid: texts that must not occur.
        tails: texts that no string may end with.
        special: regular expression of the characters to escape.
        escape: returns the escape of a character.
        alphabet: characters of which escapes consist, other than the backslash.
    """
    avoidable = [text for text in avoid if text[0] not in alphabet]
    avoidable_tails = [text for text in tails if text[0] not in alphabet]
    if style != JSON and len(avoidable) + len(avoidable_tails) < len(avoid) + len(tails):
        return escapes.escape_strings(array, quoted=quoted, avoid=avoid, tails=tails)
    raw = string_bytes(array)
    if len(raw) and (
        raw.min() < ord(" ") or raw.max() > ord("~") or (raw == ord('"')).any() or (raw == ord("\\")).any()
    ):
        found = pc.match_substring_regex(array, special).fill_null(FALSE)
        expression = re.compile(special)
        escaped = [expression.sub(lambda match: escape(match[0]), text) for text in array.filter(found).to_pylist()]
        array = pc.replace_with_mask(array, found, from_texts(escaped))
    return escapes.escape_occurrences(array, avoidable, avoidable_tails, style.escape_all)
