r"""Backslash escapes (``\\ \" \n \r \t \xHH``), quoted texts and ``k=v`` pairs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.arrow_values import FALSE, TRUE, concat_texts, from_texts, to_scalar
from pyspark_logs.formats.columnar.spans import string_bytes

# Matches runs of plain characters at once: matching each character takes memory of a hundred times the text's size.
_INSIDE = r'[^"\\]*(?:\\.[^"\\]*)*'
QUOTED = re.compile(f'"({_INSIDE})"', re.DOTALL)
# For writers that do not escape quotes. A quote closes the text if the line ends after it, or if a blank follows and the
# next quote, if any, comes after a blank, so that it opens a text. If there is no such quote, the first quote closes it.
_CLOSES = rf'(?=\Z| {_INSIDE}(?:\\?\Z|(?<= )"))'
RAW_QUOTED = re.compile(rf'"([^"\\]*(?:(?:\\.|"(?!{_CLOSES}))[^"\\]*)*(?="{_CLOSES})|{_INSIDE}(?="))"', re.DOTALL)
_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|([\\"nrt]))', re.ASCII)
_PLAIN = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t"}
_PAIR = re.compile(r' *([^ ="]+)=(?:"(' + _INSIDE + r')"(?= |$)|(?!")([^ ]*))(?: +|$)', re.DOTALL)


def unescape(text: str) -> str:
    r"""Replaces the escapes by the characters they stand for; unknown escapes are kept.

    >>> unescape(r"a\tb\x21\q")
    'a\tb!\\q'
    """
    if "\\" not in text:
        return text
    if "\\x" not in text:
        return _ESCAPE.sub(lambda match: _PLAIN[match[2]], text)
    # \xHH is a byte, and a character may consist of several bytes.
    raw = bytearray()
    offset = 0
    for match in _ESCAPE.finditer(text):
        raw += text[offset : match.start()].encode()
        raw += bytes([int(match[1], 16)]) if match[1] else _PLAIN[match[2]].encode()
        offset = match.end()
    raw += text[offset:].encode()
    return raw.decode("utf-8", "replace")


def parse_pairs(text: str) -> dict[str, str]:
    """Parses ``k=v`` pairs separated by spaces; the last of equal keys applies.

    Raises:
        ValueError: the text is not a list of pairs.

    >>> parse_pairs('a=1 b="x y"')
    {'a': '1', 'b': 'x y'}
    """
    pairs: dict[str, str] = {}
    offset = 0
    while offset < len(text):
        match = _PAIR.match(text, offset)
        if match is None:
            if text[offset:].strip(" ") == "":
                break
            raise ValueError("not a list of k=v pairs")
        pairs[match[1]] = unescape(match[2]) if match[2] is not None else match[3]
        offset = match.end()
    return pairs


_MAX_ROUNDS = 8  # each round of replacements handles one of several overlapping occurrences
_HEX_ESCAPE_CHARACTERS = "x0123456789abcdef"


def hex_escape(text: str) -> str:
    r"""Returns the text with each byte of its UTF-8 form as an escape.

    >>> hex_escape("-→")
    '\\x2d\\xe2\\x86\\x92'
    """
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def escape_strings(
    array: pa.Array, *, quoted: bool = False, avoid: Sequence[str] = (), tails: Sequence[str] = ()
) -> pa.Array:
    r"""Escapes backslashes, line ends and, for quoted texts, quotes; the inverse of :func:`unescape`.

    Args:
        array: strings; nulls are kept.
        quoted: True if the texts are enclosed in double quotes.
        avoid: further texts that must not occur. A text that an escape itself may contain, such as ``x``, cannot be
            avoided and may occur.
        tails: texts that no string may end with, with the same exception.

    >>> import pyarrow as pa
    >>> escape_strings(pa.array(["a|b\n"]), avoid=["|"]).to_pylist()
    ['a\\x7cb\\n']
    """
    # In this order no step replaces a character of an escape that an earlier step has written.
    raw = string_bytes(array).tobytes()
    if b"\\" in raw:
        array = pc.replace_substring(array, "\\", "\\\\")
    array = escape_occurrences(array, avoid, tails)
    plain = [("\n", "\\n"), ("\r", "\\r")]
    for character, escaped in [*plain, ('"', '\\"')] if quoted else plain:
        if character.encode() in raw:
            array = pc.replace_substring(array, character, escaped)
    return array


def escape_occurrences(
    array: pa.Array, avoid: Sequence[str], tails: Sequence[str], escape: Callable[[str], str] = hex_escape
) -> pa.Array:
    """Escapes the first character of each occurrence of some texts in strings that are escaped already.

    Args:
        array: escaped strings.
        avoid: texts that must not occur.
        tails: texts that no string may end with.
        escape: returns the escapes of a character.
    """
    for text in avoid:
        if "\\" not in text and text not in escape(text[0]):
            array = _escape_occurrences_of(array, text, escape)
    for text in tails:
        if text[0] not in _HEX_ESCAPE_CHARACTERS and "\\" not in text and pc.any(pc.ends_with(array, text)).as_py():
            replacement = (escape(text[0]) + text[1:]).replace("\\", "\\\\")
            array = pc.replace_substring_regex(array, re.escape(text) + r"\z", replacement)
    return array


def _escape_occurrences_of(array: pa.Array, text: str, escape: Callable[[str], str]) -> pa.Array:
    for _ in range(1 if text[0] in _HEX_ESCAPE_CHARACTERS else _MAX_ROUNDS):
        if not contains_text(array, text):
            break
        array = pc.replace_substring(array, text, escape(text[0]) + text[1:])
    return array


def escape_first_character(array: pa.Array, mask: pa.Array, escape: Callable[[str], str] = hex_escape) -> pa.Array:
    """Escapes the first character of the escaped strings selected by ``mask``, unless they begin with an escape."""
    mask = pc.and_(mask.fill_null(FALSE), pc.invert(pc.starts_with(array, "\\").fill_null(TRUE)))
    mask = pc.and_(mask, pc.greater(pc.binary_length(array), to_scalar(0, pa.int32())).fill_null(FALSE))
    if not pc.any(mask).as_py():
        return array
    firsts = pc.utf8_slice_codeunits(array.filter(mask), 0, 1).dictionary_encode()
    escaped = from_texts([escape(first) for first in firsts.dictionary.to_pylist()]).take(firsts.indices)
    rest = pc.utf8_slice_codeunits(array.filter(mask), 1)
    return pc.replace_with_mask(array, mask, concat_texts(escaped, rest))


def contains_text(array: pa.Array, text: str) -> bool:
    """Returns True if a text occurs in a string; also if it occurs in the concatenation of two strings."""
    return string_bytes(array).tobytes().find(text.encode()) >= 0
