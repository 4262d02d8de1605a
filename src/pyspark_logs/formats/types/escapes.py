r"""Backslash escapes (``\\ \" \n \r \t \xHH``), quoted texts and ``k=v`` pairs."""

from __future__ import annotations

import re
from collections.abc import Callable, Sequence

import pyarrow as pa
import pyarrow.compute as pc

from pyspark_logs.formats.columnar.spans import string_bytes

# Runs of plain characters in one go: character by character a long text would take a hundred times its size.
_INSIDE = r'[^"\\]*(?:\\.[^"\\]*)*'
QUOTED = re.compile(f'"({_INSIDE})"', re.DOTALL)
# As of writers that do not escape quotes: one closes the text where the line ends behind it, or a blank follows and the
# next quote, if any, stands behind a blank, so that it opens a text. If there is none of that kind, the first one does.
_CLOSES = rf'(?=\Z| {_INSIDE}(?:\\?\Z|(?<= )"))'
RAW_QUOTED = re.compile(rf'"([^"\\]*(?:(?:\\.|"(?!{_CLOSES}))[^"\\]*)*(?="{_CLOSES})|{_INSIDE}(?="))"', re.DOTALL)
_ESCAPE = re.compile(r'\\(?:x([0-9a-fA-F]{2})|([\\"nrt]))', re.ASCII)
_PLAIN = {"\\": "\\", '"': '"', "n": "\n", "r": "\r", "t": "\t"}
_PAIR = re.compile(r' *([^ ="]+)=(?:"(' + _INSIDE + r')"(?= |$)|(?!")([^ ]*))(?: +|$)', re.DOTALL)


def unescape(text: str) -> str:
    r"""Undo the escapes; one that is not known stays as it is written.

    >>> unescape(r"a\tb\x21\q")
    'a\tb!\\q'
    """
    if "\\" not in text:
        return text
    if "\\x" not in text:
        return _ESCAPE.sub(lambda match: _PLAIN[match[2]], text)
    # \xHH are bytes: several of them may make up one character.
    raw = bytearray()
    place = 0
    for match in _ESCAPE.finditer(text):
        raw += text[place : match.start()].encode()
        raw += bytes([int(match[1], 16)]) if match[1] else _PLAIN[match[2]].encode()
        place = match.end()
    raw += text[place:].encode()
    return raw.decode("utf-8", "replace")


def parse_pairs(text: str) -> dict[str, str]:
    """``k=v`` pairs between spaces; the last of equal keys wins. ValueError where there is anything else.

    >>> parse_pairs('a=1 b="x y"')
    {'a': '1', 'b': 'x y'}
    """
    pairs: dict[str, str] = {}
    place = 0
    while place < len(text):
        match = _PAIR.match(text, place)
        if match is None:
            if text[place:].strip(" ") == "":
                break
            raise ValueError("not a list of k=v pairs")
        pairs[match[1]] = unescape(match[2]) if match[2] is not None else match[3]
        place = match.end()
    return pairs


# --- by the column, the other way ---------------------------------------------------------------------------

_ROUNDS = 8  # overlapping occurrences take one round each
_IN_HEX = "x0123456789abcdef"  # what stands behind the backslash of an escape in hex


def hex_escape(text: str) -> str:
    r"""A text spelled as its UTF-8 bytes.

    >>> hex_escape("-→")
    '\\x2d\\xe2\\x86\\x92'
    """
    return "".join(f"\\x{byte:02x}" for byte in text.encode())


def escape_strings(
    array: pa.Array, *, quoted: bool = False, avoid: Sequence[str] = (), tails: Sequence[str] = ()
) -> pa.Array:
    r"""Texts with backslashes, line ends and, inside quotes, quotes escaped; ``unescape`` undoes it.

    Args:
        array: strings; nulls stay.
        quoted: whether they stand between double quotes.
        avoid: further texts that must not occur. What no escape helps against (``x``, in whose own escape it
            stands again) may occur all the same.
        tails: texts that must not stand at the end; likewise.

    >>> import pyarrow as pa
    >>> escape_strings(pa.array(["a|b\n"]), avoid=["|"]).to_pylist()
    ['a\\x7cb\\n']
    """
    # In this order no step can hit upon a character of an escape that an earlier one wrote.
    raw = string_bytes(array).tobytes()
    if b"\\" in raw:
        array = pc.replace_substring(array, "\\", "\\\\")
    array = escape_occurrences(array, avoid, tails)
    plain = [("\n", "\\n"), ("\r", "\\r")]
    for character, spelled in [*plain, ('"', '\\"')] if quoted else plain:
        if character.encode() in raw:
            array = pc.replace_substring(array, character, spelled)
    return array


def escape_occurrences(
    array: pa.Array, avoid: Sequence[str], tails: Sequence[str], spell: Callable[[str], str] = hex_escape
) -> pa.Array:
    """Escaped texts in which some texts occur no more, or not at the end; ``spell`` makes escapes of a character."""
    for text in avoid:
        if "\\" not in text and text not in spell(text[0]):
            array = _avoiding(array, text, spell)
    for text in tails:
        if text[0] not in _IN_HEX and "\\" not in text and pc.any(pc.ends_with(array, text)).as_py():
            spelled = (spell(text[0]) + text[1:]).replace("\\", "\\\\")
            array = pc.replace_substring_regex(array, re.escape(text) + r"\z", spelled)
    return array


def _avoiding(array: pa.Array, text: str, spell: Callable[[str], str]) -> pa.Array:
    for _ in range(1 if text[0] in _IN_HEX else _ROUNDS):
        if not contains_text(array, text):
            break
        array = pc.replace_substring(array, text, spell(text[0]) + text[1:])
    return array


def escape_first_character(array: pa.Array, which: pa.Array, spell: Callable[[str], str] = hex_escape) -> pa.Array:
    """Escaped texts with their first character spelled, where ``which`` is set, unless an escape stands there."""
    which = pc.and_(which.fill_null(False), pc.invert(pc.starts_with(array, "\\").fill_null(True)))
    which = pc.and_(which, pc.greater(pc.binary_length(array), 0).fill_null(False))
    if not pc.any(which).as_py():
        return array
    firsts = pc.utf8_slice_codeunits(array.filter(which), 0, 1).dictionary_encode()
    spelled = pa.array([spell(first) for first in firsts.dictionary.to_pylist()], pa.string()).take(firsts.indices)
    rest = pc.utf8_slice_codeunits(array.filter(which), 1)
    return pc.replace_with_mask(array, which, pc.binary_join_element_wise(spelled, rest, ""))


def contains_text(array: pa.Array, text: str) -> bool:
    """Whether a text stands in one of the strings, or looks so where two of them meet."""
    return string_bytes(array).tobytes().find(text.encode()) >= 0
